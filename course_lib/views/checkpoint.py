"""Pictures of checkpoints: what each holds, what the model knew at each, runs taken up again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from course_lib.sound.dataset import LABELS
from course_lib.views import style
from course_lib.views.bytes import colours
from course_lib.views.timeline import SHADE, kernels_image, limit_of, short

if TYPE_CHECKING:
    from course_lib.experiments.training_runs.timeline import Timeline
    from course_lib.formats.checkpoint.contents import Contents

_LINES = (("-", 6.0, "sky"), ("-", 2.5, "ink"), ("--", 2.0, "orange"), (":", 3.0, "red"))
_VISIBLE_BYTES = 100  # groups smaller than that are drawn with the structure
_STRUCTURE = "structure of the file"


def groups(shown: Mapping[str, Contents], alt: str = "") -> style.Picture:
    """Draw the bytes of several files as stacked bars: weights, optimizer, everything else.

    What belongs to no tensor (an index, HDF5's own structure) is drawn as the file's structure.
    """
    parts = {name: _parts(each) for name, each in shown.items()}
    kinds = sorted({kind for each in parts.values() for kind in each}, key=_place)
    tints = colours(kinds)
    fig, axes = style.figure(9.5, 1.3 + 0.62 * len(parts))
    for row, (_, each) in enumerate(parts.items()):
        left = 0
        for kind in (kind for kind in kinds if kind in each):
            axes.barh(
                row, each[kind], left=left, color=tints[kind], edgecolor="black", linewidth=0.7
            )
            _write_inside(axes, row, left, each[kind], max(sum(p.values()) for p in parts.values()))
            left += each[kind]
        axes.annotate(f"{left / 1000:.0f} kB", (left, row), (6, 0), textcoords="offset points",
                      va="center", weight="bold")  # fmt: skip
    axes.set_yticks(range(len(parts)), list(parts))
    axes.invert_yaxis()
    axes.set(xticks=[], xlim=(0, max(sum(each.values()) for each in parts.values()) * 1.12))
    axes.spines["bottom"].set_visible(False)
    handles = [_patch(tints[kind], kind) for kind in kinds]
    fig.legend(handles=handles, loc="outside lower left", ncols=3)
    told = "; ".join(
        f"{name}: " + ", ".join(f"{kind} {count / 1000:.0f} kB" for kind, count in each.items())
        for name, each in parts.items()
    )
    return style.show(fig, alt or told)


def small_multiples(timeline: Timeline, clip: int, chosen: Sequence[int] = ()) -> style.Picture:
    """Draw some snapshots side by side: kernels, confusion matrix, an answer; the curve above.

    `chosen` are indexes of snapshots; without them, five from the first to the last are taken.
    """
    last = len(timeline) - 1
    chosen = list(chosen) or sorted({round(last * part / 4) for part in range(5)})
    limit = limit_of(timeline)
    fig, axes = style.figure(11, 9.2, rows=4, columns=len(chosen), squeeze=False,
                             height_ratios=[1.1, 0.75, 1.25, 1.0])  # fmt: skip
    for unused in axes[0]:
        unused.remove()
    curve = fig.add_subplot(axes[0, 0].get_gridspec()[0, :])
    _draw_curve(curve, timeline, chosen)
    for column, index in enumerate(chosen):
        snapshot = timeline.snapshots[index]
        axes[1, column].imshow(kernels_image(snapshot.kernels, limit))
        axes[1, column].set_title(f"step {snapshot.step}", loc="center")
        axes[1, column].axis("off")
        _draw_confusion(axes[2, column], timeline.confusion(index), first=column == 0)
        _draw_answer(axes[3, column], snapshot.answers[clip], int(timeline.labels[clip]),
                     first=column == 0)  # fmt: skip
    axes[1, 0].text(-0.12, 0.5, "kernels", transform=axes[1, 0].transAxes, rotation=90, va="center",
                    ha="right")  # fmt: skip
    told = ", ".join(f"step {timeline.steps[i]} {timeline.accuracies[i]:.0%}" for i in chosen)
    return style.show(
        fig, f"Kernels, confusion matrix, accuracy and one answer along the run: {told}"
    )


def resumed(
    losses: Mapping[str, Mapping[int, float]],
    distances: Mapping[str, Mapping[int, float]],
    killed_at: int,
) -> style.Picture:
    """Draw runs by step: their losses, and how far their weights are from the uninterrupted run's.

    `distances` are the largest differences of any weight; a name is drawn alike in both halves.
    """
    fig, axes = style.figure(11, 4.2, columns=2)
    names = list(losses)
    for ax, curves in zip(axes, (losses, distances), strict=True):
        for name, curve in curves.items():
            dashes, width, colour = _LINES[names.index(name) % len(_LINES)]
            ax.plot(list(curve), list(curve.values()), dashes, label=name, linewidth=width,
                    color=style.PALETTE[colour])  # fmt: skip
        ax.axvline(killed_at, color=style.PALETTE["grey"], linewidth=1)
        ax.annotate("killed", (killed_at, 1), (4, -2), xycoords=("data", "axes fraction"),
                    textcoords="offset points", va="top", color=style.PALETTE["grey"])  # fmt: skip
        ax.set_xlabel("training step")
    axes[0].set_title("loss of the batch")
    axes[1].set_title("largest difference of a weight")
    fig.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    told = ", ".join(f"{name} {'differs' if max(curve.values()) else 'is the same to the last bit'}"
                     for name, curve in distances.items())  # fmt: skip
    return style.show(fig, f"A run killed at step {killed_at} beside runs that take it up: {told}")


def _parts(contents: Contents) -> dict[str, int]:
    """Return the bytes of the groups, and what is left of the files as their structure."""
    rest = contents.total_bytes - contents.tensor_bytes
    parts = {kind: size for kind, size in contents.groups.items() if size >= _VISIBLE_BYTES}
    rest += contents.tensor_bytes - sum(parts.values())
    return {**parts, **({_STRUCTURE: rest} if rest else {})}


def _place(kind: str) -> tuple[int, str]:
    """Return where a kind stands in a bar: weights first, the file's own structure last."""
    order = ("weights", "optimizer", "bookkeeping", "other", "object graph", _STRUCTURE)
    return order.index(kind.split(":")[0]), kind


def _write_inside(axes: Any, row: int, left: int, count: int, longest: int) -> None:
    if count > longest * 0.07:
        axes.text(left + count / 2, row, f"{count / 1000:.0f}", ha="center", va="center")


def _patch(colour: tuple, label: str) -> Any:
    from matplotlib.patches import Patch

    return Patch(facecolor=colour, edgecolor="black", linewidth=0.7, label=label)


def _draw_curve(axes: Any, timeline: Timeline, chosen: Sequence[int]) -> None:
    places = np.arange(len(timeline))
    axes.plot(places, timeline.accuracies, "o-", label="float")
    if None not in timeline.int8_accuracies:
        axes.plot(places, timeline.int8_accuracies, "s--", label="int8", markersize=4)
        axes.legend(loc="lower right")
    for index in chosen:
        height = timeline.accuracies[index]
        axes.annotate(f"{height:.0%}", (index, height), (0, 8), ha="center", weight="bold",
                      textcoords="offset points")  # fmt: skip
    axes.set_xticks(places, timeline.steps)
    axes.set(
        ylim=(0, 1.15), ylabel="accuracy", xlabel="step (of each checkpoint)", yticks=[0, 0.5, 1]
    )


def _draw_confusion(axes: Any, counts: np.ndarray, first: bool) -> None:
    shares = counts / np.maximum(1, counts.sum(axis=1, keepdims=True))
    image = np.round(255 + shares[..., np.newaxis] * (np.array(SHADE) - 255)).astype(np.uint8)
    axes.imshow(image)
    for row in range(4):
        for column in range(4):
            axes.text(column, row, counts[row, column], ha="center", va="center", fontsize=11)
    names = [short(each) for each in LABELS]
    axes.set_xticks(range(4), names, rotation=90)
    axes.set_yticks(range(4), names if first else [])
    if first:
        axes.set_ylabel("said")


def _draw_answer(axes: Any, answer: np.ndarray, label: int, first: bool) -> None:
    names = [f"{short(each)} *" if i == label else short(each) for i, each in enumerate(LABELS)]
    shades = [style.PALETTE["green" if i == label else "grey"] for i in range(4)]
    axes.barh(range(4), answer, color=shades)
    axes.set_yticks(range(4), names if first else [])
    axes.invert_yaxis()
    axes.set(xlim=(0, 1), xticks=[0, 1])
    axes.set_xticks([0, 1], ["0", "1"])
    axes.set_xlabel("answer to one clip (* said)" if first else "")
