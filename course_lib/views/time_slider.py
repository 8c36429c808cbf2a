"""The time slider over a training run: weights, confusion matrix, accuracy, an answer.

A page is text and made in milliseconds, so that every move of the slider is followed at once;
`small_multiples` draws some of its moments side by side.
"""

import base64
import html
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from course_lib.experiments.timeline import Timeline, measure
from course_lib.sound.dataset import LABELS, UNKNOWN
from course_lib.views import shell, style
from course_lib.views.answer import share_bars
from course_lib.views.confusion import table_html
from course_lib.views.style import PALETTE

_NEGATIVE, _POSITIVE = (0, 114, 178), (213, 94, 0)  # Okabe and Ito's blue and vermilion
_SHADE = (86, 180, 233)
_PIXEL = 9  # of the screen for each weight of a kernel
_WIDTH, _HEIGHT = 420, 190  # of the curve
_NAMES = [label.strip("_") for label in LABELS]


class TimeSlider(shell.View):
    """A slider over the checkpoints and a choice of clip, joined to one page."""

    def __init__(self, timeline: Timeline, clips: Sequence[int] = ()) -> None:
        """Prepare every page; `clips` are the positions of the clips to choose from."""
        self.timeline = timeline
        self.label = f"a time slider over {len(timeline)} checkpoints"
        self.clips = list(clips) or _clips_to_show(timeline)
        limit = _limit_of(timeline)
        self._images = [_kernels_png(each.kernels, limit) for each in timeline.snapshots]

    def controls(self) -> Any:
        import ipywidgets

        moment = ipywidgets.SelectionSlider(
            options=[(f"step {step}", i) for i, step in enumerate(self.timeline.steps)],
            value=len(self.timeline) - 1,
            description="checkpoint",
            style={"description_width": "initial"},
            layout={"width": "460px", "max_width": "100%"},
        )
        names = [(_clip_name(self.timeline, clip), clip) for clip in self.clips]
        return shell.live(self.page, moment, shell.dropdown("clip", names))

    def still(self) -> style.Picture:
        return small_multiples(self.timeline, self.clips[0])

    @lru_cache(maxsize=256)  # noqa: B019  (a slider lives as long as its notebook)
    def page(self, index: int, clip: int) -> str:
        """Return the page of one checkpoint and clip, made once."""
        return _page(self.timeline, index, clip, self._images[index])


def follow(
    folder: str | Path,
    features: np.ndarray,
    labels: np.ndarray,
    words: Sequence[str] = (),
    model: Any = None,
    int8: np.ndarray | None = None,
) -> Timeline:
    """Measure all checkpoints of `folder` behind a progress bar, then display the time slider.

    The parameters are those of `experiments.timeline.measure`. Returns what was measured.
    """
    bar, status = shell.progress(), shell.html(shell.note("restoring the first checkpoint"))

    def move(done: int, total: int) -> None:
        bar.value = done / total
        status.value = shell.note(f"asked {done} of {total} checkpoints")

    label = "a bar that grows from checkpoint to checkpoint"
    shell.show(shell.column(status, bar), "", label)
    timeline = measure(folder, features, labels, tuple(words), model, int8, move)
    TimeSlider(timeline).show()
    return timeline


def small_multiples(timeline: Timeline, clip: int) -> style.Picture:
    """Draw five snapshots side by side: kernels, confusion matrix, an answer; the curve above."""
    last = len(timeline) - 1
    chosen = sorted({round(last * part / 4) for part in range(5)})
    limit, heights = _limit_of(timeline), [1.1, 0.75, 1.25, 1.0]
    fig, axes = style.figure(11, 9.2, 4, len(chosen), squeeze=False, height_ratios=heights)
    for unused in axes[0]:
        unused.remove()
    curve = fig.add_subplot(axes[0, 0].get_gridspec()[0, :])
    _draw_curve(curve, timeline, chosen)
    for column, index in enumerate(chosen):
        snapshot, (_, kernels, counts, shares) = timeline.snapshots[index], axes[:, column]
        kernels.imshow(kernels_image(snapshot.kernels, limit))
        kernels.set_title(f"step {snapshot.step}", loc="center")
        kernels.axis("off")
        _draw_confusion(counts, timeline.confusion(index), column == 0)
        _draw_answer(shares, snapshot.answers[clip], int(timeline.labels[clip]), column == 0)
    side = {"transform": axes[1, 0].transAxes, "rotation": 90, "va": "center", "ha": "right"}
    axes[1, 0].text(-0.12, 0.5, "kernels", **side)
    points = ", ".join(f"step {timeline.steps[i]} {timeline.accuracies[i]:.0%}" for i in chosen)
    alt = f"Kernels, confusion matrix, accuracy and one answer along the run: {points}"
    return style.show(fig, alt)


