"""What only fields on the sphere do: their metrics, their sizes, their extents, their pictures."""

import dataclasses

import numpy as np
import pytest

from ecop.core.errors import InvalidSetting
from ecop.data.crops import centre_cut
from ecop.signals import Sphere
from ecop.signals.sphere_plots import graticule, orthographic, sampled, scale_of

REGION = {"latitudes": [60.0, -30.0], "longitudes": [0.0, 90.0], "round": False, "bounds": [250.0, 300.0]}


def waves(shape, about=REGION, seed=0):
    rng = np.random.default_rng(seed)
    return Sphere.assemble(rng.uniform(0.1, 0.9, (*shape, 1)), about)


def test_metrics_by_hand():
    """Errors of 1, 2 and 4 kelvins at 60°, 0° and −60°, where a sample has the area 1/2, 1 and 1/2."""
    about = {**REGION, "latitudes": [60.0, -60.0]}
    truth = Sphere.assemble(np.full((3, 4, 1), 0.5), about)
    off = dataclasses.replace(truth, values=truth.values + np.float32([1, 2, 4])[:, None, None] / np.float32(50))
    metrics = truth.metrics(off)
    assert metrics["rmse"] == pytest.approx(np.sqrt((1 + 4 + 16) / 3), rel=1e-5)
    assert metrics["weighted_rmse"] == pytest.approx(np.sqrt((0.5 + 4 + 8) / 2), rel=1e-5)
    assert metrics["psnr"] == pytest.approx(20 * np.log10(50 / np.sqrt(7)), abs=1e-4)
    assert metrics["weighted_psnr"] == pytest.approx(20 * np.log10(50 / np.sqrt(6.25)), abs=1e-4)


def test_metrics_leave_out_what_is_missing():
    truth = waves((6, 8))
    off = dataclasses.replace(truth, values=truth.values + np.float32(0.1))
    off.values[2] += 5
    holes = dataclasses.replace(truth, values=truth.values.copy())
    holes.values[2] = np.nan
    metrics = holes.metrics(off)
    assert metrics["psnr"] == pytest.approx(20, abs=1e-3)
    assert metrics["weighted_rmse"] == pytest.approx(5, rel=1e-4)  # a tenth of 50 kelvins
    assert truth.metrics(truth) == {"psnr": np.inf, "weighted_psnr": np.inf, "rmse": 0, "weighted_rmse": 0}


def test_values_in_units():
    grid = Sphere.assemble(np.array([[[0.0]], [[0.5]], [[1.25]]]), {**REGION, "bounds": [250.0, 300.0]})
    np.testing.assert_allclose(grid.in_units(), [[250], [275], [312.5]])  # nothing is clipped
    assert grid.stored().values.max() == np.float32(1.25)


def test_stored_is_what_32_bits_hold():
    pressure = Sphere.assemble(np.linspace(0, 1, 40).reshape(5, 8, 1), {"bounds": [101_000.0, 101_001.0]})
    stored = pressure.stored().in_units()
    np.testing.assert_allclose(stored, pressure.in_units().astype(np.float32), atol=1e-4)
    np.testing.assert_allclose(stored * 128, np.rint(stored * 128), atol=1e-3)


def test_a_centre_is_all_of_the_globe_at_the_size_of_the_recipe():
    globe = Sphere.assemble(np.random.default_rng(0).random((73, 144, 1)), {})
    assert centre_cut(globe, (73, 144)) is not None
    np.testing.assert_array_equal(centre_cut(globe, (73, 144)).values, globe.values)
    for shape in ((181, 360), (180, 360), (241, 480), (20, 90)):
        larger = Sphere.assemble(np.random.default_rng(0).random((*shape, 1)), {})
        cut = centre_cut(larger, (73, 144))
        assert cut.shape == (73, 144)
        assert cut.grid() == globe.grid()  # poles and all longitudes
        np.testing.assert_array_equal(cut.values, larger.resized((73, 144)).values)


def test_blocks_know_their_places():
    grid = waves((10, 19))
    block = grid.block((2, 3), (4, 5))
    rows, columns = grid.grid().axes()
    np.testing.assert_allclose(block.grid().axes()[0], rows[2:6])
    np.testing.assert_allclose(block.grid().axes()[1], columns[3:8])
    with pytest.raises(InvalidSetting, match="a block inside"):
        grid.block((8, 0), (4, 4))


