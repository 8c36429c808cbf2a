"""The exercises of lesson 09: shares, a beginning, confusions, how many clips, verdicts, a hash."""

from __future__ import annotations

import hashlib
import math
from functools import partial

import numpy as np

from course_lib.exercises.answers import Raised
from course_lib.exercises.core import Exercise, when
from course_lib.exercises.judges import function

_SILENCE, _UNKNOWN = 0.10, 0.30


def _shares(count):
    return [_SILENCE, _UNKNOWN, *[(1 - _SILENCE - _UNKNOWN) / count] * count]


def _begin(new, trained, last):
    return {name: new[name] if name == last else trained[name] for name in new}


def _networks(rng):
    """Draw two networks of the same layers; the last ones differ in their number of answers."""
    cases = []
    for names in (("listen", "merge", "decide"), ("first", "middle", "last"), ("a", "b", "c", "d")):
        new, trained = (
            {name: [round(float(x), 2) for x in rng.normal(size=3)] for name in names}
            for _ in range(2)
        )
        last = names[-1]
        new[last] = [0.0] * int(rng.integers(4, 9))
        cases.append((new, trained, last))
    return cases


def _most_confused(matrix, diagonal=False):
    places = range(len(matrix))
    cells = [(row, column) for row in places for column in places if diagonal or row != column]
    return max(cells, key=lambda cell: matrix[cell[0]][cell[1]])


def _how_often(matrix):
    row, column = _most_confused(matrix)
    return matrix[row][column]


def _flat_place(matrix):
    row, column = _most_confused(matrix)
    return row * len(matrix) + column


def _matrices(rng):
    """Draw confusion matrices with a strong diagonal and one largest mistake, as lists."""
    cases = []
    for size in (4, 5, 6, 4):
        table = rng.integers(0, 5, (size, size))
        table[np.arange(size), np.arange(size)] = rng.integers(20, 40, size)
        row, column = rng.choice(size, 2, replace=False)
        table[row, column] = 9
        other = (row + 1) % size  # a rare word, mistaken seldom and yet in a larger share
        table[other, other] = 12
        table[other, row] = 8
        cases.append((table.tolist(),))
    return cases


def _clips(share, margin):
    # rounded before it is rounded up: noise in the last digit must not cost a clip
    return math.ceil(round(1.96**2 * share * (1 - share) / margin**2, 9))


def _questions(rng):
    margins = (0.1, 0.05, 0.03, 0.02, 0.01)
    return [(round(float(rng.uniform(0.6, 0.97)), 3), margin) for margin in margins]


_HOLDS, _PART, _NOT, _OPEN = "holds", "holds in part", "does not hold", "not measured here"


def _verdict(tests):
    known = [test for test in tests if test is not None]
    if not known:
        return _OPEN
    return _HOLDS if all(known) else _PART if any(known) else _NOT


def _mistaking(verdict, other):
    """Return a function that says `other` where `verdict` is right."""
    return lambda tests: other if _verdict(tests) == verdict else _verdict(tests)


def _trials(rng):
    """Return lists of results of which every kind occurs, in a drawn order."""
    # an array of objects keeps True, False and None as they are
    kinds = ([True, True], [True, False], [False, False], [None, True], [None, False], [None, None])
    return [(list(rng.permutation(np.array(kind, object))),) for kind in kinds]


def _fingerprint(data):
    return hashlib.sha256(data).hexdigest()


def _files(rng):
    return [(rng.bytes(size),) for size in (0, 16, 300)]


