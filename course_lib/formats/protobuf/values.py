"""From the bytes of one field to its value, as a schema says."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

from course_lib.formats.protobuf.raw import Raw, fields, varint

TENSOR_VALUES = ("tensor_content", "float_val", "double_val", "half_val")
_FLOATS = {1: ("<d", 8), 2: ("<f", 4)}  # numbers are those of FieldDescriptor.TYPE_…
_FIXED = {6: ("<Q", 8), 7: ("<I", 4), 15: ("<i", 4), 16: ("<q", 8), **_FLOATS}
_STRING, MESSAGE, _BYTES, _ENUM, _BOOL = 9, 11, 12, 14, 8


def fits(wire_type: int, known: Any) -> bool:
    """Tell whether a field of this wire type can be the one that the schema describes."""
    if known.type in (_STRING, MESSAGE, _BYTES):
        return wire_type == 2
    natural = {8: 1, 4: 5}[_FIXED[known.type][1]] if known.type in _FIXED else 0
    return wire_type == natural or (wire_type == 2 and repeated(known))


def repeated(known: Any) -> bool:
    """Tell whether a field of the schema may come many times; old protobufs lack the first name."""
    answer = getattr(known, "is_repeated", None)
    return known.label == known.LABEL_REPEATED if answer is None else bool(answer)


def plain(data: bytes, raw: Raw) -> tuple[Any]:
    """Return the value of a field that no schema describes."""
    if raw.wire_type == 0:
        return (varint(data, raw.value_start)[0],)
    return (data[raw.value_start : raw.end],)


def scalar(data: bytes, raw: Raw, known: Any) -> tuple[str, Any]:
    """Return the kind and the value of a field that is a number, a text or bytes."""
    is_weights = known.containing_type.name == "TensorProto" and known.name in TENSOR_VALUES
    content = data[raw.value_start : raw.end]
    if known.type == _STRING:
        try:
            return "string", content.decode("utf-8")
        except UnicodeDecodeError as error:
            raise ValueError(f"Byte {raw.value_start}: {known.name} is no UTF-8 text.") from error
    if known.type == _BYTES:
        return ("weights" if is_weights else "string"), content
    kind = "weights" if is_weights else "number"
    if raw.wire_type == 2:
        return kind, tuple(_packed(data, raw, known))
    return kind, _number(data, raw.value_start, raw.end, known)[0]


def _packed(data: bytes, raw: Raw, known: Any) -> Iterator[Any]:
    """Yield the numbers of a packed field."""
    position = raw.value_start
    while position < raw.end:
        value, position = _number(data, position, raw.end, known)
        yield value


def _number(data: bytes, position: int, end: int, known: Any) -> tuple[Any, int]:
    """Return the number at `position`, as the schema says, and where it ends."""
    if known.type in _FIXED:
        code, size = _FIXED[known.type]
        if position + size > end:
            raise ValueError(f"Byte {position}: {known.name} is cut off by the end.")
        return struct.unpack_from(code, data, position)[0], position + size
    value, after = varint(data, position, end)
    if known.type == _BOOL:
        return bool(value), after
    if known.type in (
        3,
        5,
        _ENUM,
    ):  # signed: negative numbers are stored as 64-bit two's complement
        bits = 64 if known.type == 3 else 32
        value &= (1 << bits) - 1
        value -= (value >> (bits - 1)) << bits
    elif known.type == 13:
        value &= 0xFFFF_FFFF
    elif known.type in (17, 18):  # zigzag
        value = (value >> 1) ^ -(value & 1)
    if known.type == _ENUM:
        named = known.enum_type.values_by_number.get(value)
        value = named.name if named is not None else value
    return value, after


def map_key(data: bytes, raw: Raw, entry: Any) -> str:
    """Return the key of a map's entry as text, before the entry is read."""
    key = entry.fields_by_number[1]
    text = ""
    for inner in fields(data, raw.value_start, raw.end):
        if inner.number == 1 and fits(inner.wire_type, key):
            text = str(scalar(data, inner, key)[1])
    return text
