"""TIFF stacks of slices, read and written with tifffile."""

import io
import math
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

from ecop.core.errors import BadInput, MissingExtra
from ecop.core.limits import INPUT_VOXELS
from ecop.signals.volume_opened import Opened
from ecop.signals.volume_placement import spacing_of

LETTERS = {"Z": "z", "I": "z", "Q": "z", "Y": "y", "X": "x", "T": "t", "C": "c", "S": "c"}
"""tifffile's axes as ours: pages without a name, I and Q, are slices."""

MICRONS = {"micron", "um", "µm", "\\u00b5m", "microns"}


def tiff_file(path: Path, name: str | None) -> Opened:
    """Open a TIFF of many pages: plain, ImageJ's or OME's, of which the first image series counts.

    Raises:
        BadInput: for a single page, and for axes that a volume has not.
        TooLarge: if its header announces more voxels than ``ECOP_MAX_PIXELS``.
        MissingExtra: for compression that needs the extra ``images``.
    """
    if name is not None:
        raise BadInput(path, f"a TIFF has no array {name!r}", "leave var out")
    file = _file(path)
    try:
        _check_whole(path, file)
        series = file.series[0]
        shape, axes = tuple(series.shape), "".join(LETTERS.get(letter, "?") for letter in series.axes)
        if "?" in axes or len(set(axes)) != len(axes) or not set("zyx") <= set(axes):
            given = f"a TIFF of {'×'.join(map(str, shape))} with axes {series.axes}"
            raise BadInput(path, f"{given} is no stack of slices", "give pages of one size, one for each slice")
        about = {"dtype": np.dtype(series.dtype).newbyteorder("=").name, **_spacing(file)}
    except BaseException:
        file.close()
        raise

    def read(time: tuple[int, int] | None) -> np.ndarray:
        INPUT_VOXELS.check(str(path), shape)
        numbers = _decoded(file, series)
        return numbers if time is None else np.take(numbers, time[1], axis=time[0])

    return Opened(shape, axes, read, about, close=file.close)


def has_pages(path: Path) -> bool:
    """Whether a TIFF has several pages; damage, for the reader to find, counts as a single one."""
    try:
        with _file(path) as file:
            return file.pages.is_multipage
    except Exception:
        return False


def tiff_page(path: Path) -> np.ndarray:
    """(height, width, channels): the numbers of a TIFF of one page, whatever their kind.

    Raises:
        BadInput: for several pages, or axes that a slice has not.
        TooLarge: if its header announces more pixels than ``ECOP_MAX_PIXELS``.
        MissingExtra: for compression that needs the extra ``images``.
    """
    with _file(path) as file:
        _check_whole(path, file)
        page = file.pages.first
        if len(file.pages) != 1 or page.axes not in ("YX", "YXS"):
            given = f"{len(file.pages)} pages with axes {page.axes}"
            raise BadInput(path, f"{given}, where a slice is one page of rows and columns", "give one page a slice")
        INPUT_VOXELS.check(str(path), page.shape)
        return _decoded(file, page).reshape(*page.shape[:2], -1)


def _file(path: Path) -> tifffile.TiffFile:
    # OME and Micro-Manager TIFFs may name further files, anywhere; this one is all that the user gave.
    return tifffile.TiffFile(path, _multifile=False, is_mmstack=False, is_ndtiff=False)


def _decoded(file: tifffile.TiffFile, part: Any) -> np.ndarray:
    """The numbers of a page or a series."""
    try:
        return np.asarray(part.asarray())
    except ValueError as error:
        if "imagecodecs" in str(error):
            kind = tifffile.COMPRESSION(file.pages.first.compression).name
            raise MissingExtra(f"a TIFF with {kind} compression", "images") from None
        raise


def _check_whole(path: Path, file: tifffile.TiffFile) -> None:
    if not _is_whole(file):
        raise BadInput(path, "truncated: its last page names another", "copy or download it again")


def _is_whole(file: tifffile.TiffFile) -> bool:
    """Whether the chain of pages has its end: tifffile takes a chain that leads out of the file for a shorter stack."""
    form, stream, start = file.tiff, file.filehandle, file.pages[-1].offset
    stream.seek(start)
    count = stream.read(form.tagnosize)
    if len(count) < form.tagnosize:
        return False
    (tags,) = struct.unpack(form.tagnoformat, count)
    stream.seek(start + form.tagnosize + tags * form.tagsize)
    behind = stream.read(form.offsetsize)
    return len(behind) == form.offsetsize and struct.unpack(form.offsetformat, behind) == (0,)


def _spacing(file: tifffile.TiffFile) -> dict[str, Any]:
    """Distances between voxels along z, y and x as ImageJ and our own files say them."""
    notes = file.imagej_metadata or (file.shaped_metadata or [{}])[0]
    between = notes.get("spacing")
    if not isinstance(between, int | float) or not math.isfinite(between) or between <= 0:
        return {}
    within = [_distance(file.pages.first.tags.valueof(tag)) for tag in ("YResolution", "XResolution")]
    unit = str(notes.get("unit", "unknown"))
    return {"spacing": [float(between), *within], "units": "micron" if unit in MICRONS else unit}


def _distance(resolution: Any) -> float:
    """From pixels a unit, a fraction, to units a pixel; 1 where the tag says nothing."""
    if not isinstance(resolution, tuple) or min(resolution) <= 0:
        return 1.0
    return resolution[1] / resolution[0]


def tiff_bytes(path: Path, numbers: np.ndarray, about: Mapping[str, Any]) -> bytes:
    """The file of a volume: a page for each slice along the first axis, compressed, with the spacing noted."""
    between, down, across = spacing_of(about)
    single = numbers.shape[-1] == 1
    stream = io.BytesIO()
    tifffile.imwrite(
        stream,
        numbers[..., 0] if single else numbers,
        photometric="minisblack",
        planarconfig=None if single else "contig",
        compression="zlib",
        resolution=(1 / across, 1 / down),
        metadata={
            "axes": "ZYX" if single else "ZYXS", "spacing": between, "unit": about.get("units", "unknown"),
        },
    )  # fmt: skip
    return stream.getvalue()
