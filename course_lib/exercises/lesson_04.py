"""Lesson 04: a snapshot to ship, bytes of a checkpoint, one number of it."""

from __future__ import annotations

import struct
from functools import partial

import numpy as np

from course_lib.exercises.answers import Raised
from course_lib.exercises.core import Exercise, when
from course_lib.exercises.judges import function


def _best(history, of_equals=min):
    top = max(accuracy for _, _, accuracy in history)
    return of_equals(step for step, _, accuracy in history if accuracy == top)


def _histories(rng):
    """Return runs that overfit: the loss goes on falling while the accuracy turns."""
    cases = [([(100, 1.0, 0.5), (200, 0.6, 0.9), (300, 0.4, 0.9), (400, 0.5, 0.8)],)]
    for _ in range(6):
        steps = [int(step) for step in 100 * (1 + rng.choice(30, 7, replace=False))]
        losses = sorted((float(x) for x in rng.uniform(0.2, 2, 7).round(3)), reverse=True)
        losses[-2], losses[-1] = losses[-1], losses[-2]
        shares = [float(x) for x in rng.uniform(0.3, 0.99, 7).round(2)]
        order = sorted(steps)
        shares[-2:] = [0.2, 0.1]  # neither the last nor the lowest loss is the best
        cases.append(([*zip(order, losses, shares, strict=True)],))
    cases.append(([(100, 1.1, 0.4), (200, 0.7, 0.6), (300, 0.8, 0.7)],))  # and here the last is
    return cases


def _checkpoint_bytes(trainable, fixed):
    return 4 * (3 * trainable + fixed)


def _error(value):
    """Return what an answer raised, as a text; nothing where it raised nothing."""
    return str(value) if isinstance(value, Raised) else ""


def _value_at(data, offset, index):
    return struct.unpack_from("<f", data, offset + 4 * index)[0]


def _files_of_floats(rng):
    cases = []
    for _ in range(6):
        offset = int(rng.integers(3, 30))
        values = rng.normal(size=12).astype("<f4")
        data = rng.bytes(offset) + values.tobytes() + rng.bytes(9)
        cases.append((data, offset, int(rng.integers(1, 12))))
    return cases


