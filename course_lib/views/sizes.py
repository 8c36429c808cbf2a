"""Where the bytes of a file go: one stacked bar a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from course_lib.views import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

KIND_COLOURS: Mapping[str, str] = {
    "weights": style.PALETTE["blue"],
    "scales": style.PALETTE["orange"],
    "names": style.PALETTE["sky"],
    "structure": style.PALETTE["grey"],
}
_EDGE = style.PALETTE["paper"]
_HATCHES = {"weights": "", "scales": "///", "names": "...", "structure": "xx"}


def by_kind(
    kinds: Mapping[str, Mapping[str, int]], title: str = "Where the bytes go"
) -> style.Picture:
    """Return a picture of bytes by kind; `kinds` maps a model's name to bytes of each kind."""
    fig, axes = style.figure(10, 1.5 + 0.6 * len(kinds))
    totals = [sum(each.values()) for each in kinds.values()]
    stacked(axes, list(kinds.values()), [f"{total / 1000:.1f} kB" for total in totals])
    style.name_rows(axes, [name.replace("_", " ") for name in kinds])
    axes.set_title(title)
    return style.show(fig, f"bytes by kind of {', '.join(kinds)}")


def stacked(
    axes: Axes, kinds: Sequence[Mapping[str, int]], texts: Sequence[str], font_points: int = 12
) -> None:
    """Draw one bar a row, cut into kinds, with `texts` behind; hatches tell kinds apart too."""
    rows, left = np.arange(len(kinds)), np.zeros(len(kinds))
    for kind, colour in KIND_COLOURS.items():
        widths = np.array([each.get(kind, 0) for each in kinds]) / 1000
        look = {"hatch": _HATCHES[kind], "edgecolor": _EDGE, "linewidth": 0.5, "label": kind}
        axes.barh(rows, widths, left=left, height=0.62, color=colour, **look)
        left += widths
    for row, (end, text) in enumerate(zip(left, texts, strict=True)):
        style.beside(axes, row, end, text, fontsize=font_points)
    axes.set_xlim(0, left.max() * 1.16)
    axes.tick_params(axis="x", labelsize=font_points - 1)
    axes.set_xlabel("kilobytes (1,000 bytes)", fontsize=font_points)
    axes.figure.legend(
        *axes.get_legend_handles_labels(), loc="outside lower left", ncols=4, fontsize=font_points
    )


def steps(
    sizes: Mapping[str, int], accuracies: Mapping[str, float], goal: float | None = None
) -> style.Picture:
    """Return a picture of a file that shrinks; `goal` is the factor below the first to reach."""
    names, values = list(sizes), np.array(list(sizes.values())) / 1000
    fig, axes = style.figure(10, 1.6 + 0.6 * len(names))
    axes.barh(range(len(names)), values, height=0.6, color=style.PALETTE["blue"])
    for row, (name, value) in enumerate(zip(names, values, strict=True)):
        text = f"{value:.1f} kB, {values[0] / value:.2f}x, {accuracies[name]:.1%} right"
        style.beside(axes, row, value, text, bbox=style.ON_PAPER)
    if goal:
        end, red = values[0] / goal, style.PALETTE["red"]
        axes.axvline(end, color=red, linestyle="--")
        axes.annotate(f"{goal:g}x", (end, -0.55), color=red, ha="center", va="bottom")
    axes.set_xlim(0, values.max() * 1.45)
    style.name_rows(axes, names)
    axes.set_xlabel("kilobytes of the whole file")
    return style.show(fig, f"the size of the file after each step: {', '.join(names)}")


def factors(pairs: Mapping[str, tuple[Mapping[str, int], Mapping[str, int]]]) -> style.Picture:
    """Return how many times smaller int8 made the weights and the whole file of each model.

    `pairs` maps a model's name to its bytes by kind before and after.
    """
    names, rows = list(pairs), np.arange(len(pairs))
    fig, axes = style.figure(10, 1.8 + 0.8 * len(names))
    weights = [before["weights"] / after["weights"] for before, after in pairs.values()]
    files = [sum(before.values()) / sum(after.values()) for before, after in pairs.values()]
    bars = ((-0.2, weights, "blue", "", "weights"), (0.2, files, "orange", "///", "whole file"))
    box = {**style.ON_PAPER, "pad": 2}
    for shift, values, colour, hatch, label in bars:
        look = {"color": style.PALETTE[colour], "hatch": hatch, "edgecolor": _EDGE, "label": label}
        axes.barh(rows + shift, values, 0.36, **look)
        for row, value in enumerate(values):
            place = value - 0.06, row + shift
            axes.text(*place, f"{value:.2f}", ha="right", va="center", bbox=box)
    axes.axvline(4, color=style.PALETTE["ink"], linestyle="--")
    axes.set_xlim(0, 4.6)
    style.name_rows(axes, names)
    axes.set_xlabel("times smaller as int8")
    fig.legend(*axes.get_legend_handles_labels(), loc="outside upper left", ncols=2)
    return style.show(fig, f"how many times smaller int8 makes {', '.join(names)}")
