"""A .tflite file between bytes and objects: the one check, the generated schema, both ways."""

from __future__ import annotations

from typing import Any

import flatbuffers
from ai_edge_litert import schema_py_generated as schema

IDENTIFIER = b"TFL3"
ALIGNMENT = 16  # bytes to which TensorFlow Lite's schema aligns the data of a buffer


class ModelError(ValueError):
    """Say in one sentence why some bytes are not a model that can be read or run."""


def check(model_bytes: bytes) -> None:
    """Raise ModelError for bytes that cannot be a .tflite file; a cheap look at eight bytes."""
    if len(model_bytes) == 0:
        raise ModelError("The model is empty: 0 bytes are not a .tflite file.")
    if len(model_bytes) < 8 or model_bytes[4:8] != IDENTIFIER:
        raise ModelError("This is not a .tflite file: bytes 4 to 8 should read TFL3.")
    if int.from_bytes(model_bytes[:4], "little") + 4 > len(model_bytes):
        raise ModelError("The .tflite file is cut short or damaged: its root lies beyond its end.")


def unpack(model_bytes: bytes) -> Any:
    """Return a file as a tree of objects, a `ModelT`. Raises ModelError where that cannot be."""
    check(model_bytes)
    try:
        return schema.ModelT.InitFromPackedBuf(bytes(model_bytes), 0)
    except Exception as error:  # the generated reader raises whatever a wrong offset leads to
        raise ModelError("The .tflite file is damaged: its tables cannot be followed.") from error


def pack(model: Any, alignment: int | None = None, builder: Any = None) -> bytes:
    """Return a `ModelT` as the bytes of a file.

    The generated classes forget to align the buffers' data: `alignment` does so. `builder` is a
    `flatbuffers.Builder` of a kind of its own.
    """
    if alignment is not None:
        model.buffers = [_AlignedBuffer(buffer.data, alignment) for buffer in model.buffers]
    builder = flatbuffers.Builder(1024) if builder is None else builder
    builder.Finish(model.Pack(builder), IDENTIFIER)
    return bytes(builder.Output())


class _AlignedBuffer:
    """Pack one buffer's data, bytes or None, at a multiple of `alignment`."""

    def __init__(self, data: Any, alignment: int) -> None:
        self.data = None if data is None else bytes(data)
        self.alignment = alignment

    def Pack(self, builder: Any) -> int:
        """Write the buffer and return its place; the name is the one that flatc gives."""
        if self.data is not None:
            builder.StartVector(1, len(self.data), self.alignment)
            builder.head -= len(self.data)
            builder.Bytes[builder.head : builder.head + len(self.data)] = self.data
            place = builder.EndVector()
        schema.BufferStart(builder)
        if self.data is not None:
            schema.BufferAddData(builder, place)
        return schema.BufferEnd(builder)
