"""Plain values, which of them agree, and what an untouched answer looks like."""

from __future__ import annotations

import numpy
import pytest
from one_exercise import FOLLOW

from course_lib.exercises import answers
from course_lib.exercises.answers import Raised
from course_lib.exercises.core import NotTried


def part(data, position):
    data = data[position:]
    ...


def given_back(data, position):
    return ...


def nothing(data, position):
    """Say what it does."""


@pytest.mark.parametrize("answer", [..., [..., ...], part, given_back, nothing])
def test_an_untouched_answer_is_recognised(answer):
    assert FOLLOW.outcome(answer) == NotTried()


def test_plain_values():
    assert answers.plain(numpy.float32(0.5)) == 0.5
    assert type(answers.plain(numpy.int64(3))) is int
    assert answers.plain(numpy.array(3.0)) == 3.0
    assert answers.plain({2, 1}) == [1, 2]
    assert answers.plain((1, [numpy.int8(2)])) == (1, [2])
    assert answers.plain(bytearray(b"ab")) == b"ab"
    assert answers.plain({"a": range(3)}) == {"a": [0, 1, 2]}
    with pytest.raises(TypeError, match="no answer here"):
        answers.plain(object())
    with pytest.raises(TypeError, match="array of object"):
        answers.plain(numpy.array([object()]))


@pytest.mark.parametrize(
    "value, expected, agree",
    [
        (True, 1, False),
        (1, True, False),
        (1, 1.0, True),
        (float("nan"), float("nan"), True),
        ("1", 1, False),
        (b"a", "a", False),
        ([1, 2], (1, 2), True),
        ([1], [1, 2], False),
        ({"a": 1}, {"a": 1.0}, True),
        ({"a": 1}, {"b": 1}, False),
        (None, 0, False),
        (Raised("ValueError"), 1, False),
        (10**400, 1.0, False),
        (numpy.ones(2), [1, 1], True),
        (numpy.ones(2), numpy.ones(3), False),
        (numpy.array(["a"]), ["a"], True),
        ("a", "A", False),
    ],
)
def test_same(value, expected, agree):
    assert answers.same(value, expected) is agree


def test_a_float_from_float32_is_as_good_and_no_other():
    third = 1 / 3
    assert answers.same(float(numpy.float32(third)), third)
    assert answers.same(numpy.float32([third, 2.5]), numpy.array([third, 2.5]))
    assert not answers.same(third * (1 + 3e-6), third)
    assert not answers.same(16_000_001, 16_000_000)
    assert not answers.same(0.0 + 1e-9, 0.0)
    assert not answers.same(numpy.array([1 + 3e-6]), numpy.array([1.0]))