def test_resizing_keeps_the_extent():
    grid = waves((10, 19))
    assert grid.resized((5, 7)).about == grid.about
    assert grid.resized((5, 7)).grid().axes()[1][-1] == pytest.approx(90)
    assert grid.resized((10, 19)) is grid
    with pytest.raises(InvalidSetting, match="shape"):
        grid.resized((0, 4))


@pytest.mark.parametrize(
    ("values", "about"),
    [
        (np.zeros((4, 4), np.float32), {}),
        (np.zeros((4, 4, 2), np.float32), {}),
        (np.zeros((4, 4, 1)), {}),
        (np.zeros((4, 4, 1), np.float32), {"bounds": [1, 1]}),
        (np.zeros((4, 4, 1), np.float32), {"bounds": [0, np.inf]}),
    ],
)
def test_what_is_no_grid(values, about):
    with pytest.raises(InvalidSetting, match=r"values|bounds"):
        Sphere(values, about)


def test_a_variable_is_one_channel():
    with pytest.raises(InvalidSetting, match="1: a variable is one channel"):
        waves((4, 4)).with_channels(3)


@pytest.mark.parametrize("shape", [(19, 36), (200, 400), (7, 500)])
def test_a_picture_is_a_map_with_north_up_and_east_to_the_right(shape):
    rows, columns = np.meshgrid(*(np.linspace(0, 1, n) for n in shape), indexing="ij")
    north_is_high = Sphere.assemble(1 - rows[..., None], REGION)
    south_first = dataclasses.replace(
        north_is_high, values=north_is_high.values[::-1], about={**REGION, "latitudes": [-30.0, 60.0]}
    )
    picture = north_is_high.picture()
    assert picture.shape == (max(1, round(360 * shape[0] / shape[1])), 360, 3)
    np.testing.assert_allclose(south_first.picture(), picture, atol=1e-6)
    east_is_high = Sphere.assemble(columns[..., None], REGION).picture()
    west_first = {**REGION, "longitudes": [90.0, 0.0]}
    np.testing.assert_allclose(Sphere.assemble(1 - columns[..., None], west_first).picture(), east_is_high, atol=1e-6)
    assert east_is_high[0, -1].sum() > east_is_high[0, 0].sum()  # cividis grows lighter
    holes = dataclasses.replace(north_is_high, values=np.full_like(north_is_high.values, np.nan))
    np.testing.assert_allclose(holes.picture(), 0.85)


def test_colours():
    assert scale_of(np.array([-20.0, np.nan, 30.0]))[0] == "RdBu_r"
    assert scale_of(np.array([-20.0, 30.0]))[1] == -scale_of(np.array([-20.0, 30.0]))[2]  # white is zero
    assert scale_of(np.array([-1.0, 30.0])).name == scale_of(np.array([250.0, 310.0])).name == "cividis"


def test_a_globe_shows_places_where_they_are():
    latitude, longitude = orthographic(201, 20.0, 30.0)
    np.testing.assert_allclose([latitude[100, 100], longitude[100, 100]], [20, 30], atol=0.6)
    assert np.isnan(latitude[0, 0])
    rows = np.linspace(-90, 90, 19)
    columns = np.arange(0, 360, 10.0)
    values = np.broadcast_to(columns, (19, 36))
    shown = sampled(values, rows, columns, latitude, longitude)
    assert shown[100, 100] == 30
    assert shown[100, 199] == pytest.approx(120, abs=15)  # a quarter of a turn to the east lies at the rim
    assert shown[100, 1] == pytest.approx(300, abs=15)
    assert np.isfinite(shown[np.isfinite(latitude)]).all()
    region = sampled(values[:, :4], rows, columns[:4], latitude, longitude)
    assert np.isfinite(region[100, 100])
    assert np.isnan(region[100, 195])
    for x, y in graticule(20.0, 30.0):
        assert (np.hypot(x, y)[np.isfinite(x)] <= 1 + 1e-9).all()
