"""A softmax without one floating-point number: exponentials and a reciprocal in fixed point.

A number in 32 bits with k integer bits is stored as number * 2**(31 - k). The exponential of a
negative number is a short polynomial near -1/8 and a product of stored constants; the reciprocal
is three Newton steps. Source: gemmlowp's fixedpoint.h and TensorFlow Lite's reference Softmax.
"""

from __future__ import annotations

import math

import numpy as np

from course_lib.quantize.affine import Affine
from course_lib.quantize.fixed_point import (
    INT32_MAX,
    INT32_MIN,
    divide_by_power_of_two,
    high_multiply,
    multiplier,
)

INPUT_INTEGER_BITS = 5  # exp() is asked for numbers from -32 to 0
SUM_INTEGER_BITS = 12  # a sum of exponentials stays below 4,096
INPUT_FRACTION_BITS = 31 - INPUT_INTEGER_BITS


def softmax(x: np.ndarray, x_grid: Affine, out_grid: Affine, beta: float = 1.0) -> np.ndarray:
    """Return probabilities along the last axis, int8, of logits (n, classes) int8.

    The output's grid is the kernels' fixed one: scale 1/256, zero point -128. Logits more than
    about 31 below the largest one count as probability 0. Raises ValueError for another grid.
    """
    if np.float32(out_grid.scale) != np.float32(1 / 256) or out_grid.zero_point != -128:
        raise ValueError(
            "An int8 softmax answers on the grid with scale 1/256 and zero point "
            "-128: convert the model with the standard converter."
        )
    x = np.asarray(x, np.int64)
    below = x - x.max(axis=-1, keepdims=True)
    largest = float((1 << 31) - 1)
    factor = multiplier(
        min(beta * float(np.float32(x_grid.scale)) * (1 << INPUT_FRACTION_BITS), largest)
    )
    deepest = -math.floor(31 * 2.0 ** (INPUT_FRACTION_BITS - factor.shift))
    counts = below >= deepest
    scaled = high_multiply(np.where(counts, below, 0) << factor.shift, factor.mantissa)
    powers = exp_of_negative(scaled)
    summands = divide_by_power_of_two(powers, SUM_INTEGER_BITS)
    total = np.where(counts, summands, 0).sum(axis=-1, keepdims=True)
    inverse, spare_bits = reciprocal_of_sum(total)
    shares = divide_by_power_of_two(high_multiply(inverse, powers), spare_bits + 31 - 8)
    return np.clip(np.where(counts, shares - 128, -128), -128, 127).astype(np.int8)


def exp_of_negative(a: np.ndarray) -> np.ndarray:
    """Return exp(a) with 0 integer bits, for a <= 0 with `INPUT_INTEGER_BITS`; int64.

    a is cut into whole quarters and a rest from -1/4 to 0. The rest goes through the polynomial,
    each bit of the quarters through one multiplication with a constant.
    """
    a = np.asarray(a, np.int64)
    quarter = 1 << (INPUT_FRACTION_BITS - 2)
    rest = (a & (quarter - 1)) - quarter
    result = _exp_near_minus_an_eighth(rest << INPUT_INTEGER_BITS)
    quarters = rest - a
    for exponent in range(-2, INPUT_INTEGER_BITS):
        constant = math.floor(math.exp(-(2.0**exponent)) * (1 << 31) + 0.5)
        is_set = quarters & (1 << (INPUT_FRACTION_BITS + exponent))
        result = np.where(is_set, high_multiply(result, constant), result)
    return np.where(a == 0, INT32_MAX, result)


def reciprocal_of_sum(total: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return 1 / total as a number with 0 integer bits and how many bits it has to be moved down.

    `total`, at least 1, has `SUM_INTEGER_BITS`. It is first moved up until it lies between 1 and 2.
    """
    total = np.asarray(total, np.int64)
    leading_zeros = 32 - np.frexp(total.astype(np.float64))[1].astype(np.int64)
    above_one = (total << leading_zeros) - (1 << 31)
    return _one_over_one_plus(above_one), SUM_INTEGER_BITS - leading_zeros


def _exp_near_minus_an_eighth(a: np.ndarray) -> np.ndarray:
    """Return exp(a) for -1/4 <= a < 0: four terms of the series around -1/8."""
    at_centre = math.floor(math.exp(-1 / 8) * (1 << 31) + 0.5)
    third = math.floor((1 << 31) / 3 + 0.5)
    x = a + (1 << 28)
    x2 = high_multiply(x, x)
    x3, x4 = high_multiply(x2, x), high_multiply(x2, x2)
    higher = high_multiply(divide_by_power_of_two(x4, 2) + x3, third) + x2
    series = x + divide_by_power_of_two(higher, 1)
    return at_centre + high_multiply(series, at_centre)


def _one_over_one_plus(a: np.ndarray) -> np.ndarray:
    """Return 1 / (1 + a) for 0 <= a < 1 by Newton's method; 0 integer bits in and out."""
    half_denominator = (a + INT32_MAX + 1) // 2
    with_two_integer_bits = 1 << 29
    start = math.floor(48 / 17 * with_two_integer_bits + 0.5)
    slope = math.ceil(-32 / 17 * with_two_integer_bits - 0.5)
    x = start + high_multiply(half_denominator, slope)
    for _ in range(3):
        error = with_two_integer_bits - high_multiply(half_denominator, x)
        x = x + np.clip(high_multiply(x, error) << 2, INT32_MIN, INT32_MAX)
    return np.clip(x << 1, INT32_MIN, INT32_MAX)
