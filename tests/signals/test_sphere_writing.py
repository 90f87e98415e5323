"""What is written: names, coordinates, attributes and units as they were, and pictures."""

import numpy as np
import pytest
from PIL import Image as Pillow

from ecop.core.errors import CannotWrite
from ecop.signals import Sphere

xarray = pytest.importorskip("xarray")

LATITUDES, LONGITUDES = np.linspace(-85, 85, 18), np.arange(-180, 180, 10.0)


@pytest.fixture
def original(tmp_path):
    values = np.random.default_rng(0).uniform(-20, 30, (2, 1, 18, 36)).astype(np.float32)
    values[0, 0, 4, 5] = np.nan
    attributes = {"units": "m s-1", "long_name": "zonal wind", "standard_name": "eastward_wind", "levels": [1, 2]}
    data = xarray.Dataset(
        {"ua": (("time", "plev", "y", "x"), values, attributes)},
        {
            "time": ("time", np.array(["2001-01-16", "2001-02-14T12:00"], "M8[ns]"), {"standard_name": "time"}),
            "plev": ("plev", [85000.0], {"units": "Pa", "positive": "down", "standard_name": "air_pressure"}),
            "y": ("y", LATITUDES, {"standard_name": "latitude", "units": "degrees_north", "note": "centres"}),
            "x": ("x", LONGITUDES, {"standard_name": "longitude", "units": "degrees_east"}),
        },
        {"title": "winds", "Conventions": "CF-1.8", "history": "x" * 5000},
    )
    data.to_netcdf(tmp_path / "ua.nc", engine="h5netcdf")
    return tmp_path / "ua.nc"


@pytest.mark.parametrize("suffix", [".nc", ".nc4", ".zarr"])
def test_names_coordinates_attributes_and_units_come_back(original, tmp_path, suffix):
    grid, path = Sphere.read(original, time="2001-02"), tmp_path / "new" / f"ua{suffix}"
    grid.write(path)
    with (
        xarray.open_dataset(path, engine="zarr" if suffix == ".zarr" else "h5netcdf") as written,
        xarray.open_dataset(original, engine="h5netcdf") as before,
    ):
        before = before.isel(time=1, plev=0)
        xarray.testing.assert_allclose(written["ua"], before["ua"], atol=1e-5)  # dimensions and coordinates, too
        assert written["ua"].dtype == np.float32
        for name in ("time", "plev", "y", "x"):
            assert before[name].attrs.items() <= written[name].attrs.items()
            assert written[name].dtype == before[name].dtype
        assert {k: list(np.atleast_1d(v)) for k, v in written["ua"].attrs.items()} == {
            k: list(np.atleast_1d(v)) for k, v in before["ua"].attrs.items()
        }
        assert written.attrs == {"title": "winds", "Conventions": "CF-1.8"}  # a long history is left behind
    again = Sphere.read(path)
    np.testing.assert_allclose(again.in_units(), grid.in_units(), atol=1e-5)
    assert again.about["time"] == grid.about["time"] == "2001-02-14T12:00"


def test_what_xarray_fits_on_reads_with_a_calendar_of_its_own(tmp_path):
    data = xarray.Dataset(
        {"t": (("time", "lat", "lon"), np.random.default_rng(0).random((1, 18, 36)))},
        {
            "time": ("time", [58], {"units": "days since 2001-01-01", "calendar": "360_day"}),
            "lat": LATITUDES, "lon": LONGITUDES,
        },
    )  # fmt: skip
    data.to_netcdf(tmp_path / "t.nc", engine="h5netcdf")
    grid = Sphere.read(tmp_path / "t.nc")
    grid.write(tmp_path / "again.nc")
    with xarray.open_dataset(tmp_path / "again.nc", engine="h5netcdf") as written:
        assert written["time"].item().isoformat() == "2001-02-29T00:00:00"


def test_other_shapes_have_their_own_coordinates(original, tmp_path):
    grid = Sphere.read(original, time="2001-01")
    values = np.random.default_rng(0).random((35, 72, 1))
    Sphere.assemble(values, grid.about).write(tmp_path / "fine.nc")
    with xarray.open_dataset(tmp_path / "fine.nc", engine="h5netcdf") as written:
        np.testing.assert_allclose(written["y"], np.linspace(-85, 85, 35))
        np.testing.assert_allclose(written["x"], np.arange(-180, 180, 5))
        assert written["ua"].attrs["units"] == "m s-1"
    region = ((0.5, 1.0), (0.0, 0.25))
    part = Sphere.assemble(values[:9, :9], Sphere.about_render(grid.about, grid.shape, (9, 9), region))
    part.write(tmp_path / "part.nc")
    with xarray.open_dataset(tmp_path / "part.nc", engine="h5netcdf") as written:
        np.testing.assert_allclose(written["y"], LATITUDES[9:])
        np.testing.assert_allclose(written["x"], LONGITUDES[:9])


def test_a_grid_that_came_from_no_file(tmp_path):
    Sphere.assemble(np.full((5, 8, 1), 0.5), {}).write(tmp_path / "t.nc")
    with xarray.open_dataset(tmp_path / "t.nc", engine="h5netcdf") as written:
        assert list(written.data_vars) == ["value"]
        assert written["value"].dims == ("latitude", "longitude")
        np.testing.assert_allclose(written["latitude"], [90, 45, 0, -45, -90])
        np.testing.assert_allclose(written["value"], 0.5)


def test_a_store_that_is_there_is_not_replaced(original, tmp_path):
    grid = Sphere.read(original, time="2001-01")
    grid.write(tmp_path / "a.zarr")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(CannotWrite, match="a folder is not replaced; remove it first"):
        grid.write(tmp_path / "a.zarr")
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(("suffix", "mark"), [(".pdf", b"%PDF"), (".svg", b"<?xml")])
def test_pictures(original, tmp_path, suffix, mark):
    grid = Sphere.read(original, time="2001-01")
    grid.write(tmp_path / f"map{suffix}")
    assert (tmp_path / f"map{suffix}").read_bytes().startswith(mark)


def test_a_map_and_a_globe_have_colours_and_a_hole(original, tmp_path):
    grid = Sphere.read(original, time="2001-01")
    grid.write(tmp_path / "map.png")
    grid.block((4, 4), (6, 8)).write(tmp_path / "part.png")  # a region lies in the middle of its globe
    for name in ("map.png", "part.png"):
        with Pillow.open(tmp_path / name) as picture:
            colours = np.asarray(picture.convert("RGB")).reshape(-1, 3)
        assert len(np.unique(colours, axis=0)) > 100
        assert (np.abs(colours.astype(int) - 217) <= 1).all(axis=1).sum() > 50  # the grey of what is missing


def test_suffixes_that_are_read_only(original, tmp_path):
    with pytest.raises(CannotWrite, match=r"'.grib' is no format of maps that is written; choose one of: .nc, .nc4"):
        Sphere.read(original, time="2001-01").write(tmp_path / "t.grib")
