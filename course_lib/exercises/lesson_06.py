"""The exercises of lesson 06: folding a norm, following offsets, changing a file in place."""

from __future__ import annotations

import struct
from functools import partial

import numpy as np

from course_lib.exercises.answers import Raised
from course_lib.exercises.core import Exercise, when
from course_lib.exercises.judges import function, text
from course_lib.exercises.lesson_05 import fold

# 6.1: batch normalisation worked into the weights before it

_fold = partial(fold, epsilon=1e-3)


def _layers(rng):
    """Draw small kernels (height, width, in, out) and the four vectors of a norm."""
    draw, drawn = rng.normal, []
    for out in (1, 3, 5):
        kernel, gamma = draw(size=(3, 2, 2, out)), draw(1, 0.3, out)
        drawn.append((kernel, gamma, *draw(size=(2, out)), rng.uniform(0.001, 2, out)))
    return drawn


# 6.2: four bytes that name the format


def _is_tflite(data):
    return data[4:8] == b"TFL3"


def _files(rng):
    body = rng.bytes(20)
    return [
        (rng.bytes(4) + b"TFL3" + body,),
        (b"TFL3" + body,),
        (rng.bytes(4) + b"TFL2" + body,),
        (b"",),
        (rng.bytes(5) + b"TFL3" + body,),
        (b"\x00" * 4 + b"TF",),
        (rng.bytes(4) + b"TFL3",),
        (rng.bytes(30) + b"TFL3" + body,),
        (rng.bytes(4) + b"XFL3" + body,),
    ]


# 6.3: one jump


def _follow(data, position):
    return position + int.from_bytes(data[position : position + 4], "little")


