"""One entry of an index: the type, shape, shard, offset, length and checksum of a tensor.

Source: tensorflow/core/protobuf/tensor_bundle.proto
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from course_lib.formats.protobuf import fields, varint

DTYPES = {
    1: "float32", 2: "float64", 3: "int32", 4: "uint8", 5: "int16", 6: "int8", 7: "string",
    8: "complex64", 9: "int64", 10: "bool", 14: "bfloat16", 17: "uint16", 18: "complex128",
    19: "float16", 22: "uint32", 23: "uint64",
}  # fmt: skip


def entry(value: bytes) -> tuple[int, tuple[int, ...], int, int, int, int, int]:
    """Return dtype, shape, shard, offset, size, checksum and the number of slices."""
    numbers = {1: 0, 3: 0, 4: 0, 5: 0}
    shape: tuple[int, ...] = ()
    checksum = slices = 0
    for raw in fields(value):
        if raw.wire_type == 0 and raw.number in numbers:
            numbers[raw.number] = varint(value, raw.value_start)[0]
        elif raw.number == 2 and raw.wire_type == 2:
            shape = tuple(sizes(value[raw.value_start : raw.end]))
        elif raw.number == 6 and raw.wire_type == 5:
            checksum = struct.unpack_from("<I", value, raw.value_start)[0]
        elif raw.number == 7:
            slices += 1
    return numbers[1], shape, numbers[3], numbers[4], numbers[5], checksum, slices


def sizes(shape: bytes) -> Iterator[int]:
    """Yield the dimensions of a TensorShapeProto."""
    for raw in fields(shape):
        if raw.number == 2 and raw.wire_type == 2:
            inner = shape[raw.value_start : raw.end]
            size = 0
            for part in fields(inner):
                if part.number == 1 and part.wire_type == 0:
                    size = varint(inner, part.value_start)[0]
            if size >= 2**63:
                raise ValueError("A tensor has a dimension below zero: the index is damaged.")
            yield size


def key_text(key: bytes) -> str:
    """Return a key as text; that of a slice of a partitioned variable gets readable, too."""
    if key.startswith(b"\0") and b"\0\1" in key:
        name, _, rest = key[1:].partition(b"\0\1")
        return f"{name.decode('utf-8', 'backslashreplace')} slice {rest.hex()}"
    return key.decode("utf-8", "backslashreplace")
