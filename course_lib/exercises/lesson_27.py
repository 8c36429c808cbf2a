"""The exercises of lesson 27: noise or not, and choosing under a budget."""

from __future__ import annotations

import math
from functools import partial

from course_lib.exercises.core import Exercise, otherwise, when
from course_lib.exercises.judges import function

# 27.2: noise or not


def _p_value(lost, gained):
    return min(1.0, 2 * _one_side(lost, gained))


def _one_side(lost, gained, end=1, *, start=0, pick=min, whole=lambda flips: 2**flips):
    flips = lost + gained
    counts = range(start, pick(lost, gained) + end)
    return sum(math.comb(flips, k) for k in counts) / whole(flips)


def _spoilt(most=1.0, **changes):
    """Return the solution with one thing changed in the sum of a tail."""
    return lambda lost, gained: min(most, 2 * _one_side(lost, gained, **changes))


def _flips(rng):
    drawn = [tuple(int(count) for count in rng.integers(0, 15, 2)) for _ in range(10)]
    return drawn + [(6, 0), (0, 6), (4, 4), (1, 0)]


# 27.5: choose under a budget


def _choose(variants, budget_bytes, key=lambda row: row[2]):
    fitting = [row for row in variants if row[1] <= budget_bytes]
    return max(fitting, key=key)[0] if fitting else None


def _choose_or_give_up(variants, budget_bytes):
    name, size, _ = max(variants, key=lambda row: row[2])
    return name if size <= budget_bytes else None


def _tables(rng):
    """Draw tables of (name, bytes, accuracy) whose order, size and accuracy do not agree."""
    drawn = []
    for _ in range(10):
        sizes = rng.choice(range(15, 70), 5, replace=False) * 1000
        scores = rng.choice(range(800, 990), 5, replace=False) / 1000
        rows = zip(rng.permutation(list("ABCDE")), sizes, scores, strict=True)
        table = [(f"variant {letter}", int(size), float(score)) for letter, size, score in rows]
        drawn += [(table, int(rng.integers(20, 70)) * 1000), (table, int(sizes[0]))]
    return drawn + [([("float32", 60_000, 0.95)], 20_000)]


_SMALLER = "The tail ends at the smaller of the two counts, whichever that is: min(lost, gained)."
_COUNTS = (max, lambda lost, gained: lost, lambda lost, gained: gained)
_WAYS = "n coins can fall in 2**n ways: divide by that, not by n."
_NONE = "Where nothing fits, max() has nothing to choose from: return None there."
_NAMES = "max() without a key compares the names. Compare the accuracies: key=lambda row: row[2]."

_FIRST = "You take the first that fits. The order says nothing: compare the accuracies."


def _returns(kind):
    """Recognise values of this kind, in a function that may stop where nothing fits."""
    return when(lambda _, value: isinstance(value, kind) or value.kind == "ValueError")