def _places(rng):
    """Draw positions whose numbers need one, two and four bytes."""
    drawn = []
    for largest in (200, 60_000, 2**31, 2**32 - 1):
        data = bytearray(rng.bytes(24))
        position = int(rng.integers(1, 20))
        struct.pack_into("<I", data, position, int(rng.integers(largest // 2, largest)))
        drawn.append((bytes(data), position))
    return drawn + [(b"\x08\x00\x00\x00" + bytes(8), 0)]  # as a file may begin


# 6.4: a field through the vtable


def _field(data, table, slot, head=4, sign=1, bounded=True, optional=True):
    vtable = table - sign * int.from_bytes(data[table : table + 4], "little", signed=True)
    size = int.from_bytes(data[vtable : vtable + 2], "little")
    entry = head + 2 * slot
    if bounded and entry >= size:
        return None
    offset = int.from_bytes(data[vtable + entry : vtable + entry + 2], "little")
    return table + offset if offset or not optional else None


def _field_unsigned(data, table, slot):
    """Find a field as `_field` does, but take the number at the table for one without a sign."""
    back = int.from_bytes(data[table : table + 4], "little")
    return _field(data, table, slot) if back < 2**31 else None


def _field_offset_only(data, table, slot):
    place = _field(data, table, slot)
    return None if place is None else place - table


def _tables(rng):
    """Draw tables whose vtables lie before or behind them, with fields that are left out."""
    drawn = []
    for before in (True, False, True, False):
        entries = [int(each) for each in 4 * rng.integers(1, 8, size=4)]
        entries[int(rng.integers(0, 4))] = 0
        vtable = struct.pack("<HH4H", 12, 32, *entries)
        # no 0, which would say that a field is left out; no high bits, which make numbers huge
        noise = rng.integers(1, 120, size=40).astype(np.uint8).tobytes()
        if before:
            start, table = 16, 36
            data = noise[:start] + vtable + noise[:8] + struct.pack("<i", table - start) + noise
        else:
            table, start = 12, 52
            data = noise[:table] + struct.pack("<i", table - start) + noise[:36] + vtable + noise
        drawn += [(data, table, slot) for slot in range(6)]
    return [*drawn, *((_large_table(), 0, slot) for slot in (0, 3, 129, 130))]


def _large_table():
    """Return a table with 130 fields, of which the offsets and the vtable's size take two bytes."""
    entries = [300 + 4 * place for place in range(130)]
    return struct.pack("<iHH130H", -4, 264, 820, *entries) + bytes(8)


# 6.5: a text changed in place


def _relabel(data, start, room, label):
    if len(label) > room:
        return None
    return data[:start] + label.ljust(room) + data[start + room :]


def _labels(rng):
    data = rng.bytes(48)
    return [
        (data, 12, 15, b"yes or no"),
        (data, 20, 9, b"nine byte"),
        (data, 4, 6, b""),
        (data, 30, 5, b"much too long"),
        (data, 0, 3, b"no"),
    ]


_REFUSE = "return None when the label is longer than the room"


EXERCISES = (
    Exercise(
        id="6.1",
        ask="fold(kernel, gamma, beta, mean, variance): a kernel and a bias without a norm",
        judge=function(_fold, _layers, tolerance=1e-6),
        mistakes=[
            (partial(_fold, power=1), "You divide by the variance. The norm divides by its root."),
            (
                partial(fold, epsilon=0),
                "Close, but not where the variance is small: which constant "
                "does the norm add to it?",
            ),
            (
                lambda k, g, b, m, v: (_fold(k, g, b, m, v)[0], b - m),
                "The kernel is right. The mean is subtracted before the norm "
                "scales: what happens to it then?",
            ),
            (
                lambda k, g, b, m, v: _fold(k, g, b, -m, v),
                "The kernel is right. The norm subtracts the mean.",
            ),
            (lambda *a: _fold(*a)[0], "That is the kernel alone: return the bias as well."),
        ],
        right="the norm is gone, and nothing but rounding has changed.",
        hints=(
            "A norm gives gamma · (x − mean) / √(variance + 0.001) + beta. What multiplies x?",
            "x is what the kernel made: what multiplies x may as well multiply the kernel.",
            "Put 0 in for x: what the norm still gives is the new bias.",
        ),
    ),
    Exercise(
        id="6.2",
        ask="is_tflite(data): True where bytes say that they are a .tflite file",
        judge=function(_is_tflite, _files),
        mistakes=[
            (
                lambda data: data[:4] == b"TFL3",
                "The first four bytes are the root offset: the identifier comes behind it.",
            ),
            (
                lambda data: b"TFL3" in data,
                "Weights may hold those letters by chance: look in one place only.",
            ),
            (lambda data: data[4:7] == b"TFL", "TFL2 was another format: read all four letters."),
            (lambda data: data[5:8] == b"FL3", "Python counts from 0: bytes 4, 5, 6 and 7."),
            (
                lambda data: data[4:8].decode() == "TFL3",
                'Some bytes are no text at all: compare bytes with b"TFL3".',
            ),
            (lambda data: data[4:8] == "TFL3", 'Bytes never equal a text: write b"TFL3".'),
        ],
        right="four letters, always at the same place.",
        hints=(
            "data[a:b] holds the bytes from a up to, not including, b.",
            'Compare with bytes, b"TFL3", not with a text.',
        ),
    ),
    Exercise(
        id="6.3",
        ask="follow(data, position): the place that the number at `position` points to",
        judge=function(_follow, _places, whole=True),
        mistakes=[
            (
                lambda d, p: p + int.from_bytes(d[p : p + 4], "big"),
                "You read the bytes backwards: the least significant one comes first.",
            ),
            (
                lambda d, p: int.from_bytes(d[p : p + 4], "little"),
                "That is the jump, not the place: where do you jump from?",
            ),
            (lambda d, p: p + d[p], "It works up to 255. The number has four bytes."),
            (
                lambda d, p: p + int.from_bytes(d[p : p + 2], "little"),
                "It works up to 65,535. The number has four bytes.",
            ),
            (
                lambda d, p: p + int.from_bytes(d[p : p + 4], "little", signed=True),
                "These offsets never go back: the number has no sign.",
            ),
        ],
        right="four bytes, one addition, no parsing.",
        hints=(
            'int.from_bytes(data[a:b], "little") reads a number.',
            "The jump counts from `position` itself.",
        ),
    ),
    Exercise(
        id="6.4",
        ask="field(data, table, slot): where a field lies, None where it is left out",
        judge=function(_field, _tables),
        mistakes=[
            (
                partial(_field, head=0),
                "A vtable begins with two sizes, of two bytes each: slot 0 comes behind them.",
            ),
            (
                partial(_field, bounded=False),
                "A short vtable ends before your slot: compare with its size, "
                "which is its first number.",
            ),
            (
                partial(_field, optional=False),
                "An entry of 0 says that the field is left out: return None.",
            ),
            (
                _field_offset_only,
                "That is where it lies within the table: where does the table itself begin?",
            ),
            (
                partial(_field, sign=-1),
                "The vtable lies at table − offset: minus, and with a sign.",
            ),
            (
                _field_unsigned,
                "The number at the table has a sign: a vtable may lie behind its table.",
            ),
        ],
        right="two small reads find any field of any table.",
        hints=(
            "The table begins with a signed 32-bit number; the vtable lies at table − number.",
            "The vtable: its size, the table's size, then one entry of two bytes for each slot.",
            "Entry `slot` lies at vtable + 4 + 2 * slot. 0, or beyond the size, means None.",
        ),
    ),
    Exercise(
        id="6.5",
        ask="relabel(data, start, room, label): the file with a text changed in place",
        judge=function(_relabel, _labels),
        mistakes=[
            (
                lambda d, s, room, a: None if len(a) > room else d[:s] + a + d[s + room :],
                "The file became shorter, and every offset behind is wrong now: "
                "fill up with spaces.",
            ),
            (
                lambda d, s, room, a: None if len(a) > room else d[:s] + a + d[s + len(a) :],
                "The end of the old text is still there: fill up with spaces.",
            ),
            (
                lambda d, s, room, a: d[:s] + a[:room].ljust(room) + d[s + room :],
                f"You cut the label short and say nothing: {_REFUSE}.",
            ),
            (
                lambda d, s, room, a: d[:s] + a.ljust(room) + d[s + max(room, len(a)) :],
                f"A long label runs over the bytes behind it: {_REFUSE}.",
            ),
            (
                when(lambda given, value: len(given[3]) > given[2] and value is not None),
                f"Too long a label is not refused: {_REFUSE}.",
            ),
            (
                when(lambda given, value: value is not None and len(value) != len(given[0])),
                "The file must keep its length: count the bytes that you write.",
            ),
            (
                when(lambda given, value: "bytes" in str(value) and isinstance(value, Raised)),
                'Bytes and texts do not mix: the label is bytes, so fill up with b" ".',
            ),
        ],
        right="nothing moved, so every offset still holds.",
        hints=(
            "data[:start] + … + data[start + room:] keeps the length when … has `room` bytes.",
            'b"yes".ljust(9) fills up with spaces.',
            _REFUSE[0].upper() + _REFUSE[1:] + ".",
        ),
    ),
    Exercise(
        id="6.6",
        ask="culprit: the name of the operation that cannot be converted",
        judge=text(
            "DecodeWav",
            "tf.DecodeWav",
            "'DecodeWav'",
            "'tf.DecodeWav'",
            otherwise='Look for the words "op is neither a custom op nor a flex op".',
        ),
        mistakes=[
            ("decode_wav", "That is the Python function: the message names the operation."),
            ("tf.audio.decode_wav", "That is Python's name: the message names the operation."),
            ("listen", "That is your own Python function: which operation did it leave?"),
            ("ReadFile", "No file is read here: the bytes come in as a string."),
            ("Placeholder", "A placeholder is the input; converting takes it."),
        ],
        right="TensorFlow Lite has no such kernel, so decode before the model.",
        hints=(
            "The message calls it an op, and puts quotes around it.",
            "It stands behind 'tf.', before \"op is neither\".",
        ),
    ),
)
