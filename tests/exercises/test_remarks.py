"""The mistakes that everybody makes are recognised in any answer."""

from __future__ import annotations

import numpy
import pytest

from course_lib.exercises import judges
from course_lib.exercises.core import Exercise, Right


@pytest.mark.parametrize(
    "expected, value, hint",
    [
        (40, 41, "One too large"),
        (40, 39, "One too small"),
        (40, -40, "the sign is not"),
        (0.25, -0.25, "the sign is not"),
        (40, 320, "bits or bytes"),
        (2, 16, "16 is too large"),
        (0.25, 25.0, "percent or a share"),
        (30.0, 0.03, "thousands, or milli"),
        (30.0, 30 * 1024, "which kilobyte"),
        (40, 47, "47 is too large"),
        (0, 8, "8 is too large"),
        (40, True, "a truth value"),
        (0.2513, 0.25, "You round"),
        (0.2513, 0.26, "0.26 is too large"),
    ],
)
def test_usual_mistakes_in_a_number(expected, value, hint):
    judge = judges.number(expected, 1e-6)
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
        (lambda left, right: left - right + 5, "5 too large where it is wrong: what do you add"),
        (lambda left, right: (left - right) * 3, "3.0 times what is asked"),
        (lambda left, right: left**2 + 3 * right, "you return"),
        (lambda left, right: [left - right, left] if left > 5 else left, "[7, 9] is a list"),
        (lambda left, right: [left] < left, "have no order"),
        (lambda left, right: numpy.ones(3).sum(axis=1), "two of them are 0 and 1"),
        (lambda left, right: numpy.ones(3) + numpy.ones(2), "print the .shape of both"),
        (lambda left, right: left - blank, "a text without its quotes"),  # noqa: F821
        (lambda left, right: str(left - right), "asks for a number, and you return a text"),
        (lambda left, right: [left - right], "asks for a number, and you return a list"),
        (lambda left, right: 2 * (left - right), "counted twice?"),
        (lambda left, right: (left - right) / 2, "Half of what is asked"),
        (lambda left, right: 1 / (left - right), "upside down"),
        (lambda left, right: 7, "You return 7 whatever comes in"),
        (lambda left, right: left + right, "Too large by twice `right`"),
        (lambda left, right: -right, "Too small by `left`"),
        (lambda left, right: (left - right) * left, "multiplied by `left`"),
        (lambda left, right: (left - right) / right**2, "divided twice by `right`"),
        (lambda left, right: left - right if left > 7 else None, "Sometimes nothing comes back"),
        (lambda left, right: left - right if left > 5 else 1, "All but one case is right."),
        (lambda left, right: lefty - right, "Is it an argument under another name"),  # noqa: F821
        (lambda left, right: [left][right], "an empty one none"),
        (lambda left, right: 1.5 ^ left, "A power is written **"),
        (lambda left, right: len, "is no answer: call it, or quote its name"),
    ],
)
def test_usual_mistakes_in_a_function(answer, hint):
    judge = judges.function(difference, [(9, 2), (5, 1), (8, 4)], whole=True)
    assert hint in Exercise("1.1", "a", judge, "yes").outcome(answer).hint


def two_ways(total, count):
    return total / count, total - count