EXERCISES = (
    Exercise(
        id="27.2",
        ask="p_value(lost, gained): how often fair coins fall at least as unevenly, both ways",
        judge=function(_p_value, _flips, tolerance=1e-9),
        mistakes=[
            (
                _spoilt(whole=lambda flips: 1),
                "Always 1: divide by 2**n, and end the tail at the smaller count.",
            ),
            (
                lambda a, b: 0.0,
                "Always 0: comb(n, k) has all coins first, and 0 heads are a way, too.",
            ),
            (_one_side, "That is one tail: as uneven in the other direction counts too."),
            *((_spoilt(pick=pick), _SMALLER) for pick in _COUNTS),
            *((_spoilt(math.inf, pick=pick), _SMALLER) for pick in _COUNTS),
            *((partial(_one_side, pick=pick), _SMALLER) for pick in _COUNTS),
            *((_spoilt(most, whole=lambda flips: flips), _WAYS) for most in (1.0, math.inf)),
            (_spoilt(start=1), "No head at all is possible, too: k starts at 0."),
            (
                _spoilt(end=0),
                "range() stops before its end: the smaller count belongs to the tail as well.",
            ),
            (
                lambda lost, gained: 2 * _one_side(lost, gained),
                "A probability cannot be above 1: look at lost == gained.",
            ),
            *(
                (wrong, "2**n, with n = lost + gained: neither ^, nor n**2, nor 2 * n.")
                for wrong in (
                    _spoilt(whole=lambda flips: flips**2 or 1),
                    _spoilt(whole=lambda flips: 2 * flips or 1),
                    _spoilt(whole=lambda flips: 2 ^ flips or 1),
                    lambda a, b: min(1.0, 2 * _one_side(a, b, whole=lambda _: 2 ** max(a, b))),
                )
            ),
            *(
                (wrong, "You count ways: divide by 2**n, all the ways in which n coins can fall.")
                for wrong in (
                    _spoilt(math.inf, whole=lambda flips: 1),
                    partial(_one_side, whole=lambda flips: 1),
                )
            ),
            (
                lambda a, b: max(1.0, 2 * _one_side(a, b)),
                "max() takes the larger one, so that 1 is the least: stop at 1 with min().",
            ),
            (
                lambda a, b: min(1.0, 2 / 2 ** (a + b)),
                "Only k = 0 is counted: is there a return in the loop?",
            ),
            (lambda a, b: 1 - _p_value(a, b), "That is 1 minus what is asked: the other share."),
            *(
                (wrong, "No share of the two counts is asked: add up what comb() says of each k.")
                for wrong in (
                    lambda a, b: a / (a + b) if a + b else 0,
                    lambda a, b: min(a, b) / (a + b) if a + b else 0,
                    lambda a, b: (abs(a - b) - 1) ** 2 / (a + b) if a + b else 0,
                    lambda a, b: (a - b) ** 2 / (a + b) if a + b else 0,
                    lambda a, b: abs(a - b) / (a + b) if a + b else 0,
                )
            ),
            (
                lambda a, b: min(1.0, 2 * _one_side(a, b, pick=lambda a, b: abs(a - b))),
                _SMALLER,
            ),
            (
                lambda a, b: min(
                    1.0,
                    2 * sum(math.comb(max(a, b), k) for k in range(min(a, b) + 1)) / 2 ** (a + b),
                ),
                "n is all coins, lost + gained, in comb() as well.",
            ),
            (lambda a, b: _one_side(a, b) ** 2, "Double it: 2 *, not **2."),
            (lambda a, b: min(1.0, 4 * _one_side(a, b)), "You double it twice."),
            (lambda a, b: _one_side(a, b) / 2, "Double it: two tails are more than one."),
            (
                lambda a, b: min(1.0, 2 * math.comb(a + b, a) / 2 ** (a + b)),
                "You count this outcome alone: more uneven ones belong to the tail as well.",
            ),
            (
                otherwise(lambda given, got: got < _p_value(*given)),
                "Too rare: both tails count, each from no head at all to the smaller count.",
            ),
            (
                otherwise(lambda given, got: got > _p_value(*given)),
                "Too often: two tails, each up to the smaller count, of 2**(lost + gained) ways.",
            ),
        ],
        right="now you know how easily chance alone makes such a drop.",
        hints=(
            "math.comb(n, k) / 2**n is the chance of k heads in n throws.",
            "Sum it for k from 0 to the smaller count, double it, and stop at 1.",
        ),
    ),
    Exercise(
        id="27.5",
        ask="choose(variants, budget_bytes): the name of the most accurate one that fits, or None",
        judge=function(_choose, _tables),
        mistakes=[
            (
                partial(_choose, key=lambda row: -row[1]),
                "You take the smallest. All that fit are small enough: take the best of those.",
            ),
            (
                partial(_choose, key=lambda row: row[2] / row[1]),
                "Once a file fits, its size no longer counts: compare the accuracies alone.",
            ),
            (
                lambda variants, _: max(variants, key=lambda row: row[2])[0],
                "That is the best of all: does it fit into the budget?",
            ),
            (
                partial(_choose, key=lambda row: -row[2]),
                "You take the least accurate: sorted() begins with the smallest.",
            ),
            (
                lambda rows, most: rows[0][0] if rows[0][1] <= most else None,
                "Only the first row is looked at: is there a return in the loop, in both branches?",
            ),
            (
                partial(_choose, key=lambda row: row[1]),
                "Larger is not always better: compare the accuracies.",
            ),
            (
                lambda rows, most: min(rows, key=lambda row: row[1])[0],
                "You take the smallest of all: take the best of those that fit, if any does.",
            ),
            (
                lambda rows, most: _choose([(n, -size, good) for n, size, good in rows], -most),
                "Those are above the budget: what fits is at most as large.",
            ),
            (when(lambda arguments, value: value.kind == "ValueError"), _NONE),
            (partial(_choose, key=lambda row: row[0]), _NAMES),
            (lambda rows, most: max(row for row in rows if row[1] <= most)[0], _NAMES),
            (partial(_choose, key=lambda row: 0), _FIRST),
            (lambda rows, most: [row for row in rows if row[1] <= most][0][0], _FIRST),
            (
                lambda rows, most: _choose(rows[::-1], most, key=lambda row: 0),
                "You take the last that fits. The order says nothing: compare the accuracies.",
            ),
            (
                _returns(float),
                "You return the accuracy. Return the name, the first item of the row.",
            ),
            (
                lambda rows, most: str(_choose(rows, most)),
                "'None' in quotes is a text. Return None itself, without quotes.",
            ),
            (lambda rows, most: _choose(rows, most - 1), "A file of exactly budget_bytes fits."),
            (
                _choose_or_give_up,
                "You give up where the best of all is too large: take the best of those that fit.",
            ),
            (
                _returns((tuple, list)),
                "Return the name alone, the first item of the row.",
            ),
            (
                otherwise(lambda given, got: not got and _choose(*given) is None),
                "Where none fits, return None itself: no empty text, no False, no 0.",
            ),
            (
                otherwise(lambda given, got: dict(row[:2] for row in given[0])[got] > given[1]),
                "Yours does not fit into the budget: only compare those that do.",
            ),
            (
                otherwise(lambda given, got: got in [row[0] for row in given[0]]),
                "Yours fits, and another that fits is more accurate: compare the third items.",
            ),
            (
                otherwise(lambda given, got: got is None),
                "One of them fits: look at every row before you return None.",
            ),
        ],
        right="size is a limit, accuracy the aim.",
        hints=(
            "First keep the rows whose bytes fit, then take the largest accuracy.",
            "max(rows, key=lambda row: row[2]) is the row with the largest third item.",
        ),
    ),
)
