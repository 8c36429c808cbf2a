"""Make a .tflite file smaller without touching what it computes."""

from __future__ import annotations

from typing import Any

import numpy as np

from course_lib.tflite.run import IDENTIFIER, ModelError, check

ALIGNMENT = 16
"""Bytes to which TensorFlow Lite's schema aligns the data of a buffer."""


def strip(model_bytes: bytes, keep_names: bool = False, alignment: int = ALIGNMENT) -> bytes:
    """Return the same model without names, calibration ranges, metadata and signatures.

    Weights, operations, scales and zero points stay, so that no bit of an output changes. Tensors
    without stored data share the empty buffer 0, and equal buffers are stored once.
    `keep_names` keeps the names of tensors. `alignment` is that of the buffers' data: 16 is
    what the schema asks for, 4 is enough for 32-bit numbers. Raises ModelError for bytes that
    are no model.
    """
    import flatbuffers

    check(model_bytes)
    schema = _schema()
    try:
        model = schema.ModelT.InitFromPackedBuf(bytes(model_bytes), 0)
        _forget(model, keep_names)
        _share_buffers(model, schema, alignment)
    except ModelError:
        raise
    except (ValueError, TypeError, IndexError, AttributeError, OverflowError) as error:
        raise ModelError("The .tflite file is damaged: its tables cannot be followed.") from error
    builder = flatbuffers.Builder(len(model_bytes))
    builder.Finish(model.Pack(builder), IDENTIFIER)
    return bytes(builder.Output())


def _schema() -> Any:
    """Return the classes that flatc made from TensorFlow Lite's schema."""
    from ai_edge_litert import schema_py_generated

    return schema_py_generated


def _forget(model: Any, keep_names: bool) -> None:
    """Drop, in place, what no interpreter reads."""
    model.description = model.metadata = model.metadataBuffer = model.signatureDefs = None
    for subgraph in model.subgraphs:
        subgraph.name = None
        subgraph.debugMetadataIndex = -1
        for tensor in subgraph.tensors:
            if not keep_names:
                tensor.name = None
            if tensor.quantization is not None:
                tensor.quantization.min = tensor.quantization.max = None


def _share_buffers(model: Any, schema: Any, alignment: int) -> None:
    """Number the buffers anew, in place: one for each different content, number 0 for nothing."""
    if any(buffer.offset > 1 for buffer in model.buffers):
        raise ModelError(
            "This .tflite file keeps its weights behind the FlatBuffer, as models "
            "beyond 2 GB do: it cannot be stripped."
        )
    numbers: dict[bytes | None, int] = {None: 0}
    for subgraph in model.subgraphs:
        for tensor in subgraph.tensors:
            data = model.buffers[tensor.buffer].data
            content = None if data is None else np.asarray(data, np.uint8).tobytes()
            tensor.buffer = numbers.setdefault(content, len(numbers))
    model.buffers = [AlignedBuffer(schema, content, alignment) for content in numbers]


class AlignedBuffer:
    """Pack one buffer with its data aligned, which the generated classes forget to do."""

    def __init__(self, schema: Any, content: bytes | None, alignment: int = ALIGNMENT) -> None:
        self.schema, self.content, self.alignment = schema, content, alignment

    def Pack(self, builder: Any) -> int:
        """Write the buffer and return its place; the name is the one that flatc gives."""
        data = None
        if self.content is not None:
            builder.StartVector(1, len(self.content), self.alignment)
            builder.head -= len(self.content)
            builder.Bytes[builder.head : builder.head + len(self.content)] = self.content
            data = builder.EndVector()
        self.schema.BufferStart(builder)
        if data is not None:
            self.schema.BufferAddData(builder, data)
        return self.schema.BufferEnd(builder)
