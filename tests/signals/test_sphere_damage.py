"""Files that are no fields on the sphere, or damaged, or reach for other files: one clear line each."""

import json
import sys

import numpy as np
import pytest

from ecop.core.errors import BadInput, MissingExtra
from ecop.signals import Sphere
from ecop.signals.sphere_files import is_zarr

xarray = pytest.importorskip("xarray")
h5py = pytest.importorskip("h5py")

LATITUDES, LONGITUDES = np.linspace(90, -90, 19), np.arange(0, 360, 10.0)


def grid(
    latitudes=LATITUDES, longitudes=LONGITUDES, names=("latitude", "longitude"), units=("degrees_north", "degrees_east")
):
    coords = {
        name: (name, axis, {"units": unit})
        for name, axis, unit in zip(names, (latitudes, longitudes), units, strict=True)
    }
    values = np.random.default_rng(0).random((len(latitudes), len(longitudes)))
    return xarray.Dataset({"t": (names, values)}, coords)


def refused(path, message, **reading):
    for call in (lambda: Sphere.read(path, **reading), lambda: Sphere.members(path, reading)):
        with pytest.raises(BadInput, match=message) as caught:
            call()
        assert str(caught.value).startswith(f"{path}: ")
        assert "\n" not in str(caught.value)


def read_refused(path, message, **reading):
    with pytest.raises(BadInput, match=message) as caught:
        Sphere.read(path, **reading)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("keep", [0.02, 0.5, 0.97])
@pytest.mark.parametrize(("engine", "form"), [("h5netcdf", "NETCDF4"), ("scipy", "NETCDF3_64BIT")])
def test_truncated_netcdf(tmp_path, engine, form, keep):
    path = tmp_path / "t.nc"
    grid().to_netcdf(path, engine=engine, format=form)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * keep)])
    read_refused(path, r"damaged or truncated file \(.+\); make or fetch the file again")


def test_damage_within_hdf5(tmp_path):
    path = tmp_path / "t.nc"
    compressed = {"t": {"zlib": True, "chunksizes": (19, 36), "fletcher32": True}}
    grid().to_netcdf(path, engine="h5netcdf", encoding=compressed)
    content = bytearray(path.read_bytes())
    with h5py.File(path) as file:
        chunk = file["t"].id.get_chunk_info(0)
    content[chunk.byte_offset + chunk.size // 2] ^= 0xFF
    path.write_bytes(bytes(content))
    read_refused(path, "damaged or truncated")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"the file is empty \(0 bytes\)"),
        (b"hello world, this is text" * 40, "the content is not NetCDF, Zarr, GRIB or .npz"),
        (b"\x93NUMPY\x01\x00" + bytes(200), "a NumPy array has no latitudes and longitudes"),
        (b"CDF\x05" + bytes(200), r"64-bit data form \(CDF-5\) is not supported; convert it with nccopy -k nc4"),
        (b"\x89HDF\r\n\x1a\n" + bytes(600), "damaged or truncated"),
        (b"CDF\x01" + b"\xff" * 200, "damaged or truncated"),
        (b"GRIB" + b"\xff" * 200, "damaged or truncated"),
        (b"\x89PNG\r\n\x1a\n" + bytes(200), "the content is not NetCDF"),
    ],
)
def test_other_content(tmp_path, content, message):
    path = tmp_path / "t.nc"
    path.write_bytes(content)
    refused(path, message)


def test_what_is_no_file(tmp_path):
    refused(tmp_path / "none.nc", "there is no such file")
    refused(tmp_path, "a folder, not a file with latitudes and longitudes")
    (tmp_path / "t.zarr").mkdir()
    assert is_zarr(tmp_path / "t.zarr")
    refused(tmp_path / "t.zarr", "damaged or truncated")


@pytest.mark.parametrize("keep", [0.5, 0.999])
def test_a_grib_message_that_is_cut_off_is_not_passed_over(tmp_path, keep):
    codes = pytest.importorskip("eccodes")
    message = codes.codes_grib_new_from_samples("regular_ll_sfc_grib2")
    whole = codes.codes_get_message(message)
    codes.codes_release(message)
    path = tmp_path / "t.grib"
    path.write_bytes(whole + whole[: int(len(whole) * keep)])
    refused(path, "damaged or truncated")


def test_zarr_without_a_chunk_of_its_axes_or_with_damaged_ones(tmp_path):
    path = tmp_path / "t.zarr"
    grid().to_zarr(path, zarr_format=3, consolidated=False)
    chunk = next(file for file in (path / "t" / "c").rglob("*") if file.is_file())
    chunk.write_bytes(b"\x00" + chunk.read_bytes()[1:20])
    read_refused(path, "damaged or truncated")


@pytest.mark.parametrize("dtype", ["<f8", "|O"])
def test_a_pickle_in_zarr_is_not_unpickled(tmp_path, dtype):
    """`_Bomb` would leave a file behind, were it ever unpickled."""
    numcodecs = pytest.importorskip("numcodecs")
    path = tmp_path / "t.zarr"
    grid().to_zarr(path, zarr_format=2, consolidated=False)
    described = json.loads((path / "latitude" / ".zarray").read_text())
    described |= {"dtype": dtype, "filters": [{"id": "pickle", "protocol": 5}], "compressor": None, "fill_value": 0}
    (path / "latitude" / ".zarray").write_text(json.dumps(described))
    (path / "latitude" / "0").write_bytes(numcodecs.Pickle().encode(_Bomb(tmp_path / "went off")))
    with pytest.raises(BadInput):
        Sphere.read(path)
    assert not (tmp_path / "went off").exists()


