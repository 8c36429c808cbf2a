"""A .tflite file between bytes and objects: the one check, the generated schema, both ways.

And what its bytes are for, kind by kind.
"""

from collections.abc import Iterator
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

IDENTIFIER = b"TFL3"
ALIGNMENT = 16  # bytes to which TensorFlow Lite's schema aligns the data of a buffer
KINDS = ("weights", "scales", "names", "structure")


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


def name_of(kinds: type, number: int) -> str:
    """Return a number's name in an enum of the schema; of a newer schema, the number itself."""
    names = (name for name, value in vars(kinds).items() if value == number)
    return next(names, f"number {number} (of a newer schema)")


def number_of(code: Any) -> int:
    """Return the number of an `OperatorCodeT`; old files fill the field for small ones only."""
    return max(code.builtinCode, code.deprecatedBuiltinCode)


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


def bytes_by_kind(model: bytes) -> dict[str, int]:
    """Return how many bytes of a .tflite file are weights, scales, names and structure.

    weights are the elements of constant tensors; scales the quantization tables (scale, zero point,
    minimum, maximum); names every string and the metadata; structure the rest: tables, offsets,
    padding. They sum to the file's size. Raises ValueError for bytes that are no .tflite file.
    """
    tree = unpack(model)
    scales = _scale_bytes(schema.Model.GetRootAs(bytes(model), 0))
    tensors = [tensor for graph in tree.subgraphs or [] for tensor in graph.tensors or []]
    buffers = tree.buffers or []
    constant = {tensor.buffer for tensor in tensors} & set(range(len(buffers)))
    weights = sum(_buffer_bytes(buffers[index]) for index in constant)
    notes = sum(map(_buffer_bytes, buffers)) - weights  # what no tensor points to is metadata
    names = notes + sum(5 + len(text) for text in _strings(tree, tensors))
    structure = len(model) - weights - scales - names
    return dict(zip(KINDS, (weights, scales, names, structure), strict=True))


def _buffer_bytes(buffer) -> int:
    return buffer.size or (0 if buffer.data is None else len(buffer.data))


def _scale_bytes(root: schema.Model) -> int:
    """Count the vectors of all quantization tables; one that several tensors share counts once."""
    sizes = {}
    for graph in map(root.Subgraphs, range(root.SubgraphsLength())):
        for tensor in map(graph.Tensors, range(graph.TensorsLength())):
            if grid := tensor.Quantization():
                readers = grid.ScaleAsNumpy, grid.ZeroPointAsNumpy, grid.MinAsNumpy, grid.MaxAsNumpy
                for values in (read() for read in readers):
                    if isinstance(values, np.ndarray):  # a missing vector reads as 0
                        sizes[values.ctypes.data] = 4 + values.nbytes  # 4: its length field
    return sum(sizes.values())


def _strings(tree: schema.ModelT, tensors: list[schema.TensorT]) -> Iterator[bytes]:
    """Yield every string of the file; each costs its length field and a closing zero as well."""
    signatures = tree.signatureDefs or []
    maps = [pair for each in signatures for pair in (*(each.inputs or ()), *(each.outputs or ()))]
    named = [*tensors, *(tree.subgraphs or []), *(tree.metadata or []), *maps]
    texts = [
        tree.description,
        *(thing.name for thing in named),
        *(signature.signatureKey for signature in signatures),
        *(code.customCode for code in tree.operatorCodes or []),
    ]
    return (text for text in texts if text)
