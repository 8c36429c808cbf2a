"""Look into a .tflite file: find a tensor's bytes, the way to them, and change one in place."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from course_lib.formats import flatbuffer
from course_lib.formats.bytemap import ByteMap, Span
from course_lib.tflite.interpreter import Interpreter

# Types whose elements are whole bytes; in lower case these are NumPy's names, too.
_TYPES = set(
    "FLOAT16 FLOAT32 FLOAT64 INT8 INT16 INT32 INT64 UINT8 UINT16 UINT32 UINT64 BOOL".split()
)


@dataclass(frozen=True)
class Stored:
    """Describe one tensor whose values lie in the file, and where.

    `dtype` is the little-endian NumPy type, None where elements are no whole bytes (strings,
    four bits). `scales` and `zero_points` are empty where nothing is quantized.
    """

    name: str
    path: str
    type: str
    shape: tuple[int, ...]
    span: Span
    scales: tuple[float, ...] = ()
    zero_points: tuple[int, ...] = ()
    axis: int = 0

    @property
    def dtype(self) -> np.dtype | None:
        """Return the NumPy type of the elements."""
        return np.dtype(self.type.lower()).newbyteorder("<") if self.type in _TYPES else None

    @property
    def count(self) -> int:
        """Return the number of elements."""
        return int(np.prod(self.shape, dtype=np.int64))


@dataclass(frozen=True)
class Layer:
    """Name an operation of the first subgraph that has weights, with what it reads of the file."""

    kind: str
    weights: Stored
    bias: Stored | None


class Xray:
    """Hold a model's bytes and what each of them is.

    `Xray(model)["kernel"]` is the first stored tensor with "kernel" in its name. Raises
    ModelError for bytes that are no .tflite file.
    """

    def __init__(self, model_bytes: bytes) -> None:
        self.data = bytes(model_bytes)
        self.map: ByteMap = flatbuffer.byte_map(self.data)

    def __repr__(self) -> str:
        """Say how many bytes, parts and stored tensors there are."""
        return (
            f"Xray({len(self.data)} bytes, {len(self.map.spans)} parts, "
            f"{len(self.tensors)} stored tensors)"
        )

    @cached_property
    def tensors(self) -> tuple[Stored, ...]:
        """Every tensor whose values lie in the file, in the order of the subgraphs."""
        weights = (span for span in self.map if span.kind == "weights")
        content = {span.path: span for span in weights if span.path.endswith(".data")}
        numbers = (path for path, kind in self._known if kind == "scalar")
        named = (re.fullmatch(r"(subgraphs\[\d+\]\.tensors\[\d+\])\.buffer", p) for p in numbers)
        paths = sorted((match[1] for match in named if match), key=_numbers)
        tensors = (_stored(self._known, content, path) for path in paths)
        return tuple(tensor for tensor in tensors if tensor is not None)

    @cached_property
    def layers(self) -> tuple[Layer, ...]:
        """The operations whose second input is stored in the file, in the order of the plan.

        Names of tensors differ between versions of the converter; this order does not.
        """
        known, stored = self._known, {each.path: each for each in self.tensors}
        kinds, layers = flatbuffer.load().enums["BuiltinOperator"], []
        for index in range(known.get(("subgraphs[0].operators", "length"), 0)):
            path = f"subgraphs[0].operators[{index}]"
            code = f"operator_codes[{known.get((f'{path}.opcode_index', 'scalar'), 0)}]"
            inputs = known.get((f"{path}.inputs", "numbers"), ())
            read = [stored.get(f"subgraphs[0].tensors[{number}]") for number in inputs]
            if len(read) > 1 and read[1] is not None and len(read[1].shape) > 1:
                # Old files have the kind in a byte, newer ones in a field for more than 127 kinds.
                number = max(
                    known.get((f"{code}.{name}", "scalar"), 0)
                    for name in ("builtin_code", "deprecated_builtin_code")
                )
                bias = read[2] if len(read) > 2 else None
                layers.append(Layer(kinds.get(number, str(number)), read[1], bias))
        return tuple(layers)

    @cached_property
    def _known(self) -> dict[tuple[str, str], Any]:
        """The value of each part by its path and kind."""
        return {(span.path, span.kind): span.value for span in self.map}

    def __getitem__(self, text: str) -> Stored:
        """Return the stored tensor of that name, else the first whose name contains it.

        Raises LookupError where there is none.
        """
        for stored in sorted(self.tensors, key=lambda stored: stored.name != text):
            if text in stored.name:
                return stored
        raise LookupError(
            f"No stored tensor has {text!r} in its name; there are: "
            f"{', '.join(stored.name for stored in self.tensors)}."
        )

    def route(self, to: Stored | str) -> flatbuffer.Route:
        """Return the reads from the root to a tensor's first weight, or to any path."""
        return flatbuffer.route(self.data, to if isinstance(to, str) else to.span.path)

    def values(self, stored: Stored) -> np.ndarray:
        """Return a tensor's stored numbers without copying them; raise `TypeError` for others."""
        if stored.dtype is None:
            raise TypeError(f"{stored.name} holds {stored.type}: its elements are no whole bytes.")
        flat = np.frombuffer(self.data, stored.dtype, stored.count, stored.span.start)
        return flat.reshape(stored.shape)

    def place(self, stored: Stored, index: int) -> int:
        """Return the byte at which element `index` (counted flat) begins."""
        if stored.dtype is None or not 0 <= index < stored.count:
            raise IndexError(f"{stored.name} has the elements 0 to {stored.count - 1}.")
        return stored.span.start + index * stored.dtype.itemsize

    def patched(self, stored: Stored, index: int, number: float) -> bytes:
        """Return the file with one stored number changed in place: same length, nothing moved.

        Raises ValueError where the number does not fit into the tensor's type.
        """
        place = self.place(stored, index)
        kind = stored.dtype
        if kind.kind in "iu" and not np.iinfo(kind).min <= number <= np.iinfo(kind).max:
            raise ValueError(
                f"{number} does not fit: {stored.name} holds {stored.type}, from "
                f"{np.iinfo(kind).min} to {np.iinfo(kind).max}."
            )
        new = np.array(number, kind).tobytes()
        return self.data[:place] + new + self.data[place + len(new) :]

    def meaning(self, stored: Stored, index: int, number: float) -> float:
        """Return the real value that a stored number stands for at element `index`."""
        if not stored.scales:
            return float(number)
        channel = 0
        if len(stored.scales) > 1:
            channel = int(np.unravel_index(index, stored.shape)[stored.axis])
        return stored.scales[channel] * (number - stored.zero_points[channel])


