"""A graph as SVG: it can be read without colour, and its letters are large enough."""

from __future__ import annotations

import re

from course_lib.exercises.material import PROGRAM
from course_lib.graph import Graph, Node
from course_lib.graph.trace import from_source
from course_lib.views.layout import lay_out
from course_lib.views.painting import Marks, svg

SEVEN = from_source(PROGRAM)


def test_shapes_differ_without_colour():
    nodes = (
        Node("x", "Placeholder"),
        Node("w", "Placeholder", dtype="resource"),
        Node("c", "Const", value=1.0),
        Node("y", "Add", ("x", "c")),
    )
    text = svg(lay_out(Graph(nodes, ("y",))), Marks(), "kinds")
    shapes = re.findall(r"<rect[^>]*>", text)
    assert len(shapes) == 5  # the variable has a double frame
    assert sum("dasharray" in shape for shape in shapes) == 1
    assert sum('rx="23"' in shape for shape in shapes) == 1


def test_no_font_is_too_small_to_read():
    sizes = [float(size) for size in re.findall(r'font-size="([\d.]+)"', svg_of_seven())]
    assert min(sizes) >= 12


def svg_of_seven() -> str:
    return svg(lay_out(SEVEN), Marks(notes={"res": "note"}), "seven")


def test_a_picture_that_does_not_shrink_can_be_scrolled():
    fixed = svg(lay_out(SEVEN), Marks(), "seven", shrinks=False)
    assert "max-width:none" in fixed and "max-width:100%" not in fixed
    assert "max-width:100%" in svg(lay_out(SEVEN), Marks(), "seven")
