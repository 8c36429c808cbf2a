"""Running a graph: values, what has none, what is counted; derivatives; the names of operations."""

from __future__ import annotations

import math

import pytest
from hypothesis import assume, given, settings
from random_programs import SEVEN, programs

from course_lib.graph import (
    EvaluationError,
    Graph,
    Node,
    Tally,
    evaluate,
    gradients,
    numeric_gradients,
)
from course_lib.graph.evaluation import OPERATIONS, operation
from course_lib.graph.trace import from_source


def test_tensorflows_names_mean_the_same():
    assert operation("AddV2") is OPERATIONS["Add"]
    assert operation("RealDiv") is OPERATIONS["Div"]
    assert operation("Conv2D") is None


def test_seven_lines_give_one_and_seven_named_values():
    values = evaluate(SEVEN)
    assert values == {
        "var1": 6, "var2": 2, "temp1": 8, "temp2": 4, "var3": 4, "temp3": 8, "res": 1.0,
    }  # fmt: skip
    assert SEVEN.outputs == ("res",)


def test_feeding_replaces_any_result():
    assert evaluate(SEVEN, {"var2": 3})["res"] == 9 / 7
    assert evaluate(SEVEN, {"temp3": 2})["res"] == 4
    with pytest.raises(KeyError, match="no node nothing"):
        evaluate(SEVEN, {"nothing": 1})


def test_fetch_runs_only_what_is_needed():
    graph = from_source("a = 1\nb = 0\nbad = a / b\ngood = a + a")
    assert list(evaluate(graph, fetch="good")) == ["a", "good"]
    with pytest.raises(EvaluationError, match="Line 3: bad divides 1 by b, which is 0"):
        evaluate(graph)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 0\ny = x ** -1", "Line 2: y raises 0 to the power −1"),
        ("x = -1\ny = sqrt(x)", "Line 2: y applies Sqrt to −1, which has no real result"),
        ("x = -1\ny = x ** 0.5", "Line 2: y applies Pow to −1, 0.5"),
        ("x = 1000\ny = exp(x)", "Line 2: y is too large for a number"),
        ("x = 0\ny = log(x)", "Line 2: y applies Log to 0"),
        ("x = 9\ny = x ** x ** x ** x", "too large"),
    ],
)
def test_what_has_no_result_is_said_in_a_sentence(text, message):
    with pytest.raises(EvaluationError) as caught:
        evaluate(from_source(text))
    assert message in str(caught.value)


def test_a_placeholder_must_be_fed():
    graph = from_source("def f(x, y=2):\n    return x * y")
    with pytest.raises(EvaluationError, match="x has no value yet"):
        evaluate(graph)
    assert evaluate(graph, {"x": 4})["mul_1"] == 8


def test_a_tally_adds_up_and_counts_only_what_runs():
    tally = Tally()
    evaluate(SEVEN, tally=tally)
    evaluate(SEVEN, {"temp1": 1.0}, fetch="temp2", tally=tally)
    assert tally == Tally(runs=2, walks=0, operations=5)


def test_gradients_of_the_seven_lines_edge_by_edge():
    back = gradients(SEVEN)
    assert back["var1"] == 0 and back["var2"] == 0.25 and back["var3"] == -0.125
    assert [(e.source, e.target) for e in back.edges][:2] == [("temp1", "res"), ("temp3", "res")]
    for node in SEVEN.nodes[:-1]:
        leaving = [edge.contribution for edge in back.edges if edge.source == node.name]
        assert math.isclose(sum(leaving), back[node.name], abs_tol=1e-15)


def test_gradient_of_a_node_that_is_read_twice_and_of_dead_code():
    back = gradients(from_source("x = 3\ndead = x * 7\ny = x * x"))
    assert back["x"] == 6 and back["dead"] == 0
    assert gradients(from_source("x = 3\ny = x * x\nz = y * 2"), output="y")["z"] == 0


def test_a_fed_node_stops_the_walk_back():
    back = gradients(SEVEN, {"temp2": 4.0})
    assert back["temp2"] == -0.125 and back["var1"] == 0.125


@pytest.mark.parametrize("count", [1, 3, 40])
def test_one_walk_back_against_a_run_for_each_source(count):
    lines = [f"w{i} = {i + 1}" for i in range(count)]
    graph = from_source("\n".join([*lines, "y = " + " * ".join(f"w{i}" for i in range(count))]))
    back, one_sided, two_sided = Tally(), Tally(), Tally()
    exact = gradients(graph, tally=back)
    by_steps = numeric_gradients(graph, central=False, tally=one_sided)
    numeric_gradients(graph, tally=two_sided)
    operations = count - 1
    assert back == Tally(1, 1, 2 * operations)
    assert one_sided == Tally(count + 1, 0, (count + 1) * operations)
    assert two_sided.runs == 2 * count + 1
    for name, slope in by_steps.items():
        assert math.isclose(slope, exact[name], rel_tol=1e-3)


def test_where_there_is_no_derivative():
    with pytest.raises(EvaluationError, match="y has no derivative"):
        gradients(from_source("x = 0\ny = sqrt(x)"))
    graph = Graph((Node("x", "Const", value=1.0), Node("y", "Neg", ("x",))), ("y",))
    odd = Graph((*graph.nodes, Node("z", "Argmax", ("y",))), ("z",))
    with pytest.raises(EvaluationError, match="Argmax"):
        gradients(odd)


@pytest.mark.slow
@given(programs)
@settings(max_examples=2500, deadline=None)
def test_gradients_agree_with_small_steps(text):
    graph = from_source(text)
    try:
        back = gradients(graph)
        by_steps = numeric_gradients(graph)
        finer = numeric_gradients(graph, step=1e-5)
    except EvaluationError:
        assume(False)
    assume(not any(on_a_kink(node, back.values) for node in graph))
    for name, slope in by_steps.items():
        smooth = math.isclose(slope, finer[name], rel_tol=1e-4, abs_tol=1e-4)
        if smooth and abs(slope) < 1e4 and all(abs(v) < 1e4 for v in back.values.values()):
            assert math.isclose(back[name], slope, rel_tol=1e-3, abs_tol=1e-3), name


def on_a_kink(node, values):
    """Tell whether a step to the left and one to the right do different things."""
    inputs = [values[name] for name in node.inputs]
    if node.operation in ("Maximum", "Minimum"):
        return abs(inputs[0] - inputs[1]) < 1e-3 * max(1, abs(inputs[0]))
    return node.operation in ("Relu", "Abs", "Sqrt", "Pow") and abs(inputs[0]) < 1e-3
