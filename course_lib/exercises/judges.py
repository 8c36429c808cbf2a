"""Judges for the usual kinds of answer: a number, a text, a list, an array, a function.

For any other kind, a lesson has a function of its own and `checked`.
Of the `mistakes`, the first that fits gives its hint; else a usual one; else a plain sentence.
"""

import inspect
from collections.abc import Callable, Sequence
from difflib import SequenceMatcher

import numpy

from course_lib.exercises.answers import Raised, answer_values, as_array, same
from course_lib.exercises.core import Judge, Mistakes, otherwise, when
from course_lib.exercises.remarks import (
    about_call,
    about_quotes,
    first_wrong,
    is_a,
    short,
    usual_mistake,
    which_are_off,
)


def number(expected: float, tolerance: float = 0.0) -> Judge:
    """Judge one number, right within the absolute `tolerance`; 3.0 is as good as 3."""

    def grade(_: None, value: object, mistakes: Mistakes) -> str:
        if type(value) not in (int, float):
            return f"This asks for one number, and {is_a(value)}."
        if value != value:
            return "Your number is NaN: it comes from 0/0 or from a missing value."
        otherwise = f"{short(value)} is too {'large' if value > expected else 'small'}."
        return _hint(value, expected, mistakes, otherwise, tolerance)

    return Judge(expected, grade)


def choice(expected: str, among: Sequence[str]) -> Judge:
    """Judge one of the words in `among`; case and outer spaces do not matter."""
    known = {_folded(each): each for each in among}

    def grade(_: None, value: object, mistakes: Mistakes) -> str:
        word = _folded(str(value))
        word = word if word in known else word.removesuffix("()").rpartition(".")[2]
        if word not in known:
            return f"Choose one of {', '.join(map(repr, among))}: in quotes, as written here."
        otherwise = f"Not {short(value)}: read the section above once more."
        return _hint(known[word], expected, mistakes, otherwise)

    return Judge(expected, grade)


def text(*spellings: str, otherwise: str = "") -> Judge:
    """Judge a short text, one of the `spellings`; case and spacing do not matter."""

    def grade(_: None, value: object, mistakes: Mistakes) -> str:
        if type(value) is not str:
            return f"This asks for a text in quotes, and {is_a(value)}."
        if _folded(value) in map(_folded, spellings):
            return ""
        folded = [
            (wrong if isinstance(wrong, when) else _folded(wrong), hint) for wrong, hint in mistakes
        ]
        hint = _recognised(_folded(value), folded)
        return hint or otherwise or f"Not {short(value)}: read the section above once more."

    return Judge(spellings[0], grade)


def items(expected: Sequence, *, ordered: bool = True) -> Judge:
    """Judge a list or tuple; without `ordered`, any order is right and repeats count."""

    def arranged(value: Sequence) -> list:
        return list(value) if ordered else sorted(value, key=repr)

    def grade(_: None, value: object, mistakes: Mistakes) -> str:
        if isinstance(value, numpy.ndarray):
            value = value.tolist()
        if not isinstance(value, (list, tuple)):
            return f"This asks for a list, and {is_a(value)}."
        if len(value) != len(expected):
            otherwise = f"Your list has {len(value)} items: that is not the right number of them."
        elif ordered:
            otherwise = first_wrong(value, expected)
        else:
            otherwise = "Some of these belong there, not all: go through them one by one."
        respelt = [next((w for w in expected if _misspells(each, w)), each) for each in value]
        if len(value) == len(expected) and same(arranged(respelt), arranged(expected)):
            off = ", ".join(short(each) for each in value if each not in expected)
            return f"Right but for the spelling of {off}." if off else ""
        known = [
            (arranged(wrong) if isinstance(wrong, (list, tuple)) else wrong, hint)
            for wrong, hint in mistakes
        ]
        unquoted = about_quotes(value, expected)
        return unquoted or _hint(arranged(value), arranged(expected), known, otherwise)

    return Judge(expected, grade)


def array(expected: object, tolerance: float = 0.0) -> Judge:
    """Judge numbers in an array (lists are taken too): shape first, then every value."""
    right = numpy.asarray(expected)

    def grade(_: None, value: object, mistakes: Mistakes) -> str:
        try:
            array = as_array(value)
        except ValueError:
            return "The rows of your list differ in length: an array has none such."
        if array.dtype.kind not in "biuf":
            return f"This asks for numbers, and {is_a(value)}."
        if array.ndim < 2 and right.ndim == 1 and array.size != right.size:
            otherwise = f"This asks for {right.size} numbers, and you give {array.size}."
        elif array.shape != right.shape:
            otherwise = f"Your shape is {array.shape}, and {right.shape} is asked."
        else:
            off = int((~numpy.isclose(array, right, 0, tolerance)).sum())
            otherwise = f"{off} of {right.size} values are off."
            if right.ndim == 1:
                otherwise = which_are_off(array.tolist(), right.tolist(), tolerance) or otherwise
        return _hint(array, right, mistakes, otherwise, tolerance)

    return Judge(expected, grade)


