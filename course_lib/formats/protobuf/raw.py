"""What every protobuf shows without a schema: varints, tags, and where each field ends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

WIRE_TYPES = {
    0: "varint",
    1: "8 bytes",
    2: "length-delimited",
    3: "group",
    4: "end of group",
    5: "4 bytes",
}
DEEPEST = 100  # protobuf's own limit of nesting


@dataclass(frozen=True, slots=True)
class Raw:
    """Hold what a field shows without a schema: number, wire type, and where its parts begin.

    The tag is `start` to `after_tag`, a length (if there is one) ends at `value_start`.
    """

    number: int
    wire_type: int
    start: int
    after_tag: int
    value_start: int
    end: int


def varint(data: bytes, position: int, end: int | None = None) -> tuple[int, int]:
    """Return the varint at `position` and where it ends: 7 bits a byte, the lowest first.

    The high bit of a byte says that another follows. Raises ValueError where it runs past
    `end` or has more than ten bytes.
    """
    end = len(data) if end is None else end
    result = 0
    for index in range(10):
        if position + index >= end:
            raise ValueError(f"Byte {position}: a varint is cut off by the end.")
        byte = data[position + index]
        result |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            return result & 0xFFFF_FFFF_FFFF_FFFF, position + index + 1
    raise ValueError(f"Byte {position}: a varint has more than ten bytes.")


def encode_varint(value: int) -> bytes:
    """Return `value`, which is 0 or more, as a varint."""
    if value < 0:
        raise ValueError(f"A varint cannot be negative, and {value} is.")
    parts = []
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*parts, value])


def fields(data: bytes, start: int = 0, end: int | None = None) -> Iterator[Raw]:
    """Yield the fields between `start` and `end` as `Raw`, without looking inside them.

    This is all that a reader can know without a schema. Raises ValueError, with the position,
    where the bytes are no protobuf.
    """
    end = len(data) if end is None else end
    position = start
    while position < end:
        found = _next(data, position, end, 0)
        if found.wire_type == 4:
            raise ValueError(f"Byte {position}: a group ends that never began.")
        yield found
        position = found.end


def _next(data: bytes, position: int, end: int, depth: int) -> Raw:
    """Return the field that starts at `position`; its end must not lie behind `end`."""
    tag, after_tag = varint(data, position, end)
    number, wire_type = tag >> 3, tag & 7
    if not 0 < number < 2**29:
        raise ValueError(f"Byte {position}: no field can have the number {number}.")
    if wire_type not in WIRE_TYPES:
        raise ValueError(f"Byte {position}: there is no wire type {wire_type}.")
    value_start = after_tag
    if wire_type == 0:
        value_end = varint(data, after_tag, end)[1]
    elif wire_type == 2:
        length, value_start = varint(data, after_tag, end)
        value_end = value_start + length
    elif wire_type == 3:
        value_end = _end_of_group(data, after_tag, end, number, depth + 1)
    else:
        value_end = after_tag + {1: 8, 4: 0, 5: 4}[wire_type]
    if value_end > end:
        raise ValueError(
            f"Byte {position}: field {number} is said to end at {value_end}, past the end at {end}."
        )
    return Raw(number, wire_type, position, after_tag, value_start, value_end)


def _end_of_group(data: bytes, position: int, end: int, number: int, depth: int) -> int:
    """Return where the group ends that was opened just before `position`."""
    if depth > DEEPEST:
        raise ValueError(f"Byte {position}: messages are nested more than {DEEPEST} deep.")
    while position < end:
        found = _next(data, position, end, depth)
        position = found.end
        if found.wire_type == 4:
            if found.number != number:
                break
            return position
    raise ValueError(f"Byte {position}: group {number} has no end.")
