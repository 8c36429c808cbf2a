"""The map of the workbook: what a model is turned into, how large that is, in which lesson."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from course_lib.views import style

_BOX_WIDTH, _BOX_HEIGHT, _GAP = 3.0, 0.62, 0.38


@dataclass(frozen=True)
class Station:
    """One form of the model: in which lesson, what it is there, and its bytes if it is a file."""

    lesson: str
    form: str
    size_bytes: int | None = None


def journey(stations: Sequence[Station]) -> style.Picture:
    """Draw the stations from top to bottom; beside each file, a bar as long as the file is."""
    fig, axes = style.figure(9.5, 0.3 + (_BOX_HEIGHT + _GAP) * 0.62 * len(stations))
    largest = max((station.size_bytes or 0 for station in stations), default=0) or 1
    for place, station in enumerate(stations):
        bottom = -place * (_BOX_HEIGHT + _GAP)
        _box(axes, station, bottom)
        if place:
            start = (_BOX_WIDTH / 2, bottom + _BOX_HEIGHT + _GAP)
            axes.annotate(
                "",
                (_BOX_WIDTH / 2, bottom + _BOX_HEIGHT),
                start,
                arrowprops={"arrowstyle": "-|>", "color": style.PALETTE["ink"], "lw": 1.5},
            )
        if station.size_bytes:
            _size(axes, station.size_bytes, largest, bottom)
    axes.set(xlim=(-0.75, 8.2), ylim=(bottom - 0.1, _BOX_HEIGHT + 0.1))
    axes.set_axis_off()
    told = ", ".join(f"{each.form} in lesson {each.lesson}" for each in stations)
    return style.show(fig, f"the way of the model: {told}")


def _box(axes, station: Station, bottom: float) -> None:
    """Draw what the model is at one station, with the lesson's number before it."""
    from matplotlib.patches import FancyBboxPatch

    box = FancyBboxPatch(
        (0, bottom),
        _BOX_WIDTH,
        _BOX_HEIGHT,
        boxstyle="round,pad=0,rounding_size=0.12",
        facecolor="white",
        edgecolor=style.PALETTE["ink"],
        linewidth=1.2,
    )
    axes.add_patch(box)
    middle = bottom + _BOX_HEIGHT / 2
    axes.text(_BOX_WIDTH / 2, middle, station.form, ha="center", va="center")
    axes.text(-0.15, middle, station.lesson, ha="right", va="center", weight="bold")


def _size(axes, size_bytes: int, largest_bytes: int, bottom: float) -> None:
    """Draw a file's size as a bar with its kilobytes."""
    length = 3.6 * size_bytes / largest_bytes
    left = _BOX_WIDTH + 0.3
    axes.barh(
        bottom + _BOX_HEIGHT / 2,
        length,
        height=0.34,
        left=left,
        color=style.PALETTE["blue"],
    )
    text = f" {size_bytes / 1000:.0f} kB"
    axes.text(left + length, bottom + _BOX_HEIGHT / 2, text, va="center")
