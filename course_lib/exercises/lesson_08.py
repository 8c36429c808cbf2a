"""The exercises of lesson 08: arrays, operators, memory, agreement, work, and listening."""

from __future__ import annotations

from functools import partial

import numpy as np

from course_lib import tflite
from course_lib.exercises.answers import Raised
from course_lib.exercises.core import Exercise, when
from course_lib.exercises.judges import function, items

_EVERY = [operation.kind for operation in tflite.operations(tflite.load("spotter_int8"))]
_NEEDED = list(dict.fromkeys(_EVERY))


def _numbers(text):
    return [int(part, 16) for part in text.replace(",", " ").split()]


def _to_bytes(text):
    return bytes(_numbers(text))


def _texts(rng):
    """Draw texts as they stand between the braces of an array, over several lines."""
    cases = []
    for count in (3, 5, 14):
        # the first byte has a letter in it, so that int(part) without 16 cannot read it
        parts = [f"0x{byte:02x}," for byte in [int(rng.integers(160, 256)), *rng.bytes(count)]]
        cases.append(("\n    ".join(" ".join(parts[k : k + 12]) for k in range(0, count, 12)),))
    return cases


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


def _macs(output, kernel):
    height, width, channels = output
    return height * width * channels * kernel[0] * kernel[1] * kernel[2]


def _layers(rng):
    draw = rng.integers
    return [(tuple(draw(2, 30, 3).tolist()), tuple(draw(2, 9, 3).tolist())) for _ in range(5)]


def _smooth(scores, n):
    return [sum(scores[max(0, end - n) : end]) / min(n, end) for end in range(1, len(scores) + 1)]


def _curves(rng):
    sizes = ((5, 2), (9, 3), (12, 4), (4, 3))
    return [([round(float(x), 3) for x in rng.random(length)], n) for length, n in sizes]


def _milliseconds(instructions, cycles_each, megahertz):
    return 1000 * instructions * cycles_each / (megahertz * 1e6)


def _runs(rng):
    draw = rng.integers
    return [
        (int(draw(10_000, 9_000_000)), float(rng.uniform(1.1, 2)), int(draw(16, 240)))
        for _ in range(4)
    ]


EXERCISES = (
    Exercise(
        id="8.1",
        ask="to_bytes(text): the bytes that an array's text stands for",
        judge=function(_to_bytes, _texts),
        mistakes=[
            (
                when(lambda arguments, value: value == _numbers(arguments[0])),
                "The numbers are right, in a list: bytes(…) makes bytes of it.",
            ),
            (
                lambda text: _to_bytes(text)[::-1],
                "Backwards: only the bytes *inside* a number are turned round.",
            ),
            (lambda text: text.encode(), "That is the text itself, a byte for each character."),
            (
                when(lambda arguments, value: isinstance(value, Raised)),
                "int(part, 16) reads 0x1c, but neither an empty part nor one with a comma.",
            ),
        ],
        right="six characters of C for a byte of flash.",
        hints=(
            "text.replace(',', ' ').split() leaves the numbers alone, over all lines.",
            "int('0x1c', 16) is 28; bytes([28]) is one byte.",
        ),
    ),
    Exercise(
        id="8.2",
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
        id="8.3",
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
        id="8.4",
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
    Exercise(
        id="8.5",
        ask="macs(output, kernel): the multiply-accumulates of a convolution",
        judge=function(_macs, _layers, whole=True),
        mistakes=[
            (
                lambda o, k: o[0] * o[1] * k[0] * k[1] * k[2],
                "Every output channel has a kernel of its own.",
            ),
            (
                lambda o, k: o[0] * o[1] * o[2] * k[0] * k[1],
                "At each place the kernel reaches through all inputs.",
            ),
            (
                lambda o, k: o[2] * k[0] * k[1] * k[2],
                "That is the number of weights: each is used at every place again.",
            ),
            (lambda o, k: 2 * _macs(o, k), "A multiplication with its addition counts once."),
            (lambda o, k: sum(o) * sum(k), "Nested loops multiply: nothing here is added."),
        ],
        right="six nested loops, as in the C.",
        hints=("Every number of the output takes kernel height x width x inputs of them.",),
    ),
    Exercise(
        id="8.6",
        ask="smooth(scores, n): the mean of each number and the n - 1 before it",
        judge=function(_smooth, _curves, tolerance=1e-6),
        mistakes=[
            (
                lambda s, n: [sum(s[max(0, end - n) : end]) / n for end in range(1, len(s) + 1)],
                "At the start there are fewer than n: divide by how many.",
            ),
            (
                lambda s, n: [_smooth(s, n)[0], *_smooth(s, n)[:-1]],
                "The newest number belongs to the mean as well.",
            ),
            (
                lambda s, n: [sum(s[k : k + n]) / len(s[k : k + n]) for k in range(len(s))],
                "You look ahead: a device knows only what is over.",
            ),
            (
                lambda s, n: _smooth(s, n)[n - 1 :],
                "As long as `scores`: the first ones are means of fewer.",
            ),
            (lambda s, n: _smooth(s, n + 1), "One number too many: the newest one is among the n."),
        ],
        right="a few additions, and most false alarms are gone.",
        hints=(
            "scores[max(0, end - n):end] are the last n numbers before `end`, or all there are.",
            "Let `end` run from 1 to len(scores).",
        ),
    ),
    Exercise(
        id="8.7",
        ask="milliseconds(instructions, cycles_each, megahertz): the time it takes",
        judge=function(_milliseconds, _runs, tolerance=1e-6),
        mistakes=[
            (
                lambda i, c, m: _milliseconds(i, c, m) / 1000,
                "Those are seconds: a millisecond is a thousandth of one.",
            ),
            (
                lambda i, c, m: _milliseconds(i, c, m) * 1e3,
                "Those are microseconds: a megahertz is a million cycles a second.",
            ),
            (
                lambda i, c, m: _milliseconds(i, c, m) * 1e6,
                "A megahertz is a million cycles a second, not one.",
            ),
            (
                lambda i, c, m: _milliseconds(i, 1 / c, m),
                "More cycles for each instruction take more time, not less.",
            ),
            (
                lambda i, c, m: _milliseconds(i, 1, m),
                "An instruction takes more than one cycle: where is cycles_each?",
            ),
        ],
        right="an estimate in one line, and its units are half the work.",
        hints=("seconds = cycles / (cycles a second), and a megahertz is a million of those.",),
    ),
)
