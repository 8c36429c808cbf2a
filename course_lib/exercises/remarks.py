"""What to say about a wrong answer: a usual mistake that it shows, or in words what is wrong.

Usual are those that everybody makes, in any exercise: sign, unit, off by one, axis.
"""

from collections.abc import Sequence
from reprlib import Repr

import numpy

from course_lib.exercises.answers import Raised, plain, same


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
_PLACES = ("first", "second", "third", "fourth")
_STOPS = {  # a part of what a function raises, and what to look for
    "for ^": "A power is written ** in Python.",
    "for >>": "A shift needs integers: no /, no 0.5.",
    "unsupported operand": "One of the two is no number: which?",
    "not subscriptable": "A number has no items: do your arguments stand in the order asked for?",
    "indices must be integers": "Its items have places, not names: row[0], row[1] and so on.",
    "has no attribute": "print(type(...)) tells what that is.",
    "NameError": "Is it an argument under another name, misspelt, or a text without its quotes?",
    "IndexError": "A list of n items has the places 0 to n - 1, and an empty one none.",
    "ZeroDivisionError": "What if that is 0?",
    "'int' object to bytes": "One item is a number already: data[4:6] are two bytes.",
    "multiple of element": "np.frombuffer begins at `offset` and reads `count` numbers: say both.",
    "between instances": "These two have no order: compare items, or make np.array of a list.",
    "AxisError": "Axes count from 0: two of them are 0 and 1.",
    "broadcast": "Their shapes do not fit: print the .shape of both.",
    "out of bounds": "Make a Python int of it first, with int() or astype(int).",
}
_CHANGED = {  # what to say of a number that was made of the right one in a usual way
    "Twice as much as is asked: is something added or counted twice?": lambda x: 2 * x,
    "Half of what is asked: is something divided or left out once too often?": lambda x: x / 2,
    "That is 1 minus what is asked: the other share.": lambda x: 1 - x if 0 <= x <= 1 else x + 1,
    "Turned upside down: what is divided by what?": lambda x: 1 / x if x else 1.0,
    "You cut off what stands behind the point.": int,
}
_NARROWED = {
    "You cut off at -128 and 127, which is not asked here.": lambda x: max(-128, min(127, x)),
    "Eight bits do not hold that: make an int of it first.": lambda x: (x + 128) % 256 - 128,
    "Right but for what is below 0: you make 0 of it.": lambda x: max(0, x),
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
        if "is no answer here" in value.message:
            return f"{call} {value.message}"
        advice = next((words for part, words in _STOPS.items() if part in str(value)), "")
        return f"{call} your function raises {str(value).rstrip('.')}. {advice}".strip()
    if right is None:
        return f"{call} None itself is asked, and you return {short(value)}."
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
    kind, asked = (_KINDS.get(type(each), "") for each in (value, right))
    if value is not None and kind != asked and {kind, asked} & _PLAIN:
        return f"{call} this asks for {asked}, and {is_a(value)}."
    if short(value) == short(right):
        return f"{call} you return {short(value)}: close, but not close enough."
    return f"{call} you return {short(value)}, and it should be {short(right)}."


def first_wrong(value: Sequence, expected: Sequence) -> str:
    """Say which item of a list is the first wrong one."""
    pairs = enumerate(zip(value, expected, strict=False))
    wrong = next((index for index, (a, b) in pairs if not same(a, b)), 0)
    return f"Item {wrong + 1}, {short(value[wrong]) if value else 'none'}, is the first wrong one."


def which_are_off(value: Sequence, right: Sequence, tolerance: float = 0.0) -> str:
    """Say which of up to four values are right and which not, nothing where all or none are."""
    off = [not same(a, b, tolerance) for a, b in zip(value, right, strict=True)]
    if len(off) > len(_PLACES) or all(off) or not any(off):
        return ""
    good, bad = (
        " and the ".join(place for place, one in zip(_PLACES, off, strict=False) if one == wrong)
        for wrong in (False, True)
    )
    return f"Of your {len(off)} values, right: the {good}; not yet: the {bad}."


def usual_mistake(
    values: Sequence,
    expected: Sequence,
    tolerance: float = 0.0,
    given: dict[str, Sequence] | None = None,
) -> str:
    """Return a hint for a usual mistake that all `values` show, nothing where there is none.

    `given` are the arguments for which they were returned: the name of each, and its values.
    """
    pairs = list(zip(values, expected, strict=True))
    asked, told = ({_KINDS.get(type(each), "") for each in side} for side in (expected, values))
    if len(sizes := {len(each) if type(each) is tuple else 0 for each in expected}) == 1:
        if size := sizes.pop():
            if told == {"a number"}:
                return f"This asks for {size} values, and you return one."
            if told <= {"a tuple", "a list", "an array"}:
                return _in_tuples(pairs, size, tolerance, given or {})
            asked = asked if told & _PLAIN or told == {"a dict"} else set()
    if (
        asked != told
        and len(asked) == len(told) == 1
        and (asked <= _PLAIN | {"a tuple"} or asked == {"an array"} and told <= _PLAIN)
        and not told & {"", "nothing"}
    ):
        return f"This asks for {asked.pop()}, and you return {told.pop()}."
    if all(type(each) in (int, float) and abs(each) < 1e300 for pair in pairs for each in pair):
        # of a size that survives the products below
        return _in_numbers(pairs, tolerance) or _by_an_argument(pairs, tolerance, given or {})
    if all(isinstance(each, numpy.ndarray) for pair in pairs for each in pair):
        return _in_arrays(pairs, tolerance)
    return ""


def _in_tuples(pairs: list[tuple], size: int, tolerance: float, given: dict[str, Sequence]) -> str:
    """Look at each item of tuples on its own."""
    lengths = {len(value) for value, _ in pairs}
    if lengths != {size}:
        return f"This asks for {size} values, and you return {max(lengths)}."
    columns = [list(zip(*side, strict=True)) for side in zip(*pairs, strict=True)]
    values, expected = ([plain(list(column)) for column in side] for side in columns)
    off = [not same(a, b, tolerance) for a, b in zip(values, expected, strict=True)]
    told = {
        place: usual_mistake(values[place], expected[place], tolerance, given)
        for place in range(min(size, len(_PLACES)))
        if off[place]
    }
    place = next((each for each, words in told.items() if words), None)
    words = which_are_off(values, expected, tolerance)
    if place is None:
        return words
    if not words and len(set(told.values())) > 1:
        words = f"Look at the {_PLACES[place]} value first."
    return f"{words} {told[place]}".strip()


def _in_numbers(pairs: list[tuple[float, float]], tolerance: float) -> str:
    if all(right and same(-value, right, tolerance) for value, right in pairs):
        return "The size is right and the sign is not."
    if all(value in {round(right, n) for n in range(7)} - {right} for value, right in pairs):
        return "You round: give all of its digits."
    varied = len(pairs) > 2 and len({right for _, right in pairs}) > 1
    step = pairs[0][0] - pairs[0][1]
    if step and varied or abs(step) == 1 and all(type(right) is int for _, right in pairs):
        if all(same(value - step, right, tolerance + 1e-9 * abs(right)) for value, right in pairs):
            words = f"too {'large' if step > 0 else 'small'}, always: "
            if abs(step) != 1:
                return f"{short(abs(step))} {words}what do you add, or leave out?"
            return f"One {words}look at how you round, where you begin, and where you stop."
    for factor, words in _UNITS.items():
        if factor == 8 and len(pairs) == 1 and min(map(abs, pairs[0])) < 4:
            continue  # such small numbers may differ so by chance
        for side, times in (("large", factor), ("small", 1 / factor)):
            if _are_times(pairs, times, tolerance):
                return f"Too {side} by {words}? Look at the unit that is asked."
    if len(pairs) < 2:  # of one, these would tell the answer
        return ""
    for words, change in _CHANGED.items():
        if all(same(value, change(right), tolerance + 1e-9 * abs(right)) for value, right in pairs):
            if any(right and value != right for value, right in pairs):
                return words
    for words, change in _NARROWED.items():
        if all(right != value == change(right) for value, right in pairs):
            return words
    times = pairs[0][0] / pairs[0][1] if pairs[0][1] else 0
    if times not in (0, 1) and varied and _are_times(pairs, times, tolerance):
        return f"Always {short(times)} times what is asked: what do you multiply or divide by?"
    return ""


def _are_times(pairs: list[tuple[float, float]], times: float, tolerance: float) -> bool:
    return all(
        right and same(value / times, right, tolerance + 1e-9 * abs(right))  # dividing rounds
        for value, right in pairs
    )


def _by_an_argument(
    pairs: list[tuple[float, float]], tolerance: float, given: dict[str, Sequence]
) -> str:
    """Recognise a number that is off by an argument in each case, added or multiplied."""
    for name, numbers in given.items():
        plain_ones = [x for x in numbers if type(x) in (int, float) and 1e-100 < abs(x) < 1e100]
        if len(plain_ones) < len(numbers) or len(set(plain_ones)) < 2:
            continue
        for times, words in ((1, ""), (2, "twice ")):
            for sign, side in ((1, "large"), (-1, "small")):
                if all(
                    same(value, right + sign * times * each, tolerance + 1e-9 * abs(right))
                    for (value, right), each in zip(pairs, numbers, strict=True)
                ):
                    return f"Too {side} by {words}`{name}`, always: look where you add or subtract."
                if all(
                    right and same(value, right * each ** (sign * times), 1e-9 * abs(value))
                    for (value, right), each in zip(pairs, numbers, strict=True)
                ):
                    how = "multiplied" if sign > 0 else "divided"
                    return f"Yours is what is asked, {how} {words}by `{name}`."
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
    if any(all(same(value, right.round(n)) for value, right in pairs) for n in range(5)):
        return "You round: give all of their digits."
    return ""
