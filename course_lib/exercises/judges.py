"""Judges for the usual kinds of answer: a number, a text, a list, an array, a function.

Every judge takes `mistakes`, pairs of a known wrong answer and the hint that it calls for. The
wrong answer is a value (for `function`, a wrong implementation) or `when(predicate)`. The first
that fits gives its hint; else a usual mistake (sign, unit, off by one …) is looked for; else
`otherwise` is said, or a sentence on what was wrong.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy

from course_lib.exercises.agreement import same
from course_lib.exercises.answers import Raised, plain
from course_lib.exercises.core import Judge, Outcome, Right, Wrong
from course_lib.exercises.usual import in_calls, in_value
from course_lib.exercises.words import about_call, first_wrong, kind, short, side

Mistakes = Sequence[tuple[object, str]]


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
            return Wrong(f"This asks for one number, and {short(value)} is {kind(value)}.")
        if isinstance(value, float) and math.isnan(value):
            return Wrong("Your number is NaN: it comes from 0/0 or from a missing value.")
        return _verdict(
            value,
            expected,
            tolerance,
            mistakes,
            whole,
            otherwise or f"{short(value)} is too {side(value, expected)}.",
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
            return Wrong(f"This asks for a text in quotes, and {short(value)} is {kind(value)}.")
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
            return Wrong(f"This asks for a list, and {short(value)} is {kind(value)}.")
        fallback = otherwise
        if not fallback and len(value) != len(expected):
            fallback = f"Your list has {len(value)} items: that is not the right number of them."
        fallback = fallback or first_wrong(value, expected, ordered, tolerance)
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
            return Wrong(f"This asks for numbers, and {short(value)} is {kind(value)}.")
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
        usual = in_calls(values, expected, wrong, tolerance) or _swapped(
            reference, arguments, values, tolerance
        )
        if usual:
            return Wrong(usual)
        first = min(wrong, key=lambda index: len(repr(arguments[index])))
        return Wrong(
            about_call(arguments[first], values[first], expected[first], tolerance, otherwise)
        )

    return Judge(grade, probe, mistakes=_values(mistakes))


def _swapped(reference: Callable, arguments: list[tuple], values: list, tolerance: float) -> str:
    """Return a hint where two arguments have changed places, else nothing."""
    if {len(each) for each in arguments} != {2}:
        return ""
    backwards = _values_of(reference, [each[::-1] for each in arguments])
    if any(isinstance(each, Raised) for each in backwards) or not same(
        values, backwards, tolerance
    ):
        return ""
    return "Your two arguments have changed places: which comes first?"


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
    return Wrong(hint or in_value(value, expected, tolerance) or otherwise)


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


def _values(mistakes: Mistakes) -> tuple:
    """Return the wrong answers among `mistakes` that can be tried as they are."""
    return tuple(wrong for wrong, _ in mistakes if not isinstance(wrong, when))


def _folded(value: str) -> str:
    """Return a text without case and outer or doubled spaces."""
    return " ".join(value.split()).casefold()
