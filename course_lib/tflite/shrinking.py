"""Make a .tflite file smaller without touching what it computes.

`strip` drops what no interpreter reads. `compact` also stores equal parts once: a FlatBuffer
refers to its parts by offset, so two tensors of one shape may refer to the same four numbers,
which the converter writes out every time.
"""

from typing import Any

import flatbuffers
import numpy as np

from course_lib.formats import tflite_file
from course_lib.formats.tflite_file import ALIGNMENT, schema
from course_lib.tflite import verification


def strip(model_bytes: bytes, keep_names: bool = False, alignment: int = ALIGNMENT) -> bytes:
    """Return the same model without names, calibration ranges, metadata and signatures.

    Weights, operations, scales and zero points stay, so that no bit of an output changes, and
    signatures that lead to parts of their own. Tensors without stored data share the empty buffer
    0, and equal buffers are stored once. `keep_names` keeps the names of tensors. `alignment` is
    that of the buffers' data: 16 is what the schema asks for, 4 is enough for 32-bit numbers.
    A result that fails `verification.verified`, or would lose parts, is not handed out: the input
    comes back as `verification.Unchanged`. Raises ModelError for bytes that are no model.
    """
    return _rewritten(model_bytes, alignment, flatbuffers.Builder(len(model_bytes)), keep_names)


def compact(model_bytes: bytes, alignment: int = 4) -> bytes:
    """Return the same model, stripped, with every equal part stored a single time.

    No output changes. `alignment` is that of the weights: 16 is what the schema asks for, 4 is
    enough for any processor that reads 32 bits at a time. Of the result and of errors, what
    `strip` says is true.
    """
    return _rewritten(model_bytes, alignment, _SharingBuilder(len(model_bytes)))


def _rewritten(model_bytes: bytes, alignment: int, builder: Any, keep_names: bool = False) -> bytes:
    """Return a model without what no interpreter reads, verified, or unchanged."""
    if why := verification.obstacle(model_bytes):
        return verification.unchanged(model_bytes, why)
    try:
        model = tflite_file.unpack(model_bytes)
        _forget(model, keep_names)
        _share_buffers(model)
        changed = tflite_file.pack(model, alignment, builder)
    except (ValueError, TypeError, LookupError, AttributeError, OverflowError) as error:
        why = f"the parts of this file cannot be written anew ({str(error).splitlines()[0]})."
        return verification.unchanged(model_bytes, why)
    return verification.verified(model_bytes, changed, like=model_bytes)


def _forget(model: Any, keep_names: bool) -> None:
    """Drop, in place, what no interpreter reads."""
    model.description = model.metadata = model.metadataBuffer = None
    signatures = model.signatureDefs or ()
    if len(signatures) < 2 and not any(each.subgraphIndex for each in signatures):
        model.signatureDefs = None
    for subgraph in model.subgraphs or ():
        subgraph.name = None
        subgraph.debugMetadataIndex = -1
        for tensor in subgraph.tensors or ():
            if not keep_names:
                tensor.name = None
            if tensor.quantization is not None:
                tensor.quantization.min = tensor.quantization.max = None


def _share_buffers(model: Any) -> None:
    """Renumber the buffers in place: one for each different content, number 0 for nothing.

    Whatever buffer 0 holds is nothing to LiteRT; other buffers may hold a constant of 0 bytes.
    """
    numbers: dict[bytes | None, int] = {None: 0}
    for subgraph in model.subgraphs or ():
        for tensor in subgraph.tensors or ():
            data = model.buffers[tensor.buffer].data if tensor.buffer else None
            content = None if data is None else np.asarray(data, np.uint8).tobytes()
            tensor.buffer = numbers.setdefault(content, len(numbers))
    model.buffers = [schema.BufferT(content) for content in numbers]


class _SharingBuilder(flatbuffers.Builder):
    """A builder that hands out the earlier place when a vector or table of numbers repeats.

    What was just written is taken back by moving the head, since a FlatBuffer grows backwards. A
    vector that holds offsets is never shared: its bytes say how far, not where to. Only parts whose
    numbers have the same types are equal.
    """

    def __init__(self, initial_size: int) -> None:
        super().__init__(initial_size)
        self._places: dict[tuple, int] = {}
        self._fields: dict[int, Any] = {}

    def CreateNumpyVector(self, x: np.ndarray) -> int:
        """Write numbers, or return the place of a vector of the same type and bytes.

        The names are those of flatbuffers.Builder.
        """
        begin, key = self.Offset(), (x.dtype.str, x.tobytes())
        return self._shared(key, super().CreateNumpyVector(x), begin)

    def CreateString(self, s: Any, encoding: str = "utf-8", errors: str = "strict") -> int:
        """Write a string, or return the place of an equal one."""
        begin = self.Offset()
        return self._shared(("string", s), super().CreateString(s, encoding, errors), begin)

    def StartObject(self, numfields: int) -> None:
        """Begin a table and forget the fields of the last one."""
        self._fields = {}
        super().StartObject(numfields)

    def PrependSlot(self, flags: Any, o: int, x: Any, d: Any) -> None:
        """Write a number into a field, and note its type and bytes: 1 is not 1.0."""
        if x != d:
            self._fields[o] = flags.__name__, flags.packer_type.pack(x)
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
