"""Each operation of a plan as C: its table, its call, and where in memory its tensors lie.

All tensors share one block. A tensor is needed from the operation that makes it to the last that
reads it; two that are never needed at the same time may lie on the same bytes. The largest is
placed first, as low as it fits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from course_lib.micro.arrays import array
from course_lib.quantize import Multiplier, Operation, Plan, Value
from course_lib.quantize.layers import (
    limits,
    mean_scaling,
    same_padding,
    scaling,
    softmax_scaling,
    sum_scaling,
)
from course_lib.quantize.support import Unsupported, check

_ALIGNMENT = 16  # no layer needs more, and 32-bit words are then never split


def demand(plan: Plan, operation: Operation) -> None:
    """Raise Unsupported for a kind or an option that there is no plain C for."""
    if operation.kind not in (*_WRITERS, "RESHAPE"):
        kinds = ", ".join([*_WRITERS, "RESHAPE"])
        raise Unsupported(f"There is no plain C for {operation.kind}, only for {kinds}.")
    check(plan, operation)


@dataclass(frozen=True)
class Table:
    """A constant: its C type, its name, and its numbers, or the initializer of a struct."""

    kind: str
    name: str
    content: np.ndarray | str

    @property
    def c(self) -> str:
        """The definition in C."""
        if isinstance(self.content, str):
            return f"static const {self.kind} {self.name} = {{{self.content}}};\n"
        return array(f"static const {self.kind}", self.name, self.content)


@dataclass(frozen=True)
class Place:
    """Where a tensor lies in a block, and how far on from one call of its layer to the next."""

    block: str
    start: int
    stride: int = 0

    @property
    def c(self) -> str:
        """The expression in C; `n` counts the calls."""
        block = "memory" if self.block == "memory" else f"(const int8_t *){self.block}"
        return f"{block} + {self.start}" + (f" + n * {self.stride}" if self.stride else "")


@dataclass(frozen=True)
class Call:
    """One step: a function of layers.h, its table, and where it reads and writes, `times` times."""

    function: str
    table: str
    places: tuple[Place, ...]
    times: int

    @property
    def c(self) -> str:
        """The statement in C."""
        if not self.function:
            return "/* the same bytes under another shape */"
        loop = f"for (int n = 0; n < {self.times}; n++)\n        " if self.times > 1 else ""
        places = ", ".join(place.c for place in self.places)
        return f"{loop}{self.function}(&{self.table}, {places});"


@dataclass
class Emitter:
    """Turn the operations of one plan into constants and calls, one after the other.

    `offsets` are the places of stored tensors. `tables` gathers the constants, `calls` the
    steps, `table_bytes` what the multipliers of each layer take. `runtime` is "litert" or
    "micro": they round differently in one layer.
    """

    plan: Plan
    layout: Layout
    offsets: dict[int, int]
    runtime: str = "litert"
    tables: list[Table] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    table_bytes: dict[int, int] = field(default_factory=dict)

    def emit(self, operation: Operation) -> None:
        """Add one operation, looped where the C takes one row or image and there are more.

        Raises Unsupported for a kind, an option or a type without an integer layer.
        """
        demand(self.plan, operation)
        write = _WRITERS.get(operation.kind)
        fixed = operation.kind == "ADD" and operation.inputs[0] in self.offsets
        x, y = self.value(operation.inputs[0], stored=fixed), self.value(operation.outputs[0])
        if write is None:
            self.calls.append(Call("", "", (), 1))
            return
        function, table, content = write(self, operation, x, y)
        step = len(self.calls)
        self.tables.append(Table(table, f"layer_{step}", content))
        moving = (*operation.inputs[: 2 if table == "Sum" else 1], y.index)
        times = _times(table, x, y)
        places = tuple(self.place(index, times) for index in moving)
        self.calls.append(Call(function, f"layer_{step}", places, times))

    def place(self, index: int, times: int) -> Place:
        """Return where a tensor lies; its n-th part, where it has several."""
        if index in self.offsets:
            return Place("model_file", self.offsets[index])
        each = int(np.prod(self.plan.values[index].shape)) // times
        return Place("memory", self.layout.blocks[index].start, each if times > 1 else 0)

    def value(self, index: int, stored: bool = False) -> Value:
        """Return a tensor that has to be int8, computed or stored as asked."""
        value = self.plan.values[index]
        if value.dtype != np.int8 or value.grid is None or (index in self.offsets) != stored:
            raise Unsupported(
                f"The tensor {value.name or index} is not what plain C is made for: int8, "
                f"{'stored in the file, one byte each' if stored else 'computed'}."
            )
        return value

    def stored(self, operation: Operation, place: int) -> str:
        """Return the C expression for where an input lies in the file; 0 where there is none."""
        index = operation.inputs[place] if len(operation.inputs) > place else -1
        return f"model_file + {self.offsets[index]}" if index >= 0 else "0"

    def grid(self, by: Multiplier, operation: Operation) -> str:
        """Write the multipliers of a layer; return the initializer of its Grid."""
        out = self.plan.values[operation.outputs[0]].grid
        mantissas, shifts = np.ravel(by.mantissa), np.ravel(by.shift)
        if len(set(zip(mantissas.tolist(), shifts.tolist(), strict=True))) == 1:
            mantissas, shifts = mantissas[:1], shifts[:1]  # one scale: the table needs no more
        n = len(self.calls)
        self.tables.append(Table("int32_t", f"mantissas_{n}", mantissas))
        self.tables.append(Table("int8_t", f"shifts_{n}", shifts))
        self.table_bytes[n] = 5 * len(mantissas)  # an int32 and an int8 each
        low, high = limits(out, operation.options.get("fusedActivationFunction", 0))
        many = int(len(mantissas) > 1)
        return f"{{mantissas_{n}, shifts_{n}, {many}, {int(out.zero_point)}, {low}, {high}}}"


_Text = tuple[str, str, str]
"""A layer as C: its function, the type of its table, and the table's content."""


