"""The exercises of lesson 15: numbers and tags of a protobuf, and a weight among its bytes."""

from __future__ import annotations

from functools import partial

import numpy as np

from course_lib.exercises.answers import Raised
from course_lib.exercises.core import Exercise, otherwise, when
from course_lib.exercises.judges import function
from course_lib.formats.protobuf import encode_varint


def _varint(data, kept=0x7F, bits=7):
    value = 0
    for place, byte in enumerate(data):
        value += (byte & kept) << (bits * place)
        if byte < 0x80:
            return value
    return value


def _varint_stops(data, last):
    """Stop where `last(byte)` holds."""
    value = 0
    for place, byte in enumerate(data):
        value += (byte & 0x7F) << (7 * place)
        if last(byte):
            break
    return value


def _varint_or(data):
    """Join the bytes with their flags by `|`, which differs from adding them."""
    value = 0
    for place, byte in enumerate(data):
        value |= byte << (7 * place)
        if byte < 0x80:
            break
    return value


def _own_bytes(data):
    return data[: next(n for n, byte in enumerate(data) if byte < 0x80) + 1]


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
        *(int(rng.integers(2**bits, 2 ** (bits + 1))) for bits in (8, 13, 15, 25, 33)),
    ]
    numbers += [256, 16_384]  # whose first bytes hold nothing but the bit that says: go on
    return [(encode_varint(number) + bytes([3, 0x81, 7]),) for number in numbers]


def _tag(byte):
    return byte >> 3, byte & 7


def _find(data, weights):
    return data.find(np.asarray(weights, "<f4").tobytes())


def _files(rng):
    """Bytes with three float32 numbers somewhere, and the numbers.

    In two cases they are there twice, once at the very end, once behind a copy of the first alone.
    """
    cases = []
    for times in (1, 1, 1, 2, 2):
        weights = [float(x) for x in rng.normal(size=3).astype("<f4")]
        data = rng.bytes(int(rng.integers(9, 60)))
        for _ in range(times):
            data += np.asarray(weights, "<f4").tobytes() + rng.bytes(9)
        cases.append((data, weights))
    whole = np.asarray(weights, "<f4").tobytes()
    cases.append((rng.bytes(8) + whole, weights))
    cases.append((rng.bytes(7) + whole[:8] + rng.bytes(5) + whole + rng.bytes(2), weights))
    cases.append((rng.bytes(6) + whole[:4] + rng.bytes(7) + whole + rng.bytes(9), weights))
    return cases


def _missed(_, value):
    """Whether nothing was found (None, -1)."""
    return value is None or type(value) is int and value == -1


