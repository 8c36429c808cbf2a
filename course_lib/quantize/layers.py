"""The integer layers of a quantized model, small and readable, equal to the reference kernels.

Shapes are TensorFlow Lite's: batch, height, width, channels; filters (out, height, width, in) and
depthwise filters (1, height, width, channels). Sums of products are exact whole numbers: they are
computed with float64 matrix products, which hold every integer up to 2**53, because NumPy's own
integer products are slow. Source: tensorflow/lite/kernels/internal/reference/integer_ops.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from course_lib.quantize.fixed_point import (
    Multiplier,
    divide_by_power_of_two,
    exp_of_negative,
    high_multiply,
    multiplier,
    multipliers,
    reciprocal_of_sum,
    requantize,
    requantize_once,
)
from course_lib.quantize.grids import Affine
from course_lib.quantize.model import Value

_PADDINGS = ("SAME", "VALID")  # by their numbers in the file, as are these:
_LIMITS = ((None, None), (0.0, None), (-1.0, 1.0), (0.0, 6.0))  # none, ReLU, ReLU -1 to 1, ReLU6
_SPARE_BITS = 20  # how much finer a sum is than its summands
_FRACTION_BITS = 26  # of the exponential's argument, -32 to 0
_SUM_INTEGER_BITS = 12  # a sum of exponentials stays below 4,096


@dataclass(frozen=True)
class Window:
    """How a filter walks: strides and dilations as (down, across), padding "SAME" or "VALID"."""

    stride: tuple[int, int] = (1, 1)
    padding: str = "VALID"
    dilation: tuple[int, int] = (1, 1)


@dataclass(frozen=True, eq=False)
class Input:
    """An operation's input: the values at hand, and the tensor's description."""

    data: np.ndarray
    about: Value

    @property
    def grid(self) -> Affine:
        """The tensor's grid. Raises ValueError where it is float: there is nothing to compute."""
        if self.about.grid is None or self.about.dtype != np.int8:
            raise ValueError(
                f"The tensor {self.about.name} is {self.about.dtype}, not int8: "
                "these layers compute int8 models."
            )
        return self.about.grid


@dataclass(frozen=True, eq=False)
class Step:
    """An operation that is about to be computed; a missing input, such as no bias, is None."""

    inputs: Sequence[Input | None]
    out: Value
    options: Mapping[str, Any]
    runtime: str = "litert"

    @property
    def bias(self) -> np.ndarray | int:
        """The third input as int64, 0 where there is none."""
        return self.inputs[2].data.astype(np.int64) if self.inputs[2:] and self.inputs[2] else 0

    @property
    def window(self) -> Window:
        """How the filter walks."""
        options = self.options
        return Window(
            (options["strideH"], options["strideW"]),
            _PADDINGS[options["padding"]],
            (options.get("dilationHFactor", 1), options.get("dilationWFactor", 1)),
        )

    def finish(self, values: np.ndarray) -> np.ndarray:
        """Move by the zero point, then apply the activation and saturate; int8."""
        return self.clamp(values + self.out.grid.zero_point)

    def shaped(self, values: np.ndarray) -> np.ndarray:
        """Return `values` in the output's shape; of many clips, each in that of its rows."""
        shape = self.out.shape
        return values.reshape(shape if values.size == math.prod(shape) else (-1, *shape[1:]))

    def clamp(self, values: np.ndarray) -> np.ndarray:
        """Cut off what the activation forbids and what int8 cannot hold."""
        low, high = limits(self.out.grid, self.options.get("fusedActivationFunction", 0))
        return np.clip(values, low, high).astype(self.out.grid.dtype)


def limits(grid: Affine, activation: int = 0) -> tuple[int, int]:
    """Return the lowest and highest integer that an activation, by its number, lets through.

    In integers, a ReLU is nothing but another limit. Raises ValueError for an unknown number.
    """
    if not 0 <= activation < len(_LIMITS):
        raise ValueError(f"The activation number {activation} has no integer form: use a ReLU.")
    bounds = zip(_LIMITS[activation], (grid.lowest, grid.highest), strict=True)
    low, high = (bound if real is None else int(grid.quantize(real)) for real, bound in bounds)
    return low, high


def accumulate(
    x: np.ndarray,
    zero_point: int,
    weights: np.ndarray,
    bias: np.ndarray | int | None,
    window: Window = Window(),
) -> np.ndarray:
    """Return the sums of a convolution before they are scaled: (n, h', w', out) int64.

    `x` (n, h, w, in) int8, `weights` (out, height, width, in) int8. Every sum fits 32 bits on the
    device. Where the filter hangs over the edge it meets stored zero points, that is, zeros.
    """
    patches = _patches(np.asarray(x, np.int64) - zero_point, weights.shape[1:3], window)
    rows = patches.reshape(*patches.shape[:3], -1).astype(np.float64)
    columns = weights.reshape(len(weights), -1).T.astype(np.float64)
    sums = np.rint(rows @ columns).astype(np.int64)
    return sums if bias is None else sums + bias


