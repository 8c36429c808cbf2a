"""Numbers on a grid: scale, zero point, rounding and saturation.

A stored integer q stands for the number scale * (q - zero_point). Everything else in this package
follows from that line. Source: B. Jacob and others, "Quantization and Training of Neural Networks
for Efficient Integer-Arithmetic-Only Inference", CVPR 2018; TensorFlow Lite's 8-bit specification.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Affine:
    """The grid of one tensor: float32 `scale`, whole `zero_point`, lowest and highest integer.

    Per channel, `scale` holds one value for each slice along `axis`; it is a number otherwise.
    """

    scale: np.ndarray | float
    zero_point: np.ndarray | int = 0
    lowest: int = -128
    highest: int = 127
    axis: int | None = None

    def quantize(self, values: np.ndarray) -> np.ndarray:
        """Return the integers, int8 (or int16 for 16 bits), that stand nearest to `values`.

        Divide, round halves away from zero, move by the zero point, saturate.
        """
        values = np.asarray(values, np.float32)
        scale, zero_point = self._fitted(values.ndim)
        whole = round_half_away(values / scale) + zero_point
        return np.clip(whole, self.lowest, self.highest).astype(self.dtype)

    def dequantize(self, integers: np.ndarray) -> np.ndarray:
        """Return the float32 numbers that `integers` stand for."""
        integers = np.asarray(integers)
        scale, zero_point = self._fitted(integers.ndim)
        return (scale * (integers.astype(np.int64) - zero_point)).astype(np.float32)

    def round_trip(self, values: np.ndarray) -> np.ndarray:
        """Return `values` as they come back after being stored: float32, same shape."""
        return self.dequantize(self.quantize(values))

    @property
    def dtype(self) -> np.dtype:
        """The type that one stored integer takes: int8, or int16 where 8 bits do not suffice."""
        return np.dtype(np.int8 if self.highest < 128 else np.int16)

    @property
    def levels(self) -> np.ndarray:
        """Every number that can be stored, ascending, float32 (per tensor only)."""
        if self.axis is not None:
            raise ValueError(
                "A grid per channel has levels of its own in every channel: "
                "look at one channel at a time."
            )
        return self.dequantize(np.arange(self.lowest, self.highest + 1))

    @property
    def range(self) -> tuple[float, float]:
        """The smallest and the largest number that can be stored (per tensor only)."""
        levels = self.levels
        return float(levels[0]), float(levels[-1])

    def _fitted(self, dimensions: int) -> tuple[np.ndarray, np.ndarray]:
        """Return scale and zero point, shaped so that they meet the right axis of a tensor."""
        scale, zero_point = np.float32(self.scale), np.asarray(self.zero_point, np.int64)
        if self.axis is None:
            return scale, zero_point
        shape = [1] * dimensions
        shape[self.axis] = -1
        return scale.reshape(shape), np.broadcast_to(zero_point, scale.shape).reshape(shape)


def round_half_away(values: np.ndarray) -> np.ndarray:
    """Round to the nearest whole number, halves away from zero, as the kernels do; int64.

    Python's and NumPy's own `round` send halves to the even neighbour: round(2.5) is 2, here 3.
    """
    values = np.asarray(values)
    return (np.sign(values) * np.floor(np.abs(values) + 0.5)).astype(np.int64)


def affine(low: float, high: float, bits: int = 8) -> Affine:
    """Return the grid that covers low to high: for the values that flow through a model.

    The range is first widened to hold 0, because padding and ReLU need an exact zero; the zero
    point is rounded, which moves both ends by up to half a step. Raises ValueError for an empty or
    infinite range.
    """
    low, high = float(np.minimum(low, 0)), float(np.maximum(high, 0))  # these keep a nan
    if not np.isfinite([low, high]).all() or low == high:
        raise ValueError(
            f"The range {low:g} to {high:g} has no width: give two different, finite ends."
        )
    lowest, highest = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    scale = (high - low) / (highest - lowest)
    zero_point = int(round_half_away(lowest - low / scale))
    return Affine(np.float32(scale), int(np.clip(zero_point, lowest, highest)), lowest, highest)


def symmetric(peak: float, bits: int = 8) -> Affine:
    """Return the grid from -peak to peak with zero point 0: for weights.

    The lowest integer (-128 of 8 bits) stays unused, so that both sides are equally long and a
    product with a weight needs no correction. Raises ValueError unless peak is above 0.
    """
    if not np.isfinite(peak) or peak <= 0:
        raise ValueError(f"The largest weight is {peak:g}: a scale needs one above 0.")
    highest = 2 ** (bits - 1) - 1
    return Affine(np.float32(peak / highest), 0, -highest, highest)


def per_channel(weights: np.ndarray, axis: int = 0, bits: int = 8) -> Affine:
    """Return a symmetric grid with a scale of its own for each slice of `weights` along `axis`."""
    weights = np.asarray(weights)
    others = tuple(index for index in range(weights.ndim) if index != axis % weights.ndim)
    peaks = np.abs(weights).max(axis=others)
    highest = 2 ** (bits - 1) - 1
    scales = np.where(peaks > 0, peaks, 1).astype(np.float32) / np.float32(highest)
    return Affine(scales, 0, -highest, highest, axis % weights.ndim)


def sqnr_db(exact: np.ndarray, approximate: np.ndarray) -> float:
    """Return how far the signal stands above the rounding noise, in decibels; inf for no noise.

    6 dB are one bit. Source: the usual definition, 10 log10 of the ratio of the two energies.
    """
    exact = np.asarray(exact, np.float64)
    noise = np.sum((exact - approximate) ** 2)
    signal = np.sum(exact**2)
    if noise == 0:
        return float("inf")
    return float(10 * np.log10(signal / noise)) if signal else float("-inf")
