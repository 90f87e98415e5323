"""Volume files to numbers in their own units, whatever the format, or a clear word why not."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ecop.core.errors import BadInput, EcopError, InvalidSetting
from ecop.core.limits import INPUT_VOXELS
from ecop.core.recipe import check
from ecop.signals.files import check_file
from ecop.signals.volume_arrays import numpy_file
from ecop.signals.volume_dicom import dicom_file, is_dicom
from ecop.signals.volume_folders import folder_file
from ecop.signals.volume_nifti import nifti_file
from ecop.signals.volume_opened import Opened
from ecop.signals.volume_scaling import Bounds
from ecop.signals.volume_stacks import tiff_file

READERS: dict[str, Callable[[Path, str | None], Opened]] = {
    ".nii": nifti_file,
    ".nii.gz": nifti_file,
    ".npy": numpy_file,
    ".npz": numpy_file,
    ".tif": tiff_file,
    ".tiff": tiff_file,
    ".dcm": dicom_file,
}
CHOICES = "give a NIfTI (.nii, .nii.gz), DICOM, a .npy or .npz array, a TIFF stack or a folder of slices"
ORDERED = "tzyxc"


@dataclass(frozen=True)
class Choice:
    """What of a file is wanted, in a user's words, which are checked; see `ecop.signals.volume.Volume.read`."""

    bounds: Any = None
    var: Any = None
    time: Any = None
    axes: Any = None
    spacing: Any = None

    def __post_init__(self):
        bounds, axes, spacing = self.bounds, self.axes, self.spacing
        if bounds is not None:
            fits = isinstance(bounds, list | tuple) and len(bounds) == 2 and all(map(_is_number, bounds))
            check(fits and bounds[0] < bounds[1], "bounds", bounds, "[low, high], low < high")
        if spacing is not None:
            fits = isinstance(spacing, list | tuple) and len(spacing) == 3 and all(map(_is_number, spacing))
            check(fits and min(spacing) > 0, "spacing", spacing, "three distances above 0, one for each axis")
        if axes is not None:
            letters = isinstance(axes, str) and len(set(axes)) == len(axes) and set("zyx") <= set(axes) <= set(ORDERED)
            check(letters, "axes", axes, "the letters z, y, x and where there are such t (time) and c (channels)")
        check(self.var is None or isinstance(self.var, str), "var", self.var, "the name of an array")
        if self.time is not None:
            check(str(self.time).isdigit(), "time", self.time, "the number of a volume, from 0")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def count_times(path: Path, choice: Choice) -> int | None:
    """How many volumes a file holds one after the other; ``None`` if it is one volume.

    Raises:
        BadInput, TooLarge, MissingExtra: as `read_numbers`.
    """
    with _opened(path, choice) as opened:
        axes = _axes(path, opened, choice)
        return opened.shape[axes.index("t")] if "t" in axes else None


def read_numbers(path: Path, choice: Choice) -> tuple[np.ndarray, dict[str, Any], Bounds | None]:
    """One volume of a file.

    Returns:
        (a, b, c, channels) numbers in the file's units, NaN where missing; what else the file says (see
        `ecop.signals.volume.Volume`); and the range that the file is shown with, if it says one.

    Raises:
        BadInput: if the file is missing, empty, damaged, truncated, of another format than its suffix says, or holds
            none, several or another volume than asked for.
        TooLarge: if its header announces more voxels than ``ECOP_MAX_PIXELS``; nothing is decoded then.
        MissingExtra: if an optional part is missing.
    """
    with _opened(path, choice) as opened:
        axes = _axes(path, opened, choice)
        order = [letter for letter in ORDERED if letter in axes]
        sizes = {letter: opened.shape[axes.index(letter)] for letter in order}
        time = _time(path, sizes.pop("t", None), choice)
        INPUT_VOXELS.check(str(path), tuple(sizes.values()))
        _check_extent(path, sizes)
        numbers = _decoded(path, opened, None if time is None else (axes.index("t"), time))
    left = [letter for letter in axes if letter != "t"]
    numbers = np.transpose(numbers, [left.index(letter) for letter in order if letter != "t"])
    if "c" not in axes:
        numbers = numbers[..., None]
    about = dict(opened.about)
    if choice.spacing is not None:
        about = {name: value for name, value in about.items() if name != "affine"}
        about["spacing"] = [float(distance) for distance in choice.spacing]
    return numbers, about, opened.shown


