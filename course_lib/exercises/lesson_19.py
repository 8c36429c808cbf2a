"""The exercises of lesson 19: what follows from tests, how many clips, a hash."""

from __future__ import annotations

import hashlib
import math

import numpy as np

from course_lib.exercises.answers import Raised
from course_lib.exercises.core import Exercise, when
from course_lib.exercises.judges import function


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
        id="19.2",
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
            "Does a test that was not run say anything?",
            "Of what is left, ask two things: did all pass, did at least one?",
        ),
    ),
    Exercise(
        id="19.4",
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
        id="19.5",
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