def function(
    reference: Callable,
    inputs: Callable | Sequence[tuple],
    *,
    tolerance: float = 0.0,
    whole: bool = False,
) -> Judge:
    """Judge a function by its values on `inputs(rng)` (or a fixed list of argument tuples).

    `reference` is a right implementation. Of the mistakes, a wrong implementation gives its hint to
    an answer that agrees with it on every input; `when(predicate)` is asked with (arguments, value)
    and fits where it holds for every value that is wrong. Where none does, the one that explains
    most of them speaks, beside a case. With `whole`, values must be integers.
    """

    def grade(arguments: list[tuple], values: list, mistakes: Mistakes) -> str:
        expected = answer_values(reference, arguments)
        pairs = enumerate(zip(values, expected, strict=True))
        wrong = [place for place, (a, b) in pairs if not same(a, b, tolerance, whole)]
        if not wrong:
            return ""
        if all(value is None for value in values):
            return "You return None each time: is there a `return`, and does every case get to it?"
        explained = [([], "")]  # which wrong places a mistake explains, and its hint
        for known, hint in mistakes:
            if isinstance(known, when):
                shown = [place for place in wrong if known.fits(arguments[place], values[place])]
                fits = shown == wrong
            else:
                made = answer_values(known, arguments)
                shown = [place for place in wrong if same(values[place], made[place], tolerance)]
                fits = same(values, made, tolerance)
            if fits and not isinstance(known, otherwise):
                return hint
            explained.append((shown, hint))
        if all(same(values[place], expected[place], tolerance) for place in wrong):  # as floats
            return about_call(arguments[wrong[0]], values[wrong[0]], expected[wrong[0]], tolerance)
        if all(same(value, given[0]) for given, value in zip(arguments, values, strict=True)):
            return "That is what came in, unchanged: return what you make of it."
        usual = ""
        if len(wrong) > 1 or isinstance(expected[wrong[0]], numpy.ndarray):  # one may be chance
            told, asked = ([side[place] for place in wrong] for side in (values, expected))
            columns = zip(*(arguments[place] for place in wrong), strict=True)
            given = dict(zip(inspect.signature(reference).parameters, columns, strict=False))
            usual = usual_mistake(told, asked, tolerance, given)
        if usual or _is_swapped(reference, arguments, values, tolerance):
            return usual or "Your two arguments have changed places: which comes first?"
        if all(same(value, values[0]) for value in values) and len(values) > 2:
            if not isinstance(values[0], Raised) and not same(expected[1:], expected[:-1]):
                return f"You return {short(values[0])} whatever comes in: use what is given."
        if type(None) not in map(type, expected) and any(values[place] is None for place in wrong):
            return "Sometimes nothing comes back: does every way through your function return?"
        shown, hint = max(explained, key=lambda each: len(each[0]))
        shown, hint = (shown, hint) if 2 * len(shown) >= len(wrong) else (wrong, "")
        first = min(shown, key=lambda place: len(repr(arguments[place])))  # the easiest to read
        words = about_call(arguments[first], values[first], expected[first], tolerance)
        words = f"{hint} {words}".strip() if shown == wrong else f"In some cases: {hint} {words}"
        return f"All but one case is right. {words}" if len(wrong) == 1 < len(values) - 1 else words

    return Judge(reference, grade, inputs if callable(inputs) else lambda rng: list(inputs))


def checked(solution: object, hint_for: Callable[[object], str], wrong: tuple) -> Judge:
    """Judge a value by `hint_for(value)`, "" where it is right, as for none of `wrong`."""
    return Judge(solution, lambda _, value, mistakes: hint_for(value), wrong=wrong)


def _is_swapped(
    reference: Callable, arguments: list[tuple], values: list, tolerance: float
) -> bool:
    if {len(each) for each in arguments} != {2}:
        return False
    backwards = answer_values(reference, [each[::-1] for each in arguments])
    pairs = list(zip(values, backwards, strict=True))
    told = [pair for pair in pairs if not all(isinstance(each, Raised) for each in pair)]
    return len(told) > 1 and all(same(*pair, tolerance) for pair in told)


def _hint(
    value: object, expected: object, mistakes: Mistakes, otherwise: str, tolerance: float = 0.0
) -> str:
    """Return the hint for a value, "" where it is right."""
    if same(value, expected, tolerance):
        return ""
    hint = _recognised(value, mistakes, tolerance)
    return hint or usual_mistake([value], [expected], tolerance) or otherwise


def _recognised(value: object, mistakes: Mistakes, tolerance: float = 0.0) -> str:
    """Return the hint of the first mistake that `value` shows, or nothing."""
    for wrong, hint in mistakes:
        if wrong.fits(value) if isinstance(wrong, when) else same(value, wrong, tolerance):
            return hint
    return ""


def _misspells(word: object, right: object) -> bool:
    """Tell whether two texts are one, but for a letter or two: no digit, and not case alone."""
    if {type(word), type(right)} != {str}:
        return False
    digits, asked = ([each for each in text if each.isdigit()] for text in (word, right))
    alike = sorted(word) == sorted(right) or SequenceMatcher(None, word, right).ratio() > 0.85
    return word != right and alike and digits == asked and _folded(word) != _folded(right)


def _folded(value: str) -> str:
    """Return a text without case and outer or doubled spaces."""
    return " ".join(value.split()).casefold()
