"""Pictures of graphs: one, several side by side, its longest path, its operations counted.

Shapes say what a node is, colour only repeats it: a rectangle holds a constant, a dashed
rectangle is fed from outside, a double one keeps a variable, a pill computes.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any

from course_lib.graph.data import Graph
from course_lib.graph.structure import levels, longest_path, span, work
from course_lib.views.layout import Edge, lay_out
from course_lib.views.painting import Marks, paint
from course_lib.views.style import PALETTE, Picture, figure, show

_WIDEST, _TALLEST = 900, 2400  # CSS pixels of a picture; a larger one is made smaller
_LONGEST_SHAPE = 18  # characters
_LEVEL_MARGIN = 92  # pixels left of the graph, for the names of the levels
_FEWER, _MORE, _SAME = "#D5EFE6", "#FBE3D0", "#FFFFFF"


def picture(graph: Graph, marks: Marks | None = None, alt: str = "", **layout: Any) -> Picture:
    """Return the graph as a PNG picture, with the shapes and types of tensors on its edges.

    `alt` is made from the graph where it is empty; `layout` goes to `lay_out` (by_level, across).
    """
    placed = lay_out(graph, **layout)
    scale = min(1, _WIDEST / (placed.width + 1), _TALLEST / (placed.height + 1))
    fig, axes = figure(placed.width * scale / 96 + 0.3, placed.height * scale / 96 + 0.3)
    paint(axes, placed, marks or Marks(labels=shape_labels(graph)), scale)
    return show(fig, alt or describe(graph))


def side_by_side(
    graphs: Mapping[str, Graph], alt: str = "", stand_out: Collection[str] = (), **layout: Any
) -> Picture:
    """Return several graphs in one PNG picture, each under the title that is its key.

    The nodes called one of `stand_out` get a thick line in all of them.
    """
    states = dict.fromkeys(stand_out, "now")  # unlike "here", their arrows stand out as well
    placed = {title: lay_out(graph, **layout) for title, graph in graphs.items()}
    widths = [max(one.width, 12 * len(title)) for title, one in placed.items()]
    height = max(one.height for one in placed.values())
    scale = min(1, _WIDEST / (sum(widths) + 1), _TALLEST / (height + 1))
    size = (sum(widths) * scale / 96 + 0.5 * len(widths), height * scale / 96 + 0.7)
    fig, axes = figure(*size, 1, len(placed), width_ratios=widths, squeeze=False)
    for ax, (title, one) in zip(axes[0], placed.items(), strict=True):
        paint(ax, one, Marks(states, shape_labels(graphs[title])), scale, height)
        ax.set_title(title, loc="center")
    texts = [f"{title}: {describe(graph)}" for title, graph in graphs.items()]
    return show(fig, alt or " | ".join(texts))


def work_and_span(graph: Graph) -> Picture:
    """Return the graph with its levels named and its longest path marked, as a PNG picture."""
    layout = lay_out(graph, by_level=True)
    names, edges = longest_path(graph)
    fig, axes = figure((layout.width + _LEVEL_MARGIN) / 96 + 0.3, layout.height / 96 + 0.7)
    paint(axes, layout, Marks(dict.fromkeys(names, "here"), strong=edges))
    axes.set_xlim(-_LEVEL_MARGIN, layout.width + 6)  # wider than `paint` made it
    places = {box.name: box.y for box in layout.boxes}
    for number, level in enumerate(levels(graph)):
        y = places[level[0]]
        axes.hlines(y, 0, layout.width, color=PALETTE["faint"], linewidth=1, zorder=0)
        look = {"va": "center", "fontsize": 11, "color": PALETTE["grey"]}
        axes.text(6 - _LEVEL_MARGIN, y, f"level {number}", **look)
    axes.set_title(f"work {work(graph):g}, span {span(graph):g}", loc="center")
    return show(fig, describe_span(graph))


def operation_table(counts: Mapping[str, Counter], most: int = 14, alt: str = "") -> Picture:
    """Draw a table of counts: a row for each operation, a column for each graph.

    Rows are the operations of all but the first graph, the most frequent first, at most `most`;
    the others are summed. A cell is green with an arrow down where there are fewer than in the
    graph to its left, and orange with an arrow up where there are more.
    """
    names = list(counts)
    later = sum((counts[name] for name in names[1:]), Counter())
    kinds = [kind for kind, _ in sorted(later.items(), key=lambda item: (-item[1], item[0]))][:most]
    rows = {kind: [counts[name][kind] for name in names] for kind in kinds}
    # kinds that are gone in all later graphs are many and tell little: one row for all of them
    rows["all others"] = [
        sum(count for kind, count in counts[name].items() if kind not in kinds) for name in names
    ]
    rows["nodes in all"] = [sum(counts[name].values()) for name in names]
    fig, axes = figure(2.6 + 1.7 * len(names), 0.36 * (len(rows) + 1) + 0.3)
    axes.axis("off")
    axes.set(xlim=(-1.6, len(names)), ylim=(len(rows) - 0.4, -1.2))
    for column, name in enumerate(names):
        axes.text(column + 0.5, -0.8, name, ha="center", va="center", weight="bold")
    for row, (kind, numbers) in enumerate(rows.items()):
        weight = "bold" if kind == "nodes in all" else "normal"
        axes.text(-0.08, row, kind, ha="right", va="center", weight=weight)
        for column, number in enumerate(numbers):
            _draw_cell(axes, row, column, number, numbers[column - 1] if column else None, weight)
    totals = ", ".join(f"{name} {number}" for name, number in zip(names, numbers, strict=True))
    return show(fig, alt or f"Nodes by operation. In all: {totals}")


def describe(graph: Graph) -> str:
    """Return the graph in a sentence, for whoever cannot see it."""
    if len(graph) <= 12:
        return "; ".join(map(str, graph.nodes)).replace("Const(", "constant(")
    kinds = ", ".join(f"{name} ({count})" for name, count in graph.count().most_common(5))
    return f"a graph of {len(graph)} nodes and {len(graph.edges)} edges: {kinds} and more"


def describe_span(graph: Graph) -> str:
    """Return work and span in a sentence, for whoever cannot see the picture."""
    path = ", ".join(longest_path(graph)[0])
    return (
        f"work {work(graph):g}: so many operations; span {span(graph):g}: the longest path, "
        f"marked in orange-red, is {path}"
    )


def shape_labels(graph: Graph) -> dict[Edge, str]:
    """Return the shape and, below it, the type of each tensor that is not a single number.

    They stand on the first edge that leaves a node: all others carry the same tensor. A shape that
    is too long for an edge is left out.
    """
    ends = [(name, "", position) for position, name in enumerate(graph.outputs)]
    labels: dict[str, tuple[Edge, str]] = {}
    for edge in (*graph.edges, *ends):
        source = graph[edge[0]]
        shape = "×".join("?" if size is None else str(size) for size in source.shape or ())
        if 0 not in (source.shape or (0,)) and len(shape) <= _LONGEST_SHAPE:
            labels.setdefault(edge[0], (edge, f"{shape}\n{source.dtype}".rstrip()))
    return dict(labels.values())


def _draw_cell(
    axes: Any, row: int, column: int, number: int, left: int | None, weight: str
) -> None:
    """Draw one number, on green where it is less than the one to its left, on orange where more."""
    from matplotlib.patches import Rectangle

    change = 0 if left is None else number - left
    colour = _FEWER if change < 0 else _MORE if change > 0 else _SAME
    arrow = " ↓" if change < 0 else " ↑" if change > 0 else ""
    look = {"facecolor": colour, "edgecolor": "none"}
    axes.add_patch(Rectangle((column + 0.03, row - 0.45), 0.94, 0.9, **look))
    axes.text(column + 0.5, row, f"{number or '·'}{arrow}", ha="center", va="center", weight=weight)
