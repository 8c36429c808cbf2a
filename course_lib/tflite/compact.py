"""Make a stripped .tflite smaller still: store equal vectors and equal tables once.

A FlatBuffer refers to its parts by offset, so two tensors of one shape may refer to the same four
numbers. The converter writes them out every time.
"""

from __future__ import annotations

from typing import Any

import flatbuffers

from course_lib.tflite.run import IDENTIFIER
from course_lib.tflite.strip import strip


def compact(model_bytes: bytes, alignment: int = 4) -> bytes:
    """Return the same model, stripped, with every equal part stored a single time.

    No output changes. `alignment` is that of the weights: 16 is what the schema asks for, 4 is
    enough for any processor that reads 32 bits at a time. Raises ModelError for bytes that are no
    model.
    """
    from ai_edge_litert import schema_py_generated as schema

    from course_lib.tflite.strip import AlignedBuffer

    stripped = strip(model_bytes, alignment=alignment)
    model = schema.ModelT.InitFromPackedBuf(stripped, 0)
    model.buffers = [
        AlignedBuffer(schema, None if each.data is None else bytes(each.data), alignment)
        for each in model.buffers
    ]
    builder = SharingBuilder(len(model_bytes))
    builder.Finish(model.Pack(builder), IDENTIFIER)
    return bytes(builder.Output())


class SharingBuilder(flatbuffers.Builder):
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
