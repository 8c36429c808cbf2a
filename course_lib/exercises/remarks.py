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
        text = f"{value + 0.0:.6g}"  # no -0.0
        return text if set(text) & set(".en") else f"{text}.0"

    def repr_list(self, value: list, level: int) -> str:
        rows = len(value) > 1 and all(isinstance(each, list) and len(each) > 2 for each in value)
        if rows and (sum(map(len, value)) > 16 or any(type(each[0]) is not int for each in value)):
            return f"a list of {len(value)} lists"
        return super().repr_list(value, level)

    def repr_ndarray(self, value: numpy.ndarray, level: int) -> str:
        if value.size > 6 or value.ndim > 2:
            zeros = "zeros of " if value.dtype.kind in "biuf" and not value.any() else ""
            return f"an array of {zeros}shape {value.shape}"
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
_PLAIN = {"a number", "a text", "a truth value", "bytes"}  # a list may stand for a tuple
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
    "NoneType": "A step before gave nothing: append(), sort() and update() change in place.",
    "not subscriptable": "A number has no items: do your arguments stand in the order asked for?",
    "indices must be integers": "Its items have places, not names: row[0], row[1] and so on.",
    "has no attribute": "print(type(...)) tells what that is.",
    "NameError": "Is it an argument under another name, unimported, or a text without its quotes?",
    "truth value": "`if`, `and`, `or` ask of one value; np.where, & and | of whole arrays.",
    "__round__": "round() takes one number, np.round whole arrays.",
    "unsupported operand": "One of the two is no number: print(type(...)) tells what it is.",
    "IndexError": "A list of n items has the places 0 to n - 1, and an empty one none.",
    "ZeroDivisionError": "What do you divide by, and when is it 0?",
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
    "That is 1 minus what is asked: the other share.": lambda x: 1 - x if 0 <= x <= 1 else None,
    "Turned upside down: what is divided by what?": lambda x: 1 / x if x else 1.0,
    "You cut off what stands behind the point.": int,
}
_NARROWED = {
    "You cut off at -128 and 127, which is not asked here.": lambda x: max(-128, min(127, x)),
    "Eight bits do not hold that: make an int of it first.": lambda x: (x + 128) % 256 - 128,
    "Right but for what is below 0: you make 0 of it.": lambda x: max(0, x),
    "Unsigned numbers have no sign: what is below 0 came out 256 larger.": lambda x: x % 256,
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
    texts = type(value) in (list, tuple) and value and all(type(each) is str for each in value)
    kind = _KINDS.get(type(value), f"a {type(value).__name__}")
    return f"{short(value)} is {kind}{' of texts, in quotes' if texts else ''}"


def about_call(arguments: tuple, value: object, right: object, tolerance: float) -> str:
    """Say what went wrong for one input, in a sentence."""
    call = f"For ({', '.join(short(each) for each in arguments)})"
    if isinstance(value, Raised):
        if "is no answer" in value.message:
            return f"{call} {value.message}"
        advice = next((words for part, words in _STOPS.items() if part in str(value)), "")
        return f"{call} your function raises {str(value).rstrip('.')}. {advice}".strip()
    if right is None:
        return f"{call} None itself is asked, and you return {short(value)}."
    if same(value, right, tolerance):
        return f"{call} the value is right, but it is a float: an integer is asked."
    leaves = _leaves(value, right)
    off = [leaf for leaf in leaves if not same(*leaf[1:], tolerance)]
    if off and (len(leaves) > 8 or off[0][0] and isinstance(right, (dict, numpy.ndarray))):
        path, value, right = off[0]
        call += f" {len(off)} of {len(leaves)} values are off: at {[*path]}"
    if isinstance(value, dict) and isinstance(right, dict):
        return f"{call} your dict has the keys {short([*value])}, not {short([*right])}."
    kind, asked = (_KINDS.get(type(each), "") for each in (value, right))
    if value is not None and kind != asked and {kind, asked} & _PLAIN:
        return f"{call} this asks for {asked}, and {is_a(value)}."
    if short(value) == short(right):
        return f"{call} you return {short(value)}: close, but not close enough."
    return f"{call} you return {short(value)}, and it should be {short(right)}."


def _leaves(value: object, right: object, path: tuple = ()) -> list[tuple]:
    """Return (path, value, right) of the single values in lists, dicts, bytes of one shape."""
    a, b = (each.tolist() if hasattr(each, "tolist") else each for each in (value, right))
    a, b = (dict(enumerate(c)) if type(c) in (list, tuple, bytes) else c for c in (a, b))
    if not (isinstance(a, dict) and isinstance(b, dict) and b and a.keys() == b.keys()):
        return [(path, value, right)]
    return [leaf for key in b for leaf in _leaves(a[key], b[key], (*path, key))]


def first_wrong(value: Sequence, expected: Sequence) -> str:
    """Say which item of a list is the first wrong one."""
    pairs = enumerate(zip(value, expected, strict=False))
    wrong = next((index for index, (a, b) in pairs if not same(a, b)), 0)
    return f"Item {wrong + 1}, {short(value[wrong]) if value else 'none'}, is the first wrong one."


def about_quotes(value: Sequence, expected: Sequence) -> str:
    """Say where texts are asked and one has no quotes, or shares them with another."""
    if not all(isinstance(each, str) for each in expected):
        return ""
    for each in value:
        if not isinstance(each, str):
            return f"{is_a(each)}: write every name in quotes."
        parts = each.replace(",", " ").split()
        if each not in expected and len(parts) > 1 and {*parts} <= {*expected}:
            return f"{short(each)} is one text: write each name in quotes of its own."
    return ""


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
        and (asked <= _PLAIN | {"a tuple"} or told <= _PLAIN)
        and not (asked | told) & {"", "nothing"}
    ):
        return f"This asks for {asked.pop()}, and you return {told.pop()}."
    if all(type(x) in (int, float) and abs(x) < 1e300 for pair in pairs for x in pair):  # products
        return _in_numbers(pairs, tolerance) or _by_an_argument(pairs, tolerance, given or {})
    if asked == told and asked <= {"a text", "bytes"}:
        return _in_texts(pairs)
    if not asked | told <= {"an array", "a list", "a dict"}:
        return ""
    if any(numpy.ndim(right) > 1 for _, right in pairs if isinstance(right, numpy.ndarray)):
        if all(same(numpy.transpose(value), right, tolerance) for value, right in pairs):
            return "Rows and columns have changed places: look at the axes."
    leaves = [leaf[1:] for pair in pairs for leaf in _leaves(*pair)]
    off = [leaf for leaf in leaves if not same(*leaf, tolerance)]
    if not off or any(hasattr(right, "__len__") for _, right in off):
        return ""
    words = usual_mistake(*zip(*off, strict=True), tolerance)
    return words.replace("This asks for", "For each item this asks for", 1)


