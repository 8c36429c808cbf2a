"""Graphs as data: what may be built, in which order, how it is written."""

from __future__ import annotations

import math
import pickle

import pytest
from random_programs import SEVEN

from course_lib.graph import Graph, Node, evaluate
from course_lib.graph.data import GraphError, number


def test_graphs_that_cannot_be():
    one = Node("a", "Const", value=1.0)
    with pytest.raises(GraphError, match="Two nodes are named a"):
        Graph((one, one))
    with pytest.raises(GraphError, match="b reads c, which no node before it makes"):
        Graph((Node("b", "Neg", ("c",)),))
    with pytest.raises(GraphError, match="z is no node"):
        Graph((one,), ("z",))
    with pytest.raises(KeyError, match="There is no node q; there are a"):
        Graph((one,))["q"]


def test_sorted_repairs_the_order_and_names_what_never_runs():
    shuffled = tuple(reversed(SEVEN.nodes))
    graph = Graph.sorted(shuffled, SEVEN.outputs)
    assert evaluate(graph) == evaluate(SEVEN)
    assert Graph.sorted(SEVEN.nodes, SEVEN.outputs).nodes == SEVEN.nodes
    circle = (Node("a", "Neg", ("b",)), Node("b", "Neg", ("a",)))
    with pytest.raises(GraphError, match="a waits for b, which never comes"):
        Graph.sorted(circle, ("a",))
    with pytest.raises(GraphError, match="b waits for gone"):
        Graph.sorted((Node("b", "Neg", ("gone",)),), ("b",))


def test_sorting_a_long_chain_is_quick():
    nodes = [Node("n0", "Const", value=1.0)]
    nodes += [Node(f"n{i}", "Neg", (f"n{i - 1}",)) for i in range(1, 20_000)]
    graph = Graph.sorted(reversed(nodes), ("n19999",))
    assert [node.name for node in graph][:2] == ["n0", "n1"]
    assert evaluate(graph)["n19999"] == -1


def test_a_graph_is_plain_data():
    assert pickle.loads(pickle.dumps(SEVEN)) == SEVEN
    assert len({SEVEN, Graph(SEVEN.nodes, SEVEN.outputs, SEVEN.names)}) == 1
    assert repr(SEVEN) == "<Graph: 7 nodes, 8 edges, result res>"
    assert str(SEVEN).splitlines()[2] == "temp1 = Add(var1, var2)"
    assert SEVEN.count()["Add"] == 2 and len(SEVEN.edges) == 8


@pytest.mark.parametrize(
    ("value", "text"),
    [(8.0, "8"), (-2.0, "−2"), (1 / 3, "0.3333"), (1e9, "1e+09"), (math.inf, "inf"), (0.0, "0")],
)
def test_numbers_as_a_person_writes_them(value, text):
    assert number(value) == text
