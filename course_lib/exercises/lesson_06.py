"""The exercises of lesson 06: four letters, an offset, and a field through its vtable."""

from __future__ import annotations

import re
import struct
from functools import partial

import numpy as np

from course_lib.exercises.answers import Raised
from course_lib.exercises.core import Exercise, when
from course_lib.exercises.judges import function

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
        (rng.bytes(4) + b"tfl3" + body,),
        (rng.bytes(4) + b"3LFT" + body,),
    ]


# 6.4: one jump


def _follow(data, position):
    return position + int.from_bytes(data[position : position + 4], "little")


def _number(data, position, length=4):
    return int.from_bytes(data[position : position + length], "little")


def _error(value):
    """Return what an answer raised, as a text; nothing where it raised nothing."""
    return str(value) if isinstance(value, Raised) else ""


def _places(rng):
    """Draw positions whose numbers need one, two and four bytes."""
    drawn = []
    for largest in (200, 60_000, 2**31, 2**32 - 1):
        data = bytearray(rng.bytes(24))
        position = int(rng.integers(1, 20))
        struct.pack_into("<I", data, position, int(rng.integers(largest // 2, largest)))
        drawn.append((bytes(data), position))
    return drawn + [(b"\x08\x00\x00\x00" + bytes(8), 0)]  # as a file may begin


# 6.5: a field through the vtable


def _field(data, table, slot, sign=1, bounded=True, optional=True):
    vtable = table - sign * int.from_bytes(data[table : table + 4], "little", signed=True)
    size = int.from_bytes(data[vtable : vtable + 2], "little")
    entry = 4 + 2 * slot
    if bounded and entry >= size:
        return None
    offset = int.from_bytes(data[vtable + entry : vtable + entry + 2], "little")
    return table + offset if offset or not optional else None


def _field_unsigned(data, table, slot):
    """Find a field as `_field` does, but take the number at the table for one without a sign."""
    back = int.from_bytes(data[table : table + 4], "little")
    return _field(data, table, slot) if back < 2**31 else None


def _field_signed(data, table, slot):
    """Find a field as `_field` does, but take its entry for a number with a sign."""
    place = _field(data, table, slot)
    return place if place is None or place - table < 2**15 else place - 2**16


def _field_wrong(data, table, slot, base=None, back=None, past=0):
    """Find a field as `_field` does, with one of the smaller slips."""
    number = int.from_bytes(data[table : table + 4], "little", signed=True)
    vtable = table - number if back is None else back(table, number)
    size = _number(data, vtable, 2)
    entry = 4 + 2 * slot
    if entry >= size + past:
        return None
    offset = _number(data, vtable + entry, 2)
    start = table if base is None else base(table, vtable)
    return start + offset if offset else None


def _forward(data, table, slot):
    """Return where a field would lie if its vtable lay ahead, as `follow` reads it."""
    return table + _number(data, _follow(data, table) + 4 + 2 * slot, 2)


def _size_of_one_byte(data, table, slot):
    vtable = table - int.from_bytes(data[table : table + 4], "little", signed=True)
    return _field(data, table, slot) if 4 + 2 * slot < data[vtable] else None


def _reads(entry, wide=2, end="little"):
    """Recognise answers that take the wrong bytes of the vtable, whatever they do at its end."""

    def fits(arguments, value):
        data, table, slot = arguments
        vtable = table - int.from_bytes(data[table : table + 4], "little", signed=True)
        start = vtable + entry(slot)
        offset = int.from_bytes(data[start : start + wide], end)
        left_out = not offset or entry(slot) >= _number(data, vtable, 2)
        beyond = start + wide > len(data)
        return value == table + offset or left_out and value is None or beyond

    return when(fits)


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
    """Return a table with 130 fields, whose numbers need all of their two and four bytes."""
    entries = [*(300 + 4 * place for place in range(129)), 39_900]
    far = struct.pack("<i", -40_000) + b"\x01" * 39_996
    return far + struct.pack("<HH130H", 264, 39_904, *entries) + bytes(8)


EXERCISES = (
    Exercise(
        id="6.2",
        ask="is_tflite(data): True where bytes say that they are a .tflite file",
        judge=function(_is_tflite, _files),
        mistakes=[
            (lambda data: data[:4] == b"TFL3", "The first four bytes are the root offset."),
            (when(lambda arguments, value: value is True and b"TFL3" in arguments[0]),
             "Weights may hold those letters by chance: look in one place only."),
            (lambda data: data[4:8] != b"TFL3", "The other way round: True where they are TFL3."),
            (lambda data: data[4:8] in b"TFL3",
             "An empty slice is `in` everything: compare by ==."),
            (
                when(lambda _, value: "a bytes-like object" in _error(value)),
                'A text is not in bytes: compare data[4:8] with b"TFL3".',
            ),
            (lambda data: sorted(data[4:8]) == sorted(b"TFL3"), "The letters' order counts, too."),
            (lambda data: len(data) > 8 and _is_tflite(data), "Eight bytes are enough to tell."),
            (lambda data: data[4:7] == b"TFL", "TFL2 was another format: read all four letters."),
            (lambda data: data[5:8] == b"FL3", "Python counts from 0: bytes 4, 5, 6 and 7."),
            (
                lambda data: data[4:8].decode() == "TFL3",
                'Some bytes are no text at all: compare bytes with b"TFL3".',
            ),
            *(
                (
                    lambda data, letter=letter: data[4] == letter,
                    'data[4] is an integer, and equals no text: compare data[4:8] with b"TFL3".',
                )
                for letter in ("T", b"T", "TFL3")
            ),
            (
                lambda data: False,
                'Yours says False to every file. Bytes equal b"TFL3", never the text "TFL3"; and '
                "do you compare four of them, bytes 4, 5, 6 and 7?",
            ),
            *(
                (lambda data, f=f: f(data[4:8]) == b"TFL3", "The letters are capitals: b'TFL3'.")
                for f in (bytes.upper, bytes.swapcase)
            ),
            (lambda data: data.endswith(b"TFL3"),
             "Bytes 4, 5, 6 and 7 alone: a file goes on behind them."),
            (lambda data: data[5:9] == b"TFL3", "Python counts from 0: bytes 4, 5, 6 and 7."),
            (lambda data: data[4:] == b"TFL3",
             "You compare all that follows: the identifier ends after four bytes."),
            (lambda data: True if data[4:8] == b"TFL3" else None,
             "Where the letters differ you return nothing: return False there."),
            (when(lambda _, x: isinstance(x, bytes)), "Compare them, and return True or False."),
            (lambda data: True, "Yours says True to every file: compare its letters."),
            (lambda data: len(data) >= 8, "Any file may be long enough: compare its letters."),
            (when(lambda arguments, value: "IndexError" in _error(value)),
             "A file may be empty: data[4] fails there, and a slice does not."),
            (when(lambda _, x: re.search("endswith|NotFound|null byte", _error(x))),
             "`data` is not the file's name but what it holds: there is nothing to open."),
            (
                when(lambda _, value: value.kind != "UnicodeDecodeError"),
                'A file may be short or without TFL3: a slice and == b"TFL3" never fail.',
            ),
        ],
        right="four letters, always at the same place.",
        hints=("data[a:b] holds the bytes from a up to, not including, b.",
               'Compare with bytes, b"TFL3", not with a text.'),
    ),
    Exercise(
        id="6.4",
        ask="follow(data, position): the place that the number at `position` points to",
        judge=function(_follow, _places, whole=True),
        mistakes=[
            (lambda d, p: p + int.from_bytes(d[p : p + 4], "big"),
             "You read the bytes backwards: the least significant one comes first."),
            (_number, "That is the jump, not the place: where do you jump from?"),
            (lambda d, p: p + d[p], "It works up to 255. The number has four bytes."),
            (lambda d, p: p + _number(d, p, 2), "It works up to 65,535. It has four bytes."),
            (lambda d, p: p + int.from_bytes(d[p : p + 4], "little", signed=True),
             "These offsets never go back: the number has no sign."),
            (lambda d, p: 4 + _number(d, p), "4 was the place in the example: add `position`."),
            (lambda d, p: d[p], "One byte of the jump: four make it, and `position` is added."),
            (lambda d, p: 4 + _follow(d, p), "The jump begins at `position`, not behind it."),
            (lambda d, p: p - _number(d, p), "These offsets never go back: add the number."),
            (lambda d, p: _number(d, p) - p, "Add the position: that is where the jump begins."),
            (when(lambda arguments, value: isinstance(value, bytes)),
             "Those are bytes: return a place, the number that int.from_bytes makes."),
            (lambda d, p: p + _number(d, p, 3), "You read three bytes: data[a:b] ends before b."),
            *(
                (lambda d, p, n=n: p + _number(d, p, n), "You read too many bytes: 32 bits are 4.")
                for n in (5, 8, 32)
            ),
            (lambda d, p: p + int.from_bytes(d[p:4], "little"),
             "A slice ends at a place, not after a length: which place is four bytes on?"),
            (when(lambda a, value: value in (_number(a[0], 0), a[1] + _number(a[0], 0))),
             "You read at 0: the number lies at `position`."),
            (lambda d, p: p + _number(d, 4 * p), "`position` counts bytes already: no factor."),
            (lambda d, p: p + 8, "The jump was 8 in the example: here you have to read it."),
            *(
                (wrong, "Return the place itself: you read what lies there.")
                for wrong in (lambda d, p: d[_follow(d, p)], lambda d, p: _number(d, _follow(d, p)))
            ),
            (lambda d, p: p + 4 * _number(d, p), "Such offsets count bytes: no factor is needed."),
            (lambda d, p: p + sum(d[p : p + 4]),
             "Each byte counts 256 times as much as the one before it: do not just add them."),
            (when(lambda _, value: isinstance(value, float)), "That is a float: read an integer."),
            (
                when(lambda _, value: "'bytes'" in _error(value)),
                'Four bytes are no number yet: int.from_bytes(data[a:b], "little") makes one.',
            ),
            (when(lambda _, value: isinstance(value, tuple) or "tuple" in _error(value)),
             "struct returns a tuple, here of one number: take its first item."),
        ],
        right="four bytes, one addition, no parsing.",
        hints=('int.from_bytes(data[a:b], "little") reads a number.',
               "The jump counts from `position` itself."),
    ),
    Exercise(
        id="6.5",
        ask="field(data, table, slot): where a field lies, None where it is left out",
        judge=function(_field, _tables),
        mistakes=[
            (_reads(lambda slot: 2 * slot),
             "A vtable begins with two sizes, of two bytes each: slot 0 comes behind them."),
            (
                partial(_field, bounded=False),
                "A short vtable ends before your slot: compare with its size, "
                "which is its first number.",
            ),
            (partial(_field, optional=False), "An entry of 0 is a field left out: return None."),
            (lambda d, t, s: _field(d, t, s) and _field(d, t, s) - t,
             "That is where it lies within the table: where does the table itself begin?"),
            (partial(_field, sign=-1), "The vtable lies at table − offset: minus, with a sign."),
            (_size_of_one_byte, "The vtable's own size has two bytes, too, lowest first."),
            (_field_signed, "The entries have no sign: a field never lies before its table."),
            (_field_unsigned, "The number has a sign: a vtable may lie behind its table."),
            (partial(_field, bounded=False, optional=False),
             "Some fields are left out: their entry is 0, or the vtable ends before it."),
            (lambda d, t, s: _field(d, t, s) or 0, "Left out means no place: None, not 0."),
            (_reads(lambda slot: 2 + 2 * slot),
             "Slots count from 0, and two sizes of two bytes each come before the first."),
            (partial(_field_wrong, past=2),
             "You go one slot too far: what begins at the vtable's size is no longer in it."),
            *(
                (
                    _reads(lambda slot, each=each: 4 + each * slot),
                    "The entries are two bytes apart: where is slot 1, if slot 0 is at 4?",
                )
                for each in (1, 4)
            ),
            (_reads(lambda slot: 8 + 4 * slot, 4), "All numbers of the vtable have two bytes."),
            *(
                (partial(_field_wrong, base=base), "The entry counts from the table's first byte.")
                for base in (lambda table, vtable: vtable, lambda table, vtable: table + 4)
            ),
            *(
                (_reads(lambda slot: 4 + 2 * slot, *slip), "Each entry is two bytes, lowest first.")
                for slip in ((1,), (4,), (2, "big"))
            ),
            (
                partial(
                    _field_wrong,
                    back=lambda table, number: table - ((number + 2**15) % 2**16 - 2**15),
                ),
                "The number at `table` has 32 bits: you read 16 of them.",
            ),
            (partial(_field_wrong, back=lambda table, number: number - table),
             "The other way round: the vtable lies at table − number."),
            (partial(_field_wrong, back=lambda table, number: number),
             "The number at the table is a distance: how far back the vtable lies."),
            (partial(_field_wrong, back=lambda table, number: table + number % 2**32),
             "`follow` goes forward: the vtable lies at table − number, which has a sign."),
            (when(lambda given, value: value == _forward(*given)),
             "`follow` goes forward: the vtable lies at table − number, which has a sign."),
            *(
                (
                    lambda d, t, s, go=go: go(d, _field(d, t, s)) if _field(d, t, s) else None,
                    "The field's own place is asked: do not follow what lies there.",
                )
                for go in (_follow, _number, lambda data, place: data[place])
            ),
            (when(lambda _, value: value is None),
             "You find nothing: do you compare a place in the file with a size, or turn a sign?"),
            (when(lambda _, x: x is None or type(x) is int and x > 0),
             "Not there: add the entry at vtable + 4 + 2 * slot to `table`; 0 means None."),
            (when(lambda _, value: "range" in value.message),
             "You leave the file: the number at `table` has a sign, and its lowest byte first."),
            (when(lambda _, value: "tuple" in value.message),
             "struct returns a tuple, here of one number: take its first item."),
        ],
        right="two small reads find any field of any table.",
        hints=(
            "The table begins with a signed 32-bit number; the vtable lies at table − number.",
            "The vtable: its size, the table's size, then one entry of two bytes for each slot.",
            "Entry `slot` lies at vtable + 4 + 2 * slot. 0, or beyond the size, means None.",
        ),
    ),
)  # fmt: skip