def _times(table: str, x: Value, y: Value) -> int:
    """Return how often a function is called: for each image of a batch, or each row."""
    if table == "Dense":
        return int(np.prod(y.shape[:-1]))
    return x.shape[0] if table in ("Filter", "Grouped", "Pool") else 1


def _braced(numbers: Iterable[int]) -> str:
    return "{" + ", ".join(str(int(number)) for number in numbers) + "}"


def _small(*numbers: int, bits: int = 16) -> str:
    """Return numbers for fields of so many bits. Raises Unsupported for one that is larger."""
    if max(numbers) >= 1 << (bits - 1):
        raise Unsupported(
            f"Plain C keeps shapes in {bits} bits, and a layer of this model has {max(numbers)}: "
            "run it with tflite.run."
        )
    return ", ".join(str(int(number)) for number in numbers)


def _shape(x: Value, size: tuple[int, int], y: Value, options: Mapping[str, Any]) -> str:
    """Return the initializer of a Shape: what comes in and goes out, and how the filter walks."""
    (_, height, width, channels), (_, rows, columns, out) = x.shape, y.shape
    strides = options["strideH"], options["strideW"]
    dilations = options.get("dilationHFactor", 1), options.get("dilationWFactor", 1)
    edges = [0, 0]
    if options["padding"] == 0:  # SAME: what hangs over is shared, the odd one goes after
        reach = [(length - 1) * step + 1 for length, step in zip(size, dilations, strict=True)]
        edges = [before for before, _ in map(same_padding, (height, width), reach, strides)]
    sizes = _small(height, width, channels, rows, columns, out, *size)
    return f"{{{sizes}, {_small(*strides, *dilations, bits=8)}, {_small(*edges)}}}"


def _filter(e: Emitter, operation: Operation, x: Value, y: Value) -> _Text:
    w = e.value(operation.inputs[1], stored=True)
    grid = e.grid(scaling(x.grid, w.grid, y.grid), operation)
    shape = _shape(x, w.shape[1:3], y, operation.options)
    stored = f"{e.stored(operation, 1)}, {e.stored(operation, 2)}"
    name = "conv2d" if operation.kind == "CONV_2D" else "depthwise_conv2d"
    if operation.kind == "CONV_2D" and w.shape[3] != x.shape[3]:
        content = f"{{{shape}, {int(x.grid.zero_point)}, {stored}, {grid}}}, {_small(w.shape[3])}"
        return "grouped_conv2d", "Grouped", content
    return name, "Filter", f"{shape}, {int(x.grid.zero_point)}, {stored}, {grid}"


def _dense(e: Emitter, operation: Operation, x: Value, y: Value) -> _Text:
    w = e.value(operation.inputs[1], stored=True)
    grid = e.grid(scaling(x.grid, w.grid, y.grid), operation)
    stored = f"{e.stored(operation, 1)}, {e.stored(operation, 2)}"
    numbers = f"{_small(w.shape[1], w.shape[0])}, {int(x.grid.zero_point)}"
    once = int(e.runtime == "litert")  # whose kernel rounds a single time
    return "fully_connected", "Dense", f"{numbers}, {stored}, {grid}, {once}"


def _pool(e: Emitter, operation: Operation, x: Value, y: Value) -> _Text:
    options = operation.options
    low, high = limits(y.grid, options["fusedActivationFunction"])
    size = (options["filterHeight"], options["filterWidth"])
    name = "average_pool" if operation.kind == "AVERAGE_POOL_2D" else "max_pool"
    return name, "Pool", f"{_shape(x, size, y, options)}, {low}, {high}"


def _add(e: Emitter, operation: Operation, x: Value, y: Value) -> _Text:
    sides = x, e.value(operation.inputs[1], stored=operation.inputs[1] in e.offsets)
    if any(side.shape != y.shape for side in sides):
        shapes = " and ".join(str(list(side.shape)) for side in sides)
        raise Unsupported(f"Plain C adds tensors of one shape only, not {shapes}.")
    *by, back = sum_scaling(sides[0].grid, sides[1].grid, y.grid)
    grid = e.grid(back, operation)
    points = _braced(side.grid.zero_point for side in sides)
    multipliers = f"{_braced(one.mantissa for one in by)}, {_braced(one.shift for one in by)}"
    return "add", "Sum", f"{int(np.prod(y.shape))}, {points}, {multipliers}, {grid}"


