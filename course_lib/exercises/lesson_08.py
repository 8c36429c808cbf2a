"""The exercises of lesson 08: addresses, operators, memory, agreement."""

from __future__ import annotations

import math
from functools import partial
from itertools import pairwise

import numpy as np

from course_lib import tflite
from course_lib.exercises.answers import Raised
from course_lib.exercises.core import Exercise, when
from course_lib.exercises.judges import function, items

_EVERY = [operation.kind for operation in tflite.operations(tflite.load("spotter_int8"))]
_NEEDED = list(dict.fromkeys(_EVERY))


def _bare(name):
    """Return a name without what differs from Python to C++."""
    return name.casefold().removeprefix("add").replace("_", "").replace(" ", "") or "add"


def _aligned(address, to):
    return address + -address % to


def _addresses(rng):
    """Draw addresses, some of which are multiples already."""
    drawn = []
    for _ in range(8):
        to = 2 ** int(rng.integers(1, 7))
        drawn.append((to * int(rng.integers(20, 3000)) + int(rng.integers(1, to)), to))
    return [*drawn, (4096, 16), (36, 4), (17, 16), (0, 16), (13, 12)]


def _peak(tensors, before=0, after=0):
    steps = range(1 + max(last for _, _, last in tensors))
    return max(
        sum(size for size, first, last in tensors if first + before <= step <= last - after)
        for step in steps
    )


def _held(tensors, counts=lambda step, first, last: first <= step <= last):
    """Return what every step holds, where `counts` says whether a tensor counts in it."""
    steps = range(1 + max(last for _, _, last in tensors))
    return [sum(size for size, *life in tensors if counts(step, *life)) for step in steps]


def _fullest_step(tensors):
    held = _held(tensors)
    return held.index(max(held))


def _at_the_ends(tensors):
    return max(_held(tensors, lambda step, first, last: step in (first, last)))


def _neighbours(tensors):
    return max(one[0] + other[0] for one, other in pairwise(tensors))


_ODD = (  # a long shortcut; more steps than tensors; a first step that is the fullest
    [(500, 0, 3), (10, 0, 1), (400, 1, 2), (20, 2, 3)],
    [(8, 0, 1), (300, 14, 16), (400, 16, 19)],
    [(900, 0, 0), (800, 0, 1), (30, 1, 2)],
)


def _networks(rng):
    """Draw chains of layers, some with a shortcut: (bytes, first, last) of every tensor."""
    cases = []
    for layers in (3, 5, 8):
        sizes = [int(size) for size in rng.integers(10, 900, layers + 1)]
        tensors = [(sizes[0], 0, 0)]
        for step, size in enumerate(sizes[1:]):
            longer = int(rng.integers(1, 3))
            tensors.append((size, step, min(step + longer, layers - 1)))
        cases.append((tensors,))
    return [*cases, *(([*each],) for each in _ODD)]


def _agreement(a, b):
    same_word = a.argmax(axis=1) == b.argmax(axis=1)
    return (a == b).all(axis=1).mean(), same_word.mean()


def _agreement_axis(a, b):
    return (a == b).all(axis=0).mean(), (a.argmax(axis=0) == b.argmax(axis=0)).mean()


def _answers(rng):
    """Draw two runtimes' answers that differ by a step here and there, and in some words."""
    cases = []
    for clips in (8, 20, 40):
        one = rng.integers(-128, 120, (clips, 4)).astype(np.int8)
        step = rng.integers(0, 4, (clips, 4)) == 0
        other = (one + step * (rng.random((clips, 1)) < 0.6)).astype(np.int8)
        swapped = rng.random(clips) < 0.2
        other[swapped] = other[swapped, ::-1]
        # two answers that are far from the decision change places: another smallest one
        low, next_one = other[::3].argsort(axis=1)[:, :2].T
        rows = np.arange(0, clips, 3)
        other[rows, low], other[rows, next_one] = other[rows, next_one], other[rows, low]
        cases.append((one, other))
    return cases