def _in_texts(pairs: list[tuple]) -> str:
    if all(value and value.lower() == right.lower() for value, right in pairs):
        return "Right but for capital and small letters."
    if all(value and value in right for value, right in pairs):
        return "That is a part of what is asked: what stands before or behind it?"
    if all(right and right in value for value, right in pairs):
        return "What is asked is in there: return it alone."
    told, asked = ({len(each) for each in side} for side in zip(*pairs, strict=True))
    if len(told) == len(asked) == 1 < len(pairs) and told != asked:
        return f"It should always have a length of {asked.pop()}, and yours has {told.pop()}."
    return ""


def _in_tuples(pairs: list[tuple], size: int, tolerance: float, given: dict[str, Sequence]) -> str:
    """Look at each item of tuples on its own."""
    lengths = {len(value) for value, _ in pairs}
    if lengths != {size}:
        return f"This asks for {size} values, and you return {max(lengths)}."
    columns = [list(zip(*side, strict=True)) for side in zip(*pairs, strict=True)]
    values, expected = ([plain(list(column)) for column in side] for side in columns)
    off = [not same(a, b, tolerance) for a, b in zip(values, expected, strict=True)]
    places = [place for place in range(size)[: len(_PLACES)] if off[place]]
    told = {n: usual_mistake(values[n], expected[n], tolerance, given) for n in places}
    place = next((each for each, words in told.items() if words), None)
    words = which_are_off(values, expected, tolerance)
    if place is None:
        return ""
    if not words and len(set(told.values())) > 1:
        words = f"Look at the {_PLACES[place]} value first."
    return f"{words} {told[place]}".strip()


def _in_numbers(pairs: list[tuple[float, float]], tolerance: float) -> str:
    def are_times(times: float) -> bool:  # dividing rounds
        return all(b and same(a / times, b, tolerance + 1e-9 * abs(b)) for a, b in pairs)

    if all(right and same(-value, right, tolerance) for value, right in pairs):
        return "The size is right and the sign is not."
    rounds = [value in {round(right, n) for n in range(7)} - {right} for value, right in pairs]
    if all(rounds) and any(value for value, _ in pairs):
        return "You round: give all of its digits."
    varied = len(pairs) > 2 and len({right for _, right in pairs}) > 1
    step = pairs[0][0] - pairs[0][1]
    if all(type(right) is int and 0 < value - right < 1 for value, right in pairs):
        return "You keep a fraction: // drops it, and round() goes to the nearest."
    if step and varied or abs(step) == 1 and all(type(right) is int for _, right in pairs):
        if all(same(value - step, right, tolerance + 1e-9 * abs(right)) for value, right in pairs):
            words = f"too {'large' if step > 0 else 'small'} where it is wrong: "
            if abs(step) != 1:
                return f"{short(abs(step))} {words}what do you add, or leave out?"
            return f"One {words}look at how you round, where you begin, and where you stop."
    small = len(pairs) == 1 and min(map(abs, pairs[0])) < 4  # 8 times as much may be chance
    for factor, words in _UNITS.items():
        for side, times in (("large", factor), ("small", 1 / factor)):
            if are_times(times) and not (small and factor == 8):
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
    if times not in (0, 1) and varied and are_times(times):
        return f"{short(times)} times what is asked: what do you multiply or divide by?"
    return ""


def _by_an_argument(pairs: list[tuple], tolerance: float, given: dict[str, Sequence]) -> str:
    """Recognise a number that is off by an argument in each case, added or multiplied."""
    for name, numbers in given.items():
        plain_ones = [x for x in numbers if type(x) in (int, float) and 1e-100 < abs(x) < 1e100]
        if len(plain_ones) < len(numbers) or len(set(plain_ones)) < 2:
            continue
        each = [(*pair, x) for pair, x in zip(pairs, numbers, strict=True)]
        for times, words in ((1, ""), (2, "twice "), (-1, ""), (-2, "twice ")):
            if all(same(v, r + times * x, tolerance + 1e-9 * abs(r)) for v, r, x in each):
                side = "large" if times > 0 else "small"
                return f"Too {side} by {words}`{name}`, always: look where you add or subtract."
            if all(r and same(v, r * x**times, 1e-9 * abs(v)) for v, r, x in each):
                how = "multiplied" if times > 0 else "divided"
                return f"Yours is what is asked, {how} {words}by `{name}`."
    return ""
