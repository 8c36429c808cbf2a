"""Levels, paths, what waits for what."""

from __future__ import annotations

from hypothesis import given, settings
from random_programs import SEVEN, programs

from course_lib.graph import (
    Graph,
    Node,
    collapse,
    independent,
    levels,
    needed,
    span,
    work,
)
from course_lib.graph.structure import ancestors, longest_path
from course_lib.graph.trace import from_source


def test_levels_are_those_that_a_person_draws():
    assert levels(SEVEN) == (("var1", "var2", "var3"), ("temp1", "temp2"), ("temp3",), ("res",))
    assert work(SEVEN) == 4 and span(SEVEN) == 3


def test_paths():
    assert ancestors(SEVEN, "temp3") == {"temp2", "var3", "var1", "var2"}
    assert independent(SEVEN, "temp1", "temp3") and independent(SEVEN, "temp1", "temp2")
    assert not independent(SEVEN, "temp2", "temp3")
    assert not independent(SEVEN, "res", "res")


def test_needed_drops_dead_code():
    graph = from_source("a = 1\nb = a + a\ndead = b * b\nres = b - a")
    assert [node.name for node in needed(graph)] == ["a", "b", "res"]
    assert dict(needed(graph).names).keys() == {"a", "b", "res"}


def test_collapse_and_compare():
    nodes = (
        Node("x", "Placeholder"),
        Node("conv/kernel", "Const", value=2.0),
        Node("conv/read", "Identity", ("conv/kernel",)),
        Node("conv/multiply", "Mul", ("x", "conv/read")),
        Node("norm/add", "AddV2", ("conv/multiply", "conv/multiply")),
        Node("norm/sqrt", "Rsqrt", ("norm/add",)),
        Node("norm/mul", "Mul", ("norm/sqrt", "norm/add")),
    )
    small = collapse(Graph(nodes, ("norm/mul",)))
    assert [(n.name, n.operation, n.inputs) for n in small] == [
        ("x", "Placeholder", ()),
        ("conv", "Mul", ("x",)),
        ("norm", "AddV2 + 2 more", ("conv",)),
    ]
    assert small.outputs == ("norm",)


def test_the_longest_path():
    names, edges = longest_path(SEVEN)
    assert names == ("temp2", "temp3", "res") and len(names) == span(SEVEN)
    assert edges == (("temp2", "temp3", 0), ("temp3", "res", 1))
    assert longest_path(Graph(())) == ((), ())


@given(programs)
@settings(max_examples=300, deadline=None)
def test_the_longest_path_is_as_long_as_the_span(text):
    graph = from_source(text)
    names, edges = longest_path(graph)
    assert set(edges) <= set(graph.edges)
    assert sum(graph[name].computes for name in names) == span(graph)
    assert all(a[1] == b[0] for a, b in zip(edges, edges[1:], strict=False))