EXERCISES = (
    Exercise(
        id="8.2",
        ask="aligned(address, to): the first multiple of `to` at or behind an address",
        judge=function(_aligned, _addresses, whole=True),
        mistakes=[
            (lambda at, to: (at // to + 1) * to,
             "An address that is a multiple already stays: nothing has to be skipped."),
            (lambda at, to: -at % to, "So many bytes are skipped: to which address?"),
            (lambda at, to: math.ceil(at / to), "That counts blocks: how many bytes are these?"),
            (lambda at, to: at + at % to,
             "address % to is how far it lies *behind* the last multiple. How far to the next?"),
            (lambda at, to: at + to - at % to,
             "An address that is a multiple already stays: you skip a whole block."),
            (when(lambda given, got: isinstance(got, float)),
             "An address is a whole number: // divides without a fraction."),
            (lambda at, to: at % to, "So far it lies behind the last multiple. Where is the next?"),
            (lambda at, to: to - at % to, "So far it is: to which place?"),
            (lambda at, to: at + to, "A block further is still between two multiples."),
            (lambda at, to: max(to, _aligned(at, to)), "0 is a multiple of every number."),
            (lambda at, to: at, "That is the address itself: is it a multiple of `to`?"),
            (lambda at, to: at + to - 1 & -to, "A bit mask needs a power of two; `to` may be 12."),
            (lambda at, to: at + 1, "One byte further need not be a multiple: go on until it is."),
            (math.lcm, "A multiple of both is asked of nobody: which of `to` is the *first*?"),
            (lambda at, to: at * to, "Far too far: which multiple is the *first*?"),
            (lambda at, to: round(at / to) * to, "round() may go down, and there bytes are taken."),
            (lambda at, to: (at + 15) // 16 * 16, "16 is for this array only: use `to`."),
            (lambda at, to: at // to, "That counts blocks: how many bytes are these?"),
            (lambda at, to: at // to + 1, "That counts blocks: how many bytes are these?"),
            (when(lambda given, got: isinstance(got, (list, tuple))), "One place is asked."),
            (when(lambda given, got: isinstance(got, bool)), "Where is the first one?"),
            (when(lambda given, got: got < given[0]),
             "That lies before the address, where bytes are taken."),
            (when(lambda given, got: got % given[1]), "That is no multiple of `to`."),
            (when(lambda given, got: got % given[1] == 0 and got > _aligned(*given)),
             "These are multiples, and not the *first*: an earlier one is free."),
        ],
        right="at most 15 bytes are skipped, and every number can be read in place.",
        hints=(
            "address % to is how far the address lies behind the last multiple of `to`.",
            "In Python -address % to is how far it is to the next one, and 0 if it is one.",
        ),
    ),
    Exercise(
        id="8.4",
        ask="peak(tensors): the bytes of the fullest step",
        judge=function(_peak, _networks, whole=True),
        mistakes=[
            (lambda t: sum(n for n, _, _ in t), "All of them: some are gone before others come."),
            (lambda t: max(n for n, _, _ in t),
             "One alone: a layer reads one while it writes another."),
            (partial(_peak, after=1), "Its first step and its last both count: <= twice."),
            (_fullest_step, "That is the number of the fullest step. How full is it?"),
            (lambda t: max(_held(t)[:-1]), "The last step is missing: range() ends before it."),
            (lambda t: max(_held(t)[1:]), "Step 0 counts as well: the input is there then."),
            (lambda t: max([*_held(t), *[0] * len(t)][: len(t)]),
             "There may be more steps than tensors."),
            (when(lambda given, got: got == max(_held(*given)[:12])),
             "Go on to the largest `last`: not always 12."),
            (_at_the_ends, "Between its first step and its last a tensor stays in memory, too."),
            (lambda t: max(_held(t, lambda s, a, z: s == a)), "It stays until its last step."),
            (lambda t: max(_held(t, lambda s, a, z: s == z)),
             "It is there from its first step on."),
            (partial(_peak, before=1, after=1), "The first step and the last one count as well."),
            (lambda t: max(n * (z - a + 1) for n, a, z in t), "What does *one* step hold?"),
            (lambda t: max(_held([(1, *life) for _, *life in t])),
             "So many tensors: add up their bytes."),
            (lambda t: min(_held(t)), "That is the emptiest step: the fullest decides."),
            (lambda t: _held(t)[0], "That is step 0 alone: a `return` ends a loop at once."),
            (lambda t: _held(t)[-1], "That is the last step alone: the fullest is asked."),
            (lambda t: sum(_held(t)), "You add the steps up: one is fullest."),
            (_neighbours, "Two neighbours in the list are not all that one step holds."),
            (lambda t: sum(sorted(n for n, _, _ in t)[-2:]), "The two largest need not meet."),
            (when(lambda given, got: isinstance(got, (list, dict))), "Which step is fullest?"),
            (when(lambda given, got: isinstance(got, tuple)),
             "Only bytes are asked, of all in the step."),
            (when(lambda given, got: got > _peak(*given)),
             "So much is never there at once: which tensors does *one* step need?"),
            (when(lambda given, got: got < _peak(*given)),
             "A step holds more: all tensors with first <= step <= last."),
        ],
        right="memory is decided by one step of the graph.",
        hints=(
            "Which tensors are held in step 3? Those with first <= 3 <= last: add up their bytes.",
            "The steps go from 0 to the largest `last`, that one included.",
        ),
    ),
    Exercise(
        id="8.5",
        ask="needed: the operators for the resolver, each once, in the order of first use",
        judge=items(_NEEDED),
        mistakes=[
            (_EVERY, "A resolver lists an operator once, however often it is used."),
            (sorted(_NEEDED),
             "All there, but in another order: a set forgets it, sorted() changes it."),
            (when(lambda value: set(value) < set(_NEEDED)),
             "With one operator missing the chip refuses the model at start-up."),
            (when(lambda value: set(value) > set(_NEEDED)),
             "One of these the file never uses: its code would only fill the flash."),
            (when(lambda value: sorted(value) == sorted(_NEEDED)), "All there, in another order."),
            (when(lambda value: set(value) == set(_NEEDED)), "Some stand there twice."),
            (when(lambda value: sorted(map(_bare, value)) == sorted(map(_bare, _NEEDED))),
             "The right ones, written otherwise: copy the names as `kinds` has them."),
            (when(lambda value: set(_NEEDED) - set(value)), "One that the file uses is missing."),
        ],
        right="five operators, of about a hundred.",
        hints=(
            "`kinds` has all of them, with repeats.",
            "A dict keeps its keys in the order in which they came, each once.",
        ),
    ),
    Exercise(
        id="8.7",
        ask="agreement(a, b): the share of clips with equal bytes, and with the same decision",
        judge=function(_agreement, _answers, tolerance=1e-6),
        mistakes=[
            *((lambda a, b, n=n: tuple(round(each, n) for each in _agreement(a, b)),
               "You round: give all of its digits.") for n in (1, 2)),
            (lambda a, b: ((a == b).mean(), _agreement(a, b)[1]),
             "Here *all* bytes of a clip must agree."),
            (lambda a, b: ((a == b).any(axis=1).mean(), _agreement(a, b)[1]),
             "`any`: all four must agree."),
            (lambda a, b: tuple(len(a) * each for each in _agreement(a, b)),
             "You count clips: which share of all?"),
            (lambda a, b: (_agreement(a, b)[0], (a.max(axis=1) == b.max(axis=1)).mean()),
             "max is how large it is. Which of the four it is, and so the word, says argmax."),
            (lambda a, b: _agreement(a, b)[::-1], "The two shares have changed places."),
            (_agreement_axis, "axis=0 runs over the clips: each clip is a row, use axis=1."),
            (lambda a, b: tuple(len(a) / 4 * each for each in _agreement(a, b)),
             "There are len(a) clips, not 4."),
            (when(lambda given, got: got[1] == (given[0].argmax() == given[1].argmax())),
             "argmax without an axis looks through all clips at once: use axis=1."),
            (lambda a, b: (_agreement(a, b)[0], _agreement(np.abs(a), np.abs(b))[1]),
             "-128 is the least: keep the sign."),
            (lambda a, b: ((a == b).mean(), (a.max(axis=1) == b.max(axis=1)).mean()),
             "A clip counts when *all* of its bytes agree; and its word says argmax, not max."),
            (lambda a, b: ((a == b).mean(), (a == b).mean()),
             "Both are shares of bytes: *all* of a clip must agree."),
            (lambda a, b: (_agreement(a, b)[0],) * 2,
             "The second is the share of the same decision."),
            (lambda a, b: ((a.sum(axis=1) == b.sum(axis=1)).mean(), _agreement(a, b)[1]),
             "Other bytes can have this sum."),
            (when(lambda given, got: isinstance(got, dict)),
             "Return two numbers, equal bytes first."),
            (when(lambda given, got: isinstance(got, (float, int, np.floating))),
             "Two shares are asked: equal bytes, and the same decision."),
            (when(lambda given, got: np.shape(got[0]) == np.shape(given[0])[1:]),
             "One share for each byte: ask of a clip first whether all of its bytes agree."),
            (when(lambda given, got: isinstance(got[0], np.ndarray)),
             "One for each clip: its mean is the share."),
            (when(lambda given, got: isinstance(got[0], (bool, np.bool_))),
             "For *which share* of the clips is it so?"),
            (when(lambda given, got: isinstance(got, Raised) and "amb" in str(got)),
             "Two rows compared give four answers: .all() says whether all of them are equal."),
            (lambda a, b: (np.isclose(a, b, 0, 1).all(axis=1).mean(), _agreement(a, b)[1]),
             "Equal bytes are asked: a step apart is not equal."),
            (when(lambda given, got: got[0] == _agreement(*given)[0]),
             "The first is right. A decision is the place of a clip's largest number (argmax)."),
            (when(lambda given, got: got[1] == _agreement(*given)[1]),
             "The second is right. For the first, ask of each clip whether all 4 bytes agree."),
        ],
        right="other bytes, and nearly always the same word.",
        hints=(
            "(a == b).all(axis=1) says of each clip whether all of its bytes agree.",
            "The mean of an array of True and False is the share of True.",
        ),
    ),
)  # fmt: skip
