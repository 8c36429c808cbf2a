"""Look into a .tflite file: find a tensor's bytes, the way to them, and change one in place."""

import re
from collections import defaultdict
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from course_lib.formats import flatbuffer
from course_lib.formats.bytemap import ByteMap, Span
from course_lib.formats.tflite_file import ModelError, schema
from course_lib.tflite import verification
from course_lib.tflite.interpreter import Interpreter

# Types whose elements are whole bytes; in lower case these are NumPy's names, too.
_TYPES = set(
    "FLOAT16 FLOAT32 FLOAT64 INT8 INT16 INT32 INT64 UINT8 UINT16 UINT32 UINT64 BOOL".split()
)


@dataclass(frozen=True)
class Stored:
    """Describe one tensor whose values lie in the file, and where.

    `dtype` is the little-endian NumPy type, None where elements are no whole bytes (strings,
    four bits). `scales` and `zero_points` are empty where nothing is quantized. `problem` is a
    sentence that says why its elements cannot be told apart here, "" where they can; `others` are
    the names of tensors that use the same bytes.
    """

    name: str
    path: str
    type: str
    shape: tuple[int, ...]
    span: Span
    scales: tuple[float, ...] = ()
    zero_points: tuple[int, ...] = ()
    axis: int = 0
    problem: str = ""
    others: tuple[str, ...] = ()

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
        root, users = schema.Model.GetRootAs(self.data), defaultdict(list)
        for graph in range(root.SubgraphsLength()):
            for index in range(root.Subgraphs(graph).TensorsLength()):
                tensor = root.Subgraphs(graph).Tensors(index)
                span = self._content(root, tensor.Buffer())
                if span is not None:
                    stored = _stored(tensor, f"subgraphs[{graph}].tensors[{index}]", span)
                    users[span.start].append(stored)
        shared = (
            replace(one, others=tuple(other.name for other in same if other != one))
            for same in users.values()
            for one in same
        )
        return tuple(sorted(shared, key=lambda one: _numbers(one.path)))

    def _content(self, root: Any, buffer: int) -> Span | None:
        """Return the bytes of a buffer, None where there are none; 0 is empty by agreement."""
        if not 0 < buffer < root.BuffersLength():
            return None
        held = root.Buffers(buffer)
        start = held.Offset()  # behind the FlatBuffer
        if not held.DataIsNone():
            start = held._tab.Vector(held._tab.Offset(4)) if held.DataLength() else 0
        span = self.map.at(start) if start > 1 else None
        return span if span is not None and span.start == start else None

    @cached_property
    def layers(self) -> tuple[Layer, ...]:
        """The operations whose second input is stored in the file, in the order of the plan.

        Names of tensors differ between versions of the converter; this order does not.
        """
        stored = {each.path: each for each in self.tensors}
        root = schema.Model.GetRootAs(self.data)
        kinds, layers = flatbuffer.load().enums["BuiltinOperator"], []
        graph = root.Subgraphs(0) if root.SubgraphsLength() else None
        for index in range(graph.OperatorsLength() if graph else 0):
            operator = graph.Operators(index)
            numbers = [operator.Inputs(place) for place in range(operator.InputsLength())]
            read = [stored.get(f"subgraphs[0].tensors[{number}]") for number in numbers]
            known = operator.OpcodeIndex() < root.OperatorCodesLength()
            if known and len(read) > 1 and read[1] is not None and len(read[1].shape) > 1:
                # Old files have the kind in a byte, newer ones in a field for more than 127 kinds.
                code = root.OperatorCodes(operator.OpcodeIndex())
                number = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
                bias = read[2] if len(read) > 2 else None
                layers.append(Layer(kinds.get(number, str(number)), read[1], bias))
        return tuple(layers)

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
        """Return a tensor's stored numbers without copying them.

        Raises ModelError where they cannot be told apart, such as sparse ones: `Stored.problem`.
        """
        if stored.problem:
            raise ModelError(stored.problem)
        flat = np.frombuffer(self.data, stored.dtype, stored.count, stored.span.start)
        return flat.reshape(stored.shape)

    def place(self, stored: Stored, index: int) -> int:
        """Return the byte at which element `index` (counted flat) begins; see `values`."""
        if stored.problem:
            raise ModelError(stored.problem)
        if not 0 <= index < stored.count:
            raise IndexError(f"{stored.name} has the elements 0 to {stored.count - 1}.")
        return stored.span.start + index * stored.dtype.itemsize

    def patched(self, stored: Stored, index: int, number: float, shared: bool = False) -> bytes:
        """Return the file with one stored number changed in place: same length, nothing moved.

        A file that LiteRT would not run comes back unpatched, as `verification.Unchanged`. Raises
        ValueError where the number does not fit into the tensor's type, where other tensors use
        its bytes unless `shared`, and as `values` does.
        """
        place = self.place(stored, index)
        if stored.others and not shared:
            others = ", ".join(stored.others)
            raise ValueError(f"{others}: they share its bytes; say shared=True to change all.")
        new = _fitted(stored, number).tobytes()
        changed = self.data[:place] + new + self.data[place + len(new) :]
        return changed if changed == self.data else verification.verified(self.data, changed)

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
        if flatbuffer.unknown(span):
            reads = (*reads, flatbuffer.Read(span.start, len(span), span.name, "unknown"))
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


