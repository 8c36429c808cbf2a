"""Judges for the usual kinds of answer: a number, a text, a list, an array, a function.

Every judge takes `mistakes`, pairs of a known wrong answer and the hint that it calls for. The
wrong answer is a value (for `function`, a wrong implementation) or `when(predicate)`. The first
that fits gives its hint; else `otherwise` is said, or a sentence on what was wrong.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from reprlib import Repr

import numpy

from course_lib.exercises.core import Judge, Outcome, Raised, Right, Wrong, plain

__all__ = ["array", "choice", "function", "items", "number", "same", "text", "when"]

Mistakes = Sequence[tuple[object, str]]

_SHORT = Repr()
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 60


@dataclass(frozen=True)
class when:  # noqa: N801  (reads as a word: `(when(lambda x: x < 0), "…")`)
    """A mistake recognised by a predicate of the value, or of (arguments, value)."""

    predicate: Callable[..., bool]

    def fits(self, *given: object) -> bool:
        """Return the predicate's verdict; an answer that it cannot be asked about does not fit."""
        try:
            return bool(self.predicate(*given))
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
            return False


def number(
    expected: float,
    tolerance: float = 0.0,
    mistakes: Mistakes = (),
    *,
    whole: bool = False,
    otherwise: str = "",
) -> Judge:
    """Judge one number, right within the absolute `tolerance`; `whole` asks for an int."""

    def grade(_: None, value: object) -> Outcome:
        if type(value) not in (int, float):
            return Wrong(f"This asks for one number, and {short(value)} is {_kind(value)}.")
        if isinstance(value, float) and math.isnan(value):
            return Wrong("Your number is NaN: it comes from 0/0 or from a missing value.")
        return _verdict(
            value,
            expected,
            tolerance,
            mistakes,
            whole,
            otherwise or f"{short(value)} is too {_side(value, expected)}.",
        )

    return Judge(grade, mistakes=_values(mistakes))


def choice(
    expected: str,
    among: Sequence[str],
    mistakes: Mistakes | Mapping[str, str] = (),
    *,
    otherwise: str = "",
) -> Judge:
    """Judge one of the words in `among`; case and outer spaces do not matter."""
    pairs = list(mistakes.items() if isinstance(mistakes, Mapping) else mistakes)
    known = {_folded(each): each for each in among}

    def grade(_: None, value: object) -> Outcome:
        if type(value) is not str or _folded(value) not in known:
            return Wrong(f"Choose one of {', '.join(repr(each) for each in among)}.")
        return _verdict(
            known[_folded(value)],
            expected,
            0.0,
            pairs,
            False,
            otherwise or f"Not {short(value)}: read the section above once more.",
        )

    return Judge(grade, mistakes=_values(pairs))


def text(expected: str | Sequence[str], mistakes: Mistakes = (), *, otherwise: str = "") -> Judge:
    """Judge a short text, one of the `expected` spellings; case and spacing do not matter."""
    spellings = [expected] if isinstance(expected, str) else list(expected)

    def grade(_: None, value: object) -> Outcome:
        if type(value) is not str:
            return Wrong(f"This asks for a text in quotes, and {short(value)} is {_kind(value)}.")
        if _folded(value) in map(_folded, spellings):
            return Right()
        folded = [
            (_folded(wrong) if isinstance(wrong, str) else wrong, hint) for wrong, hint in mistakes
        ]
        return Wrong(
            _hint(_folded(value), folded, 0.0)
            or otherwise
            or f"Not {short(value)}: read the section above once more."
        )

    return Judge(grade, mistakes=_values(mistakes))


def items(
    expected: Sequence,
    mistakes: Mistakes = (),
    *,
    ordered: bool = True,
    tolerance: float = 0.0,
    otherwise: str = "",
) -> Judge:
    """Judge a list or tuple; without `ordered`, any order is right and repeats count."""

    def arranged(value: Sequence) -> list:
        return list(value) if ordered else sorted(value, key=repr)

    def grade(_: None, value: object) -> Outcome:
        if isinstance(value, numpy.ndarray):
            value = value.tolist()
        if not isinstance(value, (list, tuple)):
            return Wrong(f"This asks for a list, and {short(value)} is {_kind(value)}.")
        fallback = otherwise
        if not fallback and len(value) != len(expected):
            fallback = f"Your list has {len(value)} items: that is not the right number of them."
        fallback = fallback or _first_wrong(value, expected, ordered, tolerance)
        known = [
            (arranged(wrong) if isinstance(wrong, (list, tuple)) else wrong, hint)
            for wrong, hint in mistakes
        ]
        return _verdict(arranged(value), arranged(expected), tolerance, known, False, fallback)

    return Judge(grade, mistakes=_values(mistakes))