@pytest.mark.parametrize(
    "answer, hint",
    [
        (
            lambda total, count: (total / count, count - total),
            "right: the first; not yet: the second",
        ),
        (lambda total, count: (total / count, count - total), "the sign is not"),
        (lambda total, count: (count / total, total - count), "not yet: the first. Turned upside"),
        (lambda total, count: (total // count, total - count), "You cut off"),
        (lambda total, count: (total, total - count), "multiplied by `count`"),
        (
            lambda total, count: (total, 8 * total),
            "the first value first. Yours is what is asked, mul",
        ),
        (lambda total, count: (total / count, total - count, 0), "2 values, and you return 3"),
        (lambda total, count: total / count, "2 values, and you return one"),
        (lambda total, count: {0: total}, "asks for a tuple, and you return a dict"),
        (lambda total, count: f"{total}", "asks for a tuple, and you return a text"),
        (
            lambda total, count: numpy.array([total / count, total]),
            "right: the first; not yet: the second",
        ),
        (lambda total, count: (total + 9, count * 7), "you return"),
    ],
)
def test_of_two_values_it_is_said_which_is_wrong(answer, hint):
    asked = Exercise("1.1", "a", judges.function(two_ways, [(9, 2), (5, 3), (8, 4), (7, 6)]), "yes")
    assert hint in asked.outcome(answer).hint
    assert asked.outcome(lambda total, count: [total / count, total - count]) == Right("yes")


@pytest.mark.parametrize(
    "answer, hint",
    [
        (lambda x: max(-128, min(127, 3 * x)), "cut off at -128 and 127"),
        (lambda x: (3 * x + 128) % 256 - 128, "Eight bits do not hold"),
        (lambda x: max(0, 3 * x), "what is below 0"),
        (lambda x: max(5, 3 * x), "you return"),
    ],
)
def test_integers_that_were_made_narrower(answer, hint):
    thrice = judges.function(lambda x: 3 * x, [(-90,), (-70,), (60,), (80,), (5,)])
    assert hint in Exercise("1.1", "a", thrice, "yes").outcome(answer).hint


def test_a_constant_is_no_mistake_where_one_is_asked():
    third = judges.function(lambda x: 1 / 3, [(1,), (2,), (3,)], tolerance=1e-9)
    hint = Exercise("1.1", "a", third, "yes").outcome(lambda x: 0.3333329).hint
    assert "close, but not close enough" in hint


def test_none_is_asked_for_as_it_is():
    judge = judges.function(lambda row: row[0] if row else None, [([3],), ([],), ([1, 2],), ([4],)])
    asked = Exercise("1.1", "a", judge, "yes")
    assert "None itself is asked, and you return 0" in asked.outcome(lambda r: sum(r[:1])).hint


def test_swapped_arguments_and_a_wrong_axis():
    power = judges.function(pow, [(2, 5), (3, 4), (5, 2)])
    outcome = Exercise("1.1", "a", power, "yes").outcome(lambda base, exponent: exponent**base)
    assert "changed places: which comes first" in outcome.hint
    halves = judges.function(lambda a, b: a // b, [(0, 5), (3, 4), (5, 2), (8, 3)])
    asked = Exercise("1.1", "a", halves, "yes")
    assert "changed places" in asked.outcome(lambda a, b: b // a).hint  # one case divides by 0
    assert "changed places" not in asked.outcome(lambda a, b: 1 / 0).hint
    squares = [(numpy.arange(9.0).reshape(3, 3),), (numpy.eye(3)[[1, 2, 0]],)]
    same_square = judges.function(lambda square: square, squares)
    asked = Exercise("1.1", "a", same_square, "yes")
    assert "look at the axes" in asked.outcome(numpy.transpose).hint
    assert "the sign is not" in asked.outcome(numpy.negative).hint
    assert asked.outcome(numpy.copy) == Right("yes")


def test_of_an_array_one_wrong_value_is_named_and_of_a_copy_that_it_is_one():
    twice = judges.function(lambda row: 2 * row, [(numpy.arange(8.0),), (numpy.ones(8),)])
    asked = Exercise("1.1", "a", twice, "yes")
    hint = asked.outcome(lambda row: 2 * row + (row == 3)).hint
    assert "1 of 8 values are off: at [3] you return 7.0, and it should be 6.0" in hint
    assert "came in, unchanged" in asked.outcome(lambda row: row).hint
    assert "asks for an array, and you return a number" in asked.outcome(lambda row: 2.0).hint
    thirds = judges.function(lambda row: row / 3, [(numpy.arange(8.0),), (numpy.ones(8),)])
    rounded = Exercise("1.1", "a", thirds, "yes").outcome(lambda row: (row / 3).round(2)).hint
    assert rounded == "You round: give all of its digits."
    assert "came in" not in asked.outcome(lambda row: row + 3).hint
    assert asked.outcome(lambda row: row + row) == Right("yes")


@pytest.mark.parametrize(
    "right, wrong, hint",
    [
        (lambda x: {"a": {"value": x}}, lambda x: {"a": {"values": x}}, "keys ['values'], not"),
        (lambda x: {"a": {"value": x}}, lambda x: {"a": {"value": -x}}, "the sign is not"),
        (lambda x: {"a": x, "b": 2}, lambda x: {"a": [x], "b": 2}, "a number, and you return a l"),
        (lambda x: [x / 7, 5], lambda x: [round(x / 7, 2), 5], "You round"),
        (lambda x: numpy.array([x, 1]), lambda x: numpy.array([-x, 1]), "the sign is not"),
        (lambda x: numpy.array([x, -1]), lambda x: numpy.array([x, -1]) % 256, "256 larger"),
        (lambda x: bytes([x]) * 9, lambda x: bytes([x]) * 8 + b"!", "at [8] you return 33"),
        (lambda x: f"ckpt-{x}", lambda x: f"{x}", "a part of what is asked"),
        (lambda x: f"ckpt-{x}", lambda x: f"ckpt-{x}.index", "in there: return it alone"),
        (lambda x: f"Ab{x}", lambda x: f"ab{x}", "capital and small"),
        (lambda x: f"{x:08}", lambda x: f"-{x:04}", "a length of 8, and yours has 5"),
        (lambda x: x // 4, lambda x: x / 4, "You keep a fraction"),
        (lambda x: [x], lambda x: [].append(x), "You return None"),
        (lambda x: [x, 1], lambda x: (x, 1), "right"),
    ],
)
def test_lists_dicts_bytes_and_texts_are_looked_into(right, wrong, hint):
    asked = Exercise("1.1", "a", judges.function(right, [(9,), (5,), (6,)]), "yes")
    assert asked.outcome(right) == Right("yes")
    outcome = asked.outcome(wrong)
    assert hint in (outcome.hint if hasattr(outcome, "hint") else "right")
