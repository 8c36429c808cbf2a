"""Values that travel out of a sandbox, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from course_lib.exercises.answers import Raised
from course_lib.instructor.grading.inside import values


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        0,
        -3,
        1 << 60_000,
        0.1,
        float("inf"),
        1 + 2j,
        "",
        "a\ud800",
        b"\x00\xff",
        [],
        [1, (2, "x"), {"a": None, 3: b"4"}],
        (),
        ...,
        Raised("ValueError", "no"),
        np.arange(6, dtype=np.int8).reshape(2, 3),
        np.array([], np.float32),
        np.array(["a", "bc"]),
        np.array([[True]]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_values_travel_unchanged(value):
    back = values.read(values.written(value))
    assert type(back) is type(value)
    if isinstance(value, np.ndarray):
        assert back.dtype == value.dtype and back.shape == value.shape
        assert (back == value).all()
    else:
        assert back == value


def test_nan_travels():
    assert str(values.read(values.written(float("nan")))) == "nan"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "5",
        '{"i": 5}',
        '{"i": "zz"}',
        '{"l": 5}',
        '{"q": 1}',
        '{"i": "0x1", "f": "0x1"}',
        '{"a": ["|O8", [1], "AAAAAAAAAAA="]}',
        '{"a": ["<f4", [2], "AAAA"]}',
        '{"a": ["<V4", [1], ""]}',
        '{"a": ["<f4", [-1], ""]}',
        '{"b": "?"}',
        '{"d": [[{"l": []}, 1]]}',
        '{"f": "x"}',
        '{"d": [1]}',
        '{"l": [' * 100 + "]}" * 100,
        "[" * 100_000,
        '{"i": "0x' + "f" * 20_000 + '"}',
        '{"a": [5]}',
        '{"a": ["<U99999999999", [1], ""]}',
        '{"c": ["0x1"]}',
        '{"t": {"x": 0}}',
    ],
)
def test_what_is_no_value_is_refused(text):
    with pytest.raises(values.ValuesError):
        values.read(text)


def test_values_of_other_kinds_are_not_written():
    for value in (object(), np.array([object()]), 1 << 70_000, {1: object()}, {"a"}):
        with pytest.raises(values.ValuesError):
            values.written(value)
