"""Words for what a student gave: short texts of values, of their kinds, of what a call gave."""

from __future__ import annotations

from collections.abc import Sequence
from reprlib import Repr

import numpy

from course_lib.exercises.agreement import same
from course_lib.exercises.answers import Raised

_SHORT = Repr()
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 60


def short(value: object) -> str:
    """Return a repr of at most about 60 characters."""
    if isinstance(value, Raised):
        return str(value)
    if isinstance(value, numpy.ndarray):
        return f"an array of shape {value.shape}" if value.size > 6 else repr(value.tolist())
    try:
        return _SHORT.repr(value)
    except ValueError:  # Python refuses to write out an integer of more than 4,300 digits
        return "an enormous integer"


def kind(value: object) -> str:
    """Return a student's word for the type of `value`."""
    words = {
        bool: "a truth value",
        int: "a number",
        float: "a number",
        str: "a text",
        bytes: "bytes",
        list: "a list",
        tuple: "a tuple",
        dict: "a dict",
        type(None): "nothing",
        numpy.ndarray: "an array",
    }
    return words.get(type(value), f"a {type(value).__name__}")


def side(value: float, expected: float) -> str:
    return "large" if value > expected else "small"


def about_call(
    arguments: tuple, value: object, right: object, tolerance: float, otherwise: str
) -> str:
    """Say what went wrong for one input, in a sentence."""
    call = f"For ({', '.join(short(each) for each in arguments)})"
    if isinstance(value, Raised):
        return f"{call} your function raises {value}."
    if value is None:
        return "Your function returns nothing: is there a `return`?"
    if otherwise:
        return otherwise
    if same(value, right, tolerance):
        return f"{call} the value is right, but it is a float: an integer is asked."
    return f"{call} you return {short(value)}, and it should be {short(right)}."


def first_wrong(value: Sequence, expected: Sequence, ordered: bool, tolerance: float) -> str:
    """Say which item of a list is the first wrong one."""
    if not ordered:
        return "Some of these belong there, not all: go through them one by one."
    wrong = next(
        (
            index
            for index, (a, b) in enumerate(zip(value, expected, strict=False))
            if not same(a, b, tolerance)
        ),
        0,
    )
    return f"Item {wrong + 1}, {short(value[wrong]) if value else 'none'}, is the first wrong one."
