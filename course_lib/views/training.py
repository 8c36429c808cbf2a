"""Pictures of a training: loss and accuracy as they came."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from course_lib.views import style
from course_lib.views.style import PALETTE, Picture


@dataclass
class Curve:
    """What a training has shown so far: loss by step, accuracy on held-out clips by step."""

    losses: list[tuple[float, float]] = field(default_factory=list)
    accuracies: list[tuple[float, float]] = field(default_factory=list)


def curves(curve: Curve, title: str = "", epochs: float | None = None) -> Picture:
    """Draw the loss and, beside it, the accuracy of a training against the epoch.

    With `epochs` the axis has its full length from the start, for a plot that grows.
    """
    fig, (left, right) = style.figure(9.5, 3.2, 1, 2)
    left.plot(*_columns(curve.losses), color=PALETTE["red"])
    left.set(title="loss on training clips", xlabel="epoch")
    left.set_ylim(bottom=0)
    right.plot(*_columns(curve.accuracies), "o-", color=PALETTE["blue"])
    right.set(title="right on voices it never hears", xlabel="epoch", ylim=(0, 1.02))
    right.yaxis.set_major_formatter("{x:.0%}")
    for axis in (left, right):
        axis.grid(axis="y")
        if epochs:
            axis.set_xlim(0, epochs)
    if title:
        fig.suptitle(title, x=0.01, ha="left")
    return style.show(fig, f"loss falls and accuracy rises over the epochs{_of(title)}")


def compared(named: Mapping[str, Curve], title: str = "") -> Picture:
    """Draw the accuracy of several trainings against the epoch in one picture."""
    fig, axis = style.figure(8.0, 3.4)
    for turn, (name, curve) in enumerate(named.items()):
        line = ("o-", "s--", "^:", "D-.")[turn % 4]
        axis.plot(*_columns(curve.accuracies), line, color=style.CYCLE[turn], label=name)
    axis.set(title=title or "right on voices they never hear", xlabel="epoch", ylim=(0, 1.02))
    axis.yaxis.set_major_formatter("{x:.0%}")
    axis.grid(axis="y")
    axis.legend(loc="lower right")
    return style.show(fig, f"accuracy over the epochs, {' and '.join(named)}")


def of_snapshots(
    history: Sequence[Mapping[str, float]], title: str = "the shipped model"
) -> Picture:
    """Draw the history of the shipped model: one point for each checkpoint."""
    measured = Curve(
        [(row["epoch"], row["loss"]) for row in history if row["loss"] is not None],
        [(row["epoch"], row["accuracy"]) for row in history],
    )
    return curves(measured, title)


def _columns(pairs: Sequence[tuple[float, float]]) -> tuple[list[float], list[float]]:
    return [x for x, _ in pairs], [y for _, y in pairs]


def _of(title: str) -> str:
    return f": {title}" if title else ""
