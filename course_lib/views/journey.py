"""The map of the workbook: what a model is turned into, how large that is, in which lesson."""

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


def picture(stations: Sequence[Station]) -> style.Picture:
    """Draw the stations from top to bottom; beside each file, a bar as long as the file is."""
    fig, axes = style.figure(9.5, 0.3 + (_BOX_HEIGHT + _GAP) * 0.62 * len(stations))
    largest = max((station.size_bytes or 0 for station in stations), default=0) or 1
    for place, station in enumerate(stations):
        bottom = -place * (_BOX_HEIGHT + _GAP)
        _box(axes, station, bottom)
        if place:
            arrow = {"arrowstyle": "-|>", "color": style.PALETTE["ink"], "lw": 1.5}
            tip = (_BOX_WIDTH / 2, bottom + _BOX_HEIGHT)
            axes.annotate("", tip, (tip[0], tip[1] + _GAP), arrowprops=arrow)
        if station.size_bytes:
            _size(axes, station.size_bytes, largest, bottom)
    axes.set(xlim=(-0.75, 8.2), ylim=(bottom - 0.1, _BOX_HEIGHT + 0.1))
    axes.set_axis_off()
    way = ", ".join(f"{station.form} in lesson {station.lesson}" for station in stations)
    return style.show(fig, f"the way of the model: {way}")


def _box(axes, station: Station, bottom: float) -> None:
    """Draw what the model is at one station, with the lesson's number before it."""
    from matplotlib.patches import FancyBboxPatch

    shape = {"boxstyle": "round,pad=0,rounding_size=0.12", "linewidth": 1.2}
    look = {"facecolor": "white", "edgecolor": style.PALETTE["ink"]}
    axes.add_patch(FancyBboxPatch((0, bottom), _BOX_WIDTH, _BOX_HEIGHT, **shape, **look))
    middle = bottom + _BOX_HEIGHT / 2
    axes.text(_BOX_WIDTH / 2, middle, station.form, ha="center", va="center")
    axes.text(-0.15, middle, station.lesson, ha="right", va="center", weight="bold")


def _size(axes, size_bytes: int, largest_bytes: int, bottom: float) -> None:
    """Draw a file's size as a bar with its kilobytes."""
    length, left = 3.6 * size_bytes / largest_bytes, _BOX_WIDTH + 0.3
    middle = bottom + _BOX_HEIGHT / 2
    axes.barh(middle, length, height=0.34, left=left, color=style.PALETTE["blue"])
    axes.text(left + length, middle, f" {size_bytes / 1000:.0f} kB", va="center")