def _opened(path: Path, choice: Choice) -> Opened:
    if path.is_dir():
        return _guarded(path, lambda: folder_file(path, choice.var))
    check_file(path, "a volume", CHOICES)
    suffix = next((suffix for suffix in READERS if path.name.lower().endswith(suffix)), None)
    if suffix is None and is_dicom(path):  # which scanners name without a suffix
        suffix = ".dcm"
    if suffix is None:
        raise BadInput(path, f"{path.suffix!r} is not a suffix of a volume", CHOICES)
    return _guarded(path, lambda: READERS[suffix](path, choice.var))


def _guarded(path: Path, work: Callable[[], Any]) -> Any:
    try:
        return work()
    except (EcopError, MemoryError):
        raise
    except Exception as error:  # what decoders raise on damaged files is an open set: struct.error, zlib.error, …
        detail = " ".join(str(error).split()) or type(error).__name__
        raise BadInput(path, f"damaged or truncated volume ({detail})", "make or fetch the file again") from None


def _axes(path: Path, opened: Opened, choice: Choice) -> str:
    """The letter of each axis: the setting's, else the file's own, else three axes are those of space."""
    count = len(opened.shape)
    sizes = "×".join(map(str, opened.shape))
    if choice.axes is not None:
        if len(choice.axes) != count:
            raise InvalidSetting("axes", choice.axes, f"{count} letters, since {path} is {sizes}")
        return choice.axes
    if opened.axes is not None:
        return opened.axes
    if count == 3:
        return "zyx"
    if count < 3:
        raise BadInput(path, f"an array of {sizes or 'no'} numbers is no volume", "give three axes")
    raise BadInput(
        path, f"an array with {count} axes, {sizes}", "say which they are, as in --read axes=tzyx or axes=zyxc"
    )


def _time(path: Path, count: int | None, choice: Choice) -> int | None:
    if count is None:
        if choice.time is not None:
            raise BadInput(path, f"one volume, where time={choice.time} was asked for", "leave the time out")
        return None
    if choice.time is None:
        if count != 1:
            raise BadInput(path, f"{count} volumes one after the other", f"choose one, --read time=0 to {count - 1}")
        return 0
    if int(choice.time) >= count:
        raise BadInput(path, f"there is no time {choice.time}", f"choose one from 0 to {count - 1}")
    return int(choice.time)


def _check_extent(path: Path, sizes: dict[str, int]) -> None:
    space = tuple(sizes[letter] for letter in "zyx")
    if min(space) < 2 or sizes.get("c", 1) < 1:
        shape = "×".join(map(str, space))
        raise BadInput(path, f"a volume of {shape} voxels is no signal to fit", "give at least 2×2×2 voxels")


def _decoded(path: Path, opened: Opened, time: tuple[int, int] | None) -> np.ndarray:
    numbers = np.asarray(_guarded(path, lambda: opened.read(time)))
    if numbers.dtype.kind == "b":
        numbers = numbers.astype(np.uint8)
    if numbers.dtype.kind not in "iuf":
        raise BadInput(path, f"it holds {numbers.dtype} values, not numbers", "convert it to whole or real numbers")
    if numbers.dtype.kind == "f":
        infinite = int(np.isinf(numbers).sum())
        if infinite:
            raise BadInput(path, f"{infinite} values are infinite", "replace them, by NaN where a value is missing")
    return numbers
