"""NumPy archives of a grid with its latitudes and longitudes: how ERA5 comes at 46×90."""

import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from ecop.core.errors import BadInput
from ecop.core.limits import INPUT_PIXELS

LATITUDES, LONGITUDES = ("latitude", "lat"), ("longitude", "lon")
REMEDY = "give latitude, longitude, and grids of as many rows and columns"


def npz_dataset(path: Path) -> Any:
    """An xarray data set of the arrays in an ``.npz`` file: 1-D latitudes and longitudes, and 2-D grids.

    Nothing is unpickled, and no array is read that is larger than ``ECOP_MAX_PIXELS``.

    Raises:
        BadInput: without latitudes or longitudes, or without a grid that fits them.
        TooLarge: for an array over the limit.
    """
    import xarray

    arrays = _arrays(path)
    latitude = next((name for name in LATITUDES if name in arrays), None)
    longitude = next((name for name in LONGITUDES if name in arrays), None)
    if latitude is None or longitude is None:
        held = ", ".join(arrays) or "nothing"
        raise BadInput(path, f"an .npz file without latitudes and longitudes (it holds {held})", REMEDY)
    rows, columns = arrays.pop(latitude), arrays.pop(longitude)
    shape = (rows.size, columns.size)
    grids = {
        name: values for name, values in arrays.items() if rows.ndim == columns.ndim == 1 and values.shape == shape
    }
    if not grids:
        raise BadInput(path, f"an .npz file without a grid of {shape[0]}×{shape[1]} numbers", REMEDY)
    axes = ("latitude", "longitude")
    return xarray.Dataset(
        {name: (axes, values) for name, values in grids.items()},
        {
            "latitude": ("latitude", rows, {"units": "degrees_north", "standard_name": "latitude"}),
            "longitude": ("longitude", columns, {"units": "degrees_east", "standard_name": "longitude"}),
        },
    )


def _arrays(path: Path) -> dict[str, np.ndarray]:
    """The arrays of numbers in the archive, each checked on its header before it is read."""
    with zipfile.ZipFile(path) as archive:
        members = [name for name in archive.namelist() if name.endswith(".npy")]
        kinds = {name: _checked_kind(path, archive, name) for name in members}
    with np.load(path, allow_pickle=False) as content:
        return {name.removesuffix(".npy"): content[name] for name in members if kinds[name] in "iuf"}


def _checked_kind(path: Path, archive: zipfile.ZipFile, name: str) -> str:
    with archive.open(name) as stream:
        version = np.lib.format.read_magic(stream)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = read(stream)
    INPUT_PIXELS.check(f"{name} in {path}", shape or (1,))
    return dtype.kind
