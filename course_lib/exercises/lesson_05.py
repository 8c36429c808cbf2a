"""The exercises of lesson 05: freezing, and the protobuf wire format."""

from __future__ import annotations

from functools import partial

import numpy as np

from course_lib.exercises.core import Exercise, when
from course_lib.exercises.judges import function, items
from course_lib.formats.protobuf import encode_varint


def fold(kernel, gamma, beta, mean, variance, epsilon, power=0.5):
    """Return a convolution's kernel and bias with its normalisation worked in; 6.1 asks it too."""
    scale = gamma / (variance + epsilon) ** power
    return kernel * scale, beta - mean * scale


def _layers(rng):
    """Draw a kernel (2, 3, 1, channels) and the four vectors of its batch normalisation."""
    cases = []
    for channels in (1, 2, 4):
        four = [rng.uniform(0.5, 2, channels), *rng.normal(size=(2, channels))]
        variance = rng.uniform(0.01, 3, channels)
        cases.append((rng.normal(size=(2, 3, 1, channels)), *four, variance, 0.02))
    return cases


def _varint(data, kept=0x7F, bits=7):
    value = 0
    for place, byte in enumerate(data):
        value += (byte & kept) << (bits * place)
        if byte < 0x80:
            return value
    return value


def _varint_highest_first(data):
    value = 0
    for byte in data:
        value = value * 128 + (byte & 0x7F)
        if byte < 0x80:
            break
    return value


def _varints(rng):
    """Draw varints of one to four bytes, each followed by bytes that do not belong to it."""
    numbers = [
        5,
        127,
        128,
        300,
        *(int(rng.integers(2**bits, 2 ** (bits + 1))) for bits in (8, 13, 15, 25)),
    ]
    return [(encode_varint(number) + bytes([3, 0x81, 7]),) for number in numbers]


def _tag(byte):
    return byte >> 3, byte & 7


def _find(data, weights):
    return data.find(np.asarray(weights, "<f4").tobytes())


def _files(rng):
    """Bytes with three float32 numbers somewhere, in the last two cases twice, and the numbers."""
    cases = []
    for times in (1, 1, 1, 2, 2):
        weights = [float(x) for x in rng.normal(size=3).astype("<f4")]
        data = rng.bytes(int(rng.integers(9, 60)))
        for _ in range(times):
            data += np.asarray(weights, "<f4").tobytes() + rng.bytes(9)
        cases.append((data, weights))
    return cases