def logits(model_bytes: bytes, features: np.ndarray) -> np.ndarray | None:
    """Return the float32 numbers, (classes,), that enter the softmax for one (49, 40) clip.

    None where the model has no softmax.
    """
    try:
        return Interpreter(model_bytes, keep_all=True).before("SOFTMAX", features)
    except LookupError:
        return None


def _fitted(stored: Stored, number: float) -> np.ndarray:
    """Return a number in a tensor's type; raises ValueError where it does not fit."""
    kind, within = stored.dtype, True
    if kind.kind in "iu":
        within = np.iinfo(kind).min <= number <= np.iinfo(kind).max
    with np.errstate(over="ignore"):
        new = np.array(number if within else 0, kind)
        if new.item() == number or kind.kind == "f" and not np.isinf(new):
            return new
    raise ValueError(f"{number} does not fit: {stored.name} holds {stored.type}.")


def _stored(tensor: Any, path: str, span: Span) -> Stored:
    """Return a tensor of the generated reader whose values lie in `span`."""
    kinds, quantization = flatbuffer.load().enums["TensorType"], tensor.Quantization()
    scales = points = ()
    if quantization is not None:
        scales = tuple(quantization.Scale(n) for n in range(quantization.ScaleLength()))
        points = tuple(quantization.ZeroPoint(n) for n in range(quantization.ZeroPointLength()))
    stored = Stored(
        name=(tensor.Name() or path.encode()).decode("utf-8", "replace"),
        path=path,
        type=kinds.get(tensor.Type(), f"type {tensor.Type()}, newer than the schema here"),
        shape=tuple(tensor.Shape(n) for n in range(tensor.ShapeLength())),
        span=span,
        scales=scales,
        zero_points=points or (0,) * len(scales),
        axis=0 if quantization is None else quantization.QuantizedDimension(),
    )
    return replace(stored, problem=_problem(stored, tensor.Sparsity() is not None))


def _problem(stored: Stored, sparse: bool) -> str:
    """Return why a tensor's elements cannot be told apart, "" where they can."""
    if stored.dtype is None:
        return f"{stored.name} holds {stored.type}: only numbers of whole bytes can be read here."
    if sparse:
        return f"{stored.name} is stored sparse: its bytes are not in the order of its shape."
    wanted = stored.count * stored.dtype.itemsize
    if wanted != len(stored.span):
        return f"{stored.name} needs {wanted} bytes for its shape, but holds {len(stored.span)}."
    return ""


def _numbers(path: str) -> tuple[int, ...]:
    """Return the numbers in a path, to sort tensors[2] before tensors[10]."""
    return tuple(int(number) for number in re.findall(r"\d+", path))
