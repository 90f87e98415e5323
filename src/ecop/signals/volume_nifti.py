"""NIfTI files, read and written with nibabel."""

import gzip
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ecop.core.errors import BadInput, CannotWrite, MissingExtra
from ecop.signals.volume_opened import Opened
from ecop.signals.volume_placement import affine_of
from ecop.signals.volume_scaling import bounds_of

AXES = "zyxt"
"""Letters of a NIfTI's axes in their order, which stays as it is: its first one is our first."""

UNITS = ("unknown", "meter", "mm", "micron")


def nifti_library() -> Any:
    """nibabel.

    Raises:
        MissingExtra: if it is not installed.
    """
    try:
        import nibabel
    except ImportError:
        raise MissingExtra("a NIfTI volume", "volumes") from None
    return nibabel


def nifti_file(path: Path, name: str | None) -> Opened:
    """Open a NIfTI of version 1 or 2, plain or gzipped.

    Raises:
        BadInput: if it is of another format, or has more than four axes.
        MissingExtra: without the extra ``volumes``.
    """
    nibabel = nifti_library()
    if name is not None:
        raise BadInput(path, f"a NIfTI has no array {name!r}", "leave var out")
    # mmap=False: a file that shrinks while it is mapped ends the process instead of raising.
    image: Any = nibabel.load(path, mmap=False)
    if not isinstance(image, nibabel.Nifti1Image):
        raise BadInput(path, f"it is a {type(image).__name__}, not a NIfTI volume", "convert it to NIfTI")
    shape = tuple(int(n) for n in image.shape)
    while len(shape) > 3 and shape[-1] == 1:
        shape = shape[:-1]
    if not 3 <= len(shape) <= 4:
        raise BadInput(path, f"a NIfTI with {len(shape)} axes", "give three axes, or four of which the last is time")
    return Opened(
        shape, AXES[: len(shape)], lambda time: _numbers(image, len(shape), time), _about(image), _shown(image)
    )


def _numbers(image: Any, axes: int, time: tuple[int, int] | None) -> np.ndarray:
    index = (slice(None),) * (axes if time is None else 3) + (() if time is None else (time[1],))
    return np.asarray(image.dataobj[index + (0,) * (len(image.shape) - len(index))])


def _about(image: Any) -> dict[str, Any]:
    affine = np.asarray(image.affine, np.float64)
    dtype = image.get_data_dtype().newbyteorder("=")
    spacing = [float(distance) for distance in np.linalg.norm(affine[:3, :3], axis=0)]
    about: dict[str, Any] = {"units": image.header.get_xyzt_units()[0], "dtype": dtype.name}
    if np.isfinite(affine).all() and np.linalg.det(affine[:3, :3]):  # else the file places nothing
        about |= {"spacing": spacing, "affine": affine.tolist()}
    slope, intercept = image.dataobj.slope, image.dataobj.inter
    if (slope, intercept) != (1.0, 0.0):
        if dtype.kind in "iu":
            about["scale_factors"] = [float(slope), float(intercept)]
        else:
            about["dtype"] = "float64"
    return about


def _shown(image: Any) -> tuple[float, float] | None:
    low, high = float(image.header["cal_min"]), float(image.header["cal_max"])
    return (low, high) if math.isfinite(low) and math.isfinite(high) and low < high else None


def nifti_bytes(path: Path, numbers: np.ndarray, about: Mapping[str, Any]) -> bytes:
    """The file of a volume, (a, b, c) or (a, b, c, channels); gzipped if the path says so.

    It is of version 1, or of version 2 where an axis is longer than version 1 can say.

    Raises:
        CannotWrite: for several channels, for which NIfTI has no axis that all programs understand.
        MissingExtra: without the extra ``volumes``.
    """
    nibabel = nifti_library()
    if numbers.shape[-1] != 1:
        raise CannotWrite(path, f"a NIfTI has no {numbers.shape[-1]} channels", "choose .npy or .tif")
    if numbers.dtype == np.float16:
        numbers = numbers.astype(np.float32)
    kind = nibabel.Nifti1Image if max(numbers.shape) < 2**15 else nibabel.Nifti2Image
    image = kind(numbers[..., 0], affine_of(about), dtype=numbers.dtype)
    header = image.header
    header.set_xyzt_units(about["units"] if about.get("units") in UNITS else "unknown")
    header.set_slope_inter(*about.get("scale_factors", (1.0, 0.0)))
    header["cal_min"], header["cal_max"] = bounds_of(about)
    content = image.to_bytes()
    return gzip.compress(content, 6, mtime=0) if path.name.lower().endswith(".gz") else content
