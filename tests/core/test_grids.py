import inspect

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecop.core.errors import InvalidSetting
from ecop.core.grids import regular_grid

sizes = st.integers(1, 40)


def test_centres_by_the_formula():
    n = 7
    np.testing.assert_allclose(regular_grid((n,)).axes()[0], [-1 + (2 * i + 1) / n for i in range(n)], atol=1e-15)


def test_corners_are_linspace():
    grid = regular_grid((5, 9), "corners")
    np.testing.assert_allclose(grid.axes()[0], np.linspace(-1, 1, 5), atol=1e-15)
    np.testing.assert_allclose(grid.axes()[1], np.linspace(-1, 1, 9), atol=1e-15)


def test_coordinates_are_row_major():
    grid = regular_grid((2, 3))
    x = [-2 / 3, 0, 2 / 3]
    expected = [[y, x_] for y in (-0.5, 0.5) for x_ in x]
    np.testing.assert_allclose(grid.coordinates(), expected, atol=1e-15)


@given(sizes, sizes, st.sampled_from(["centres", "corners"]), st.floats(0.1, 100))
def test_every_axis_is_symmetric_and_inside(height, width, convention, scale):
    grid = regular_grid((height, width), convention, scale)
    assert grid.size == height * width
    for axis in grid.axes():
        np.testing.assert_allclose(axis, -axis[::-1], atol=1e-12 * scale)
        assert np.all(np.abs(axis) <= scale * (1 + 1e-12))


@given(st.integers(1, 20), st.integers(2, 6))
def test_a_finer_centred_grid_averages_to_the_coarser_one(n, factor):
    fine = regular_grid((n * factor,)).axes()[0]
    np.testing.assert_allclose(fine.reshape(n, factor).mean(axis=1), regular_grid((n,)).axes()[0], atol=1e-12)


@given(st.integers(3, 30), st.data())
def test_a_block_has_the_coordinates_of_its_samples(n, data):
    start = data.draw(st.integers(0, n - 2))
    length = data.draw(st.integers(1, n - start))
    for convention in ("centres", "corners"):
        whole = regular_grid((n, 4), convention)
        block = whole.block((start, 1), (length, 2))
        np.testing.assert_allclose(block.axes()[0], whole.axes()[0][start : start + length], atol=1e-12)
        np.testing.assert_allclose(block.axes()[1], whole.axes()[1][1:3], atol=1e-12)


def test_a_region_of_whole_cells_meets_the_samples_of_the_whole():
    whole, part = regular_grid((8,)), regular_grid((4,), region=((0.5, 1.0),))
    np.testing.assert_allclose(part.axes()[0], whole.axes()[0][4:], atol=1e-15)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"shape": ()}, "at least one sample"),
        ({"shape": (3, 0)}, "at least one sample"),
        ({"shape": (3,), "region": ((0.5, 0.5),)}, "start < end"),
        ({"shape": (3,), "convention": "middles"}, "'centres' or 'corners'"),
    ],
)
def test_what_is_refused(arguments, words):
    with pytest.raises(InvalidSetting, match=words):
        inspect.unwrap(regular_grid)(**arguments)  # as users meet it, without the tests' type checks
