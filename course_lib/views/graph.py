"""The picture of a graph: as SVG for a widget, which redraws in a moment, and as PNG for a page.

Shapes say what a node is, colour only repeats it: a rectangle holds a constant, a dashed
rectangle is fed from outside, a double one keeps a variable, a pill computes.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from course_lib.graph.data import Graph
from course_lib.views.layout import lay_out
from course_lib.views.marks import Marks
from course_lib.views.paint import paint
from course_lib.views.places import Edge
from course_lib.views.style import Picture, figure, show

_WIDEST, _TALLEST = 900, 2400  # CSS pixels of a picture; a larger one is made smaller

_LONGEST_SHAPE = 18  # characters


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
    states = dict.fromkeys(stand_out, "now")
    placed = {title: lay_out(graph, **layout) for title, graph in graphs.items()}
    widths = [max(each.width, 12 * len(title)) for title, each in placed.items()]
    height = max(each.height for each in placed.values())
    scale = min(1, _WIDEST / (sum(widths) + 1), _TALLEST / (height + 1))
    fig, axes = figure(
        sum(widths) * scale / 96 + 0.5 * len(widths),
        height * scale / 96 + 0.7,
        1,
        len(placed),
        width_ratios=widths,
        squeeze=False,
    )
    for ax, (title, each) in zip(axes[0], placed.items(), strict=True):
        marks = Marks(states, shape_labels(graphs[title]))
        paint(ax, each, marks, scale, height)
        ax.set_title(title, loc="center")
    texts = [f"{title}: {describe(graph)}" for title, graph in graphs.items()]
    return show(fig, alt or " | ".join(texts))


def describe(graph: Graph) -> str:
    """Return the graph in a sentence, for whoever cannot see it."""
    if len(graph) <= 12:
        return "; ".join(map(str, graph.nodes)).replace("Const(", "constant(")
    kinds = ", ".join(f"{name} ({count})" for name, count in graph.count().most_common(5))
    return f"a graph of {len(graph)} nodes and {len(graph.edges)} edges: {kinds} and more"


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
        if shape and len(shape) <= _LONGEST_SHAPE:
            labels.setdefault(edge[0], (edge, f"{shape}\n{source.dtype}".rstrip()))
    return dict(labels.values())
