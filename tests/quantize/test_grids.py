"""Numbers on a grid: scales, zero points, rounding, saturation, on numbers that fit a slide."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib import quantize

EXAMPLES = settings(max_examples=100, deadline=None, derandomize=True)
seeds = st.integers(0, 2**32 - 1)


def test_affine_grid_of_a_range():
    grid = quantize.affine(-1.0, 3.0)
    assert grid.scale == pytest.approx(4 / 255)
    assert grid.zero_point == -64
    assert grid.quantize([0, 3, -1, 9, -9]).tolist() == [-64, 127, -128, 127, -128]
    assert grid.dequantize([-64]) == 0


def test_an_affine_grid_always_holds_zero():
    assert quantize.affine(2.0, 6.0).range[0] == 0
    assert quantize.affine(-6.0, -2.0).range[1] == 0


def test_symmetric_grid_leaves_the_lowest_integer_out():
    grid = quantize.symmetric(2.54)
    assert (float(grid.scale), grid.zero_point) == (pytest.approx(0.02), 0)
    assert grid.quantize([-9.0, 2.54]).tolist() == [-127, 127]


def test_per_channel_scales_meet_their_axis():
    weights = np.array([[1.0, -2.0], [100.0, 50.0]])
    grid = quantize.per_channel(weights, axis=0)
    assert grid.quantize(weights).tolist() == [[64, -127], [127, 64]]
    with pytest.raises(ValueError, match="per channel"):
        assert len(grid.levels)


@pytest.mark.parametrize("low, high", [(0, 0), (0, math.inf), (math.nan, 1)])
def test_a_range_without_width_is_refused(low, high):
    with pytest.raises(ValueError, match="no width"):
        quantize.affine(low, high)


def test_halves_go_away_from_zero():
    assert quantize.round_half_away([0.5, 1.5, 2.5, -0.5, -1.5]).tolist() == [1, 2, 3, -1, -2]


def test_sqnr_gains_six_decibels_a_bit():
    values = np.random.default_rng(0).uniform(-1, 1, 100_000)
    gains = np.diff(
        [
            quantize.sqnr_db(values, quantize.affine(-1, 1, bits).round_trip(values))
            for bits in (4, 5, 6, 7, 8)
        ]
    )
    assert gains == pytest.approx(6.02, abs=0.7)
    assert quantize.sqnr_db(values, values) == math.inf


@EXAMPLES
@given(st.floats(-1e4, 1e4), st.floats(-1e4, 1e4), seeds)
def test_round_trip_is_within_half_a_step_inside_the_range(one, other, seed):
    low, high = sorted((one, other))
    if high - low < 1e-3:
        return
    grid = quantize.affine(low, high)
    values = np.random.default_rng(seed).uniform(*grid.range, 100)
    assert np.abs(grid.round_trip(values) - values).max() <= float(grid.scale) * 0.501
