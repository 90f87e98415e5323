"""NetCDF, Zarr and GRIB files opened lazily through xarray, by their content, so that nothing in them can do harm."""

import contextlib
import gc
import importlib
import logging
import traceback
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np

from ecop.core.errors import BadInput, EcopError, MissingExtra
from ecop.core.limits import INPUT_PIXELS
from ecop.signals.files import check_file
from ecop.signals.sphere_npz import npz_dataset

CHOICES = "give a NetCDF, Zarr, GRIB or .npz file"
HDF5_MARK, HDF5_OFFSETS = b"\x89HDF\r\n\x1a\n", (0, 512, 1024, 2048, 4096)
KNOWN: Mapping[bytes, str] = {
    b"\x93NUMPY": "a NumPy array has no latitudes and longitudes",
    b"CDF\x05": "NetCDF's 64-bit data form (CDF-5) is not supported",
}
MODULES: Mapping[str, tuple[str, ...]] = {
    "h5netcdf": ("h5py", "h5netcdf"),
    "scipy": ("scipy.io",),
    "zarr": ("zarr",),
    "cfgrib": ("eccodes", "cfgrib"),
    "npz": (),
}
"""What has to be installed, by the name that xarray has for what reads a file."""

REMEDIES: Mapping[bytes, str] = {b"CDF\x05": "convert it with nccopy -k nc4"}

# They report each oddity of a damaged file at length; our one line says it.
for _name in ("cfgrib", "gribapi"):
    logging.getLogger(_name).addHandler(logging.NullHandler())


def is_zarr(folder: Path) -> bool:
    """Whether a folder is a Zarr store: by its suffix, or by the file at its root that every store has."""
    return folder.suffix.lower() == ".zarr" or any((folder / name).is_file() for name in ("zarr.json", ".zgroup"))


@contextlib.contextmanager
def opened(path: Path) -> Iterator[list[Any]]:
    """The xarray data sets of a file, lazily: one, or of GRIB one for each kind of level.

    Times are left as numbers, and no coordinate is read yet. Whatever goes wrong within the ``with`` block is the
    file's fault.

    Raises:
        BadInput: for a missing, damaged or truncated file, one of another format, or one that reaches for other files.
        MissingExtra: without what reads it.
    """
    with warnings.catch_warnings(), contextlib.ExitStack() as stack:
        warnings.simplefilter("ignore")  # about encodings that we do not use
        try:
            yield [stack.enter_context(dataset) for dataset in _datasets(path)]
        except (EcopError, MemoryError):
            raise
        except Exception as error:  # what HDF5, scipy, zarr and eccodes raise on damaged files is an open set
            detail = " ".join(str(error).split())[:200] or type(error).__name__
            _drop_half_open(error)
            raise BadInput(path, f"damaged or truncated file ({detail})", "make or fetch the file again") from None


def _drop_half_open(error: Exception) -> None:
    """Close what a reader that failed left open, now, while its warnings about that are not heard."""
    traceback.clear_frames(error.__traceback__)
    gc.collect()


def _datasets(path: Path) -> list[Any]:
    engine = _engine_of(path)
    try:
        import xarray

        for name in MODULES[engine]:
            importlib.import_module(name)
    except ImportError:
        raise MissingExtra(f"{path}: a file of this kind", "grib" if engine == "cfgrib" else "climate") from None
    if engine == "cfgrib":
        return _grib(path)
    if engine == "npz":
        return [npz_dataset(path)]
    if engine == "h5netcdf":
        _refuse_links(path)
    options: dict[str, Any] = {"h5netcdf": {"phony_dims": "access"}, "zarr": {"chunks": None}}.get(engine, {})
    lazily: dict[str, Any] = {"decode_times": False, "create_default_indexes": False, "cache": False}
    return [xarray.open_dataset(path, engine=cast(Any, engine), **lazily, **options)]


def _engine_of(path: Path) -> str:
    """What reads a file, by its first bytes."""
    if path.is_dir() and is_zarr(path):
        return "zarr"
    check_file(path, "a file with latitudes and longitudes", CHOICES)
    with path.open("rb") as stream:
        head = stream.read(HDF5_OFFSETS[-1] + len(HDF5_MARK))
    if head.startswith((b"CDF\x01", b"CDF\x02")):
        return "scipy"
    if any(head[offset:].startswith(HDF5_MARK) for offset in HDF5_OFFSETS):
        return "h5netcdf"
    if head.startswith(b"PK\x03\x04"):
        return "npz"
    if b"GRIB" in head[:64]:  # some archives put a short header of their own before it
        return "cfgrib"
    for mark, problem in KNOWN.items():
        if head.startswith(mark):
            raise BadInput(path, problem, REMEDIES.get(mark, CHOICES))
    raise BadInput(path, "the content is not NetCDF, Zarr, GRIB or .npz", CHOICES)


def _grib(path: Path) -> list[Any]:
    import cfgrib
    import eccodes

    with path.open("rb") as stream:  # cfgrib passes over a message that is cut off
        while (message := eccodes.codes_grib_new_from_file(stream, headers_only=True)) is not None:
            eccodes.codes_release(message)
    # No index beside the file: cfgrib would pickle it, and unpickle whatever lies there.
    return cfgrib.open_datasets(str(path), backend_kwargs={"indexpath": ""}, decode_times=False)


def _refuse_links(path: Path) -> None:
    """HDF5 can name other files to be read in a file's stead; no climate file has to."""
    import h5py

    def linked(name: str, link: Any) -> str | None:
        return name if isinstance(link, h5py.ExternalLink) else None

    def stored_elsewhere(name: str, item: Any) -> str | None:
        return name if isinstance(item, h5py.Dataset) and (item.external or item.is_virtual) else None

    with h5py.File(path, "r") as file:
        found = file.visititems_links(linked) or file.visititems(stored_elsewhere)
    if found:
        raise BadInput(path, f"{found} lies in another file", "copy all of its content into one file")


def check_size(path: Path, variable: Any, rows: int, columns: int) -> None:
    """Raise `TooLarge` if a grid, or the chunk of the file that it has to be cut from, is over the limit."""
    INPUT_PIXELS.check(str(path), (rows, columns))
    chunks = variable.encoding.get("chunksizes") or variable.encoding.get("chunks")
    if chunks and all(isinstance(n, int | np.integer) for n in chunks):
        INPUT_PIXELS.check(f"a chunk of {path}", tuple(int(n) for n in chunks))
