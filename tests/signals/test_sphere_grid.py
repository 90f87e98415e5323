"""Latitudes and longitudes: the unit sphere, extents, parts and blocks."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecop.core.errors import InvalidSetting
from ecop.signals.sphere_grid import GLOBE, block_of, extent_of, globe_grid, part_of, unit_sphere

latitudes, longitudes = st.floats(-90, 90), st.floats(-720, 720)
sizes = st.tuples(st.integers(2, 30), st.integers(2, 30))
REGION = {"latitudes": [60.0, 30.0], "longitudes": [-10.0, 30.0], "round": False}


@given(latitudes, longitudes)
def test_positions_lie_on_the_unit_sphere_and_longitudes_are_periodic(latitude, longitude):
    point = unit_sphere(np.array([[latitude, longitude]]))
    np.testing.assert_allclose(np.linalg.norm(point, axis=-1), 1, atol=1e-12)
    np.testing.assert_allclose(unit_sphere(np.array([[latitude, longitude + 360]])), point, atol=1e-12)
    np.testing.assert_allclose(np.rad2deg(np.arcsin(point[0, 2])), latitude, atol=1e-5)


def test_known_places():
    places = np.array([[0.0, 0.0], [0.0, 90.0], [90.0, 123.0], [-90.0, 0.0], [30.0, 180.0]])
    expected = [[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, -1], [-np.sqrt(3) / 2, 0, 0.5]]
    np.testing.assert_allclose(unit_sphere(places), expected, atol=1e-15)


def test_jax_and_numpy_agree_also_where_it_is_compiled():
    positions = np.random.default_rng(0).uniform((-90, -180), (90, 360), (50, 2))
    compiled = jax.jit(unit_sphere)(jnp.asarray(positions, jnp.float32))
    np.testing.assert_allclose(compiled, unit_sphere(positions), atol=1e-5)
    assert isinstance(unit_sphere(positions), np.ndarray)


def test_the_globe_by_default_is_the_grid_of_the_reference_numbers(parity_coords):
    coords, (height, width) = parity_coords
    np.testing.assert_allclose(unit_sphere(globe_grid((height, width), {}).coordinates()), coords, atol=1e-12)


@pytest.fixture
def parity_coords():
    import json
    import os
    from pathlib import Path

    default = Path(__file__).parents[1] / "parity"
    with np.load(Path(os.environ.get("ECOP_PARITY_DIR", default)) / "sphere_last_layer.npz") as content:
        return content["coords"], json.loads(str(content["config"]))["data_size"][1:]


def test_a_grid_round_the_globe_leaves_out_the_meridian_that_it_began_with():
    assert globe_grid((2, 4), GLOBE).axes()[1].tolist() == [0, 90, 180, 270]
    assert globe_grid((4, 5), REGION).axes()[1].tolist() == [-10, 0, 10, 20, 30]
    assert globe_grid((4, 5), REGION).axes()[0].tolist() == [60, 50, 40, 30]
    assert globe_grid((1, 1), REGION).coordinates().tolist() == [[45, 10]]


@given(st.tuples(st.integers(0, 20), st.integers(0, 20)), sizes)
def test_a_block_has_the_places_that_its_samples_had(start, shape):
    whole = tuple(s + n + 1 for s, n in zip(start, shape, strict=True))
    for about in (GLOBE, REGION):
        grid = globe_grid(whole, about)
        block = globe_grid(shape, block_of(about, start, shape, whole))
        for axis, own, first, count in zip(grid.axes(), block.axes(), start, shape, strict=True):
            np.testing.assert_allclose(own, axis[first : first + count], atol=1e-9)


def test_a_block_of_all_longitudes_still_goes_round():
    assert block_of(GLOBE, (3, 0), (4, 8), (10, 8))["round"]
    assert not block_of(GLOBE, (3, 0), (4, 7), (10, 8))["round"]
    assert extent_of(block_of(REGION, (0, 0), (2, 2), (4, 5))) == ((60, 50), (-10, 0), False)


@given(sizes, st.sampled_from([0.25, 0.5, 0.75]))
def test_parts_join_without_a_gap(shape, at):
    for about in (GLOBE, REGION):
        scale = 4
        whole = globe_grid(tuple(scale * n for n in shape), about)
        for axis in (0, 1):
            counts = [[scale * n for n in shape] for _ in range(2)]
            regions = [[(0.0, 1.0), (0.0, 1.0)] for _ in range(2)]
            regions[0][axis], regions[1][axis] = (0.0, at), (at, 1.0)
            for part, share in enumerate((at, 1 - at)):
                counts[part][axis] = round(share * scale * shape[axis])
            parts = [globe_grid(tuple(c), about, tuple(r)) for c, r in zip(counts, regions, strict=True)]
            joined = np.concatenate([part.axes()[axis] for part in parts])
            np.testing.assert_allclose(joined, whole.axes()[axis], atol=1e-9)


@given(sizes)
def test_the_whole_region_is_the_grid_itself(shape):
    for about in (GLOBE, REGION):
        region = ((0.0, 1.0), (0.0, 1.0))
        whole, part = globe_grid(shape, about), globe_grid(shape, about, region)
        np.testing.assert_allclose(part.coordinates(), whole.coordinates(), atol=1e-9)
        assert part_of(about, region, shape)["round"] == about["round"]


@pytest.mark.parametrize("shape", [(4,), (0, 4), (4, 4, 1)])
def test_shapes_that_no_grid_has(shape):
    with pytest.raises(InvalidSetting, match="latitudes, longitudes"):
        globe_grid(shape, {})


@pytest.mark.parametrize("region", [((0.5, 0.5), (0, 1)), ((0, 1), (0, 1.5)), ((-0.1, 1), (0, 1))])
def test_regions_that_are_none(region):
    with pytest.raises(InvalidSetting, match="0 ≤ start < end ≤ 1"):
        globe_grid((4, 4), {}, region)
