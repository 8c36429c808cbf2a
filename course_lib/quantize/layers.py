"""The integer layers of a quantized model, small and readable, equal to the reference kernels.

Shapes are TensorFlow Lite's: batch, height, width, channels; filters (out, height, width, in) and
depthwise filters (1, height, width, channels). Sums of products are exact whole numbers: they are
computed with float64 matrix products, which hold every integer up to 2**53, because NumPy's own
integer products are slow. Source: tensorflow/lite/kernels/internal/reference/integer_ops.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from course_lib.quantize.affine import Affine
from course_lib.quantize.fixed_point import (
    Multiplier,
    multiplier,
    multipliers,
    requantize,
    requantize_once,
)


@dataclass(frozen=True)
class Window:
    """How a filter walks: strides and dilations as (down, across), padding "SAME" or "VALID"."""

    stride: tuple[int, int] = (1, 1)
    padding: str = "VALID"
    dilation: tuple[int, int] = (1, 1)


def conv2d(
    x: np.ndarray,
    x_grid: Affine,
    weights: np.ndarray,
    weight_grid: Affine,
    bias: np.ndarray | None,
    out_grid: Affine,
    window: Window = Window(),
    activation: str = "NONE",
) -> np.ndarray:
    """Return the int8 output of a convolution: (n, h, w, in) int8 to (n, h', w', out) int8."""
    accumulator = accumulate(x, x_grid.zero_point, weights, bias, window)
    by = multipliers(_ratio(x_grid.scale, weight_grid.scale, out_grid.scale))
    return _finish(requantize(accumulator, by), out_grid, activation)


def accumulate(
    x: np.ndarray,
    zero_point: int,
    weights: np.ndarray,
    bias: np.ndarray | None,
    window: Window = Window(),
) -> np.ndarray:
    """Return the sums of a convolution before they are scaled: (n, h', w', out) int64.

    Every sum fits 32 bits on the device. Where the filter hangs over the edge it meets stored
    zero points, that is, zeros.
    """
    patches = _patches(np.asarray(x, np.int64) - zero_point, weights.shape[1:3], window)
    rows = patches.reshape(*patches.shape[:3], -1).astype(np.float64)
    columns = weights.reshape(len(weights), -1).T.astype(np.float64)
    sums = np.rint(rows @ columns).astype(np.int64)
    return sums if bias is None else sums + bias


def depthwise_conv2d(
    x: np.ndarray,
    x_grid: Affine,
    weights: np.ndarray,
    weight_grid: Affine,
    bias: np.ndarray | None,
    out_grid: Affine,
    window: Window = Window(),
    activation: str = "NONE",
) -> np.ndarray:
    """Return the int8 output of a depthwise convolution: every channel has filters of its own.

    With m filters a channel, (n, h, w, c) int8 becomes (n, h', w', c * m) int8; the m outputs of
    one channel lie side by side.
    """
    channels = x.shape[3]
    patches = _patches(np.asarray(x, np.int64) - x_grid.zero_point, weights.shape[1:3], window)
    filters = weights.reshape(*weights.shape[1:3], channels, -1).astype(np.int64)
    sums = np.einsum("nyxhwc,hwcm->nyxcm", patches, filters)
    sums = sums.reshape(*sums.shape[:3], -1)
    by = multipliers(_ratio(x_grid.scale, weight_grid.scale, out_grid.scale))
    return _finish(requantize(sums if bias is None else sums + bias, by), out_grid, activation)


def fully_connected(
    x: np.ndarray,
    x_grid: Affine,
    weights: np.ndarray,
    weight_grid: Affine,
    bias: np.ndarray | None,
    out_grid: Affine,
    activation: str = "NONE",
    runtime: str = "litert",
) -> np.ndarray:
    """Return the int8 output of a dense layer: (n, in) int8 by (out, in) int8 to (n, out) int8.

    Here the runtimes differ: LiteRT's kernel rounds once, TensorFlow Lite Micro's ("micro") twice,
    so that about one output in 300 is a step apart.
    """
    centred = (np.asarray(x, np.int64) - x_grid.zero_point).reshape(-1, weights.shape[1])
    sums = np.rint(centred.astype(np.float64) @ weights.T.astype(np.float64)).astype(np.int64)
    by = multipliers(_ratio(x_grid.scale, weight_grid.scale, out_grid.scale))
    scale_down = requantize_once if runtime == "litert" else requantize
    return _finish(scale_down(sums if bias is None else sums + bias, by), out_grid, activation)


def average_pool(
    x: np.ndarray, size: tuple[int, int], window: Window, grid: Affine, activation: str = "NONE"
) -> np.ndarray:
    """Return the mean of each window, halves away from zero, int8; input and output share a grid.

    Only the part of a window that lies inside the input counts.
    """
    x = np.asarray(x, np.int64)
    sums = _patches(x, size, window).sum(axis=(3, 4))
    counts = _patches(np.ones_like(x), size, window).sum(axis=(3, 4))
    return _clamp(_divide_half_away(sums, counts), grid, activation)


def max_pool(
    x: np.ndarray, size: tuple[int, int], window: Window, grid: Affine, activation: str = "NONE"
) -> np.ndarray:
    """Return the largest value of each window, int8; input and output share a grid."""
    patches = _patches(np.asarray(x, np.int64) + 128, size, window)  # so that padding is lowest
    return _clamp(patches.max(axis=(3, 4)) - 128, grid, activation)


def mean(
    x: np.ndarray,
    x_grid: Affine,
    out_grid: Affine,
    axes: Sequence[int],
    keep_dimensions: bool = False,
) -> np.ndarray:
    """Return the mean over `axes`, int8. The division is folded into the integer multiplier."""
    x = np.asarray(x, np.int64)
    count = int(np.prod([x.shape[axis] for axis in axes]))
    by = multiplier(float(np.float32(x_grid.scale)) / float(np.float32(out_grid.scale)))
    shift = min(count.bit_length() - 1, 32, 31 + by.shift)
    folded = Multiplier((by.mantissa << shift) // count, by.shift - shift)
    sums = x.sum(axis=tuple(axes), keepdims=keep_dimensions) - count * x_grid.zero_point
    return _finish(requantize(sums, folded), out_grid, "NONE")


def add(
    a: np.ndarray,
    a_grid: Affine,
    b: np.ndarray,
    b_grid: Affine,
    out_grid: Affine,
    activation: str = "NONE",
) -> np.ndarray:
    """Return a + b, int8: both sides are first brought to one grid with 20 more bits."""
    spare_bits = 20
    coarse = 2 * max(_double(a_grid.scale), _double(b_grid.scale))
    total = sum(
        requantize(
            (np.asarray(side, np.int64) - grid.zero_point) << spare_bits,
            multiplier(_double(grid.scale) / coarse),
        )
        for side, grid in ((a, a_grid), (b, b_grid))
    )
    by = multiplier(coarse / ((1 << spare_bits) * _double(out_grid.scale)))
    return _finish(requantize(total, by), out_grid, activation)


def rescale(x: np.ndarray, x_grid: Affine, out_grid: Affine) -> np.ndarray:
    """Return the same numbers on another grid, int8."""
    by = multiplier(_double(x_grid.scale) / _double(out_grid.scale))
    return _finish(requantize(np.asarray(x, np.int64) - x_grid.zero_point, by), out_grid, "NONE")


def _double(scale: np.ndarray | float) -> float:
    """Return a stored float32 scale as a float64, as the kernels read it."""
    return float(np.float32(scale))


def _ratio(x_scale, weight_scale, out_scale) -> np.ndarray:
    """Return x * weight / out in float64 from the stored float32 scales, one for each channel."""
    return _double(x_scale) * np.float32(weight_scale).astype(np.float64) / _double(out_scale)


def _finish(values: np.ndarray, grid: Affine, activation: str) -> np.ndarray:
    """Move by the zero point, then apply the activation and saturate; int8."""
    return _clamp(values + grid.zero_point, grid, activation)


def _clamp(values: np.ndarray, grid: Affine, activation: str) -> np.ndarray:
    """Cut off what the activation forbids: in integers, a ReLU is nothing but another limit."""
    limits = {
        "NONE": (None, None),
        "RELU": (0.0, None),
        "RELU6": (0.0, 6.0),
        "RELU_N1_TO_1": (-1.0, 1.0),
    }
    if activation not in limits:
        raise ValueError(f"The activation {activation} is not one of {', '.join(limits)}.")
    low, high = (
        bound if real is None else int(grid.quantize(real))
        for real, bound in zip(limits[activation], (grid.lowest, grid.highest), strict=True)
    )
    return np.clip(values, low, high).astype(grid.dtype)


def _divide_half_away(values: np.ndarray, counts: np.ndarray) -> np.ndarray:
    return np.sign(values) * ((np.abs(values) + counts // 2) // counts)


def _patches(x: np.ndarray, size: tuple[int, int], window: Window) -> np.ndarray:
    """Return what the filter sees at each place, (n, h', w', filter h, filter w, channels)."""
    reach = [(length - 1) * step + 1 for length, step in zip(size, window.dilation, strict=True)]
    if window.padding == "SAME":
        x = np.pad(x, [(0, 0), *map(_same, x.shape[1:3], reach, window.stride), (0, 0)])
    views = np.lib.stride_tricks.sliding_window_view(x, reach, axis=(1, 2))
    views = views[
        :, :: window.stride[0], :: window.stride[1], :, :: window.dilation[0], :: window.dilation[1]
    ]
    return views.transpose(0, 1, 2, 4, 5, 3)


def _same(length: int, reach: int, stride: int) -> tuple[int, int]:
    """Return how much "SAME" pads before and after; the odd one goes after."""
    places = -(-length // stride)
    total = max(0, (places - 1) * stride + reach - length)
    return total // 2, total - total // 2
