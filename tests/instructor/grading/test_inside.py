"""Values that travel out of a sandbox, and what is refused."""

from __future__ import annotations

import contextlib
import json
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib.exercises.answers import Raised, as_array, same
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


_ARRAYS = st.builds(
    lambda kind, shape, fill: np.full(shape, fill).astype(kind),
    st.sampled_from(["int8", "<f8", ">i4", "bool", "c16", "U3", "S2"]),
    st.lists(st.integers(0, 3), max_size=3),
    st.integers(0, 9),
).filter(lambda array: array.ndim)
_LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.complex_numbers()
    | st.text(max_size=9)
    | st.binary(max_size=9)
    | st.just(...)
    | _ARRAYS
)
_KEYS = st.integers() | st.text(max_size=3) | st.tuples(st.integers(), st.booleans())
_VALUES = st.recursive(
    _LEAVES,
    lambda each: (
        st.lists(each, max_size=4)
        | st.lists(each, max_size=4).map(tuple)
        | st.dictionaries(_KEYS, each, max_size=4)
    ),
    max_leaves=12,
)


@settings(deadline=None, max_examples=60)
@given(_VALUES)
def test_whatever_is_written_reads_back(value):
    text = values.written(value)
    back = values.read(text)
    assert values.written(back) == text  # NaN, signs of zero, and types of elements included
    assert type(back) is type(value)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda each: (
        st.lists(each, max_size=4)
        | st.dictionaries(st.sampled_from([*"ifcbltdarxq"]), each, min_size=1, max_size=2)
    ),
    max_leaves=12,
)


@settings(deadline=None, max_examples=150)
@given(_JSON | _VALUES.map(values.encoded), st.data())
def test_anything_else_is_a_value_or_refused(tree, data):
    text = json.dumps(tree)
    if data.draw(st.booleans()):  # a part is lost
        begin = data.draw(st.integers(0, len(text)))
        text = text[:begin] + text[data.draw(st.integers(begin, len(text))) :]
    with contextlib.suppress(values.ValuesError):
        values.read(text)


_BOMBS = {
    "keys that collide": {"d": [[{"i": hex(((1 << 61) - 1) * i)}, None] for i in range(9_999)]},
    "tuples that collide": {
        "d": [[{"t": [{"i": hex(((1 << 61) - 1) * i)}]}, 0] for i in range(999)]
    },
    "wide texts": {"a": ["<U9999999", [1000], ""]},
    "zero times huge": {"l": [{"a": ["<f4", [0, 1 << 62], ""]}] * 99},
    "huge times zero": {"a": ["<f4", [1 << 40, 0], ""]},
    "many zeros": {"a": ["|b1", [0] * 64, ""]},
    "objects": {"a": ["O", [1], "AAAA"]},
    "a part of it": {"a": ["f4,f4", [0], ""]},
    "a list for a kind": {"a": [["f4"], [0], ""]},
    "empty lists": {"l": [{"l": []}] * 20_000 + [5]},
    "a long float": {"f": "0x1." + "f" * 999_999},
    "a large float": {"f": "0x1p99999"},
    "digits": {"i": "9" * 1_000_000},
    "spaces": {"i": " " * 1_000_000 + "1"},
    "not base64": {"b": "====" * 100_000},
}


@pytest.mark.parametrize("name", _BOMBS)
def test_a_bomb_costs_no_more_than_its_text(name):
    text = json.dumps(_BOMBS[name])
    tracemalloc.start()
    try:
        with pytest.raises(values.ValuesError):
            values.read(text)
        assert tracemalloc.get_traced_memory()[1] < 40 * len(text) + 100_000
    finally:
        tracemalloc.stop()


def test_empty_arrays_are_values():
    for shape in ((0,), (0, 40), (3, 0)):
        assert values.read(values.written(np.zeros(shape, "f4"))).shape == shape


@pytest.mark.parametrize(
    "texts", [["a" * 1_000_000] + [""] * 9_999, [np.array(["b" * 9_999])] * 9_999]
)
def test_texts_of_many_widths_make_no_array(texts):
    with pytest.raises(ValueError, match="too long"):
        as_array(texts)
    assert same(texts, np.zeros(3)) is False
    assert as_array(["a", "bc"]).tolist() == ["a", "bc"] and as_array([[1], [2]]).shape == (2, 1)