def kernels_image(kernels: np.ndarray, limit: float) -> np.ndarray:
    """Return (rows, columns, 3) uint8: each channel's kernel, blue below zero and red above.

    `kernels` is (height, width, 1, channels); `limit` is the value shown in full colour. Up to
    a dozen kernels stand in two rows, more in rows of six.
    """
    height, width, _, channels = kernels.shape
    columns = min(6, -(-channels // 2))
    rows = -(-channels // columns)
    image = np.full((rows * (height + 1) - 1, columns * (width + 1) - 1, 3), 255, np.uint8)
    strength = np.clip(np.abs(kernels[:, :, 0]) / max(limit, 1e-9), 0, 1)[..., np.newaxis]
    full = np.where(kernels[:, :, 0, :, np.newaxis] < 0, _NEGATIVE, _POSITIVE)
    colour = np.round(255 + strength * (full - 255.0)).astype(np.uint8)
    for channel in range(channels):
        top, left = channel // columns * (height + 1), channel % columns * (width + 1)
        image[top : top + height, left : left + width] = colour[:, :, channel]
    return image


def _kernels_png(kernels: np.ndarray, limit: float) -> str:
    """Return `kernels_image` as a PNG in base64."""
    return base64.b64encode(style.squares(kernels_image(kernels, limit), _PIXEL)).decode("ascii")


def _limit_of(timeline: Timeline) -> float:
    """Return the largest weight of the first layer in the whole run: the scale of the colours."""
    return float(max(np.abs(each.kernels).max() for each in timeline.snapshots))


def _page(timeline: Timeline, index: int, clip: int, image: str) -> str:
    """Return the HTML of one checkpoint; `image` is the picture of its kernels in base64."""
    snapshot, counts = timeline.snapshots[index], timeline.confusion(index)
    accuracy, eight = timeline.accuracies[index], timeline.int8_accuracies[index]
    sentence = f"step {snapshot.step}: {accuracy:.0%} right"
    sentence += "" if eight is None else f" as float, {eight:.0%} as int8 (dashed)"
    sentence += "" if snapshot.loss is None else f", loss {snapshot.loss:.2f}"
    picture = (
        f'<img alt="the kernels of the first layer at step {snapshot.step}" width="315" '
        f'src="data:image/png;base64,{image}">'
    )
    height, width = snapshot.kernels.shape[:2]
    said = int(timeline.labels[clip])
    bars = share_bars(snapshot.answers[clip], _NAMES, said, ("green", " ← said"), widths=(76, 160))
    parts = (
        (f"The first layer: {height} × {width} weights a kernel", picture),
        ("Accuracy on voices never heard", _curve_svg(timeline, index)),
        ("Confusion matrix", table_html(counts, _NAMES, corner="said ↓ heard →")),
        (f"Its answer to {html.escape(_clip_name(timeline, clip))}", bars),
    )
    cells = "".join(
        f"<div style='min-width:330px'><div style='margin:4px 0'><b>{name}</b></div>{content}</div>"
        for name, content in parts
    )
    grid = f"<div style='display:flex;flex-wrap:wrap;gap:14px 28px'>{cells}</div>"
    return style.card(shell.note(sentence) + grid, "one checkpoint of the training run")


def _curve_svg(timeline: Timeline, index: int) -> str:
    """Return the accuracy along the run as SVG, with the snapshot `index` marked and named."""
    floats, eights, steps = timeline.accuracies, timeline.int8_accuracies, timeline.steps
    xs = [46 + (_WIDTH - 66) * i / max(1, len(floats) - 1) for i in range(len(floats))]

    def height(value: float) -> float:
        return 14 + (1 - value) * (_HEIGHT - 50)

    def line(values: Sequence[float], colour: str, dashes: str) -> str:
        points = " ".join(f"{x:.1f},{height(y):.1f}" for x, y in zip(xs, values, strict=True))
        return (
            f'<polyline points="{points}" fill="none" stroke="{PALETTE[colour]}" '
            f'stroke-width="2.5" stroke-dasharray="{dashes}"/>'
        )

    grid = "".join(
        f'<line x1="46" x2="{_WIDTH - 12}" y1="{height(value)}" y2="{height(value)}" '
        f'stroke="{PALETTE["faint"]}"/><text x="40" y="{height(value) + 4}" '
        f'text-anchor="end">{value:.0%}</text>'
        for value in (0, 0.5, 1)
    )
    names = "".join(
        f'<text x="{x}" y="{_HEIGHT - 16}" text-anchor="middle" '
        f'font-weight="{"bold" if number == index else "normal"}" font-size="11">{step}</text>'
        for number, (x, step) in enumerate(zip(xs, steps, strict=True))
    )
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" height="{_HEIGHT}" role="img" '
        f'font-family="DejaVu Sans, Verdana, sans-serif" font-size="13">'
        f"<title>accuracy {floats[index]:.0%} at step {steps[index]}</title>"
        f"{grid}{line(floats, 'blue', '')}{'' if None in eights else line(eights, 'red', '5 4')}"
        f'<line x1="{xs[index]}" x2="{xs[index]}" y1="10" y2="{_HEIGHT - 34}" stroke="#1A1A1A"/>'
        f'<circle cx="{xs[index]}" cy="{height(floats[index])}" r="6" '
        f'fill="{PALETTE["blue"]}" stroke="#1A1A1A"/>{names}'
        f'<text x="{_WIDTH / 2}" y="{_HEIGHT - 1}" text-anchor="middle">step</text></svg>'
    )


def _clips_to_show(timeline: Timeline, most: int = 5) -> list[int]:
    """Return positions of clips worth watching: first those that the last snapshot learnt late."""
    answers = np.array([each.answers.argmax(axis=1) for each in timeline.snapshots])
    right = answers == timeline.labels
    late = (~right).sum(axis=0)
    chosen: list[int] = []
    for label in (*range(UNKNOWN + 1, len(LABELS)), UNKNOWN):
        known = np.flatnonzero(right[-1] & (timeline.labels == label))
        chosen += [int(clip) for clip in known[np.argsort(-late[known], kind="stable")][:1]]
    wrong = [int(clip) for clip in np.flatnonzero(~right[-1])]
    return (chosen + wrong[:2])[:most] or [0]


def _clip_name(timeline: Timeline, clip: int) -> str:
    word = timeline.words[clip] if timeline.words else LABELS[int(timeline.labels[clip])]
    return f"“{word.strip('_')}”, clip {clip}"


def _draw_curve(axes: Any, timeline: Timeline, chosen: Sequence[int]) -> None:
    places = np.arange(len(timeline))
    axes.plot(places, timeline.accuracies, "o-", label="float")
    if None not in timeline.int8_accuracies:
        axes.plot(places, timeline.int8_accuracies, "s--", label="int8", markersize=4)
        axes.legend(loc="lower right")
    above = {"textcoords": "offset points", "ha": "center", "weight": "bold"}
    for index in chosen:
        height = timeline.accuracies[index]
        axes.annotate(f"{height:.0%}", (index, height), (0, 8), **above)
    axes.set_xticks(places, timeline.steps)
    axes.set(ylim=(0, 1.15), ylabel="accuracy", yticks=[0, 0.5, 1])
    axes.set_xlabel("step (of each checkpoint)")


def _draw_confusion(axes: Any, counts: np.ndarray, first: bool) -> None:
    shares = counts / np.maximum(1, counts.sum(axis=1, keepdims=True))
    axes.imshow(np.round(255 + shares[..., np.newaxis] * (np.array(_SHADE) - 255)).astype(np.uint8))
    for (row, column), count in np.ndenumerate(counts):
        axes.text(column, row, count, ha="center", va="center", fontsize=11)
    axes.set_xticks(range(len(_NAMES)), _NAMES, rotation=90)
    axes.set_yticks(range(len(_NAMES)), _NAMES if first else [])
    axes.set_ylabel("said" if first else "")


def _draw_answer(axes: Any, answer: np.ndarray, label: int, first: bool) -> None:
    names = [f"{name} *" if i == label else name for i, name in enumerate(_NAMES)]
    shades = [PALETTE["green" if i == label else "grey"] for i in range(len(names))]
    axes.barh(range(len(names)), answer, color=shades)
    style.name_rows(axes, names if first else [""] * len(names))
    axes.set(xlim=(0, 1))
    axes.set_xticks([0, 1], ["0", "1"])
    axes.set_xlabel("answer to one clip (* said)" if first else "")
