"""A folder that is one volume: DICOM slices, or pictures numbered in order."""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ecop.core.errors import BadInput
from ecop.core.limits import INPUT_VOXELS
from ecop.signals.image import Image
from ecop.signals.image_reading import read_pixels
from ecop.signals.volume_dicom import dicom_series, is_dicom, is_slice
from ecop.signals.volume_opened import Opened
from ecop.signals.volume_stacks import has_pages, tiff_page

TIFF = (".tif", ".tiff")
PICTURES = tuple(suffix for suffix in Image.suffixes if suffix != ".gif")
NUMBER = re.compile(r"\d+")
EXPECTED = "give DICOM slices of one series, or pictures named as in slice-1.png, slice-2.png, …"


def is_volume(folder: Path, names: Sequence[str], volumes: Sequence[str]) -> bool:
    """Whether a folder with files of these names is one volume: slices, with no volumes beside them.

    Args:
        folder: whose first slice is looked into.
        names: of the files in it.
        volumes: suffixes of files that are volumes by themselves, if they are not slices.
    """
    others = tuple(suffix for suffix in volumes if suffix not in (*TIFF, ".dcm"))
    if any(name.lower().endswith(others) for name in names):
        return False
    dicom = dicom_names(folder, names)
    if dicom:
        return is_slice(folder / dicom[0])
    pictures = [name for name in names if name.lower().endswith(PICTURES)]
    numbers = slice_numbers(pictures)
    if len(pictures) < 2 or numbers is None:
        return False
    first = min(pictures, key=lambda name: numbers[name])
    return not first.lower().endswith(TIFF) or not has_pages(folder / first)


def folder_file(folder: Path, name: str | None) -> Opened:
    """Open the volume that a folder is.

    Raises:
        BadInput: if it holds neither DICOM slices nor numbered pictures, or slices that are no stack.
        TooLarge: for more voxels than ``ECOP_MAX_PIXELS``.
        MissingExtra: for DICOM without the extra ``volumes``.
    """
    if name is not None:
        raise BadInput(folder, f"a folder of slices has no array {name!r}", "leave var out")
    names = [path.name for path in folder.iterdir() if path.is_file() and not path.name.startswith(".")]
    dicom = dicom_names(folder, names)
    if dicom:
        return dicom_series(folder, dicom)
    return _picture_folder(folder, [name for name in names if name.lower().endswith(PICTURES)])


def dicom_names(folder: Path, names: Sequence[str]) -> list[str]:
    """The DICOM files of a folder, in order: those with the suffix, and those that bear the mark under another name."""
    return sorted(name for name in names if name.lower().endswith(".dcm") or _is_unnamed_dicom(folder / name))


def _is_unnamed_dicom(path: Path) -> bool:
    name = path.name.lower()
    return not name.startswith("dicomdir") and not name.endswith(PICTURES) and is_dicom(path)


def slice_numbers(names: Sequence[str]) -> dict[str, int] | None:
    """Each name's number, or nothing if they are not one sequence: alike but for one number, which tells them apart.

    Example:
        >>> slice_numbers(["s2-10.png", "s2-9.png"])
        {'s2-10.png': 10, 's2-9.png': 9}
        >>> slice_numbers(["a1.png", "b2.png"]), slice_numbers(["1-1.png", "2-2.png"])
        (None, None)
    """
    if len({NUMBER.sub("#", name.lower()) for name in names}) != 1:
        return None
    columns = zip(*([int(number) for number in NUMBER.findall(name)] for name in names), strict=True)
    varying = [column for column in columns if len(set(column)) > 1]
    if len(varying) != 1 or len(set(varying[0])) != len(names):
        return None
    return dict(zip(names, varying[0], strict=True))


def _picture_folder(folder: Path, names: Sequence[str]) -> Opened:
    numbers = slice_numbers(names)
    if numbers is None or len(names) < 2:
        raise BadInput(folder, "no slices of one series", EXPECTED)
    ordered = sorted(names, key=lambda name: numbers[name])
    steps = np.diff([numbers[name] for name in ordered])
    if steps.min() != steps.max():
        gap = int(np.argmax(steps))
        problem = f"no slice between {ordered[gap]} and {ordered[gap + 1]}, which are farther apart than others"
        raise BadInput(folder, problem, "give all slices")
    first = _pixels(folder / ordered[0])
    shape = (len(ordered), *first.shape)

    def read(time: tuple[int, int] | None) -> np.ndarray:
        INPUT_VOXELS.check(str(folder), shape)
        volume = np.empty(shape, first.dtype)
        for target, name in zip(volume, ordered, strict=True):
            pixels = _pixels(folder / name)
            if pixels.shape != first.shape or pixels.dtype != first.dtype:
                given = f"{_words(pixels)}, where {ordered[0]} is {_words(first)}"
                raise BadInput(folder / name, given, "give slices of one size and type")
            target[...] = pixels
        return volume

    return Opened(shape, "zyxc", read, {"dtype": first.dtype.name})


def _pixels(path: Path) -> np.ndarray:
    """(height, width, channels): a TIFF's own numbers, of any kind; of other pictures 8 or 16 bits, without alpha."""
    if path.name.lower().endswith(TIFF):
        return tiff_page(path)
    pixels = read_pixels(path)
    return pixels[..., :3] if pixels.shape[-1] == 4 else pixels


def _words(pixels: np.ndarray) -> str:
    return f"{'×'.join(map(str, pixels.shape))} {pixels.dtype.name}"
