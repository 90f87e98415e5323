"""Grids written as NetCDF or Zarr, with CF's attributes, or drawn as a map and a globe."""

import contextlib
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ecop.core.errors import CannotWrite, MissingExtra
from ecop.core.files import atomic_write, explained

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
    return {**ours, **theirs}


def _netcdf(path: Path, chart: Chart) -> None:
    with _xarray_for(path):
        content = bytes(dataset_of(chart).to_netcdf(engine="h5netcdf"))
    with atomic_write(path) as stream:
        stream.write(content)


def _zarr(path: Path, chart: Chart) -> None:
    """A folder: made under another name beside its place, then renamed; one that is there is never replaced."""
    with explained(path):
        if path.exists():
            raise CannotWrite(path, "it exists, and a folder is not replaced", "remove it first")
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as folder:
            with _xarray_for(path):
                data = dataset_of(chart)
                for variable in data.variables.values():
                    variable.encoding = {"_FillValue": variable.encoding["_FillValue"]}
                data.to_zarr(Path(folder, path.name), zarr_format=2, consolidated=True)
            shutil.move(Path(folder, path.name), path)


def _figure(path: Path, chart: Chart) -> None:
    from ecop.signals.figures import save
    from ecop.signals.sphere_plots import map_and_globe

    save(map_and_globe(chart.values, chart.latitudes, chart.longitudes, chart.about), path)


@contextlib.contextmanager
def _xarray_for(path: Path) -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of engines, about features that are not used
        try:
            yield
        except ImportError:
            raise MissingExtra(f"writing {path.suffix}", "climate") from None


WRITERS: dict[str, Callable[[Path, Chart], None]] = {
    ".nc": _netcdf,
    ".nc4": _netcdf,
    ".zarr": _zarr,
    ".png": _figure,
    ".pdf": _figure,
    ".svg": _figure,
}
