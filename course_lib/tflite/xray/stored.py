"""Look into a .tflite file: find a tensor's bytes, the way to them, and change one in place."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from course_lib.formats import flatbuffer
from course_lib.formats.bytemap import ByteMap, Span

_TYPES = {
    "FLOAT32": "<f4",
    "FLOAT16": "<f2",
    "INT32": "<i4",
    "INT64": "<i8",
    "INT16": "<i2",
    "INT8": "i1",
    "UINT8": "u1",
    "BOOL": "?",
    "FLOAT64": "<f8",
    "UINT32": "<u4",
    "UINT16": "<u2",
    "UINT64": "<u8",
}  # types whose elements are whole bytes


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
        return np.dtype(_TYPES[self.type]) if self.type in _TYPES else None

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

    `Xray(model)["kernel"]` is the first stored tensor with "kernel" in its name. Raise
    `flatbuffer.FormatError` for bytes that are no .tflite file.
    """

    def __init__(self, model_bytes: bytes) -> None:
        self.data = bytes(model_bytes)
        self.map: ByteMap = flatbuffer.byte_map(self.data)

    def __len__(self) -> int:
        """Return the number of bytes."""
        return len(self.data)

    def __repr__(self) -> str:
        """Say how many bytes, parts and stored tensors there are."""
        return (
            f"Xray({len(self.data)} bytes, {len(self.map.spans)} parts, "
            f"{len(self.tensors)} stored tensors)"
        )

    @cached_property
    def tensors(self) -> tuple[Stored, ...]:
        """Every tensor whose values lie in the file, in the order of the subgraphs."""
        known = {(span.path, span.kind): span.value for span in self.map}
        content = {
            span.path: span
            for span in self.map
            if span.kind == "weights" and span.path.endswith(".data")
        }
        names = [
            span.path.removesuffix(".buffer")
            for span in self.map
            if span.kind == "scalar"
            and re.fullmatch(r"subgraphs\[\d+\]\.tensors\[\d+\]\.buffer", span.path)
        ]
        found = [_stored(known, content, path) for path in sorted(names, key=_numbers)]
        return tuple(each for each in found if each is not None)

    @cached_property
    def layers(self) -> tuple[Layer, ...]:
        """The operations whose second input is stored in the file, in the order of the plan.

        Names of tensors differ between versions of the converter; this order does not.
        """
        known = {(span.path, span.kind): span.value for span in self.map}
        stored = {each.path: each for each in self.tensors}
        kinds, found = flatbuffer.load().enums["BuiltinOperator"], []
        for index in range(known.get(("subgraphs[0].operators", "length"), 0)):
            path = f"subgraphs[0].operators[{index}]"
            code = f"operator_codes[{known.get((f'{path}.opcode_index', 'scalar'), 0)}]"
            inputs = known.get((f"{path}.inputs", "numbers"), ())
            of = [stored.get(f"subgraphs[0].tensors[{number}]") for number in inputs]
            if len(of) > 1 and of[1] is not None and len(of[1].shape) > 1:
                number = max(
                    known.get((f"{code}.{name}", "scalar"), 0)
                    for name in ("builtin_code", "deprecated_builtin_code")
                )
                found.append(
                    Layer(kinds.get(number, str(number)), of[1], of[2] if len(of) > 2 else None)
                )
        return tuple(found)

    @cached_property
    def largest(self) -> Stored:
        """The stored tensor with the most bytes; raise `LookupError` where there is none."""
        if not self.tensors:
            raise LookupError("This model stores no tensor: there are no weights to look at.")
        return max(self.tensors, key=lambda stored: len(stored.span))

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

    def route_by_name(self, name: str) -> tuple[flatbuffer.Route, ...]:
        """Return the reads of a search: every tensor's name until it fits, its buffer, its data."""
        routes = []
        for stored in self.tensors:
            inside = stored.path
            routes.append(self.route(f"{inside}.name"))
            if name in stored.name:
                return (*routes, self.route(f"{inside}.buffer"), self.route(stored))
        raise LookupError(f"No stored tensor has {name!r} in its name.")

    def values(self, stored: Stored) -> np.ndarray:
        """Return a tensor's stored numbers without copying them; raise `TypeError` for others."""
        if stored.dtype is None:
            raise TypeError(f"{stored.name} holds {stored.type}: its elements are no whole bytes.")
        return np.frombuffer(self.data, stored.dtype, stored.count, stored.span.start).reshape(
            stored.shape
        )

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
