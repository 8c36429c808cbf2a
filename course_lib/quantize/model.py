"""Read a .tflite file as a plan: its tensors, their grids and stored values, its operations.

This is the little that the arithmetic needs; `formats.flatbuffer` names every byte.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from course_lib.formats import tflite_file
from course_lib.formats.tflite_file import name_of, number_of, schema
from course_lib.quantize.grids import Affine


@dataclass(frozen=True, eq=False)
class Value:
    """One tensor: `stored` holds the constant's values, None for what is computed.

    `kind` is its type by the file's own name ("INT8"); one that is no plain array of numbers, such
    as "STRING" or "sparse INT8", has the dtype object and nothing stored.
    """

    index: int
    name: str
    shape: tuple[int, ...]
    dtype: np.dtype
    grid: Affine | None
    stored: np.ndarray | None
    kind: str = ""


@dataclass(frozen=True, eq=False)
class Operation:
    """One step: its kind ("CONV_2D"), its options by field name, its tensors by index.

    `options` is the generated options object as a mapping, empty where there are none.
    A missing optional input, such as no bias, has the index -1.
    """

    index: int
    kind: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Plan:
    """The first subgraph of a model: operations in the order in which they run."""

    values: tuple[Value, ...]
    operations: tuple[Operation, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]

    def label(self, operation: Operation) -> str:
        """Return a short name: "merge" for a tensor called "merge_relu/Relu;merge/convolution".

        Where names were stripped from the file, the kind and the place in the plan stand for it.
        """
        name = self.values[operation.outputs[0]].name.split(";")[0].split("/")[0]
        for ending in ("_relu", "_norm"):
            name = name.removesuffix(ending)
        return name or f"{operation.kind} {operation.index}"

    def named(self, label: str) -> Operation:
        """Return the operation with this label. Raises ValueError that lists the labels."""
        labels = [self.label(operation) for operation in self.operations]
        if label not in labels:
            raise ValueError(f"There is no layer {label!r}, only {', '.join(labels)}.")
        return self.operations[labels.index(label)]

    @property
    def kernels(self) -> dict[str, np.ndarray]:
        """The stored weights of every layer that has some: label to an array, filters first."""
        return {
            self.label(operation): value.stored
            for operation in self.operations
            if (value := self.weights(operation)) is not None and value.stored.ndim > 1
        }

    def weights(self, operation: Operation) -> Value | None:
        """Return the weight tensor of an operation that has one (its second input), else None."""
        if len(operation.inputs) < 2 or operation.inputs[1] < 0:
            return None
        value = self.values[operation.inputs[1]]
        return value if value.stored is not None and value.dtype.kind in "fi" else None


def read(model_bytes: bytes) -> Plan:
    """Return the plan of a model. Raises ValueError for bytes that are no readable .tflite file."""
    tree = tflite_file.unpack(model_bytes)
    try:
        graph = tree.subgraphs[0]
        values = tuple(
            _value(index, tensor, tree.buffers) for index, tensor in enumerate(graph.tensors)
        )
        operations = tuple(
            _operation(index, operator, tree.operatorCodes)
            for index, operator in enumerate(graph.operators)
        )
    except Exception as error:  # the generated reader raises whatever a wrong offset leads to
        raise ValueError(
            "This .tflite file is damaged: its tensors and buffers do not fit together. "
            "Look at it with course_lib.formats.flatbuffer."
        ) from error
    return Plan(values, operations, _indices(graph.inputs), _indices(graph.outputs))


def pack_nibbles(values: np.ndarray) -> np.ndarray:
    """Return integers from -8 to 7 as uint8, two to a byte, the first one in the lower half."""
    halves = np.asarray(values, np.int8).ravel() & 0x0F
    halves = np.append(halves, np.zeros(len(halves) % 2, np.int8)).astype(np.uint8)
    return halves[0::2] | (halves[1::2] << 4)


def unpack_nibbles(data: bytes, count: int) -> np.ndarray:
    """Return the first `count` four-bit integers of `data`, (count,) int8 from -8 to 7."""
    octets = np.frombuffer(data, np.uint8)
    halves = np.stack([octets & 0x0F, octets >> 4], axis=1).ravel()[:count].astype(np.int8)
    return np.where(halves > 7, halves - 16, halves).astype(np.int8)


_NUMBERS = "BOOL UINT8 INT8 INT16 UINT16 INT32 UINT32 INT64 UINT64 FLOAT16 FLOAT32 FLOAT64".split()
_DTYPES = {kind: np.dtype(kind.lower()) for kind in (*_NUMBERS, "COMPLEX64", "COMPLEX128")}
_DTYPES["INT4"] = np.dtype(np.int8)  # four bits become eight


def _value(index: int, tensor: Any, buffers: list[Any]) -> Value:
    shape, kind = _indices(tensor.shape), name_of(schema.TensorType, tensor.type)
    buffer = buffers[tensor.buffer]
    if tensor.sparsity is not None:
        kind = f"sparse {kind}"
    elif buffer.offset > 1 or getattr(tensor, "externalBuffer", 0):
        kind = f"{kind} outside the file's tables"
    dtype = _DTYPES.get(kind, np.dtype(object))
    stored = None if dtype.hasobject else _stored(kind, dtype, shape, buffer.data)
    name = (tensor.name or b"").decode("utf-8", "replace")
    return Value(index, name, shape, dtype, _grid(tensor.quantization, dtype, stored), stored, kind)


def _stored(kind: str, dtype: np.dtype, shape: tuple[int, ...], data: Any) -> np.ndarray | None:
    """Return a constant's values, None where the file holds none; four bits become int8."""
    if data is None or not len(data):
        return None
    if kind == "INT4":
        return unpack_nibbles(bytes(data), int(np.prod(shape))).reshape(shape)
    return np.frombuffer(bytes(data), dtype.newbyteorder("<")).reshape(shape)


def _grid(quantization: Any, dtype: np.dtype, stored: np.ndarray | None) -> Affine | None:
    """Return the grid of a tensor; int8 weights leave out -128, as the converter does."""
    scales = None if quantization is None else quantization.scale
    if scales is None or len(scales) == 0 or dtype.kind != "i" or quantization.details is not None:
        return None
    points = np.zeros(len(scales), np.int64)
    if quantization.zeroPoint is not None and len(quantization.zeroPoint):
        points = points + np.asarray(quantization.zeroPoint, np.int64)
    limits = np.iinfo(dtype)
    symmetric = stored is not None and not points.any()
    lowest = int(limits.min) + (1 if symmetric else 0)
    if len(scales) == 1:
        return Affine(np.float32(scales[0]), int(points[0]), lowest, int(limits.max))
    axis = int(quantization.quantizedDimension)
    return Affine(np.asarray(scales, np.float32), points, lowest, int(limits.max), axis)


def _operation(index: int, operator: Any, codes: list[Any]) -> Operation:
    kind = name_of(schema.BuiltinOperator, number_of(codes[operator.opcodeIndex]))
    options = vars(operator.builtinOptions) if operator.builtinOptions is not None else {}
    if operator.builtinOptions2 is not None:
        options = options | vars(operator.builtinOptions2)
    ends = _indices(operator.inputs), _indices(operator.outputs)
    return Operation(index, kind, *ends, dict(options))


def _indices(numbers: Any) -> tuple[int, ...]:
    return () if numbers is None else tuple(int(number) for number in numbers)