EXERCISES = (
    Exercise(
        id="4.2",
        ask="best(history): the step of the snapshot to ship",
        judge=function(_best, _histories),
        mistakes=[
            (
                lambda history: max(step for step, _, _ in history),
                "You take the last one. Look at a run whose accuracy falls at the end.",
            ),
            (
                lambda history: min(history, key=lambda row: row[1])[0],
                "The loss is measured on clips that it trained on. Which column tells about "
                "voices that it never heard?",
            ),
            (
                partial(_best, of_equals=max),
                "Two snapshots are equally good: take the one that came first.",
            ),
            (
                lambda history: max(accuracy for _, _, accuracy in history),
                "You return the accuracy itself: which step had it?",
            ),
            (
                when(lambda _, value: "not subscriptable" in _error(value)),
                "The accuracy alone has no step: take the max of whole rows, with a key.",
            ),
            (
                lambda history: max(history, key=lambda row: row[2]),
                "That is the whole row: return its step.",
            ),
            (
                lambda history: max(range(len(history)), key=lambda place: history[place][2]),
                "That is its place in the list: which step stands in that row?",
            ),
            (
                lambda history: max(history, key=lambda row: row[2])[1],
                "That is the loss in the right row: the step stands before it.",
            ),
            (
                lambda history: min(history, key=lambda row: row[2])[0],
                "That is the lowest accuracy, the share of right answers: more is better.",
            ),
            (
                lambda history: history[0][0],
                "That is the first row, where the loss is largest: the accuracy decides, row[2].",
            ),
            (
                lambda history: max(range(3 * len(history)), key=lambda n: history[n // 3][n % 3]),
                "That counts all numbers of the table: take the column of accuracies first.",
            ),
            (
                lambda history: _best(history[:-1]),
                "You never look at the last row: here and there it is the best.",
            ),
            (
                lambda history: 1 + max(range(len(history)), key=lambda at: history[at][2]),
                "That is its place in the list: which step stands in that row?",
            ),
            (
                when(lambda arguments, value: isinstance(value, list)),
                "One step is asked: where several share the top, the first of them.",
            ),
            (
                when(lambda arguments, value: value in [row[0] for row in arguments[0]]),
                "Another row did better on voices that it never heard: that column alone decides.",
            ),
        ],
        right="the best on voices it never heard, and the earlier of two equals.",
        hints=(
            "Each row is (step, loss, accuracy): which of the two numbers was not trained on?",
            "max(history, key=...) returns the first of the rows that share the top.",
        ),
    ),
    Exercise(
        id="4.4",
        ask="checkpoint_bytes(trainable, fixed): bytes of all float32 numbers, Adam's included",
        judge=function(
            _checkpoint_bytes,
            lambda rng: [tuple(int(n) for n in rng.integers(10, 50_000, 2)) for _ in range(5)],
            whole=True,
        ),
        mistakes=[
            (
                lambda t, f: 32 * (t + f),
                "These are bits of the model alone: count bytes, Adam's too.",
            ),
            (lambda t, f: 4 * (t + f), "That is the model alone. What does Adam keep besides?"),
            (lambda t, f: 3 * t + f, "You count numbers: how many bytes has a float32?"),
            (
                lambda t, f: 12 * (t + f),
                "Nobody trains the moving averages, so Adam keeps nothing for them.",
            ),
            (
                lambda t, f: 4 * (2 * t + f),
                "Adam keeps two numbers for each weight, a momentum and a velocity.",
            ),
            (
                lambda t, f: 8 * (t + f),
                "Adam keeps two more numbers for what is trained, none else.",
            ),
            (lambda t, f: 12 * t, "What is fixed is in the checkpoint, too, once each."),
            (lambda t, f: 12 * t + f, "You count the fixed numbers, not their bytes."),
            (
                lambda t, f: 8 * t,
                "Adam keeps two numbers beside each weight; and what is fixed is there, too.",
            ),
            (
                lambda t, f: 8 * (3 * t + f),
                "Eight bytes are a float64: how many has a float32?",
            ),
            (
                lambda t, f: 3 * (t + f),
                "Count bytes, not numbers; and Adam keeps nothing for what is fixed.",
            ),
            (
                lambda t, f: 12 * (t - f) + 4 * f,
                "`trainable` does not count the fixed weights: nothing is to be taken away.",
            ),
            (
                lambda t, f: 4 * (4 * t + f),
                "A weight, its momentum and its velocity: how many numbers are that?",
            ),
            *(
                (wrong, "The two kinds of weights are added, not multiplied.")
                for wrong in (lambda t, f: 12 * t * f, lambda t, f: 12 * t * 4 * f)
            ),
            (lambda t, f: t + f, "Count bytes, and count what Adam keeps for a weight, too."),
            (lambda t, f: 2 * (3 * t + f), "Two bytes are a float16: how many has a float32?"),
            (lambda t, f: 12 * t - 4 * f, "Fixed weights take room as well: add them."),
            (
                lambda t, f: 12 * t + 8 * f,
                "Adam keeps nothing for what is fixed: each is there once.",
            ),
            (
                lambda t, f: 3 * t + 4 * f,
                "The trained numbers are float32 as well: how many bytes has each?",
            ),
            (
                when(lambda given, value: sum(given) < value < _checkpoint_bytes(*given)),
                "Too few: four bytes for each weight, and as many for each number that Adam keeps.",
            ),
            (
                when(lambda given, value: 12 * sum(given) > value > _checkpoint_bytes(*given) + 99),
                "Too many: what is trained is there three times, what is fixed once.",
            ),
        ],
        right="a weight and its two companions, four bytes each.",
        hints=(
            "Each trainable weight is there three times: itself, its momentum, its velocity.",
            "What is fixed (batch normalisation's averages) is there once.",
        ),
    ),
    Exercise(
        id="4.5",
        ask="value_at(data, offset, index): number `index` of the float32 tensor at `offset`",
        judge=function(_value_at, _files_of_floats, tolerance=1e-6),
        mistakes=[
            (
                lambda data, offset, index: struct.unpack_from(">f", data, offset + 4 * index)[0],
                "Your bytes are read from the wrong end: lowest byte first.",
            ),
            (
                lambda data, offset, index: struct.unpack_from("<f", data, offset + index)[0],
                "Number 1 does not begin at byte 1: how wide is a float32?",
            ),
            (
                lambda data, offset, index: struct.unpack_from("<i", data, offset + 4 * index)[0],
                "You read an integer: these four bytes are a float.",
            ),
            (
                lambda data, offset, index: struct.unpack_from("<f", data, 4 * index)[0],
                "You count from the start of the file, not from the offset.",
            ),
            (
                when(lambda arguments, value: isinstance(value, tuple)),
                "struct returns a tuple, here of one float: take its first item.",
            ),
            (
                when(lambda arguments, value: isinstance(value, bytes)),
                "Those are bytes: struct turns four of them into a number.",
            ),
            (
                lambda data, offset, index: struct.unpack_from("<f", data, offset)[0],
                "You read number 0 every time: how far behind it lies number `index`?",
            ),
            (
                lambda data, offset, index: _value_at(data, offset, index - 1),
                "The number before it: number 0 lies at the offset itself.",
            ),
            (
                lambda data, offset, index: _value_at(data, offset, index + 1),
                "The number behind it: number 0 lies at the offset itself.",
            ),
            (
                lambda data, offset, index: data[offset + 4 * index],
                "You read one byte: a float32 has four, and all of them count.",
            ),
            (
                when(lambda arguments, value: isinstance(value, int)),
                "You read an integer: these four bytes are a float.",
            ),
            (
                lambda data, offset, index: struct.unpack_from("<d", data, offset + 4 * index)[0],
                "You read eight bytes, a float64: a float32 has four.",
            ),
            (
                lambda data, offset, index: struct.unpack_from("<e", data, offset + 2 * index)[0],
                "You read two bytes, a float16: a float32 has four.",
            ),
            *(
                (wrong, "The offset counts bytes already: only `index` is multiplied by four.")
                for wrong in (
                    lambda data, offset, index: _value_at(data, 4 * offset, index),
                    lambda data, offset, index: _value_at(data, 0, offset + index),
                )
            ),
            (
                lambda data, offset, index: struct.unpack_from("<d", data, offset + 8 * index)[0],
                "You read eight bytes, a float64: a float32 has four.",
            ),
            (
                lambda data, offset, index: _value_at(data, offset, 2 * index),
                "You go twice too far: a float32 has four bytes, so number 1 lies four bytes on.",
            ),
            *(
                (
                    lambda data, offset, index, end=end: np.frombuffer(data[: end(data)], "<f4")[
                        offset + index
                    ],
                    "offset counts bytes, an index of floats counts floats: begin at that byte.",
                )
                for end in (len, lambda data: len(data) // 4 * 4)
            ),
            (
                when(lambda arguments, value: "expected 2 arguments" in _error(value)),
                "struct.unpack takes no position: struct.unpack_from does.",
            ),
            (
                when(lambda arguments, value: "buffer of 8 bytes" in _error(value)),
                "`d` and `q` are eight bytes wide: a float32 is `f`, four bytes.",
            ),
            (
                when(lambda arguments, value: "multiple of element" in _error(value)),
                "What follows the tensor need not be whole floats: cut out the four bytes first.",
            ),
            (
                when(lambda arguments, value: "bytes-like" in _error(value)),
                "data[i] is one byte as an integer: data[i:j] is bytes.",
            ),
            (
                when(lambda arguments, value: "buffer" in _error(value)),
                "struct needs just four bytes: where does your slice begin, in bytes, and end?",
            ),
            (
                when(lambda arguments, value: "tuple index" in _error(value)),
                "struct returns as many numbers as you ask for: ask for one, and take [0].",
            ),
            (
                when(lambda arguments, value: abs(value - _value_at(*arguments)) > 0.01),
                "A float, but of other bytes: number `index` begins at offset + 4 * index.",
            ),
        ],
        right="an offset, a width and an order of bytes: all that the index has to say.",
        hints=(
            "struct.unpack_from('<f', data, position) returns a tuple of one float.",
            "position = offset + 4 * index",
        ),
    ),
)