def softmax(x: np.ndarray, x_grid: Affine, out_grid: Affine, beta: float = 1.0) -> np.ndarray:
    """Return probabilities along the last axis, int8, of logits (n, classes) int8.

    There is not one floating-point number in it. The output's grid is the kernels' fixed one:
    scale 1/256, zero point -128. Logits more than about 31 below the largest one count as
    probability 0. Raises ValueError for another grid.
    """
    if np.float32(out_grid.scale) != np.float32(1 / 256) or out_grid.zero_point != -128:
        raise ValueError(
            "An int8 softmax answers on the grid with scale 1/256 and zero point "
            "-128: convert the model with the standard converter."
        )
    x = np.asarray(x, np.int64)
    below = x - x.max(axis=-1, keepdims=True)
    factor, deepest = softmax_scaling(x_grid, beta)
    counts = below >= deepest
    scaled = high_multiply(np.where(counts, below, 0) << factor.shift, factor.mantissa)
    powers = exp_of_negative(scaled, _FRACTION_BITS)
    summands = divide_by_power_of_two(powers, _SUM_INTEGER_BITS)
    total = np.where(counts, summands, 0).sum(axis=-1, keepdims=True)
    inverse, spare_bits = reciprocal_of_sum(total, _SUM_INTEGER_BITS)
    shares = divide_by_power_of_two(high_multiply(inverse, powers), spare_bits + 31 - 8)
    return np.clip(np.where(counts, shares - 128, -128), -128, 127).astype(np.int8)


def softmax_scaling(x_grid: Affine, beta: float) -> tuple[Multiplier, int]:
    """Return what turns differences of logits into the exponential's argument, and the lowest."""
    largest = float((1 << 31) - 1)
    factor = multiplier(min(beta * _double(x_grid.scale) * (1 << _FRACTION_BITS), largest))
    return factor, -math.floor(31 * 2.0 ** (_FRACTION_BITS - factor.shift))


def scaling(x: Affine, weights: Affine, out: Affine) -> Multiplier:
    """Return input times weight over output scale, one for each channel, in float64."""
    steps = np.float32(weights.scale).astype(np.float64)
    return multipliers(_double(x.scale) * steps / _double(out.scale))


