"""Arithmetic without a floating-point unit: multiply by a fraction, exponential, reciprocal.

An integer multiplier and a shift lead from an int32 accumulator to an int8 output. Most kernels
round twice, in the multiplication and in the shift; some round once. A softmax needs exponentials:
a number in 32 bits with k integer bits is stored as number * 2**(31 - k). Source: gemmlowp's
fixedpoint.h and TensorFlow Lite's MultiplyByQuantizedMultiplier and reference Softmax. All
arithmetic is done in int64 and stays within 64 bits.
"""

import math
from dataclasses import dataclass

import numpy as np

_ONE = 1 << 31
_INT32_MIN, _INT32_MAX = -(1 << 31), (1 << 31) - 1
_MOST_SHIFT = 30


@dataclass(frozen=True, eq=False)
class Multiplier:
    """A positive real number as mantissa / 2**31 * 2**shift; arrays for one number a channel.

    The mantissa has its top bit set (2**30 to 2**31 - 1), so that 31 bits of the number survive.
    """

    mantissa: np.ndarray | int
    shift: np.ndarray | int

    @property
    def real(self) -> np.ndarray | float:
        """The number that this stands for, float64."""
        return np.ldexp(np.asarray(self.mantissa, np.float64), np.asarray(self.shift) - 31)[()]


def multiplier(real: float) -> Multiplier:
    """Return `real`, 0 or more, as an integer mantissa and a shift.

    What is below 2**-32 becomes 0, what is 2**30 or more the highest there is.
    Raises ValueError for a negative or infinite number.
    """
    if not math.isfinite(real) or real < 0:
        raise ValueError(f"{real:g} cannot become a multiplier: it has to be 0 or more.")
    fraction, shift = math.frexp(real)  # real == fraction * 2**shift, fraction from 1/2 to 1
    mantissa = math.floor(fraction * _ONE + 0.5)
    if mantissa == _ONE:  # rounded up to a full 1: halve it and shift once more
        mantissa, shift = mantissa // 2, shift + 1
    if shift > _MOST_SHIFT:
        return Multiplier(_INT32_MAX, _MOST_SHIFT)
    return Multiplier(mantissa, shift) if shift >= -31 else Multiplier(0, 0)


def multipliers(reals: np.ndarray) -> Multiplier:
    """Return one `Multiplier` that holds an array of them, one for each number in `reals`."""
    each = [multiplier(float(real)) for real in np.ravel(reals)]
    pairs = np.array([(one.mantissa, one.shift) for one in each], np.int64)
    return Multiplier(*pairs.reshape(-1, 2).T)


def high_multiply(values: np.ndarray, mantissa: np.ndarray | int) -> np.ndarray:
    """Return values * mantissa / 2**31 rounded to whole numbers, halves away from zero; int64.

    On a processor: a 32 x 32 bit multiplication of which the upper half of the doubled result is
    kept. Saturates in the only case that overflows, the lowest int32 times itself.
    """
    product = np.asarray(values, np.int64) * np.asarray(mantissa, np.int64)
    nudge = np.where(product >= 0, 1 << 30, 1 - (1 << 30))
    nudged = product + nudge
    quotient = np.sign(nudged) * (np.abs(nudged) >> 31)  # C's division goes towards zero
    return np.minimum(quotient, _INT32_MAX)


def divide_by_power_of_two(values: np.ndarray, exponent: np.ndarray | int) -> np.ndarray:
    """Return values / 2**exponent rounded to whole numbers, halves away from zero; int64.

    A shift alone would round down. `exponent` is 0 to 31.
    """
    values, exponent = np.asarray(values, np.int64), np.asarray(exponent, np.int64)
    remainder = values & ((np.int64(1) << exponent) - 1)
    threshold = (((np.int64(1) << exponent) - 1) >> 1) + (values < 0)
    return (values >> exponent) + (remainder > threshold)


def requantize(accumulator: np.ndarray, by: Multiplier) -> np.ndarray:
    """Return accumulator * by.real in integers: shift left, multiply high, shift right; int64.

    `accumulator` holds int32 values; a multiplier per channel meets its last axis. Both roundings
    (in the multiplication and in the shift) are those of the reference kernels.
    """
    shift = np.asarray(by.shift, np.int64)
    left, right = np.maximum(shift, 0), np.maximum(-shift, 0)
    wide = _wrap(np.asarray(accumulator, np.int64) << left)
    return divide_by_power_of_two(high_multiply(wide, by.mantissa), right)


def requantize_once(accumulator: np.ndarray, by: Multiplier) -> np.ndarray:
    """Return accumulator * by.real in integers, rounded a single time, halves upwards; int64.

    The whole 62-bit product is shifted down in one go: a little nearer to the truth, and dearer on
    a processor without 64-bit registers. LiteRT's fully connected kernel does it so.
    """
    down = 31 - np.asarray(by.shift, np.int64)
    product = np.asarray(accumulator, np.int64) * np.asarray(by.mantissa, np.int64)
    return _wrap((product + (np.int64(1) << (down - 1))) >> down)


def _wrap(values: np.ndarray) -> np.ndarray:
    """Return what is left of `values` in 32 bits, as the kernels' int32 keeps it; int64."""
    return np.asarray(values, np.int64).astype(np.int32).astype(np.int64)


def exp_of_negative(a: np.ndarray, fraction_bits: int) -> np.ndarray:
    """Return exp(a) with 0 integer bits, for a <= 0 with `fraction_bits` of 31; int64.

    a is cut into whole quarters and a rest from -1/4 to 0. The rest goes through the polynomial,
    each bit of the quarters through one multiplication with a constant.
    """
    a = np.asarray(a, np.int64)
    quarter = 1 << (fraction_bits - 2)
    rest = (a & (quarter - 1)) - quarter
    result = _exp_near_minus_an_eighth(rest << (31 - fraction_bits))
    quarters = rest - a
    for exponent in range(-2, 31 - fraction_bits):
        constant = math.floor(math.exp(-(2.0**exponent)) * (1 << 31) + 0.5)
        is_set = quarters & (1 << (fraction_bits + exponent))
        result = np.where(is_set, high_multiply(result, constant), result)
    return np.where(a == 0, _INT32_MAX, result)


def reciprocal_of_sum(total: np.ndarray, integer_bits: int) -> tuple[np.ndarray, np.ndarray]:
    """Return 1 / total as a number with 0 integer bits and how many bits it has to be moved down.

    `total`, at least 1, has `integer_bits`. It is first moved up until it lies between 1 and 2.
    """
    total = np.asarray(total, np.int64)
    leading_zeros = 32 - np.frexp(total.astype(np.float64))[1].astype(np.int64)
    above_one = (total << leading_zeros) - (1 << 31)
    return _one_over_one_plus(above_one), integer_bits - leading_zeros


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
    half_denominator = (a + _INT32_MAX + 1) // 2
    with_two_integer_bits = 1 << 29
    start = math.floor(48 / 17 * with_two_integer_bits + 0.5)  # the best line to begin on
    slope = math.ceil(-32 / 17 * with_two_integer_bits - 0.5)
    x = start + high_multiply(half_denominator, slope)
    for _ in range(3):  # each turn doubles the number of right bits, to 31
        error = with_two_integer_bits - high_multiply(half_denominator, x)
        x = x + np.clip(high_multiply(x, error) << 2, _INT32_MIN, _INT32_MAX)
    return np.clip(x << 1, _INT32_MIN, _INT32_MAX)