def _mean(e: Emitter, operation: Operation, x: Value, y: Value) -> _Text:
    axes = np.ravel(e.plan.values[operation.inputs[1]].stored)
    axes = sorted({int(axis) % len(x.shape) for axis in axes})
    if axes != list(range(axes[0], axes[-1] + 1)):
        raise Unsupported("Plain C takes means over neighbouring axes only.")
    parts = x.shape[: axes[0]], x.shape[axes[0] : axes[-1] + 1], x.shape[axes[-1] + 1 :]
    outer, count, inner = (int(np.prod(part, dtype=int)) for part in parts)
    grid = e.grid(mean_scaling(x.grid, y.grid, count), operation)
    return "mean", "Mean", f"{_small(outer, count, inner)}, {int(x.grid.zero_point)}, {grid}"


def _rescale(e: Emitter, operation: Operation, x: Value, y: Value) -> _Text:
    grid = e.grid(mean_scaling(x.grid, y.grid, 1), operation)
    return "rescale", "Rescale", f"{int(np.prod(y.shape))}, {int(x.grid.zero_point)}, {grid}"


def _pad(e: Emitter, operation: Operation, x: Value, y: Value) -> _Text:
    if len(x.shape) > 4:
        raise Unsupported(f"Plain C pads up to 4 dimensions, not {len(x.shape)}.")
    before = np.asarray(e.plan.values[operation.inputs[1]].stored)[:, 0].tolist()
    four = [[1] * (4 - len(x.shape)) + list(x.shape), [0] * (4 - len(before)) + before]
    four.append([1] * (4 - len(y.shape)) + list(y.shape))
    sizes = ", ".join(f"{{{_small(*each)}}}" for each in four)
    return "pad", "Pad", f"{sizes}, {int(y.grid.zero_point)}"


def _softmax(e: Emitter, operation: Operation, x: Value, y: Value) -> _Text:
    by, deepest = softmax_scaling(x.grid, operation.options["beta"])
    rows, classes = int(np.prod(x.shape[:-1])), x.shape[-1]
    return "softmax", "Softmax", f"{_small(rows, classes)}, {by.mantissa}, {by.shift}, {deepest}"


_WRITERS: Mapping[str, Callable[[Emitter, Operation, Value, Value], _Text]] = {
    "CONV_2D": _filter,
    "DEPTHWISE_CONV_2D": _filter,
    "FULLY_CONNECTED": _dense,
    "AVERAGE_POOL_2D": _pool,
    "MAX_POOL_2D": _pool,
    "ADD": _add,
    "MEAN": _mean,
    "PAD": _pad,
    "SOFTMAX": _softmax,
    "QUANTIZE": _rescale,
}


@dataclass(frozen=True)
class Block:
    """Bytes `start` to `start + size`, needed from step `first` to step `last`, both included."""

    start: int
    size: int
    first: int
    last: int

    def meets(self, other: Block) -> bool:
        """Tell whether both are needed at some step."""
        return self.first <= other.last and other.first <= self.last


@dataclass(frozen=True)
class Layout:
    """The block of each computed tensor by its index, and how many bytes they need together."""

    blocks: Mapping[int, Block]
    bytes: int


def lay_out(plan: Plan) -> Layout:
    """Place every computed int8 tensor of a plan. A RESHAPE moves nothing: its two ends share."""
    owner = {index: index for index in plan.inputs}
    spans: dict[int, list[int]] = {index: [-1, -1] for index in plan.inputs}
    for step, operation in enumerate(plan.operations):
        for index in operation.inputs:
            if index in owner:
                spans[owner[index]][1] = step
        output = operation.outputs[0]
        if operation.kind == "RESHAPE" and operation.inputs[0] in owner:
            owner[output] = owner[operation.inputs[0]]
        else:
            owner[output], spans[output] = output, [step, step]
    for index in plan.outputs:
        spans[owner[index]][1] = len(plan.operations)
    lengths = {index: int(np.prod(plan.values[index].shape)) for index in spans}
    sizes = {index: -(-length // _ALIGNMENT) * _ALIGNMENT for index, length in lengths.items()}
    placed: dict[int, Block] = {}
    for index in sorted(spans, key=lambda index: (-sizes[index], index)):
        wanted = Block(0, sizes[index], *spans[index])
        placed[index] = _place(wanted, placed.values())
    total = max((block.start + block.size for block in placed.values()), default=0)
    return Layout({index: placed[root] for index, root in owner.items()}, total)


def _place(wanted: Block, others: Iterable[Block]) -> Block:
    """Return the block at the lowest start at which it overlaps no other that it meets."""
    start = 0
    for other in sorted(others, key=lambda block: block.start):
        if wanted.meets(other) and start + wanted.size > other.start:
            start = max(start, other.start + other.size)
    return Block(start, wanted.size, wanted.first, wanted.last)