def mean_scaling(x_grid: Affine, out_grid: Affine, count: int) -> Multiplier:
    """Return the multiplier of a sum of `count` values, with the division folded into it.

    Of one value, it is the way from one grid to another.
    """
    by = multiplier(_double(x_grid.scale) / _double(out_grid.scale))
    shift = min(count.bit_length() - 1, 32, 31 + by.shift)
    return Multiplier((by.mantissa << shift) // count, by.shift - shift)


def sum_scaling(a: Affine, b: Affine, out: Affine) -> tuple[Multiplier, Multiplier, Multiplier]:
    """Return the multipliers of an addition: each side's to a grid with 20 more bits, and back."""
    coarse = 2 * max(_double(a.scale), _double(b.scale))
    sides = (multiplier(_double(grid.scale) / coarse) for grid in (a, b))
    return *sides, multiplier(coarse / ((1 << _SPARE_BITS) * _double(out.scale)))


def _conv2d(step: Step) -> np.ndarray:
    x, weights = step.inputs[:2]
    groups = x.data.shape[3] // weights.data.shape[3]
    parts = zip(np.split(x.data, groups, 3), np.split(weights.data, groups), strict=True)
    sums = [accumulate(part, x.grid.zero_point, w, None, step.window) for part, w in parts]
    sums = np.concatenate(sums, axis=3) + step.bias
    return step.finish(requantize(sums, scaling(x.grid, weights.grid, step.out.grid)))


def _depthwise_conv2d(step: Step) -> np.ndarray:
    """Every channel has m filters of its own, and their m outputs lie side by side."""
    x, weights = step.inputs[:2]
    centred = x.data.astype(np.int64) - x.grid.zero_point
    patches = _patches(centred, weights.data.shape[1:3], step.window)
    filters = weights.data.reshape(*weights.data.shape[1:3], x.data.shape[3], -1).astype(np.int64)
    sums = np.einsum("nyxhwc,hwcm->nyxcm", patches, filters)
    sums = sums.reshape(*sums.shape[:3], -1)
    by = scaling(x.grid, weights.grid, step.out.grid)
    return step.finish(requantize(sums + step.bias, by))


def _fully_connected(step: Step) -> np.ndarray:
    """Multiply and round; LiteRT's kernel rounds once, TensorFlow Lite Micro's twice."""
    x, weights = step.inputs[:2]
    rows = (x.data.astype(np.int64) - x.grid.zero_point).reshape(-1, weights.data.shape[1])
    sums = np.rint(rows.astype(np.float64) @ weights.data.T.astype(np.float64)).astype(np.int64)
    scale_down = requantize_once if step.runtime == "litert" else requantize
    by = scaling(x.grid, weights.grid, step.out.grid)
    return step.shaped(step.finish(scale_down(sums + step.bias, by)))


def _average_pool(step: Step) -> np.ndarray:
    """Only the part of a window that lies inside the input counts; halves go away from zero."""
    x = step.inputs[0].data.astype(np.int64)
    size = step.options["filterHeight"], step.options["filterWidth"]
    sums = _patches(x, size, step.window).sum(axis=(3, 4))
    counts = _patches(np.ones_like(x), size, step.window).sum(axis=(3, 4))
    return step.clamp(np.sign(sums) * ((np.abs(sums) + counts // 2) // counts))


def _max_pool(step: Step) -> np.ndarray:
    x = step.inputs[0].data.astype(np.int64) + 128  # so that padding is lowest
    size = step.options["filterHeight"], step.options["filterWidth"]
    return step.clamp(_patches(x, size, step.window).max(axis=(3, 4)) - 128)


def _mean(step: Step) -> np.ndarray:
    x, axes = step.inputs[0], np.ravel(step.inputs[1].data)
    axes = tuple({int(axis) % x.data.ndim for axis in axes})
    count = int(np.prod([x.data.shape[axis] for axis in axes]))
    sums = x.data.astype(np.int64).sum(axis=axes, keepdims=bool(step.options.get("keepDims")))
    by = mean_scaling(x.grid, step.out.grid, count)
    return step.finish(requantize(sums - count * x.grid.zero_point, by))


def _add(step: Step) -> np.ndarray:
    grids = [side.grid for side in step.inputs]
    *scalings, back = sum_scaling(*grids, step.out.grid)
    total = sum(
        requantize((side.data.astype(np.int64) - side.grid.zero_point) << _SPARE_BITS, by)
        for side, by in zip(step.inputs, scalings, strict=True)
    )
    return step.finish(requantize(total, back))


def _pad(step: Step) -> np.ndarray:
    x, widths = step.inputs
    return np.pad(x.data, widths.data, constant_values=step.out.grid.zero_point)


def _reshape(step: Step) -> np.ndarray:
    return step.shaped(step.inputs[0].data)


def _softmax(step: Step) -> np.ndarray:
    x = step.inputs[0]
    return softmax(x.data, x.grid, step.out.grid, step.options["beta"])


def _quantize(step: Step) -> np.ndarray:
    """Put floats on a grid, or stored integers on another one."""
    x, grid = step.inputs[0], step.out.grid
    if x.about.dtype.kind == "f":
        return grid.quantize(x.data)
    by = mean_scaling(x.grid, grid, 1)
    return step.finish(requantize(x.data.astype(np.int64) - x.grid.zero_point, by))


def _dequantize(step: Step) -> np.ndarray:
    return step.inputs[0].grid.dequantize(step.inputs[0].data)


LAYERS: Mapping[str, Callable[[Step], np.ndarray]] = {
    "CONV_2D": _conv2d,
    "DEPTHWISE_CONV_2D": _depthwise_conv2d,
    "FULLY_CONNECTED": _fully_connected,
    "AVERAGE_POOL_2D": _average_pool,
    "MAX_POOL_2D": _max_pool,
    "MEAN": _mean,
    "ADD": _add,
    "PAD": _pad,
    "RESHAPE": _reshape,
    "SOFTMAX": _softmax,
    "QUANTIZE": _quantize,
    "DEQUANTIZE": _dequantize,
}
"""The function of each kind of operation that there is an integer layer for."""


def _double(scale: np.ndarray | float) -> float:
    """Return a stored float32 scale as a float64, as the kernels read it."""
    return float(np.float32(scale))


def _patches(x: np.ndarray, size: tuple[int, int], window: Window) -> np.ndarray:
    """Return what the filter sees at each place, (n, h', w', filter h, filter w, channels)."""
    reach = [(length - 1) * step + 1 for length, step in zip(size, window.dilation, strict=True)]
    if window.padding == "SAME":
        edges = map(same_padding, x.shape[1:3], reach, window.stride)
        x = np.pad(x, [(0, 0), *edges, (0, 0)])
    views = np.lib.stride_tricks.sliding_window_view(x, reach, axis=(1, 2))
    (down, across), (deep, wide) = window.stride, window.dilation
    return views[:, ::down, ::across, :, ::deep, ::wide].transpose(0, 1, 2, 4, 5, 3)


def same_padding(length: int, reach: int, stride: int) -> tuple[int, int]:
    """Return how much "SAME" pads before and after; the odd one goes after."""
    places = -(-length // stride)
    total = max(0, (places - 1) * stride + reach - length)
    return total // 2, total - total // 2
