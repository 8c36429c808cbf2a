"""The before/after dashboard as one still picture: size and accuracy of every variant."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from course_lib.views import style
from course_lib.views.sizes import stacked

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from course_lib.measure import Report

FONT_POINTS = 15  # read from the last row of a lecture hall


def figure(reports: Sequence[Report]) -> Figure:
    """Return the figure: bytes by kind on the left, accuracy with its interval on the right.

    The first report is what the others are compared with.
    """
    fig, (sizes, scores) = style.figure(
        13, 1.9 + 0.72 * len(reports), 1, 2, sharey=True, width_ratios=[1.45, 1]
    )
    names = [report.name.replace("_", " ") for report in reports]
    stacked(sizes, [report.kinds for report in reports], _after_bar(reports), FONT_POINTS)
    sizes.set_yticks(range(len(names)), names, fontsize=FONT_POINTS + 1)
    sizes.set_title("What it weighs: bytes of the file", fontsize=FONT_POINTS + 2)
    _accuracies(scores, reports)
    sizes.invert_yaxis()
    return fig


def show(reports: Sequence[Report]) -> style.Picture:
    """Return the figure as a picture that a cell can end with."""
    return style.show(figure(reports), alt_text(reports))


def alt_text(reports: Sequence[Report]) -> str:
    """Return the sentence that stands for the picture; the same for any measured values."""
    names = ", ".join(report.name for report in reports)
    return f"file size by kind of byte, and accuracy with its interval, of {names}"


def _after_bar(reports: Sequence[Report]) -> list[str]:
    """Return what stands behind each bar: the size, and how much smaller it is."""
    first = reports[0].bytes
    texts = [f"{reports[0].bytes / 1000:.1f} kB"]
    for report in reports[1:]:
        smaller = "the same size" if report.bytes == first else _factor(first, report.bytes)
        texts.append(f"{report.bytes / 1000:.1f} kB, {smaller}")
    return texts


def _factor(first: int, bytes_now: int) -> str:
    if bytes_now > first:
        return f"{bytes_now / first:.1f}x larger"
    return f"{first / bytes_now:.1f}x smaller"


def _accuracies(axes: Axes, reports: Sequence[Report]) -> None:
    """Draw a dot and its 95 % interval a row, and a band that carries the first one's down."""
    rows = np.arange(len(reports))
    shares = 100 * np.array([report.accuracy for report in reports])
    bounds = 100 * np.array([report.interval for report in reports])
    axes.axvspan(*bounds[0], color=style.PALETTE["sky"], alpha=0.25, linewidth=0)
    axes.errorbar(
        shares,
        rows,
        xerr=np.abs(bounds.T - shares),
        fmt="o",
        markersize=10,
        capsize=6,
        linewidth=2.5,
        color=style.PALETTE["blue"],
    )
    for row, share in zip(rows, shares, strict=True):
        axes.annotate(
            f"{share:.1f} %",
            (share, row),
            (0, 11),
            textcoords="offset points",
            ha="center",
            fontsize=FONT_POINTS,
        )
    lowest = bounds.min()
    axes.set_xlim(lowest - 0.1 * (100 - lowest), 100 + 0.04 * (100 - lowest))
    axes.tick_params(axis="x", labelsize=FONT_POINTS - 1)
    axes.tick_params(axis="y", length=0)
    axes.set_title(f"What it knows: {reports[0].n:,} clips", fontsize=FONT_POINTS + 2)
    axes.set_xlabel("per cent right, with its 95 % interval", fontsize=FONT_POINTS)