EXERCISES = (
    Exercise(
        id="15.1",
        ask="varint(data): the number at the start of `data`",
        judge=function(_varint, _varints, whole=True),
        mistakes=[
            (lambda data: data[0], "That is the first byte alone, and its highest bit is a flag."),
            (lambda data: data[0] & 0x7F, "Right up to 127. A byte of 128 or more says: go on."),
            (partial(_varint, kept=0xFF),
             "The highest bit is a flag, no part of the number: mask it."),
            (_varint_highest_first, "The first byte holds the lowest seven bits."),
            (lambda data: int.from_bytes(data, "little"),
             "Seven bits of each byte count, and not every byte belongs to it."),
            (partial(_varint, bits=8), "Each byte adds seven bits, not eight."),
            (lambda data: sum((byte & 0x7F) << (7 * place) for place, byte in enumerate(data)),
             "A byte below 128 is the last one: stop there."),
            (_varint_or, "The highest bit is a flag, no part of the number: mask it."),
            (partial(_varint, kept=0x3F), "0x3F keeps six bits, and seven belong to the number."),
            (partial(_varint_stops, last=lambda byte: byte <= 0x80),
             "128 itself has the highest bit set: another byte follows it."),
            (partial(_varint_stops, last=lambda byte: byte > 0x80),
             "The other way round: a byte with the highest bit set says go on."),
            (partial(_varint_stops, last=lambda byte: byte >= 0x80),
             "The other way round: a byte with the highest bit set says go on."),
            (lambda data: _varint(data[:1] if data[0] < 0x80 else data[:2]),
             "Right up to two bytes: a third may follow, and more."),
            (lambda data: (data[0] & 0x7F) | data[1] << 7,
             "You take two bytes always: the highest bit tells how many there are."),
            (lambda data: (data[0] & 0x7F) | (data[1] & 0x7F) << 7,
             "You take two bytes always: the highest bit tells how many there are."),
            (lambda data: _varint(_own_bytes(data)[:-1]),
             "The last byte, below 128, belongs to the number, too: add it before you stop."),
            (lambda data: sum(byte & 0x7F for byte in _own_bytes(data)),
             "Each further byte stands seven bits higher: shift it before you add."),
            (lambda data: _varint(_own_bytes(data)[:-1]) + _own_bytes(data)[-1],
             "The last byte has to be shifted, too."),
            (lambda data: _varint(data) << 7,
             "The first byte is not shifted at all: count the places from 0."),
            (
                lambda data: int.from_bytes(data, "big"),
                "Seven bits of each byte count, the first byte is the lowest, and not every "
                "byte belongs to it.",
            ),
            (lambda data: int.from_bytes(_own_bytes(data), "little"),
             "Each byte adds seven bits, not eight: its flag must go."),
            (when(lambda given, value: isinstance(value, (list, tuple))),
             "The number alone is asked, nothing beside it."),
            (when(lambda given, value: isinstance(value, Raised) and "negative" in str(value)),
             "Shift to the left, by 0 for the first byte and by more for each further one."),
            (lambda data: sum(b & 0x7F << 7 * n for n, b in enumerate(_own_bytes(data))),
             "Python shifts before it masks: put byte & 0x7F into brackets."),
            (lambda data: sum((b & 0x7F) * 7 * n for n, b in enumerate(_own_bytes(data))),
             "To shift by 7 is to multiply by 128, once for each byte before."),
            (partial(_varint, kept=0x80),
             "0x80 keeps the flag alone: the other seven bits, 0x7F, are the number."),
            (lambda data: int("".join(f"{b & 0x7F:b}" for b in _own_bytes(data)[::-1]), 2),
             "bin() writes no zeros in front, and each byte has seven digits."),
            (len, "That is how many bytes there are: which number do they make?"),
            (otherwise(lambda given, got: (got ^ _varint(*given)) % 128),
             "The first byte is the lowest: its seven bits, data[0] & 127, are not shifted."),
            (otherwise(lambda given, got: type(got) is int),
             "The first byte is right: each one behind, less its flag, stands seven bits higher."),
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
            _tag, [(byte,) for byte in (0x0A, 0x12, 0x1A, 0x2A, 0x08, 0x35, 0x52, 0x68)], whole=True
        ),
        mistakes=[
            (lambda byte: (byte & 7, byte >> 3), "Swapped: the lowest bits are the wire type."),
            (lambda byte: (byte >> 2, byte & 3), "Wire types go from 0 to 5: how many bits?"),
            (lambda byte: (byte >> 4, byte & 15), "Hex digits do not split a tag: 3 bits do."),
            (lambda byte: (byte >> 3, byte & 3), "3 has two bits set: three bits are 7."),
            (lambda byte: (byte & 0xF8, byte & 7), "Shift the number down by the three bits."),
            (lambda byte: (byte >> 3, byte >> 3), "byte & 7 keeps the lowest three bits."),
            (lambda byte: (byte >> 3, byte & 8), "8 is one bit alone: the lowest three make 7."),
            (lambda byte: (byte // 3, byte % 3),
             "Three bits hold eight values: what is divided by is 8, not 3."),
            (lambda byte: (byte >> 3, byte % 3), "Three bits hold 0 to 7: % 3 knows only 0 to 2."),
            (lambda byte: (byte // 8, byte % 7), "% 7 leaves 0 to 6, and three bits hold 0 to 7."),
            (lambda byte: (byte << 3, byte & 7),
             "Left is the wrong way: the three lowest bits must drop out."),
            (lambda byte: (byte & 31, byte >> 5),
             "Those are the three highest bits: the wire type has the three lowest."),
            (lambda byte: (byte >> 5, byte & 31),
             "Those are the three highest bits: the wire type has the three lowest."),
            (when(lambda given, value: isinstance(value, Raised) and "subscript" in str(value)),
             "`byte` is a number already: no place in it is to be chosen."),
            (lambda byte: (byte >> 2, byte & 7), "Two bits too few go: the wire type has three."),
            (when(lambda given, value: isinstance(value, dict)),
             "Right or not, a pair is asked: (field number, wire type), without names."),
            (when(lambda given, value: any(isinstance(each, str) for each in value)),
             "Two numbers are asked, no texts of bits."),
            (when(lambda given, value: type(value) is int),
             "One number is half of it: a pair is asked, the field's number and the wire type."),
            (otherwise(lambda given, got: got[0] == given[0] >> 3),
             "The field is right. The wire type is what the three lowest bits hold, byte & 7."),
            (otherwise(lambda given, got: got[1] == given[0] & 7),
             "The wire type is right. For the field, shift its three bits out: byte >> 3."),
            (otherwise(lambda _, got: len(got) == 2),
             "Bits, not digits: three of them hold 0 to 7."),
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
                "Not found (-1). A float32 takes 4 bytes, the lowest first: no 8 as a Python "
                "float, no text, no int.",
            ),
            (lambda d, w: _find(d, w) // 4,
             "You count floats. Where does the first one begin, in bytes?"),
            (lambda d, w: _find(d, w) + 4 * len(w), "That is where they end."),
            (lambda d, w: d.rfind(np.asarray(w, "<f4").tobytes()),
             "Where the weights are there twice, you give the last place: the first one counts."),
            (lambda d, w: d.find(np.asarray(w[:1], "<f4").tobytes()),
             "That is where the first weight stands, once alone: all of them have to follow."),
            (lambda d, w: np.asarray(w, "<f4").tobytes() in d,
             "You say whether they are there: where is asked."),
            (when(lambda given, value: isinstance(value, list)),
             "One number is asked: the first place."),
            (lambda d, w: d[_find(d, w)],
             "That is the byte itself, its value: its place is asked."),
            (when(lambda given, value: isinstance(value, bytes)),
             "Those are bytes of the file: at which place do they begin?"),
            (lambda d, w: d.count(np.asarray(w, "<f4").tobytes()),
             "That is how often they are there: where is asked."),
            (lambda d, w: d.find(np.asarray(w[-1:], "<f4").tobytes()),
             "That is where the last weight stands: the first is asked."),
            (
                when(
                    lambda given, value: (
                        _missed(given, value) and _find(*given) + 4 * len(given[1]) == len(given[0])
                    )
                ),
                "They may stand at the very end: your search stops one place too early.",
            ),
            (when(lambda given, value: _missed(given, value) and _find(*given) % 4),
             "They may begin at any byte, not only at every fourth one."),
            (
                when(
                    lambda given, value: (
                        isinstance(value, Raised)
                        and any(
                            each in str(value)
                            for each in ("buffer size", "out of bounds", "not in list")
                        )
                    )
                ),
                "A file is no array of floats: they may begin at any byte, so search in bytes.",
            ),
            (
                when(
                    lambda given, value: (
                        isinstance(value, Raised)
                        and any(each in str(value) for each in ("bytes-like", "integer", "pack"))
                    )
                ),
                "The list has to become bytes first, four for each weight.",
            ),
            (otherwise(lambda given, got: got == -1),
             "Not found (-1): their bytes are four for each weight, as float32 has them."),
            (otherwise(lambda given, got: type(got) is int),
             "Not there: data[place:] has to begin with the bytes of the first weight."),
        ],
        right="no parser was needed: the bytes of a weight are the same everywhere.",
        hints=(
            "Which bytes do the weights have? A NumPy array of the right type tells: `tobytes`.",
            "Bytes can be searched like a text: they have the same methods.",
        ),
    ),
)  # fmt: skip
