"""The exercises of lesson 06: folding a norm, following offsets, changing a file in place."""

from __future__ import annotations

import struct

import numpy as np

from course_lib.exercises.core import Exercise, when
from course_lib.exercises.judges import function, text

# 6.1: batch normalisation worked into the weights before it


def _fold(kernel, gamma, beta, mean, variance):
    scale = gamma / np.sqrt(variance + 1e-3)
    return kernel * scale, beta - mean * scale


def _fold_without_root(kernel, gamma, beta, mean, variance):
    scale = gamma / (variance + 1e-3)
    return kernel * scale, beta - mean * scale


def _fold_without_epsilon(kernel, gamma, beta, mean, variance):
    scale = gamma / np.sqrt(variance)
    return kernel * scale, beta - mean * scale


def _fold_bias_unscaled(kernel, gamma, beta, mean, variance):
    scale = gamma / np.sqrt(variance + 1e-3)
    return kernel * scale, beta - mean


def _fold_bias_added(kernel, gamma, beta, mean, variance):
    scale = gamma / np.sqrt(variance + 1e-3)
    return kernel * scale, beta + mean * scale


def _layers(rng):
    """Draw small kernels (height, width, in, out) and the four vectors of a norm."""
    return [
        (
            rng.normal(size=(3, 2, 2, out)),
            rng.normal(1, 0.3, out),
            rng.normal(size=out),
            rng.normal(size=out),
            rng.uniform(0.001, 2, out),
        )
        for out in (1, 3, 5)
    ]


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
        data[position : position + 4] = int(rng.integers(largest // 2, largest)).to_bytes(
            4, "little"
        )
        drawn.append((bytes(data), position))
    return drawn + [(b"\x08\x00\x00\x00" + bytes(8), 0)]


# 6.4: a field through the vtable


def _field(data, table, slot):
    vtable = table - int.from_bytes(data[table : table + 4], "little", signed=True)
    size = int.from_bytes(data[vtable : vtable + 2], "little")
    entry = 4 + 2 * slot
    if entry >= size:
        return None
    offset = int.from_bytes(data[vtable + entry : vtable + entry + 2], "little")
    return table + offset if offset else None


def _field_without_head(data, table, slot):
    vtable = table - int.from_bytes(data[table : table + 4], "little", signed=True)
    size = int.from_bytes(data[vtable : vtable + 2], "little")
    if 2 * slot >= size:
        return None
    offset = int.from_bytes(data[vtable + 2 * slot : vtable + 2 * slot + 2], "little")
    return table + offset if offset else None


def _field_without_end(data, table, slot):
    vtable = table - int.from_bytes(data[table : table + 4], "little", signed=True)
    entry = vtable + 4 + 2 * slot
    offset = int.from_bytes(data[entry : entry + 2], "little")
    return table + offset if offset else None


def _field_never_absent(data, table, slot):
    found = _field(data, table, slot)
    vtable = table - int.from_bytes(data[table : table + 4], "little", signed=True)
    size = int.from_bytes(data[vtable : vtable + 2], "little")
    return table if found is None and 4 + 2 * slot < size else found


def _field_forwards(data, table, slot):
    moved = bytearray(data)
    jump = int.from_bytes(data[table : table + 4], "little", signed=True)
    moved[table : table + 4] = (-jump).to_bytes(4, "little", signed=True)
    return _field(bytes(moved), table, slot)


def _field_offset_only(data, table, slot):
    found = _field(data, table, slot)
    return None if found is None else found - table


def _tables(rng):
    """Draw tables whose vtables lie before or behind them, with fields that are left out."""
    drawn = []
    for before in (True, False, True, False):
        entries = [int(each) for each in 4 * rng.integers(1, 8, size=4)]
        entries[int(rng.integers(0, 4))] = 0
        vtable = struct.pack("<HH4H", 12, 32, *entries)
        noise = rng.integers(1, 120, size=40).astype(np.uint8).tobytes()
        if before:
            start, table = 16, 36
            data = noise[:start] + vtable + noise[:8] + struct.pack("<i", table - start) + noise
        else:
            table, start = 12, 52
            data = noise[:table] + struct.pack("<i", table - start) + noise[:36] + vtable + noise
        drawn += [(data, table, slot) for slot in range(6)]
    return drawn


# 6.5: a text changed in place


def _relabel(data, start, room, label):
    if len(label) > room:
        return None
    return data[:start] + label.ljust(room) + data[start + room :]


def _relabel_shorter(data, start, room, label):
    if len(label) > room:
        return None
    return data[:start] + label + data[start + room :]


def _relabel_leftover(data, start, room, label):
    if len(label) > room:
        return None
    return data[:start] + label + data[start + len(label) :]


def _relabel_without_limit(data, start, room, label):
    return data[:start] + label.ljust(room) + data[start + max(room, len(label)) :]


def _relabel_cut(data, start, room, label):
    return data[:start] + label[:room].ljust(room) + data[start + room :]


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
            (_fold_without_root, "You divide by the variance. The norm divides by its root."),
            (
                _fold_without_epsilon,
                "Close, but not where the variance is small: which constant "
                "does the norm add to it?",
            ),
            (
                _fold_bias_unscaled,
                "The kernel is right. The mean is subtracted before the norm "
                "scales: what happens to it then?",
            ),
            (_fold_bias_added, "The kernel is right. The norm subtracts the mean."),
            (lambda *given: _fold(*given)[0], "That is the kernel alone: return the bias as well."),
        ],
        right="the norm is gone, and nothing but rounding has changed.",
        hints=(
            "A norm gives gamma · (x − mean) / √(variance + 0.001) + beta. What multiplies x?",
            "scale = gamma / np.sqrt(variance + 1e-3) multiplies the kernel.",
            "What is left without x is beta − mean · scale.",
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
                lambda data, position: (
                    position + int.from_bytes(data[position : position + 4], "big")
                ),
                "You read the bytes backwards: the least significant one comes first.",
            ),
            (
                lambda data, position: int.from_bytes(data[position : position + 4], "little"),
                "That is the jump, not the place: where do you jump from?",
            ),
            (
                lambda data, position: position + data[position],
                "It works up to 255. The number has four bytes.",
            ),
            (
                lambda data, position: (
                    position + int.from_bytes(data[position : position + 2], "little")
                ),
                "It works up to 65,535. The number has four bytes.",
            ),
            (
                lambda data, position: (
                    position + int.from_bytes(data[position : position + 4], "little", signed=True)
                ),
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
                _field_without_head,
                "A vtable begins with two sizes, of two bytes each: slot 0 comes behind them.",
            ),
            (
                _field_without_end,
                "A short vtable ends before your slot: compare with its size, "
                "which is its first number.",
            ),
            (_field_never_absent, "An entry of 0 says that the field is left out: return None."),
            (
                _field_offset_only,
                "That is where it lies within the table: where does the table itself begin?",
            ),
            (_field_forwards, "The vtable lies at table − offset: minus, and with a sign."),
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
                _relabel_shorter,
                "The file became shorter, and every offset behind is wrong now: "
                "fill up with spaces.",
            ),
            (_relabel_leftover, "The end of the old text is still there: fill up with spaces."),
            (_relabel_cut, f"You cut the label short and say nothing: {_REFUSE}."),
            (_relabel_without_limit, f"A long label runs over the bytes behind it: {_REFUSE}."),
            (
                when(lambda given, value: len(given[3]) > given[2] and value is not None),
                f"Too long a label is not refused: {_REFUSE}.",
            ),
            (
                when(lambda given, value: value is not None and len(value) != len(given[0])),
                "The file must keep its length: count the bytes that you write.",
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
