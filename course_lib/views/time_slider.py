"""The time slider over a training run: weights, confusion matrix, accuracy, an answer."""

from __future__ import annotations

import base64
import html
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from course_lib.sound.dataset import LABELS
from course_lib.views import checkpoint, shell, style
from course_lib.views import timeline as draw

if TYPE_CHECKING:
    from course_lib.experiments.timeline import Timeline


class TimeSlider:
    """Join a slider over the checkpoints and a choice of clip to one page; moving computes nothing.

    `box` is the widget, `slider` and `clip` its controls, `view` the HTML that they change.
    """

    def __init__(self, timeline: Timeline, clips: Sequence[int] = ()) -> None:
        """Prepare every page; `clips` are the positions of the clips to choose from."""
        import ipywidgets

        self.timeline = timeline
        self.clips = list(clips) or clips_to_show(timeline)
        limit = draw.limit_of(timeline)
        self._images = [
            base64.b64encode(draw.kernels_png(each.kernels, limit)).decode("ascii")
            for each in timeline.snapshots
        ]
        last = len(timeline) - 1
        self.slider = ipywidgets.SelectionSlider(
            options=[(f"step {step}", i) for i, step in enumerate(timeline.steps)],
            value=last,
            description="checkpoint",
            continuous_update=True,
            style={"description_width": "initial"},
            layout=ipywidgets.Layout(width="460px", max_width="100%"),
        )
        self.clip = shell.dropdown("clip", [(_clip_name(timeline, i), i) for i in self.clips])
        self.view = shell.html()
        self.slider.observe(self._draw, names="value")
        self.clip.observe(self._draw, names="value")
        self._draw()
        self.box = shell.column(shell.row(self.slider, self.clip), self.view)

    def page(self, index: int, clip: int) -> str:
        """Return the page of one checkpoint and clip, made once."""
        return self._page(index, clip)

    @lru_cache(maxsize=256)  # noqa: B019  (a slider lives as long as its notebook)
    def _page(self, index: int, clip: int) -> str:
        return page(self.timeline, index, clip, self._images[index])

    def _draw(self, change: Any = None) -> None:
        self.view.value = self.page(self.slider.value, self.clip.value)


def show(timeline: Timeline, clips: Sequence[int] = ()) -> None:
    """Display the time slider, with small multiples of five checkpoints as its static twin."""
    made = TimeSlider(timeline, clips)
    twin = checkpoint.small_multiples(timeline, made.clips[0])
    shell.show(made.box, twin, f"a time slider over {len(timeline)} checkpoints")


def follow(
    folder: str | Path,
    features: np.ndarray,
    labels: np.ndarray,
    words: Sequence[str] = (),
    model: Any = None,
    int8: np.ndarray | None = None,
) -> Timeline:
    """Measure all checkpoints of `folder` behind a progress bar, then display the time slider.

    The parameters are those of `checkpoint.timeline.measure`. Returns what was measured.
    """
    import ipywidgets

    from course_lib.experiments.timeline import measure

    bar = ipywidgets.FloatProgress(
        0.0, min=0.0, max=1.0, layout=ipywidgets.Layout(width="460px", max_width="100%")
    )
    status = shell.html(shell.note("restoring the first checkpoint"))

    def move(done: int, total: int) -> None:
        bar.value = done / total
        status.value = shell.note(f"asked {done} of {total} checkpoints")

    shell.show(shell.column(status, bar), "", "a bar that grows from checkpoint to checkpoint")
    found = measure(folder, features, labels, tuple(words), model, int8, move)
    show(found)
    return found


def page(timeline: Timeline, index: int, clip: int, image: str) -> str:
    """Return the HTML of one checkpoint; `image` is the picture of its kernels in base64."""
    snapshot = timeline.snapshots[index]
    accuracy, eight = timeline.accuracies[index], timeline.int8_accuracies[index]
    told = f"step {snapshot.step}: {accuracy:.0%} right"
    told += "" if eight is None else f" as float, {eight:.0%} as int8 (dashed)"
    told += "" if snapshot.loss is None else f", loss {snapshot.loss:.2f}"
    picture = (
        f'<img alt="the kernels of the first layer at step {snapshot.step}" width="315" '
        f'src="data:image/png;base64,{image}">'
    )
    height, width = snapshot.kernels.shape[:2]
    parts = (
        (f"The first layer: {height} × {width} weights a kernel", picture),
        ("Accuracy on voices never heard", draw.curve_svg(timeline, index)),
        ("Confusion matrix", draw.confusion_html(timeline.confusion(index))),
        (
            f"Its answer to {html.escape(_clip_name(timeline, clip))}",
            draw.answer_html(snapshot.answers[clip], int(timeline.labels[clip])),
        ),
    )
    cells = "".join(
        f"<div style='min-width:330px'><div style='margin:4px 0'><b>{name}</b></div>{content}</div>"
        for name, content in parts
    )
    grid = f"<div style='display:flex;flex-wrap:wrap;gap:14px 28px'>{cells}</div>"
    return style.card(shell.note(told) + grid, "one checkpoint of the training run")


def clips_to_show(timeline: Timeline, most: int = 5) -> list[int]:
    """Return positions of clips worth watching: first those that the last snapshot learnt late."""
    right = [each.answers.argmax(axis=1) == timeline.labels for each in timeline.snapshots]
    late = {
        clip: sum(not moment[clip] for moment in right)
        for clip in range(len(timeline.labels))
        if right[-1][clip]
    }
    chosen = []
    for label in (LABELS.index("yes"), LABELS.index("no"), LABELS.index("_unknown_")):
        mine = [clip for clip in late if timeline.labels[clip] == label]
        chosen += sorted(mine, key=lambda clip: (-late[clip], clip))[:1]
    wrong = [clip for clip in range(len(timeline.labels)) if not right[-1][clip]]
    return (chosen + wrong[:2])[:most] or [0]


def _clip_name(timeline: Timeline, clip: int) -> str:
    word = timeline.words[clip] if timeline.words else LABELS[int(timeline.labels[clip])]
    return f"“{word.strip('_')}”, clip {clip}"