def array(
    expected: object,
    tolerance: float = 0.0,
    mistakes: Mistakes = (),
    *,
    whole: bool = False,
    otherwise: str = "",
) -> Judge:
    """Judge numbers in an array (lists are taken too): shape first, then every value."""
    expected = numpy.asarray(expected)

    def grade(_: None, value: object) -> Outcome:
        try:
            given = numpy.asarray(value)
        except ValueError:
            return Wrong("The rows of your list differ in length: an array has none such.")
        if given.dtype.kind not in "biuf":
            return Wrong(f"This asks for numbers, and {short(value)} is {_kind(value)}.")
        if given.shape != expected.shape:
            fallback = f"Your shape is {given.shape}, and {expected.shape} is asked."
        else:
            off = int((~numpy.isclose(given, expected, 0, tolerance)).sum())
            fallback = f"{off} of {expected.size} values are off."
        return _verdict(given, expected, tolerance, mistakes, whole, otherwise or fallback)

    return Judge(grade, mistakes=_values(mistakes))


def function(
    reference: Callable,
    inputs: Callable | Sequence[tuple],
    mistakes: Mistakes = (),
    *,
    tolerance: float = 0.0,
    whole: bool = False,
    otherwise: str = "",
) -> Judge:
    """Judge a function by its values on `inputs(rng)` (or a fixed list of argument tuples).

    `reference` is a right implementation. In `mistakes` each wrong implementation gives its hint to
    an answer that agrees with it on every input; `when(predicate)` is asked with (arguments, value)
    and fits where it holds for every value that is wrong. With `whole`, values must be integers.
    """
    probe = inputs if callable(inputs) else lambda rng: list(inputs)

    def grade(arguments: list[tuple], values: object) -> Outcome:
        expected = _values_of(reference, arguments)
        wrong = [
            index
            for index, (value, right) in enumerate(zip(values, expected, strict=True))
            if not same(value, right, tolerance, whole)
        ]
        if not wrong:
            return Right()
        for known, hint in mistakes:
            if isinstance(known, when):
                if all(known.fits(arguments[index], values[index]) for index in wrong):
                    return Wrong(hint)
            elif same(values, _values_of(known, arguments), tolerance):
                return Wrong(hint)
        first = min(wrong, key=lambda index: len(repr(arguments[index])))
        return Wrong(
            _about_call(arguments[first], values[first], expected[first], tolerance, otherwise)
        )

    return Judge(grade, probe, mistakes=_values(mistakes))


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


def _verdict(
    value: object,
    expected: object,
    tolerance: float,
    mistakes: Mistakes,
    whole: bool,
    otherwise: str,
) -> Outcome:
    """Return Right, or Wrong with the hint of the first mistake that fits."""
    if same(value, expected, tolerance, whole):
        return Right()
    hint = _hint(value, mistakes, tolerance)
    if not hint and whole and same(value, expected, tolerance):
        hint = "The value is right, but it is a float: an integer is asked."
    return Wrong(hint or otherwise)


def _hint(value: object, mistakes: Mistakes, tolerance: float) -> str:
    """Return the hint of the first mistake that `value` shows, or nothing."""
    for wrong, hint in mistakes:
        fits = wrong.fits(value) if isinstance(wrong, when) else same(value, wrong, tolerance)
        if fits:
            return hint
    return ""


def _values_of(implementation: Callable, arguments: list[tuple]) -> list:
    """Return the values of an implementation of ours; what it raises counts as a value."""
    values = []
    for each in arguments:
        try:
            values.append(plain(implementation(*each)))
        except Exception as error:  # a wrong implementation may raise on purpose
            values.append(Raised(type(error).__name__, str(error)[:200]))
    return values


def _about_call(
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


def _first_wrong(value: Sequence, expected: Sequence, ordered: bool, tolerance: float) -> str:
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


def _values(mistakes: Mistakes) -> tuple:
    """Return the wrong answers among `mistakes` that can be tried as they are."""
    return tuple(wrong for wrong, _ in mistakes if not isinstance(wrong, when))


def _folded(value: str) -> str:
    """Return a text without case and outer or doubled spaces."""
    return " ".join(value.split()).casefold()


def _side(value: float, expected: float) -> str:
    return "large" if value > expected else "small"


def _kind(value: object) -> str:
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