def describe(span: Span) -> str:
    """Return one line that says what a span is, for people."""
    value = span.value
    shown = "" if value is None else f" = {value!r}" if isinstance(value, str) else f" = {value}"
    if span.kind in ("offset", "table", "root offset"):
        shown = f" → byte {value}"
    if len(shown) > 70:
        shown = shown[:69] + "…"
    many = "1 byte" if len(span) == 1 else f"{len(span)} bytes"
    return f"{span.name}{shown} ({many} from {span.start})"


def way(rays: Xray, span: Span) -> tuple[flatbuffer.Read, ...]:
    """Return the reads from the root that end at a part, () where no reader comes by."""
    if span.kind in ("padding", "unused", "identifier"):
        return ()
    if not span.path and span.kind == "root offset":
        return (flatbuffer.Read(0, 4, span.name, span.value, span.value),)
    if span.kind not in ("table", "vtable"):
        reads = rays.route(span.path).reads
        return next(
            (reads[:count] for count, read in enumerate(reads, 1) if read.position == span.start),
            reads,
        )
    root = int.from_bytes(rays.data[:4], "little")
    first = flatbuffer.Read(0, 4, "offset of the root table", root, root)
    reads = rays.route(span.path).reads if span.path else (first,)
    table = reads[-1].to
    jump = int.from_bytes(rays.data[table : table + 4], "little", signed=True)
    reads = (*reads, flatbuffer.Read(table, 4, "offset to its vtable", jump, table - jump))
    size = flatbuffer.Read(span.start, 2, span.name, span.value)  # a vtable begins with its own
    return reads if span.kind == "table" else (*reads, size)


def search(byte_map: ByteMap, text: str) -> list[tuple[int, Span]]:
    """Return (place among the parts, part) of what a text names: a byte, a path, a name, a text.

    Weights come first, since a tensor's name usually means them.
    """
    text = text.strip().casefold()
    if not text:
        return []
    if text.isdigit():
        position = int(text)
        return [(index, span) for index, span in enumerate(byte_map) if position in span]
    hits = [
        (index, span)
        for index, span in enumerate(byte_map)
        if text in span.name.casefold()
        or text in span.path.casefold()
        or isinstance(span.value, str)
        and text in span.value.casefold()
    ]
    return sorted(hits, key=lambda hit: hit[1].kind != "weights")


def logits(model_bytes: bytes, features: np.ndarray) -> np.ndarray:
    """Return the float32 numbers, (classes,), that enter the softmax for one (49, 40) clip.

    Raises LookupError where the model has no softmax.
    """
    return Interpreter(model_bytes, keep_all=True).before("SOFTMAX", features)


def _stored(known: dict, content: dict[str, Span], path: str) -> Stored | None:
    """Return the tensor at `path` of a map's values, None where its buffer is empty."""
    span = content.get(f"buffers[{known[f'{path}.buffer', 'scalar']}].data")
    if span is None:
        return None
    schema = flatbuffer.load()
    number = known.get((f"{path}.type", "scalar"), 0)
    inside = f"{path}.quantization"
    return Stored(
        name=str(known.get((f"{path}.name", "string"), path)),
        path=path,
        type=schema.enums["TensorType"].get(number, str(number)),
        shape=tuple(known.get((f"{path}.shape", "numbers"), ())),
        span=span,
        scales=tuple(known.get((f"{inside}.scale", "numbers")) or ()),
        zero_points=tuple(known.get((f"{inside}.zero_point", "numbers")) or ()),
        axis=int(known.get((f"{inside}.quantized_dimension", "scalar"), 0)),
    )


def _numbers(path: str) -> tuple[int, ...]:
    """Return the numbers in a path, to sort tensors[2] before tensors[10]."""
    return tuple(int(number) for number in re.findall(r"\d+", path))
