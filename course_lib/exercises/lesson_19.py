"""The exercises of lesson 19: what follows from tests, how many clips, a hash."""

from __future__ import annotations

import hashlib
import math

import numpy as np

from course_lib.exercises.answers import Raised
from course_lib.exercises.core import Exercise, otherwise, when
from course_lib.exercises.judges import function


def _clips(share, margin):
    # rounded before it is rounded up: noise in the last digit must not cost a clip
    return math.ceil(round(1.96**2 * share * (1 - share) / margin**2, 9))


def _questions(rng):
    margins = (0.1, 0.05, 0.03, 0.02, 0.01)
    # no border case: there, right formulas differ in the last bit
    return [(round(float(rng.uniform(0.6, 0.97)), 3), margin) for margin in margins]


_HOLDS, _PART, _NOT, _OPEN = "holds", "holds in part", "does not hold", "not measured here"
_VERDICTS = _HOLDS, _PART, _NOT, _OPEN


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
    return [*((rng.bytes(size),) for size in (0, 16, 300)), (b"\x03",)]  # its hash begins with 0


EXERCISES = (
    Exercise(
        id="19.2",
        ask="verdict(tests): what follows from a list of True, False and None",
        judge=function(_verdict, _trials),
        mistakes=[
            (lambda tests: _HOLDS if all(tests) else _PART if any(tests) else _NOT,
             "None is no failure: that test could not be run here."),
            (_mistaking(_OPEN, _HOLDS), "Where every test is None, nothing was measured."),
            (
                _mistaking(_OPEN, _NOT),
                "Where every test is None, nothing failed either: all have to be left out. "
                "(A loop that removes from the list that it walks through misses some.)",
            ),
            (_mistaking(_OPEN, None),
             "Where nothing is left, there is a verdict, too: the fourth."),
            (lambda tests: _verdict([test for test in tests if test]),
             "`if test` leaves False out, too: ask `is not None`."),
            (_mistaking(_PART, _NOT), "Some passed and some failed: that holds in part."),
            (_mistaking(_PART, _HOLDS), "One failed test is enough: it does not simply hold."),
            (when(lambda given, got: type(got) in (str, bool) and got not in _VERDICTS),
             "Use exactly the four verdicts that the text gives, in lower case."),
            (
                lambda tests: (
                    _PART
                    if None in tests and any(t is not None for t in tests)
                    else _verdict(tests)
                ),
                "A test that could not be run changes nothing: leave it out before you judge.",
            ),
            (lambda tests: _OPEN if None in tests else _verdict(tests),
             "One None is not enough: only where *nothing* is left was nothing measured."),
            (lambda tests: _verdict(tests[:1]),
             "You judge by the first test: is the `return` inside the loop?"),
            (lambda tests: _verdict(tests[-1:]), "You judge by the last test only: each counts."),
            (_mistaking(_NOT, _PART), "Where none passed, nothing of it holds."),
            (_mistaking(_HOLDS, _PART), "Where all passed, it simply holds."),
            (when(lambda arguments, value: isinstance(value, Raised) and "remove" in str(value)),
             "remove() takes one None away, and fails where there is none: build a new list."),
            (when(lambda arguments, value: arguments[0].count(None) == 2),
             "With two None nothing is left: remove() takes one, `is not None` leaves out all."),
            (lambda tests: _HOLDS if any(tests) else _NOT,
             "any() asks for one that passed: to hold simply, all of them have to."),
            (lambda tests: _HOLDS if tests.count(True) > tests.count(False) else _NOT,
             "No vote: one that failed, and it holds in part at best."),
            (lambda tests: _PART, "That is the verdict of some lists only: look at `tests`."),
            (otherwise(lambda given, got: True not in given[0] and False in given[0]),
             "Where none passed, it does not hold."),
            (otherwise(lambda given, got: {True, False} <= {*given[0]}),
             "Where some passed and some failed, that holds in part."),
            (otherwise(lambda given, got: got != _OPEN and {None} >= {*given[0]}),
             "Where nothing is left without None, nothing was measured here."),
            (otherwise(lambda given, got: got != _HOLDS), "Where all that are left passed: holds."),
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
        judge=function(_clips, _questions),
        mistakes=[
            (lambda s, m: _clips(s, m) - 1, "One clip too few: round up, math.ceil does."),
            (lambda s, m: math.ceil(1.96 * math.sqrt(s * (1 - s)) / m),
             "Half the margin takes four times the clips: square it."),
            (lambda s, m: math.ceil(round(s * (1 - s) / m**2, 9)),
             "Without 1.96 this holds for two of three times, not 19 of 20."),
            (lambda s, m: math.ceil(round(1.96**2 * s / m**2, 9)),
             "share × (1 - share): a model that is always right is sure."),
            (lambda s, m: round(1.96**2 * s * (1 - s) / m**2),
             "round() may go down, and then a clip is missing: use math.ceil."),
            (lambda s, m: math.ceil(1.96 * s * (1 - s) / m**2), "1.96 is squared, too."),
            (lambda s, m: 1.96 * math.sqrt(s * (1 - s) / m),
             "You put the margin in place of n: solve the formula for n."),
            (lambda s, m: math.ceil(1.96 * math.sqrt(s * (1 - s) / m)),
             "You put the margin in place of n: solve the formula for n."),
            (lambda s, m: math.ceil(round(1.96**2 * s * (1 - s) / m, 9)),
             "The root is squared away, so the margin is squared as well."),
            (lambda s, m: math.ceil(round(1.96 * s * (1 - s) / m, 9)),
             "Square both sides before you solve for n: 1.96 and the margin as well."),
            (lambda s, m: math.ceil(round(1.96**2 * math.sqrt(s * (1 - s)) / m**2, 9)),
             "Without the root around it: squaring takes it away."),
            (lambda s, m: _clips(s, m / 2),
             "The margin reaches so far to *each* side: do not halve it."),
            (lambda s, m: _clips(s, 2 * m),
             "The margin reaches so far to *each* side: do not double it."),
            (lambda s, m: 1,
             "One clip? A margin is a share, as 0.01; a loop goes on while it reaches farther."),
            (lambda s, m: _clips(s, 100 * m),
             "The margin is a share already, as 0.01 for a point."),
            (lambda s, m: _clips(s, m / 100),
             "The margin is a share already, as 0.01 for a point."),
            (lambda s, m: math.ceil(round(4 * s * (1 - s) / m**2, 9)),
             "2 is near 1.96, and costs some clips: take 1.96."),
            (lambda s, m: _clips(0.5, m), "That is for the worst share, a half: use `share`."),
            (lambda s, m: math.ceil((1.645 / m) ** 2 * s * (1 - s)),
             "1.645 is for 9 of 10 intervals: the formula above has 1.96."),
            (lambda s, m: math.ceil((1.96 / m) ** 2),
             "Where is the share? share × (1 - share) belongs to it."),
            (lambda s, m: math.ceil((1.96 / m) ** 2 * s * 1 - s),
             "Put 1 - share into brackets: Python multiplies first."),
            (lambda s, m: math.ceil(1.96**2 * s * (1 - s) / m * 2), "* 2 doubles: ** 2 squares."),
            (lambda s, m: math.ceil(1.96 / m * 2 * s * (1 - s)), "* 2 doubles: ** 2 squares."),
            (lambda s, m: 6147, "That is for 0.8 and a point: use `share` and `margin`."),
            (lambda s, m: _clips(0.8, m), "0.8 is an example: use `share`."),
            (lambda s, m: _clips(s, m) + 1,
             "One clip too many: the interval may reach just as far as the margin."),
            (when(lambda g, value: type(value) is float and math.ceil(value) == _clips(*g)),
             "There are no parts of clips: round up to an int, as math.ceil does."),
            (otherwise(lambda given, got: 0 < got < _clips(*given)),
             "So few reach farther than the margin: put them in for n, and solve for n anew."),
            (otherwise(lambda given, got: got > _clips(*given)),
             "Fewer would do: solve 1.96 * sqrt(share * (1 - share) / n) = margin for n."),
        ],
        right="a point more or less takes thousands of clips.",
        hints=("Solve margin = 1.96 × √(share × (1 - share) / n) for n.", "math.ceil rounds up."),
    ),
    Exercise(
        id="19.5",
        ask="fingerprint(data): the SHA-256 of some bytes, as 64 hexadecimal digits",
        judge=function(_fingerprint, _files),
        mistakes=[
            (when(lambda arguments, value: isinstance(value, Raised) and "HASH" in str(value)),
             "That is the hash object itself: its method hexdigest() writes the digits."),
            (lambda data: f"{int(hashlib.sha256(data).hexdigest(), 16):x}",
             "64 digits, with the zeros that it begins with: as hexdigest() writes them."),
            (lambda data: hashlib.sha256(data).digest(),
             "Those are its 32 bytes; hexdigest() writes them as 64 digits."),
            (lambda data: hashlib.md5(data).hexdigest(),
             "MD5 can be forged today: the report has SHA-256."),
            (lambda data: hashlib.sha1(data).hexdigest(),
             "SHA-1 can be forged today: the report has SHA-256."),
            (lambda data: hashlib.sha256(str(data).encode()).hexdigest(),
             "That is the hash of how Python writes the bytes: hash the bytes themselves."),
            (lambda data: hashlib.sha256(data.hex().encode()).hexdigest(),
             "That is the hash of a text about the bytes: hash the bytes themselves."),
            (lambda data: hashlib.sha512(data).hexdigest(),
             "SHA-512 has 128 digits: 256 is asked."),
            (lambda data: hashlib.sha3_256(data).hexdigest(),
             "SHA3-256 is another one, of the same length: sha256 is asked."),
            (lambda data: hashlib.sha224(data).hexdigest(), "SHA-224 has 56 digits: 256 is asked."),
            (lambda data: hashlib.sha256(hashlib.sha256(data).digest()).hexdigest(),
             "You hash the hash: once is enough."),
            (when(lambda given, got: got == _fingerprint(*given).encode()),
             "The digits are right, as bytes: hexdigest() gives a text."),
            (lambda data: int(_fingerprint(data), 16),
             "That is the right number: hexdigest() writes it as 64 digits."),
            (len, "That is a length: the digits are asked."),
            (lambda data: len(_fingerprint(data)),
             "64 is how many digits there are: the digits are asked."),
            (when(lambda given, got: isinstance(got, Raised) and "builtin" in str(got)),
             "hexdigest without brackets is the method itself: call it."),
            (lambda data: data.hex(),
             "Those are the bytes themselves, in digits: hash them first."),
            (lambda data: hashlib.sha256(b"data").hexdigest(),
             "That is the hash of the word data: without quotes it is your bytes."),
            (lambda data: hashlib.sha256().hexdigest(),
             "That is the hash of nothing: give it the bytes."),
            (
                when(
                    lambda given, got: isinstance(got, str) and got.lower() == _fingerprint(*given)
                ),
                "The digits are right: hexdigest() writes them in small letters.",
            ),
            (when(lambda given, got: isinstance(got, str) and _fingerprint(*given) in got),
             "The digits are in there: return nothing but them."),
            (when(lambda given, got: isinstance(got, str) and got in _fingerprint(*given)),
             "Only some of the digits: all 64 are asked."),
            (when(lambda given, got: isinstance(got, int)),
             "hash() is for Python's dictionaries, and no SHA-256: hashlib has that."),
            (when(lambda given, got: isinstance(got, Raised) and "encode" in str(got)),
             "The bytes are bytes already: encode() is for texts."),
            (otherwise(lambda given, got: isinstance(got, str) and got[:2] in ("b'", 'b"')),
             "Those are the 32 bytes as Python writes them: hexdigest() gives the digits."),
            (otherwise(lambda given, got: isinstance(got, Raised) and "encoded" in str(got)),
             "The bytes are bytes already: no decode() and no str()."),
            (otherwise(lambda given, got: isinstance(got, str) and len(got) == 64),
             "64 digits, but of something else: hash `data`, all of it and nothing more."),
            (otherwise(lambda given, got: isinstance(got, str)),
             "64 digits are asked: hashlib.sha256(data).hexdigest() has so many."),
        ],
        right="change one bit, and nearly all of its digits are others.",
        hints=("The module hashlib has sha256(data), and that has hexdigest().",),
    ),
)  # fmt: skip
