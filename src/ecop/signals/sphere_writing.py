"""Grids written as NetCDF or Zarr, with CF's attributes, or drawn as a map and a globe."""

import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ecop.core.errors import CannotWrite, MissingExtra
from ecop.core.files import atomic_write

LATITUDE = {"standard_name": "latitude", "units": "degrees_north", "axis": "Y"}
LONGITUDE = {"standard_name": "longitude", "units": "degrees_east", "axis": "X"}
RESERVED = ("_FillValue", "scale_factor", "add_offset", "missing_value", "coordinates", "dtype")
"""Attributes that say how numbers are packed, which here they are not."""


@dataclass(frozen=True)
class Chart:
    """What is written: a grid in units, with its places.

    Attributes:
        values: (latitudes, longitudes) float64 in units, NaN where missing.
        latitudes: degrees north, either way.
        longitudes: degrees east, either way.
        about: of the signal.
    """

    values: np.ndarray
    latitudes: np.ndarray
    longitudes: np.ndarray
    about: Mapping[str, Any]


def write_chart(path: Path, chart: Chart) -> None:
    """Write in the format that the suffix names: .nc, .nc4, .zarr, .png, .pdf or .svg.

    Raises:
        CannotWrite: for another suffix, or whatever the system objects to.
        MissingExtra: for .nc and .zarr without the extra ``climate``.
    """
    writer = WRITERS.get(path.suffix.lower())
    if writer is None:
        problem = f"{path.suffix!r} is no format of maps that is written" if path.suffix else "the name has no suffix"
        raise CannotWrite(path, problem, f"choose one of: {', '.join(WRITERS)}")
    writer(path, chart)


def dataset_of(chart: Chart) -> Any:
    """The grid as an xarray data set, with the names and attributes of where it came from."""
    import xarray

    about = chart.about
    latitude, longitude = about.get("axes") or ({"name": "latitude"}, {"name": "longitude"})
    dims = latitude["name"], longitude["name"]
    coords: dict[str, Any] = {
        dims[0]: (dims[0], chart.latitudes, _attributes(latitude, LATITUDE)),
        dims[1]: (dims[1], chart.longitudes, _attributes(longitude, LONGITUDE)),
    }
    for scalar in about.get("scalars", []):
        coords[scalar["name"]] = ((), scalar["value"], _attributes(scalar, {}))
    units = {"units": about["units"]} if about.get("units") else {}
    attributes = _attributes({"attributes": about.get("attributes", {})}, units)
    name = about.get("variable") or "value"
    data = xarray.Dataset(
        {name: (dims, chart.values.astype(np.float32), attributes)},
        coords,
        _attributes({"attributes": about.get("global_attributes", {})}, {"Conventions": "CF-1.8"}),
    )
    for variable in data.variables.values():
        variable.encoding["_FillValue"] = None
    data[name].encoding = {"zlib": True, "complevel": 4, "_FillValue": np.float32(np.nan)}
    return data


def _attributes(described: Mapping[str, Any], ours: Mapping[str, Any]) -> dict[str, Any]:
    theirs = {k: v for k, v in described.get("attributes", {}).items() if k not in RESERVED}
    return {**theirs, **ours}


def _netcdf(path: Path, chart: Chart) -> None:
    content = _with_xarray(path, lambda: bytes(dataset_of(chart).to_netcdf(engine="h5netcdf")))
    with atomic_write(path) as stream:
        stream.write(content)


def _with_xarray(path: Path, make: Callable[[], Any]) -> Any:
    try:
        return make()
    except ImportError:
        raise MissingExtra(f"writing {path.suffix}", "climate") from None


WRITERS: dict[str, Callable[[Path, Chart], None]] = {".nc": _netcdf, ".nc4": _netcdf}
