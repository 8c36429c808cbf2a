"""Work and span on the picture of a graph: a row for each step, and the longest path through it."""

from __future__ import annotations

from course_lib.graph.data import Graph
from course_lib.graph.structure import levels, longest_path, span, work
from course_lib.views.layout import lay_out
from course_lib.views.marks import Marks
from course_lib.views.paint import paint
from course_lib.views.style import PALETTE, Picture, figure, show

_MARGIN = 92  # pixels left of the graph, for the names of the levels


def describe(graph: Graph) -> str:
    """Return work and span in a sentence, for whoever cannot see the picture."""
    path = ", ".join(longest_path(graph)[0])
    return (
        f"work {work(graph):g}: so many operations; span {span(graph):g}: the longest path, "
        f"marked in red, is {path}"
    )


def picture(graph: Graph) -> Picture:
    """Return the graph with its levels named and its longest path marked, as a PNG picture."""
    layout = lay_out(graph, by_level=True)
    names, edges = longest_path(graph)
    fig, axes = figure((layout.width + _MARGIN) / 96 + 0.3, layout.height / 96 + 0.7)
    paint(axes, layout, Marks(dict.fromkeys(names, "here"), strong=edges))
    axes.set_xlim(-_MARGIN, layout.width + 6)
    places = {box.name: box.y for box in layout.boxes}
    for number, level in enumerate(levels(graph)):
        y = places[level[0]]
        axes.hlines(y, 0, layout.width, color=PALETTE["faint"], linewidth=1, zorder=0)
        look = {"va": "center", "fontsize": 11, "color": PALETTE["grey"]}
        axes.text(6 - _MARGIN, y, f"level {number}", **look)
    axes.set_title(f"work {work(graph):g}, span {span(graph):g}", loc="center")
    return show(fig, describe(graph))
