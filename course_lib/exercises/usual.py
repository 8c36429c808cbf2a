"""The mistakes that everybody makes, recognised in any answer: sign, unit, off by one, axis."""

from __future__ import annotations

from collections.abc import Sequence

import numpy

from course_lib.exercises.agreement import same

# What a number is multiplied by where a unit is mistaken, and the words for the larger of the two.
_UNITS = {
    8: "8 times: bits or bytes",
    100: "100 times: percent or a share",
    1000: "1,000 times: thousands, or milli",
    1024: "1,024 times: which kilobyte",
    1_000_000: "1,000,000 times: millions, or micro",
}


def in_value(value: object, expected: object, tolerance: float = 0.0) -> str:
    """Return a hint for a usual mistake in one plain value, nothing where there is none."""
    if _are_numbers(value, expected):
        return _in_numbers([value], [expected], tolerance)
    if isinstance(value, numpy.ndarray) and isinstance(expected, numpy.ndarray):
        return _in_arrays([value], [expected], tolerance)
    return ""


def in_calls(
    values: Sequence, expected: Sequence, wrong: Sequence[int], tolerance: float = 0.0
) -> str:
    """Return a hint for a usual mistake in all values of a function that are `wrong` (indices)."""
    pairs = [(values[index], expected[index]) for index in wrong]
    given, right = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    if len(pairs) > 1 and all(_are_numbers(*pair) for pair in pairs):
        return _in_numbers(given, right, tolerance)
    if all(isinstance(each, numpy.ndarray) for pair in pairs for each in pair):
        return _in_arrays(given, right, tolerance)
    return ""


def _in_numbers(values: list, expected: list, tolerance: float) -> str:
    """Return a hint that holds for every number."""
    pairs = list(zip(values, expected, strict=True))
    if all(right and same(-value, right, tolerance) for value, right in pairs):
        return "The size is right and the sign is not."
    if all(type(right) is int for right in expected):
        for step, words in ((1, "large"), (-1, "small")):
            if all(same(value - step, right, tolerance) for value, right in pairs):
                return f"One too {words}: count the first and the last once more."
    for factor, words in _UNITS.items():
        for scaled, side in (
            (_divided(values, factor), "large"),
            (_times(values, factor), "small"),
        ):
            if all(
                right and same(value, right, tolerance + 1e-9 * abs(right))
                for value, right in zip(scaled, expected, strict=True)
            ):
                return f"Too {side} by {words}? Look at the unit that is asked."
    return ""


def _in_arrays(values: list, expected: list, tolerance: float) -> str:
    """Return a hint that holds for every array of numbers."""
    pairs = list(zip(values, expected, strict=True))
    if any(each.dtype.kind not in "iuf" for pair in pairs for each in pair):
        return ""
    if any(right.ndim > 1 for right in expected) and all(
        same(value.T, right, tolerance) for value, right in pairs
    ):
        return "Rows and columns have changed places: look at the axes."
    if all(right.any() and same(-1.0 * value, right, tolerance) for value, right in pairs):
        return "The sizes are right and the signs are not."
    return ""


def _are_numbers(*values: object) -> bool:
    """Tell whether all are finite numbers of a size that floats can hold."""
    return all(type(each) in (int, float) and abs(each) < 1e300 for each in values)


def _divided(values: list, factor: int) -> list:
    return [value / factor for value in values]


def _times(values: list, factor: int) -> list:
    return [value * factor for value in values]
