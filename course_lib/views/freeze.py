"""Pictures of freezing: how many nodes of each operation a graph has, before and after."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from course_lib.views import style

_FEWER, _MORE, _SAME = "#D5EFE6", "#FBE3D0", "#FDFDFB"


def operations(counts: Mapping[str, Counter], most: int = 14, alt: str = "") -> style.Picture:
    """Draw a table of counts: a row for each operation, a column for each graph.

    Rows are the operations of all but the first graph, the most frequent first, at most `most`;
    the others are summed. A cell is green with an arrow down where there are fewer than in the
    graph to its left, and orange with an arrow up where there are more.
    """
    names = list(counts)
    later = sum((counts[name] for name in names[1:]), Counter())
    kinds = [kind for kind, _ in sorted(later.items(), key=lambda item: (-item[1], item[0]))][:most]
    rows = {kind: [counts[name][kind] for name in names] for kind in kinds}
    rows["all others"] = [
        sum(count for kind, count in counts[name].items() if kind not in kinds) for name in names
    ]
    rows["nodes in all"] = [sum(counts[name].values()) for name in names]
    fig, axes = style.figure(2.6 + 1.7 * len(names), 0.36 * (len(rows) + 1) + 0.3)
    axes.axis("off")
    axes.set(xlim=(-1.6, len(names)), ylim=(len(rows) - 0.4, -1.2))
    for column, name in enumerate(names):
        axes.text(column + 0.5, -0.8, name, ha="center", va="center", weight="bold")
    for row, (kind, numbers) in enumerate(rows.items()):
        weight = "bold" if kind == "nodes in all" else "normal"
        axes.text(-0.08, row, kind, ha="right", va="center", weight=weight)
        for column, number in enumerate(numbers):
            _draw_cell(axes, row, column, number, numbers[column - 1] if column else None, weight)
    told = ", ".join(f"{name} {number}" for name, number in zip(names, numbers, strict=True))
    return style.show(fig, alt or f"Nodes by operation. In all: {told}")


def _draw_cell(
    axes: Any, row: int, column: int, number: int, left: int | None, weight: str
) -> None:
    """Draw one number, on green where it is less than the one to its left, on orange where more."""
    from matplotlib.patches import Rectangle

    change = 0 if left is None else number - left
    colour = _FEWER if change < 0 else _MORE if change > 0 else _SAME
    arrow = " ↓" if change < 0 else " ↑" if change > 0 else ""
    axes.add_patch(
        Rectangle((column + 0.03, row - 0.45), 0.94, 0.9, facecolor=colour, edgecolor="none")
    )
    axes.text(column + 0.5, row, f"{number or '·'}{arrow}", ha="center", va="center", weight=weight)
