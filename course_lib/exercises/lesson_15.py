"""The exercises of lesson 15: numbers and tags of a protobuf, and a weight among its bytes."""

from __future__ import annotations

from functools import partial

import numpy as np

from course_lib.exercises.core import Exercise
from course_lib.exercises.judges import function
from course_lib.formats.protobuf import encode_varint


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
        id="15.1",
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
        id="15.2",
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
        id="15.3",
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