EXERCISES = (
    Exercise(
        id="9.1",
        ask="shares(count): the share of silence, of unknown, and of each of `count` words",
        judge=function(_shares, [(2,), (3,), (4,), (6,)], tolerance=1e-9),
        mistakes=[
            (
                lambda count: [_SILENCE, _UNKNOWN, *[(1 - _SILENCE - _UNKNOWN) / 2] * count],
                "Two words share what is left by halves; how many are there now?",
            ),
            (
                lambda count: [_SILENCE, _UNKNOWN, *[1 / count] * count],
                "The words share only what silence and unknown leave of 1.",
            ),
            (
                lambda count: [1 / (count + 2)] * (count + 2),
                "Silence gets 0.10 and unknown 0.30: only the words are alike.",
            ),
            (
                lambda count: _shares(count)[2:],
                "Silence and unknown come first: the list has count + 2 numbers.",
            ),
            (
                lambda count: [100 * share for share in _shares(count)],
                "Shares add up to 1; these are percents.",
            ),
            (
                lambda count: [_SILENCE, _UNKNOWN, *[1 - _SILENCE - _UNKNOWN] * count],
                "Divide what is left among the words.",
            ),
            (
                lambda count: _shares(count)[:3],
                "One number for each word: repeat the last.",
            ),
        ],
        right="a word gets less as you add others: that is the price of the next word.",
        hints=("What is left for the words is 1 - 0.10 - 0.30.", "[0.3] * 4 is a list of four."),
    ),
    Exercise(
        id="9.2",
        ask="begin(new, trained, last): every layer of `trained`, but `last` from `new`",
        judge=function(_begin, _networks),
        mistakes=[
            (
                lambda new, trained, last: dict(trained),
                "The trained last layer has answers for other words: keep yours.",
            ),
            (
                lambda new, trained, last: _begin(trained, new, last),
                "The other way round: all layers *but* the last are trained.",
            ),
            (
                lambda new, trained, last: {name: trained[name] for name in new if name != last},
                "The last layer is missing: it comes from `new`.",
            ),
            (lambda new, trained, last: {last: new[last]}, "Where are the trained layers?"),
            (
                lambda new, trained, last: dict(new),
                "That is the untrained network: take the layers of `trained` before `last`.",
            ),
        ],
        right="what it knows about sound stays, what it knew about words goes.",
        hints=("`name: value for name in new` in braces makes a dictionary.",),
    ),
    Exercise(
        id="9.3",
        ask="most_confused(matrix): (said, heard) of the most frequent mistake",
        judge=function(_most_confused, _matrices),
        mistakes=[
            (
                partial(_most_confused, diagonal=True),
                "On the diagonal, what was said was heard: that is no mistake.",
            ),
            (lambda m: _most_confused(m)[::-1], "The row is what was said: it comes first."),
            (
                lambda matrix: _most_confused([[n / sum(row) for n in row] for row in matrix]),
                "You compare shares of a row. Which mistake was made most often, in clips?",
            ),
            (
                lambda matrix: _most_confused(
                    [[n + matrix[b][a] for b, n in enumerate(row)] for a, row in enumerate(matrix)]
                ),
                "You add both directions: yes heard as no is another mistake than no as yes.",
            ),
            (_how_often, "That is how often it happened. Between which two labels?"),
            (_flat_place, "One number counts through all cells: give the row and the column."),
            (
                when(lambda arguments, value: isinstance(value, Raised)),
                "The matrix is a list of rows: matrix[said][heard] is one of its counts.",
            ),
        ],
        right="that pair is where your next recordings help most.",
        hints=(
            "Go through all pairs of places that are not equal.",
            "max(pairs, key=...) takes a function that says how many clips a pair stands for.",
        ),
    ),
    Exercise(
        id="9.4",
        ask="clips_needed(share, margin): how many test clips make the interval so narrow",
        judge=function(_clips, _questions, whole=True),
        mistakes=[
            (lambda s, m: _clips(s, m) - 1, "One clip too few: round up, math.ceil does."),
            (
                lambda s, m: math.ceil(1.96 * math.sqrt(s * (1 - s)) / m),
                "Half the margin takes four times the clips: square it.",
            ),
            (
                lambda s, m: math.ceil(round(s * (1 - s) / m**2, 9)),
                "Without 1.96 this holds for two of three times, not 19 of 20.",
            ),
            (
                lambda s, m: math.ceil(round(1.96**2 * s / m**2, 9)),
                "share × (1 - share): a model that is always right is sure.",
            ),
            (
                lambda s, m: round(1.96**2 * s * (1 - s) / m**2),
                "round() may go down, and then a clip is missing: use math.ceil.",
            ),
            (lambda s, m: math.ceil(1.96 * s * (1 - s) / m**2), "1.96 is squared, too."),
            (
                when(lambda arguments, value: type(value) is float),
                "There are no parts of clips: round up to a whole number.",
            ),
        ],
        right="a point more or less takes thousands of clips.",
        hints=("Solve margin = 1.96 × √(share × (1 - share) / n) for n.", "math.ceil rounds up."),
    ),
    Exercise(
        id="9.5",
        ask="verdict(tests): what follows from a list of True, False and None",
        judge=function(_verdict, _trials),
        mistakes=[
            (
                lambda tests: _HOLDS if all(tests) else _PART if any(tests) else _NOT,
                "None is no failure: that test could not be run here.",
            ),
            (_mistaking(_OPEN, _HOLDS), "Where every test is None, nothing was measured."),
            (_mistaking(_OPEN, _NOT), "Where every test is None, nothing failed either."),
            (
                lambda tests: _verdict([test for test in tests if test]),
                "`if test` leaves False out, too: ask `is not None`.",
            ),
            (_mistaking(_PART, _NOT), "Some passed and some failed: that holds in part."),
            (_mistaking(_PART, _HOLDS), "One failed test is enough: it does not simply hold."),
            (
                when(lambda arguments, value: value not in (_HOLDS, _PART, _NOT, _OPEN)),
                "Use exactly the four verdicts that the text gives, in lower case.",
            ),
        ],
        right="most of what is said holds in part, and the part can be named.",
        hints=(
            "First leave out what is None.",
            "all(…) is True for a list of nothing but True, any(…) for one True.",
        ),
    ),
    Exercise(
        id="9.6",
        ask="fingerprint(data): the SHA-256 of some bytes, as 64 hexadecimal digits",
        judge=function(_fingerprint, _files),
        mistakes=[
            (
                when(lambda arguments, value: isinstance(value, Raised) and "HASH" in str(value)),
                "That is the hash object itself: its method hexdigest() writes the digits.",
            ),
            (
                lambda data: hashlib.sha256(data).digest(),
                "Those are its 32 bytes; hexdigest() writes them as 64 digits.",
            ),
            (
                lambda data: hashlib.md5(data).hexdigest(),
                "MD5 can be forged today: the report has SHA-256.",
            ),
            (
                lambda data: hashlib.sha1(data).hexdigest(),
                "SHA-1 can be forged today: the report has SHA-256.",
            ),
            (
                lambda data: hashlib.sha256(str(data).encode()).hexdigest(),
                "That is the hash of how Python writes the bytes: hash the bytes themselves.",
            ),
            (
                lambda data: hashlib.sha256(data.hex().encode()).hexdigest(),
                "That is the hash of a text about the bytes: hash the bytes themselves.",
            ),
        ],
        right="change one bit, and nearly all of its digits are others.",
        hints=("The module hashlib has sha256(data), and that has hexdigest().",),
    ),
)
