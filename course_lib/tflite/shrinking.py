"""Make a .tflite file smaller without touching what it computes.

`strip` drops what no interpreter reads. `compact` also stores equal parts once: a FlatBuffer
refers to its parts by offset, so two tensors of one shape may refer to the same four numbers,
which the converter writes out every time.
"""

from __future__ import annotations

from typing import Any

import flatbuffers
import numpy as np

from course_lib.formats import tflite_file
from course_lib.formats.tflite_file import ALIGNMENT, ModelError, schema


def strip(model_bytes: bytes, keep_names: bool = False, alignment: int = ALIGNMENT) -> bytes:
    """Return the same model without names, calibration ranges, metadata and signatures.

    Weights, operations, scales and zero points stay, so that no bit of an output changes. Tensors
    without stored data share the empty buffer 0, and equal buffers are stored once.
    `keep_names` keeps the names of tensors. `alignment` is that of the buffers' data: 16 is
    what the schema asks for, 4 is enough for 32-bit numbers. Raises ModelError for bytes that
    are no model.
    """
    return tflite_file.pack(_stripped(model_bytes, keep_names), alignment)


def compact(model_bytes: bytes, alignment: int = 4) -> bytes:
    """Return the same model, stripped, with every equal part stored a single time.

    No output changes. `alignment` is that of the weights: 16 is what the schema asks for, 4 is
    enough for any processor that reads 32 bits at a time. Raises ModelError for bytes that are no
    model.
    """
    builder = _SharingBuilder(len(model_bytes))
    return tflite_file.pack(_stripped(model_bytes), alignment, builder)


def _stripped(model_bytes: bytes, keep_names: bool = False) -> Any:
    """Return a model's tree of objects without what no interpreter reads."""
    model = tflite_file.unpack(model_bytes)
    try:
        _forget(model, keep_names)
        _share_buffers(model)
    except ModelError:
        raise
    except (ValueError, TypeError, IndexError, AttributeError, OverflowError) as error:
        raise ModelError("The .tflite file is damaged: its tables cannot be followed.") from error
    return model


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


def _share_buffers(model: Any) -> None:
    """Renumber the buffers in place: one for each different content, number 0 for nothing."""
    if any(buffer.offset > 1 for buffer in model.buffers):  # a 1 holds the place of an offset
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
    model.buffers = [schema.BufferT(content) for content in numbers]


class _SharingBuilder(flatbuffers.Builder):
    """A builder that hands out the earlier place when a vector or table of numbers repeats.

    What was just written is taken back by moving the head, since a FlatBuffer grows backwards. A
    vector that holds offsets is never shared: its bytes say how far, not where to.
    """

    def __init__(self, initial_size: int) -> None:
        super().__init__(initial_size)
        self._places: dict[tuple, int] = {}
        self._fields: dict[int, Any] = {}
        self._vector: tuple[int, int] = (0, 0)
        self._holds_offsets = False

    def StartVector(self, elemSize: int, numElems: int, alignment: int) -> int:
        """Begin a vector and note where; the names are those of flatbuffers.Builder."""
        self._vector = (self.Offset(), elemSize * numElems)
        self._holds_offsets = False
        return super().StartVector(elemSize, numElems, alignment)

    def PrependUOffsetTRelative(self, off: int) -> None:
        """Write an offset: what is being written now refers to something else."""
        self._holds_offsets = True
        super().PrependUOffsetTRelative(off)

    def EndVector(self, *arguments: Any) -> int:
        """End a vector; return the place of an equal one where there is one."""
        place = super().EndVector(*arguments)
        begin, size = self._vector
        if self._holds_offsets:
            return place
        content = bytes(self.Bytes[self.head : self.head + 4 + size])
        return self._shared(("vector", content), place, begin)

    def StartObject(self, numfields: int) -> None:
        """Begin a table and forget the fields of the last one."""
        self._fields = {}
        super().StartObject(numfields)

    def PrependSlot(self, flags: Any, o: int, x: Any, d: Any) -> None:
        """Write a number into a field, and note it."""
        if x != d:
            self._fields[o] = (flags.bytewidth, x)
        super().PrependSlot(flags, o, x, d)

    def PrependUOffsetTRelativeSlot(self, o: int, x: int, d: int) -> None:
        """Write a reference into a field, and note what it refers to."""
        if x != d:
            self._fields[o] = ("refers to", x)
        super().PrependUOffsetTRelativeSlot(o, x, d)

    def EndObject(self) -> int:
        """End a table; return the place of one with the same fields where there is one."""
        key = ("table", len(self.current_vtable), tuple(sorted(self._fields.items(), key=str)))
        if key in self._places:
            self.head = len(self.Bytes) - self.objectEnd
            self.current_vtable, self.nested = None, False
            return self._places[key]
        self._places[key] = super().EndObject()
        return self._places[key]

    def _shared(self, key: tuple, place: int, begin: int) -> int:
        """Return the first place of `key`; where there is one, take the new one back."""
        if key in self._places:
            self.head = len(self.Bytes) - begin
        return self._places.setdefault(key, place)
