"""The exercises of lesson 08: addresses, operators, memory, agreement."""

from __future__ import annotations

import math
from functools import partial

import numpy as np

from course_lib import tflite
from course_lib.exercises.core import Exercise, when
from course_lib.exercises.judges import function, items

_EVERY = [operation.kind for operation in tflite.operations(tflite.load("spotter_int8"))]
_NEEDED = list(dict.fromkeys(_EVERY))


def _aligned(address, to):
    return address + -address % to


def _addresses(rng):
    """Draw addresses, some of which are multiples already."""
    drawn = []
    for _ in range(8):
        to = 2 ** int(rng.integers(1, 7))
        drawn.append((to * int(rng.integers(20, 3000)) + int(rng.integers(1, to)), to))
    return [*drawn, (4096, 16), (36, 4), (17, 16)]


def _peak(tensors, before=0, after=0):
    steps = range(1 + max(last for _, _, last in tensors))
    return max(
        sum(size for size, first, last in tensors if first + before <= step <= last - after)
        for step in steps
    )


def _fullest_step(tensors):
    steps = range(1 + max(last for _, _, last in tensors))
    held = [sum(size for size, first, last in tensors if first <= s <= last) for s in steps]
    return held.index(max(held))


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
    return cases


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
        cases.append((one, other))
    return cases


EXERCISES = (
    Exercise(
        id="8.2",
        ask="aligned(address, to): the first multiple of `to` at or behind an address",
        judge=function(_aligned, _addresses, whole=True),
        mistakes=[
            (
                lambda address, to: address // to * to,
                "That lies before the address, where bytes are taken.",
            ),
            (
                lambda address, to: (address // to + 1) * to,
                "An address that is a multiple already stays: nothing has to be skipped.",
            ),
            (
                lambda address, to: -address % to,
                "So many bytes are skipped. At which address does the array begin?",
            ),
            (
                lambda address, to: math.ceil(address / to),
                "That counts blocks of `to` bytes: how many bytes are these?",
            ),
            (
                lambda address, to: address + address % to,
                "address % to is how far it lies *behind* the last multiple. How far to the next?",
            ),
            (
                lambda address, to: address + to - address % to,
                "An address that is a multiple already stays: you skip a whole block.",
            ),
            (
                when(lambda arguments, value: isinstance(value, float)),
                "An address is a whole number: // divides without a fraction.",
            ),
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
            (
                lambda tensors: sum(size for size, _, _ in tensors),
                "You add all tensors up: some are gone before others come.",
            ),
            (
                lambda tensors: max(size for size, _, _ in tensors),
                "The largest tensor alone: a layer reads one while it writes another.",
            ),
            (
                partial(_peak, after=1),
                "In its last step a tensor is still read: that step counts as well.",
            ),
            (
                partial(_peak, before=1),
                "In its first step a tensor is written already: that step counts as well.",
            ),
            (_fullest_step, "That is the number of the fullest step. How full is it?"),
        ],
        right="memory is decided by one step of the graph.",
        hints=(
            "For one step: sum(size for size, first, last in tensors if first <= step <= last).",
            "The steps go from 0 to the largest `last`, that one included.",
        ),
    ),
    Exercise(
        id="8.5",
        ask="needed: the operators for the resolver, each once, in the order of first use",
        judge=items(_NEEDED),
        mistakes=[
            (_EVERY, "A resolver lists an operator once, however often it is used."),
            (
                sorted(_NEEDED),
                "All there, by the alphabet: a set forgets the order, dict.fromkeys does not.",
            ),
            (
                when(lambda value: set(value) < set(_NEEDED)),
                "With one operator missing the chip refuses the model at start-up.",
            ),
            (
                when(lambda value: set(value) > set(_NEEDED)),
                "One of these the file never uses: its code would only fill the flash.",
            ),
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
            (
                lambda a, b: ((a == b).mean(), _agreement(a, b)[1]),
                "The first is a share of bytes. A clip counts when *all* of its bytes agree.",
            ),
            (
                lambda a, b: ((a == b).any(axis=1).mean(), _agreement(a, b)[1]),
                "`any` counts a clip with one equal byte: all four must agree.",
            ),
            (
                lambda a, b: tuple(len(a) * share for share in _agreement(a, b)),
                "You count clips: divide by how many there are.",
            ),
            (
                lambda a, b: (_agreement(a, b)[0], (a.max(axis=1) == b.max(axis=1)).mean()),
                "max is how large it is. Which of the four it is, and so the word, says argmax.",
            ),
            (lambda a, b: _agreement(a, b)[::-1], "The two shares have changed places."),
            (_agreement_axis, "axis=0 runs over the clips: each clip is a row, use axis=1."),
        ],
        right="other bytes, and nearly always the same word.",
        hints=(
            "(a == b).all(axis=1) says of each clip whether all of its bytes agree.",
            "The mean of an array of True and False is the share of True.",
        ),
    ),
)
