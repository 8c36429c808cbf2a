"""Multipliers and shifts against exact arithmetic."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib import quantize

EXAMPLES = settings(max_examples=100, deadline=None, derandomize=True)


@EXAMPLES
@given(st.floats(1e-8, 100))
def test_a_multiplier_is_as_exact_as_31_bits(real):
    found = quantize.multiplier(real)
    assert 2**30 <= found.mantissa < 2**31
    assert found.real == pytest.approx(real, rel=2**-31)


@pytest.mark.parametrize("real", [0.0, 1e-12])
def test_a_tiny_multiplier_is_zero(real):
    assert quantize.multiplier(real).real == 0


def test_a_multiplier_that_rounds_up_to_one():
    found = quantize.multiplier(1 - 2**-40)
    assert (found.mantissa, found.shift) == (1 << 30, 1)


@pytest.mark.parametrize("real", [-1.0, math.nan, math.inf])
def test_no_multiplier_for_negative_or_infinite(real):
    with pytest.raises(ValueError, match="0 or more"):
        quantize.multiplier(real)


@EXAMPLES
@given(st.integers(-(2**31), 2**31 - 1), st.integers(0, 31))
def test_division_by_a_power_of_two_rounds_halves_away(value, exponent):
    expected = int(math.copysign((abs(value) + (2**exponent >> 1)) >> exponent, value))
    assert quantize.divide_by_power_of_two(value, exponent) == expected


@EXAMPLES
@given(st.integers(-(2**31), 2**31 - 1), st.integers(-(2**31), 2**31 - 1))
def test_high_multiply_is_the_rounded_product(value, mantissa):
    exact = (abs(value * mantissa) + 2**30) >> 31
    exact = exact if value * mantissa >= 0 else -((abs(value * mantissa) + 2**30 - 1) >> 31)
    assert quantize.high_multiply(value, mantissa) == min(exact, 2**31 - 1)


@EXAMPLES
@given(st.integers(-(2**24), 2**24), st.floats(1e-6, 2))
def test_requantizing_is_within_a_step_of_the_real_product(value, real):
    by = quantize.multiplier(real)
    assert abs(int(quantize.requantize(value, by)) - value * real) <= 1.0
    assert abs(int(quantize.requantize_once(value, by)) - value * real) <= 0.51
