"""The same few gradients as several places see them, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from course_lib.views.style import CYCLE, PALETTE, Picture, figure, show

_HATCHES = ("", "//", "..", "xx", "--")


def bars(rows: Mapping[str, Sequence[float]], names: Sequence[str], alt: str) -> Picture:
    """Return a bar chart: a group for each of `names`, in it a bar for each row.

    Bars differ in hatching as well as in colour.
    """
    fig, axes = figure(8.5, 3.6)
    width = 0.8 / len(rows)
    for number, (title, values) in enumerate(rows.items()):
        places = np.arange(len(names)) + (number - (len(rows) - 1) / 2) * width
        axes.bar(
            places,
            values,
            width,
            label=title,
            color=CYCLE[number % len(CYCLE)],
            edgecolor=PALETTE["paper"],
            hatch=_HATCHES[number % len(_HATCHES)],
        )
    axes.axhline(0, color=PALETTE["ink"], linewidth=1)
    axes.set_xticks(range(len(names)), names)
    axes.set_ylabel("gradient")
    axes.legend(ncols=len(rows), loc="upper center", bbox_to_anchor=(0.5, 1.18))
    return show(fig, alt)