EXERCISES = (
    Exercise(
        id="5.2",
        ask="became: what a variable's Placeholder and its ReadVariableOp became, in this order",
        judge=items(["Const", "Identity"]),
        mistakes=[
            (["Identity", "Const"], "Swapped: which of the two can hold 1,200 bytes?"),
            (
                ["Const", "Const"],
                "One constant for each variable: what does the second node still do?",
            ),
            (
                ["Const", "ReadVariableOp"],
                "There is nothing left to read: look at the table's third column.",
            ),
            (["Placeholder", "Identity"], "Only one Placeholder is left: for the features."),
        ],
        right="values in the graph, and a read that only passes them on.",
        hints=("Two rows of the table grow from “program” to “frozen”.",),
    ),
    Exercise(
        id="5.3",
        ask="fold(kernel, gamma, beta, mean, variance, epsilon): the new kernel and the new bias",
        judge=function(fold, _layers, tolerance=1e-5),
        mistakes=[
            (lambda *a: fold(*a, power=1), "You divide by the variance: which root is missing?"),
            (
                lambda k, g, b, m, v, e: fold(k, g, b, m, v, 0),
                "Where is epsilon? It stands under the root, beside the variance.",
            ),
            (
                lambda k, g, b, m, v, e: (
                    k * g / (np.sqrt(v) + e),
                    b - m * g / (np.sqrt(v) + e),
                ),
                "You add epsilon behind the root: it stands under it, beside the variance.",
            ),
            (
                lambda k, g, b, m, v, e: fold(k, 1, b, m, v, e),
                "gamma stretches the kernel as well: where did it go?",
            ),
            (
                lambda k, g, b, m, v, e: fold(k, g, b, -m, v, e),
                "The mean is subtracted: look at its sign.",
            ),
            (
                lambda k, g, b, m, v, e: (fold(k, g, b, m, v, e)[0], (b - m) * g / np.sqrt(v + e)),
                "beta is added after the scaling: do not scale it.",
            ),
            (
                lambda k, g, b, m, v, e: (fold(k, g, b, m, v, e)[0], b - m),
                "The mean passes through the same scale as the kernel.",
            ),
            (
                lambda k, g, b, m, v, e: (fold(k, g, b, m, v, e)[0], b),
                "Subtracting the mean shifts the result: what of that?",
            ),
            (
                when(lambda arguments, value: not isinstance(value, (tuple, list))),
                "Two things come back, the kernel and the bias: return a, b.",
            ),
        ],
        right="a multiplication and an addition, paid for once and not at every clip.",
        hints=(
            "gamma * (x - mean) / sqrt(variance + epsilon) + beta is scale * x + bias.",
            "scale = gamma / np.sqrt(variance + epsilon); the last axis of a kernel is channels.",
        ),
    ),
    Exercise(
        id="5.5",
        ask="take: the form for jobs A, B, C and D",
        judge=items(["frozen graph", "checkpoint", "SavedModel", "TFLite"]),
        mistakes=[
            (
                ["SavedModel", "checkpoint", "frozen graph", "TFLite"],
                "A asks for one file, C for something that can learn: A and C are swapped.",
            ),
            (
                ["frozen graph", "SavedModel", "checkpoint", "TFLite"],
                "B has the code and wants to go on every hour; C has no code: swapped.",
            ),
            (
                ["SavedModel", "checkpoint", "SavedModel", "TFLite"],
                "A asks for one file, and a SavedModel is a folder.",
            ),
            (
                ["frozen graph", "checkpoint", "Keras file", "TFLite"],
                "C wants to do without Python: a Keras file runs in nothing else.",
            ),
            (
                ["TFLite", "checkpoint", "SavedModel", "frozen graph"],
                "A runs in TensorFlow, D in LiteRT: which form does each accept?",
            ),
            (
                ["checkpoint", "frozen graph", "SavedModel", "TFLite"],
                "B wants to train on, and a frozen graph has nothing to train.",
            ),
        ],
        right="each job has its form, and you tried them all.",
        hints=("Read the table of trials row by row: each job names two of its columns.",),
    ),
    Exercise(
        id="5.6",
        ask="varint(data): the number at the start of `data`",
        judge=function(_varint, _varints, whole=True),
        mistakes=[
            (lambda data: data[0], "That is the first byte alone, and its highest bit is a flag."),
            (lambda data: data[0] & 0x7F, "Right up to 127. A byte of 128 or more says: go on."),
            (
                partial(_varint, kept=0xFF),
                "The highest bit is a flag, no part of the number: mask it.",
            ),
            (_varint_highest_first, "The first byte holds the lowest seven bits."),
            (
                lambda data: int.from_bytes(data, "little"),
                "Seven bits of each byte count, and not every byte belongs to it.",
            ),
            (partial(_varint, bits=8), "Each byte adds seven bits, not eight."),
            (
                lambda data: sum((byte & 0x7F) << (7 * place) for place, byte in enumerate(data)),
                "A byte below 128 is the last one: stop there.",
            ),
        ],
        right="small numbers take one byte, and nobody had to say how long they are.",
        hints=(
            "byte & 0x7F are the seven bits; byte >= 0x80 says that another byte follows.",
            "Shift the seven bits of byte number `place` left by 7 * place.",
        ),
    ),
    Exercise(
        id="5.7",
        ask="tag(byte): (number of the field, wire type)",
        judge=function(
            _tag, [(byte,) for byte in (0x0A, 0x12, 0x1A, 0x2A, 0x08, 0x35, 0x20, 0x28)], whole=True
        ),
        mistakes=[
            (lambda byte: (byte & 7, byte >> 3), "Swapped: the lowest bits are the wire type."),
            (lambda byte: (byte >> 2, byte & 3), "Wire types go from 0 to 5: how many bits?"),
            (lambda byte: (byte >> 4, byte & 15), "Hex digits do not split a tag: 3 bits do."),
            (lambda byte: (byte >> 3, byte & 3), "3 has two bits set: three bits are 7."),
            (lambda byte: (byte & 0xF8, byte & 7), "Shift the number down by the three bits."),
            (lambda byte: (byte >> 3, byte >> 3), "byte & 7 keeps the lowest three bits."),
        ],
        right="0a is field 1, length-delimited: the byte that begins every node.",
        hints=("Three bits for the wire type, all others for the number.",),
    ),
    Exercise(
        id="5.8",
        ask="find(data, weights): the byte at which a list of float32 weights begins",
        judge=function(_find, _files, whole=True),
        mistakes=[
            (
                lambda d, w: d.find(np.asarray(w, "<f8").tobytes()),
                "Not found (-1). A Python float takes 8 bytes; a float32 takes 4, the lowest "
                "first.",
            ),
            (
                lambda d, w: _find(d, w) // 4,
                "You count floats. Where does the first one begin, in bytes?",
            ),
            (lambda d, w: _find(d, w) + 4 * len(w), "That is where they end."),
            (
                lambda d, w: d.rfind(np.asarray(w, "<f4").tobytes()),
                "Where the weights are there twice, you give the last place: the first one counts.",
            ),
        ],
        right="no parser was needed: the bytes of a weight are the same everywhere.",
        hints=(
            "Which bytes do the weights have? A NumPy array of the right type tells: `tobytes`.",
            "Bytes can be searched like a text: they have the same methods.",
        ),
    ),
)
