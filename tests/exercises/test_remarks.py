"""The mistakes that everybody makes are recognised in any answer."""

from __future__ import annotations

import numpy
import pytest

from course_lib.exercises import judges
from course_lib.exercises.core import Exercise, Right


@pytest.mark.parametrize(
    "expected, value, whole, hint",
    [
        (40, 41, True, "One too large"),
        (40, 39, True, "One too small"),
        (40, -40, True, "the sign is not"),
        (0.25, -0.25, False, "the sign is not"),
        (40, 320, True, "bits or bytes"),
        (0.25, 25.0, False, "percent or a share"),
        (30.0, 0.03, False, "thousands, or milli"),
        (30.0, 30 * 1024, False, "which kilobyte"),
        (40, 40.0, True, "is a float"),
        (40, 47, True, "47 is too large"),
        (0, 8, True, "8 is too large"),
        (40, True, True, "a truth value"),
        (0.2513, 0.25, False, "You round"),
        (0.2513, 0.26, False, "0.26 is too large"),
    ],
)
def test_usual_mistakes_in_a_number(expected, value, whole, hint):
    judge = judges.number(expected, 1e-6, whole=whole)
    assert hint in Exercise("1.1", "a", judge, "yes").outcome(value).hint


def difference(left, right):
    return left - right


@pytest.mark.parametrize(
    "answer, hint",
    [
        (lambda left, right: left - right + 1, "One too large"),
        (lambda left, right: left - right - 1, "One too small"),
        (lambda left, right: 1000 * (left - right), "thousands, or milli"),
        (lambda left, right: float(left - right), "is a float"),
        (lambda left, right: -(left - right), "the sign is not"),
        (lambda left, right: left - right + 5, "you return"),
        (lambda left, right: str(left - right), "asks for a number, and you return a text"),
        (lambda left, right: [left - right], "asks for a number, and you return a list"),
    ],
)
def test_usual_mistakes_in_a_function(answer, hint):
    judge = judges.function(difference, [(9, 2), (5, 1), (8, 4)], whole=True)
    assert hint in Exercise("1.1", "a", judge, "yes").outcome(answer).hint


def test_swapped_arguments_and_a_wrong_axis():
    power = judges.function(pow, [(2, 5), (3, 4), (5, 2)])
    outcome = Exercise("1.1", "a", power, "yes").outcome(lambda base, exponent: exponent**base)
    assert "changed places: which comes first" in outcome.hint
    squares = [(numpy.arange(9.0).reshape(3, 3),), (numpy.eye(3)[[1, 2, 0]],)]
    same_square = judges.function(lambda square: square, squares)
    asked = Exercise("1.1", "a", same_square, "yes")
    assert "look at the axes" in asked.outcome(numpy.transpose).hint
    assert "the signs are not" in asked.outcome(numpy.negative).hint
    assert asked.outcome(numpy.copy) == Right("yes")


def test_of_an_array_one_wrong_value_is_named_and_of_a_copy_that_it_is_one():
    twice = judges.function(lambda row: 2 * row, [(numpy.arange(8.0),), (numpy.ones(8),)])
    asked = Exercise("1.1", "a", twice, "yes")
    hint = asked.outcome(lambda row: 2 * row + (row == 3)).hint
    assert "1 of 8 values are off: at [3] you return 7.0, and it should be 6.0" in hint
    assert "came in, unchanged" in asked.outcome(lambda row: row).hint
    assert "came in" not in asked.outcome(lambda row: row + 3).hint
    assert asked.outcome(lambda row: row + row) == Right("yes")
