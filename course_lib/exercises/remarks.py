"""What to say about a wrong answer: a usual mistake that it shows, or in words what is wrong.

Usual are those that everybody makes, in any exercise: sign, unit, off by one, axis.
"""

from collections.abc import Sequence
from reprlib import Repr

import numpy

from course_lib.exercises.answers import Raised, same


class _Short(Repr):
    """Writes values as a student reads them: no more than six digits, no rows of bytes."""

    def __init__(self) -> None:
        super().__init__()
        self.maxstring = self.maxother = self.maxlong = 60

    def repr_float(self, value: float, _: int) -> str:
        return text if set(text := f"{value:.6g}") & set(".en") else f"{text}.0"

    def repr_list(self, value: list, level: int) -> str:
        if len(value) > 1 and all(isinstance(each, list) and len(each) > 2 for each in value):
            return f"a list of {len(value)} lists"
        return super().repr_list(value, level)

    def repr_ndarray(self, value: numpy.ndarray, level: int) -> str:
        if value.size > 6 or value.ndim > 2:
            return f"an array of shape {value.shape}"
        return self.repr1(value.tolist(), level)

    def repr_bytes(self, value: bytes, _: int) -> str:
        if len(value) <= 8 or value.isascii() and value.decode().isprintable():
            return repr(value) if len(value) <= 40 else f"{repr(value[:40])[:-1]} …'"
        return f"{len(value)} bytes ({value[:4].hex(' ')} …)"


_SHORT = _Short()
_KINDS = {
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
_PLAIN = {"a number", "a text", "a truth value"}  # a list may stand for a tuple or an array
# What a number is multiplied by where a unit is mistaken, and words for it.
_UNITS = {
    8: "8 times: bits or bytes",
    100: "100 times: percent or a share",
    1000: "1,000 times: thousands, or milli",
    1024: "1,024 times: which kilobyte",
    1_000_000: "1,000,000 times: millions, or micro",
}


def short(value: object) -> str:
    """Return a repr of at most about 60 characters."""
    if isinstance(value, Raised):
        return str(value)
    try:
        return _SHORT.repr(value)
    except ValueError:  # Python refuses to write out an integer of more than 4,300 digits
        return "an enormous integer"


def is_a(value: object) -> str:
    """Return what was given and of which kind, such as "3 is a number"."""
    return f"{short(value)} is {_KINDS.get(type(value), f'a {type(value).__name__}')}"


def about_call(arguments: tuple, value: object, right: object, tolerance: float) -> str:
    """Say what went wrong for one input, in a sentence."""
    call = f"For ({', '.join(short(each) for each in arguments)})"
    if isinstance(value, Raised):
        return f"{call} your function raises {str(value).rstrip('.')}."
    if same(value, right, tolerance):
        return f"{call} the value is right, but it is a float: an integer is asked."
    if isinstance(right, numpy.ndarray) and getattr(value, "shape", ()) == right.shape:
        off = numpy.argwhere(~numpy.isclose(value, right, 0, tolerance, equal_nan=True))
        if len(off):
            place = tuple(off[0].tolist())
            return (
                f"{call} {len(off)} of {right.size} values are off: at {list(place)} you return "
                f"{short(value[place].item())}, and it should be {short(right[place].item())}."
            )
    if short(value) == short(right):
        return f"{call} you return {short(value)}: close, but not close enough."
    return f"{call} you return {short(value)}, and it should be {short(right)}."


def first_wrong(value: Sequence, expected: Sequence) -> str:
    """Say which item of a list is the first wrong one."""
    pairs = enumerate(zip(value, expected, strict=False))
    wrong = next((index for index, (a, b) in pairs if not same(a, b)), 0)
    return f"Item {wrong + 1}, {short(value[wrong]) if value else 'none'}, is the first wrong one."


def usual_mistake(values: Sequence, expected: Sequence, tolerance: float = 0.0) -> str:
    """Return a hint for a usual mistake that all `values` show, nothing where there is none."""
    pairs = list(zip(values, expected, strict=True))
    asked, given = ({_KINDS.get(type(each), "") for each in side} for side in (expected, values))
    if (
        asked != given
        and len(asked) == len(given) == 1
        and asked <= _PLAIN
        and not given & {"", "nothing"}
    ):
        return f"This asks for {asked.pop()}, and you return {given.pop()}."
    if all(type(each) in (int, float) and abs(each) < 1e300 for pair in pairs for each in pair):
        return _in_numbers(pairs, tolerance)  # of a size that survives the products below
    if all(isinstance(each, numpy.ndarray) for pair in pairs for each in pair):
        return _in_arrays(pairs, tolerance)
    return ""


def _in_numbers(pairs: list[tuple[float, float]], tolerance: float) -> str:
    if all(right and same(-value, right, tolerance) for value, right in pairs):
        return "The size is right and the sign is not."
    if all(value in {round(right, n) for n in range(7)} - {right} for value, right in pairs):
        return "You round: give all of its digits."
    if all(type(right) is int for _, right in pairs):
        for step, words in ((1, "large"), (-1, "small")):
            if all(same(value - step, right, tolerance) for value, right in pairs):
                return f"One too {words}, always: look at where you begin and where you stop."
    for factor, words in _UNITS.items():
        for side, scaled in (
            ("large", [value / factor for value, _ in pairs]),
            ("small", [value * factor for value, _ in pairs]),
        ):
            if all(
                right and same(value, right, tolerance + 1e-9 * abs(right))  # dividing rounds
                for value, (_, right) in zip(scaled, pairs, strict=True)
            ):
                return f"Too {side} by {words}? Look at the unit that is asked."
    return ""


def _in_arrays(pairs: list[tuple[numpy.ndarray, numpy.ndarray]], tolerance: float) -> str:
    if any(each.dtype.kind not in "iuf" for pair in pairs for each in pair):
        return ""
    if any(right.ndim > 1 for _, right in pairs) and all(
        same(value.T, right, tolerance) for value, right in pairs
    ):
        return "Rows and columns have changed places: look at the axes."
    if all(right.any() and same(-1.0 * value, right, tolerance) for value, right in pairs):
        return "The sizes are right and the signs are not."
    return ""