class _Bomb:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def test_hdf5_that_reaches_for_other_files(tmp_path):
    """Raw bytes of any file on the machine would otherwise be read as if they were the grid's."""
    secret = tmp_path / "secret.bin"
    secret.write_bytes(bytes(range(256)) * 60)
    grid().to_netcdf(tmp_path / "other.nc", engine="h5netcdf")

    def external(file):
        file.create_dataset("stolen", (19, 36), "<f8", external=[(str(secret), 0, 19 * 36 * 8)])

    def linked(file):
        file["stolen"] = h5py.ExternalLink(str(tmp_path / "other.nc"), "/t")

    def virtual(file):
        layout = h5py.VirtualLayout((19, 36), "<f8")
        layout[:] = h5py.VirtualSource(str(tmp_path / "other.nc"), "t", (19, 36))
        file.create_virtual_dataset("stolen", layout)

    for number, add in enumerate((external, linked, virtual)):
        path = tmp_path / f"t{number}.nc"
        grid().to_netcdf(path, engine="h5netcdf")
        with h5py.File(path, "a") as file:
            add(file)
        refused(path, "stolen lies in another file; copy all of its content into one file")


def test_hdf5_that_is_no_netcdf(tmp_path):
    with h5py.File(tmp_path / "t.nc", "w") as file:
        file["weights"] = np.zeros((4, 5))
    refused(tmp_path / "t.nc", r"no variable lies on an axis of latitudes and one of longitudes \(it has weights\)")


def test_rotated_and_curvilinear_grids(tmp_path):
    rotated = grid(names=("rlat", "rlon"), units=("degrees", "degrees"))
    rotated["rlat"].attrs["standard_name"], rotated["rlon"].attrs["standard_name"] = "grid_latitude", "grid_longitude"
    rotated.to_netcdf(tmp_path / "rotated.nc", engine="h5netcdf")
    refused(tmp_path / "rotated.nc", "rotated and curvilinear grids have to be regridded first")
    curved = xarray.Dataset(
        {"t": (("y", "x"), np.zeros((4, 5)))},
        {"lat": (("y", "x"), np.zeros((4, 5))), "lon": (("y", "x"), np.zeros((4, 5)))},
    )
    curved.to_netcdf(tmp_path / "curved.nc", engine="h5netcdf")
    refused(tmp_path / "curved.nc", "rotated and curvilinear")


def gaussian(count):
    return np.rad2deg(np.arcsin(np.polynomial.legendre.leggauss(count)[0]))[::-1].copy()


AXES = {
    "latitude is not evenly spaced .* as on Gaussian grids; regrid it": (gaussian(32), LONGITUDES),
    r"latitude is not evenly spaced \(1\.\d+ to 1\.\d+ degrees\)": (gaussian(94), LONGITUDES),
    "longitude is not evenly spaced": (LATITUDES, np.array([0.0, 1, 2, 4])),
    r"latitudes from 95 to -95; they must lie within ±90": (np.linspace(95, -95, 20), LONGITUDES),
    r"longitudes from 0 to 400; they must go round the globe at most once": (LATITUDES, np.arange(0, 401, 10.0)),
    "latitude has missing values": (np.array([10.0, np.nan, 30]), LONGITUDES),
    "longitude has a single value": (LATITUDES, np.array([5.0])),
    "latitude is not evenly spaced": (np.zeros(4), LONGITUDES),
}


@pytest.mark.parametrize("message", AXES)
def test_axes_that_no_regular_grid_has(tmp_path, message):
    grid(*AXES[message]).to_netcdf(tmp_path / "t.nc", engine="h5netcdf")
    read_refused(tmp_path / "t.nc", message)


def test_radians(tmp_path):
    radians = grid(np.deg2rad(LATITUDES), np.deg2rad(LONGITUDES), units=("radians", "radians"))
    radians.to_netcdf(tmp_path / "t.nc", engine="h5netcdf")
    read_refused(tmp_path / "t.nc", "latitude has the units 'radians'; degrees are needed")


def test_a_grid_without_any_value(tmp_path):
    data = grid()
    data["t"][:] = np.nan
    data.to_netcdf(tmp_path / "t.nc", engine="h5netcdf")
    read_refused(tmp_path / "t.nc", "every value of t is missing; choose another variable or time")


def test_a_missing_extra_is_named(tmp_path, monkeypatch):
    grid().to_netcdf(tmp_path / "t.nc", engine="h5netcdf")
    monkeypatch.setitem(sys.modules, "h5netcdf", None)
    with pytest.raises(MissingExtra, match=r"pip install 'ecop\[climate\]'"):
        Sphere.read(tmp_path / "t.nc")
    (tmp_path / "t.grib").write_bytes(b"GRIB" + bytes(100))
    monkeypatch.setitem(sys.modules, "cfgrib", None)
    with pytest.raises(MissingExtra, match=r"pip install 'ecop\[grib\]'"):
        Sphere.read(tmp_path / "t.grib")
