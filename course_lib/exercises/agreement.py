"""Do two plain values agree? Numbers within a tolerance, lists and tuples alike, arrays whole."""

from __future__ import annotations

import math

import numpy


def same(value: object, expected: object, tolerance: float = 0.0, whole: bool = False) -> bool:
    """Tell whether two plain values agree: numbers within `tolerance`, lists and tuples alike.

    True is no number, NaN equals NaN, `whole` refuses floats where an integer is expected.
    """
    if isinstance(value, numpy.ndarray) or isinstance(expected, numpy.ndarray):
        return _same_arrays(value, expected, tolerance, whole)
    if isinstance(expected, (list, tuple)):
        return (
            isinstance(value, (list, tuple))
            and len(value) == len(expected)
            and all(same(a, b, tolerance, whole) for a, b in zip(value, expected, strict=True))
        )
    if isinstance(expected, dict):
        return (
            isinstance(value, dict)
            and value.keys() == expected.keys()
            and all(same(value[key], expected[key], tolerance, whole) for key in expected)
        )
    if isinstance(expected, bool) or isinstance(value, bool):
        return value is expected
    if isinstance(expected, (int, float)) and isinstance(value, (int, float)):
        if whole and isinstance(value, float):
            return False
        return _same_numbers(value, expected, tolerance)
    return type(value) is type(expected) and value == expected


def _same_numbers(value: float, expected: float, tolerance: float) -> bool:
    """Compare an int or a float with another; an int may be too large for a float."""
    if expected != expected or value != value:
        return expected != expected and value != value
    try:
        return value == expected or abs(value - expected) <= tolerance < math.inf
    except OverflowError:
        return False


def _same_arrays(value: object, expected: object, tolerance: float, whole: bool) -> bool:
    """Compare where one of the two is an array; a list of the same shape agrees with it."""
    if not all(isinstance(each, (numpy.ndarray, list, tuple)) for each in (value, expected)):
        return False
    try:
        given, right = numpy.asarray(value), numpy.asarray(expected)
    except ValueError:
        return False
    if given.shape != right.shape or given.dtype.kind not in "biufc":
        return (
            given.shape == right.shape
            and given.dtype.kind == right.dtype.kind
            and bool((given == right).all())
        )
    if whole and given.dtype.kind == "f" or right.dtype.kind not in "biufc":
        return False
    return bool(
        numpy.allclose(given.astype(complex), right.astype(complex), 0, tolerance, equal_nan=True)
    )
