"""Grids at other sizes: no shift, no edge at the seam, means kept, missing values counted for nothing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecop.signals.sphere_resampling import resampled

sides = st.integers(1, 24)


@given(sides, sides, sides, sides, st.floats(-5, 5), st.booleans())
def test_a_constant_stays_one(height, width, to_height, to_width, value, is_round):
    same = resampled(np.full((height, width), value), (to_height, to_width), is_round)
    assert same.shape == (to_height, to_width)
    np.testing.assert_allclose(same, value, atol=1e-12)


@given(sides, sides, sides, sides, st.booleans())
def test_the_range_is_kept(height, width, to_height, to_width, is_round):
    values = np.random.default_rng(0).random((height, width)).astype(np.float32)
    same = resampled(values, (to_height, to_width), is_round)
    assert same.dtype == np.float32
    assert values.min() - 1e-6 <= same.min() <= same.max() <= values.max() + 1e-6


def test_enlarging_is_linear_interpolation():
    values = np.random.default_rng(0).random((5, 8))
    larger = resampled(values, (9, 16), is_round=True)
    np.testing.assert_allclose(larger[::2, ::2], values)
    np.testing.assert_allclose(larger[1::2, ::2], (values[:-1] + values[1:]) / 2)
    np.testing.assert_allclose(larger[::2, 1::2], (values + np.roll(values, -1, axis=1)) / 2)  # the last with the first
    region = resampled(values, (5, 15), is_round=False)
    expected = [np.interp(np.linspace(0, 7, 15), np.arange(8), row) for row in values]
    np.testing.assert_allclose(region, expected)


def test_turning_a_round_grid_and_resampling_it_commute():
    values = np.random.default_rng(1).random((6, 24))
    turned = resampled(np.roll(values, 6, axis=1), (4, 8), is_round=True)
    np.testing.assert_allclose(turned, np.roll(resampled(values, (4, 8), is_round=True), 2, axis=1))


def test_shrinking_is_antialiased_and_keeps_the_mean():
    checks = np.indices((65, 128)).sum(0) % 2.0
    np.testing.assert_allclose(resampled(checks, (9, 16), is_round=True), 0.5, atol=1e-12)
    noise = np.random.default_rng(2).random((1, 144))
    assert resampled(noise, (1, 36), is_round=True).mean() == pytest.approx(noise.mean())


def test_ends_stay_where_they_are():
    ramp = np.broadcast_to(np.linspace(0, 1, 73)[:, None], (73, 4))
    smaller = resampled(ramp, (19, 4), is_round=True)
    np.testing.assert_allclose(smaller[1:-1, 0], np.linspace(0, 1, 19)[1:-1], atol=1e-12)


def test_missing_values_count_for_nothing():
    values = np.full((8, 16), 3.0)
    values[:, 5:8] = np.nan
    smaller = resampled(values, (8, 8), is_round=True)
    known = np.isfinite(smaller)
    np.testing.assert_allclose(smaller[known], 3)
    assert known[0].tolist() == [True, True, True, False, True, True, True, True]  # of columns 5 to 7: 3 of 4 parts
    assert np.isnan(resampled(np.full((4, 4), np.nan), (2, 2), is_round=False)).all()
