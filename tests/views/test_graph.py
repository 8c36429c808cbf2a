"""Pictures of graphs: what they show, and what they say of it in words."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections import Counter

from random_programs import long_program

from course_lib.exercises.material import PROGRAM, SHARED
from course_lib.graph import Graph, Node
from course_lib.graph.trace import from_source
from course_lib.views.graph import (
    describe,
    describe_span,
    operation_table,
    picture,
    shape_labels,
    side_by_side,
    work_and_span,
)
from course_lib.views.layout import lay_out
from course_lib.views.painting import Marks, svg

SEVEN = from_source(PROGRAM)


def test_a_picture_is_named_by_its_graph():
    assert repr(picture(from_source("a = 1\nb = -a"))) == "<picture: a = constant(1); b = Neg(a)>"
    assert describe(from_source(long_program(60))).startswith("a graph of 62 nodes and 120 edges: ")


def test_shapes_stand_on_edges():
    nodes = (
        Node("x", "Placeholder", shape=(None, 49, 40)),
        Node("n", "Const", value=2.0),
        Node("y", "Mul", ("x", "n"), shape=(None, 49, 40)),
    )
    graph = Graph(nodes, ("y",))
    assert shape_labels(graph) == {
        ("x", "y", 0): "?×49×40\nfloat32",
        ("y", "", 0): "?×49×40\nfloat32",
    }
    text = svg(lay_out(graph), Marks(labels=shape_labels(graph)), "shapes")
    tree = ElementTree.fromstring(text)
    said = ["".join(each.itertext()) for each in tree.iter("{http://www.w3.org/2000/svg}text")]
    assert said.count("?×49×40float32") == 2
    assert picture(graph).png != picture(graph, Marks()).png


def test_two_graphs_side_by_side():
    both = side_by_side({"one": SEVEN, "two": from_source("a = 1\nb = a + a")})
    assert both.alt.startswith("one: var1 = constant(6)") and " | two: a = " in both.alt


def test_a_wide_graph_fits_on_the_page():
    text = (
        "\n".join(f"x{i} = {i}" for i in range(40))
        + "\ny = "
        + "+".join(f"x{i}" for i in range(40))
    )
    assert picture(from_source(text)).width <= 960


def test_the_longest_path_is_said_and_marked():
    picture = work_and_span(SHARED)
    assert picture.alt == (
        "work 7: so many operations; span 4: the longest path, "
        "marked in orange-red, is ant, cat, fox, gnu"
    )
    assert picture.png[:4] == b"\x89PNG"


def test_another_graph_has_another_path():
    chain = from_source("a = 1\nb = a + a\nc = b + a")
    assert describe_span(chain).endswith("span 2: the longest path, marked in orange-red, is b, c")
    assert work_and_span(chain).png != work_and_span(from_source("a = 1\nb = a + a")).png


def test_counts_of_operations_as_a_picture():
    counts = {"a": Counter(Add=3, Mul=1, Rare=1), "b": Counter(Add=1, Mul=2)}
    picture = operation_table(counts)
    assert picture.alt == "Nodes by operation. In all: a 5, b 3"
    assert picture.png.startswith(b"\x89PNG")
    assert operation_table(counts, most=1, alt="two graphs").alt == "two graphs"
