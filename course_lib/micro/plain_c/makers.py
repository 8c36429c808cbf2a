"""Each operation of a plan as C: a constant table for its layer, and the call that runs it."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from course_lib.micro.plain_c.emit import Emitter, Unsupported, limits
from course_lib.quantize import Multiplier, Operation, Value, multiplier, multipliers


def emit(e: Emitter, operation: Operation) -> None:
    """Add one operation. Raises Unsupported for a kind or a type without an integer layer."""
    make = MAKERS.get(operation.kind)
    if make is None:
        raise Unsupported(f"There is no plain C for {operation.kind}, only for {', '.join(KINDS)}.")
    e.calls.append(make(e, operation))


def double(scale) -> np.ndarray:
    """Return stored float32 scales as float64, as the kernels read them."""
    return np.asarray(np.float32(scale), np.float64)


def shape(x: Value, size: tuple[int, int], y: Value, options) -> str:
    """Return the initializer of a Shape: what comes in and goes out, and how the filter walks."""
    (_, height, width, channels), (_, rows, columns, out) = x.shape, y.shape
    strides = options["strideH"], options["strideW"]
    dilations = options.get("dilationHFactor", 1), options.get("dilationWFactor", 1)
    edges = (0, 0)
    if options["padding"] == 0:  # SAME
        places, inputs = (rows, columns), (height, width)
        edges = tuple(
            max(0, (place - 1) * stride + (length - 1) * dilation + 1 - full) // 2
            for place, stride, length, dilation, full in zip(
                places, strides, size, dilations, inputs, strict=True
            )
        )
    numbers = (height, width, channels, rows, columns, out, *size, *strides, *dilations, *edges)
    return "{" + ", ".join(map(str, numbers)) + "}"


def _filter(e: Emitter, operation: Operation) -> str:
    x, w = e.value(operation.inputs[0]), e.value(operation.inputs[1], stored=True)
    y = e.value(operation.outputs[0])
    bias = operation.inputs[2] if len(operation.inputs) > 2 else -1
    by = multipliers(double(x.grid.scale) * double(w.grid.scale) / double(y.grid.scale))
    grid = e.grid(by, y.grid, operation.options["fusedActivationFunction"])
    content = (
        f"{shape(x, w.shape[1:3], y, operation.options)}, {int(x.grid.zero_point)}, "
        f"{e.stored(operation.inputs[1])}, {e.stored(bias)}, {grid}"
    )
    name = "conv2d" if operation.kind == "CONV_2D" else "depthwise_conv2d"
    return f"{name}({e.table('Filter', content)}, {e.at(x.index)}, {e.at(y.index)});"


def _dense(e: Emitter, operation: Operation) -> str:
    x, w = e.value(operation.inputs[0]), e.value(operation.inputs[1], stored=True)
    y = e.value(operation.outputs[0])
    bias = operation.inputs[2] if len(operation.inputs) > 2 else -1
    if np.prod(x.shape) != w.shape[1]:
        raise Unsupported("Plain C multiplies one row at a time: convert with a batch of one.")
    by = multipliers(double(x.grid.scale) * double(w.grid.scale) / double(y.grid.scale))
    grid = e.grid(by, y.grid, operation.options["fusedActivationFunction"])
    content = (
        f"{w.shape[1]}, {w.shape[0]}, {int(x.grid.zero_point)}, {e.stored(operation.inputs[1])}, "
        f"{e.stored(bias)}, {grid}, {int(e.runtime == 'litert')}"
    )
    return f"fully_connected({e.table('Dense', content)}, {e.at(x.index)}, {e.at(y.index)});"


def _pool(e: Emitter, operation: Operation) -> str:
    x, y, options = e.value(operation.inputs[0]), e.value(operation.outputs[0]), operation.options
    low, high = limits(y.grid, options["fusedActivationFunction"])
    size = (options["filterHeight"], options["filterWidth"])
    table = e.table("Pool", f"{shape(x, size, y, options)}, {low}, {high}")
    name = "average_pool" if operation.kind == "AVERAGE_POOL_2D" else "max_pool"
    return f"{name}({table}, {e.at(x.index)}, {e.at(y.index)});"


def _add(e: Emitter, operation: Operation) -> str:
    sides = [e.value(index) for index in operation.inputs]
    y = e.value(operation.outputs[0])
    if any(side.shape != y.shape for side in sides):
        raise Unsupported("Plain C adds tensors of one shape only.")
    coarse = 2 * max(float(double(side.grid.scale)) for side in sides)
    by = [multiplier(float(double(side.grid.scale)) / coarse) for side in sides]
    ratio = coarse / ((1 << 20) * float(double(y.grid.scale)))
    grid = e.grid(multiplier(ratio), y.grid, operation.options["fusedActivationFunction"])
    pairs = [
        ", ".join(str(int(number)) for number in numbers)
        for numbers in (
            [side.grid.zero_point for side in sides],
            [each.mantissa for each in by],
            [each.shift for each in by],
        )
    ]
    inner = ", ".join(f"{{{pair}}}" for pair in pairs)
    table = e.table("Sum", f"{int(np.prod(y.shape))}, {inner}, {grid}")
    return f"add({table}, {e.at(sides[0].index)}, {e.at(sides[1].index)}, {e.at(y.index)});"


def _mean(e: Emitter, operation: Operation) -> str:
    x, y = e.value(operation.inputs[0]), e.value(operation.outputs[0])
    axes = sorted(
        int(axis) % len(x.shape) for axis in np.ravel(e.plan.values[operation.inputs[1]].stored)
    )
    if not axes or axes != list(range(axes[0], axes[-1] + 1)):
        raise Unsupported("Plain C takes means over neighbouring axes only.")
    outer, count, inner = (
        int(np.prod(part, dtype=int))
        for part in (x.shape[: axes[0]], x.shape[axes[0] : axes[-1] + 1], x.shape[axes[-1] + 1 :])
    )
    by = multiplier(float(double(x.grid.scale)) / float(double(y.grid.scale)))
    moved = min(count.bit_length() - 1, 32, 31 + by.shift)
    grid = e.grid(Multiplier((by.mantissa << moved) // count, by.shift - moved), y.grid)
    table = e.table("Mean", f"{outer}, {count}, {inner}, {int(x.grid.zero_point)}, {grid}")
    return f"mean({table}, {e.at(x.index)}, {e.at(y.index)});"


def _rescale(e: Emitter, operation: Operation) -> str:
    x, y = e.value(operation.inputs[0]), e.value(operation.outputs[0])
    grid = e.grid(multiplier(float(double(x.grid.scale) / double(y.grid.scale))), y.grid)
    table = e.table("Rescale", f"{int(np.prod(y.shape))}, {int(x.grid.zero_point)}, {grid}")
    return f"rescale({table}, {e.at(x.index)}, {e.at(y.index)});"


def _pad(e: Emitter, operation: Operation) -> str:
    x, y = e.value(operation.inputs[0]), e.value(operation.outputs[0])
    before = np.asarray(e.plan.values[operation.inputs[1]].stored)[:, 0].tolist()
    four = [[1] * (4 - len(x.shape)) + list(x.shape), [0] * (4 - len(before)) + before]
    four.append([1] * (4 - len(y.shape)) + list(y.shape))
    inner = ", ".join("{" + ", ".join(map(str, numbers)) + "}" for numbers in four)
    table = e.table("Pad", f"{inner}, {int(x.grid.zero_point)}")
    return f"pad({table}, {e.at(x.index)}, {e.at(y.index)});"


def _reshape(e: Emitter, operation: Operation) -> str:
    e.value(operation.inputs[0])
    return "/* the same bytes under another shape */"


def _softmax(e: Emitter, operation: Operation) -> str:
    x, y = e.value(operation.inputs[0]), e.value(operation.outputs[0])
    if np.float32(y.grid.scale) != np.float32(1 / 256) or y.grid.zero_point != -128:
        raise Unsupported("An int8 softmax answers with scale 1/256 and zero point -128.")
    real = operation.options["beta"] * float(double(x.grid.scale)) * (1 << 26)
    by = multiplier(min(real, float((1 << 31) - 1)))
    deepest = -math.floor(31 * 2.0 ** (26 - by.shift))
    classes = x.shape[-1]
    rows = int(np.prod(x.shape)) // classes
    table = e.table("Softmax", f"{rows}, {classes}, {by.mantissa}, {by.shift}, {deepest}")
    return f"softmax({table}, {e.at(x.index)}, {e.at(y.index)});"


MAKERS: dict[str, Callable[[Emitter, Operation], str]] = {
    "CONV_2D": _filter,
    "DEPTHWISE_CONV_2D": _filter,
    "FULLY_CONNECTED": _dense,
    "AVERAGE_POOL_2D": _pool,
    "MAX_POOL_2D": _pool,
    "ADD": _add,
    "MEAN": _mean,
    "PAD": _pad,
    "RESHAPE": _reshape,
    "SOFTMAX": _softmax,
    "QUANTIZE": _rescale,
}

KINDS = tuple(MAKERS)
"""The operations that there is plain C for."""
