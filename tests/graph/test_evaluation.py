"""Running a graph: values, what has none, what is counted; the names of operations."""

from __future__ import annotations

import pytest
from random_programs import SEVEN

from course_lib.graph import EvaluationError, Tally, evaluate
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
