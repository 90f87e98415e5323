"""DICOM files, of many frames or as a folder of slices, read with pydicom."""

import math
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ecop.core.errors import BadInput, MissingExtra
from ecop.core.limits import INPUT_VOXELS
from ecop.signals.volume_dicom_places import Slice, placed
from ecop.signals.volume_opened import Opened

DEFLATED = "1.2.840.10008.1.2.1.99"
WANTED = [
    "Rows", "Columns", "NumberOfFrames", "SamplesPerPixel", "PhotometricInterpretation", "SeriesInstanceUID",
    "InstanceNumber", "ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SpacingBetweenSlices",
    "RescaleSlope", "RescaleIntercept", "DoseGridScaling", "ModalityLUTSequence", "GridFrameOffsetVector", "FrameTime",
    "FrameTimeVector", "BitsAllocated", "PixelRepresentation", "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence",
]  # fmt: skip
"""What is read of a header; all else, the pixels above all, is passed over."""


def dicom_library() -> Any:
    """pydicom.

    Raises:
        MissingExtra: if it is not installed.
    """
    try:
        import pydicom
    except ImportError:
        raise MissingExtra("a DICOM volume", "volumes") from None
    # It warns of values that break the standard's small print, of which real files are full.
    warnings.filterwarnings("ignore", category=UserWarning, module="pydicom")
    return pydicom


def is_dicom(path: Path) -> bool:
    """Whether a file bears the mark of DICOM, whatever its name."""
    try:
        with path.open("rb") as stream:
            return stream.read(132)[128:] == b"DICM"
    except OSError:
        return False


def is_slice(path: Path) -> bool:
    """Whether a DICOM file is one slice of a series, as far as can be seen; damage is for the reader to find."""
    try:
        return int(_header(path).get("NumberOfFrames", 1) or 1) == 1
    except Exception:
        return True


def dicom_file(path: Path, name: str | None) -> Opened:
    """Open a DICOM file of many frames.

    Raises:
        BadInput: for a single slice, frames in time, colours by palette, and frames that are no stack.
        MissingExtra: without the extra ``volumes``.
    """
    if name is not None:
        raise BadInput(path, f"a DICOM file has no array {name!r}", "leave var out")
    header = _header(path)
    count = int(header.get("NumberOfFrames", 1) or 1)
    if count < 2:
        raise BadInput(path, "a single slice", "give the folder with all slices of its series")
    INPUT_VOXELS.check(str(path), (count, *_size(header, path)))
    slices = [_slice(path, header, number) for number in range(count)]
    if slices[0].position is None and ("FrameTime" in header or "FrameTimeVector" in header):
        raise BadInput(path, "frames in time, not slices", "convert it to a video")
    return _opened(path, header, slices)


def dicom_series(folder: Path, names: Sequence[str]) -> Opened:
    """Open a folder of DICOM slices, in the order of their places, or where they have none of their numbers.

    Raises:
        BadInput: for several series, slices of different sizes, and slices that are no stack.
        MissingExtra: without the extra ``volumes``.
    """
    paths = [folder / name for name in sorted(names)]
    headers = [_header(path) for path in paths]
    series = {str(header.get("SeriesInstanceUID", "")) for header in headers}
    if len(series) > 1:
        raise BadInput(folder, f"{len(series)} series in one folder", "put each series into a folder of its own")
    sizes = {_size(header, path) for header, path in zip(headers, paths, strict=True)}
    if len(sizes) > 1:
        given = ", ".join(f"{size[0]}×{size[1]}" for size in sorted(sizes))
        raise BadInput(folder, f"slices of different sizes: {given}", "give the slices of one series")
    frames = [path.name for path, header in zip(paths, headers, strict=True) if header.get("NumberOfFrames", 1) != 1]
    if frames or len(paths) < 2:
        problem = f"{frames[0]} holds several frames" if frames else "a single slice"
        raise BadInput(folder, problem, "give all slices of a series in a folder, or the file of many frames itself")
    slices = [_slice(path, header, 0) for path, header in zip(paths, headers, strict=True)]
    numbers = [header.get("InstanceNumber") for header in headers]
    if all(one.position is None for one in slices):
        if None in numbers or len(set(numbers)) != len(numbers):
            raise BadInput(folder, "slices with neither places nor numbers", "export the series anew")
        slices = [slices[i] for i in np.argsort([int(number) for number in numbers])]
    return _opened(folder, headers[0], slices)


def _opened(path: Path, header: Any, slices: Sequence[Slice]) -> Opened:
    ordered, about = placed(path, slices)
    shape, stored = (len(ordered), *_size(header, path)), _stored(header)
    scales = {one.scale for one in slices}
    if scales == {(1.0, 0.0)}:
        real = stored
    else:
        real = np.dtype("float32" if stored.itemsize <= 2 else "float64")
        if len(scales) == 1:
            about["scale_factors"] = list(*scales)
        else:  # no one slope brings whole numbers back
            stored = real

    def read(time: tuple[int, int] | None) -> np.ndarray:
        INPUT_VOXELS.check(str(path), shape)
        numbers = np.empty(shape, real)
        for target, one, pixels in zip(numbers, ordered, _decoded(ordered), strict=True):
            slope, intercept = one.scale
            target[...] = pixels.reshape(target.shape)
            if (slope, intercept) != (1.0, 0.0):
                target *= slope
                target += intercept
        return numbers

    return Opened(shape, "zyxc", read, {**about, "dtype": stored.name})


def _stored(header: Any) -> np.dtype:
    """The type of the numbers as they are stored."""
    bits, signed = max(8, int(header.get("BitsAllocated", 16))), header.get("PixelRepresentation")
    return np.dtype(f"{'float' if signed is None else 'int' if signed else 'uint'}{bits}")


def _decoded(slices: Sequence[Slice]) -> Iterator[np.ndarray]:
    """The stored numbers of each slice; a file of many frames is decoded once."""
    from pydicom.pixels.utils import pixel_array

    if len({one.path for one in slices}) == 1:
        frames = pixel_array(slices[0].path)
        yield from (frames[one.number] for one in slices)
    else:
        yield from (pixel_array(one.path) for one in slices)


def _header(path: Path) -> Any:
    """A header, with no more than what is `WANTED`.

    Raises:
        BadInput: for a file without DICOM's mark, one that would have to be unpacked unchecked, one without pixels, or
            with pixels that nothing here decodes.
    """
    pydicom = dicom_library()
    if not is_dicom(path):
        raise BadInput(path, "it does not bear the mark of DICOM", "export it as a DICOM file (part 10)")
    syntax = pydicom.filereader.read_file_meta_info(path).get("TransferSyntaxUID", "")
    if syntax == DEFLATED:  # pydicom unpacks all of it at once, however large
        raise BadInput(path, "a deflated DICOM file", "convert it, for instance by dcmconv +te")
    header = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=WANTED)
    if "Rows" not in header or "Columns" not in header:
        raise BadInput(path, "a DICOM file without a picture", "give the slices of a series")
    if header.get("PhotometricInterpretation") == "PALETTE COLOR" or "ModalityLUTSequence" in header:
        raise BadInput(path, "numbers that stand for others by a table", "export it with plain numbers")
    if not _has_decoder(syntax):
        name = getattr(syntax, "name", syntax)
        problem = f"pixels compressed as {name}, which nothing installed here decodes"
        raise BadInput(path, problem, "decompress it, for instance by gdcmconv --raw, or install pylibjpeg's plugins")
    return header


def _has_decoder(syntax: Any) -> bool:
    from pydicom.pixels.decoders.base import get_decoder

    if not getattr(syntax, "is_compressed", False):
        return True
    try:
        return get_decoder(syntax).is_available
    except NotImplementedError:
        return False


def _size(header: Any, path: Path) -> tuple[int, int, int]:
    """Rows, columns and channels."""
    rows, columns, channels = int(header.Rows), int(header.Columns), int(header.get("SamplesPerPixel", 1) or 1)
    if min(rows, columns, channels) < 1:
        raise BadInput(path, f"a picture of {rows}×{columns} pixels", "export it anew")
    return rows, columns, channels


def _slice(path: Path, header: Any, number: int) -> Slice:
    """What a header says of one of its frames: of itself, or where it says nothing, of all or of the whole file."""
    groups = [
        _item(header, "PerFrameFunctionalGroupsSequence", number),
        _item(header, "SharedFunctionalGroupsSequence"),
    ]
    position = _numbers(_found(groups, "PlanePositionSequence", header), "ImagePositionPatient", 3)
    orientation = _numbers(_found(groups, "PlaneOrientationSequence", header), "ImageOrientationPatient", 6)
    measures = _found(groups, "PixelMeasuresSequence", header)
    between = _numbers(measures, "SpacingBetweenSlices", 1) or _numbers(header, "SpacingBetweenSlices", 1)
    values = _found(groups, "PixelValueTransformationSequence", header)
    slope = _numbers(values, "RescaleSlope", 1) or _numbers(header, "DoseGridScaling", 1) or (1.0,)
    intercept = _numbers(values, "RescaleIntercept", 1) or (0.0,)
    if not slope[0]:
        raise BadInput(path, "a slope of 0, under which all numbers are equal", "export it anew")
    if groups == [None, None] and int(header.get("NumberOfFrames", 1) or 1) > 1:
        position = _offset(header, position, orientation, number)
    spacing = _numbers(measures, "PixelSpacing", 2)
    if spacing is not None and min(spacing) <= 0:
        raise BadInput(path, f"pixels of {spacing[0]:g}×{spacing[1]:g} mm", "export it anew")
    apart = None if between is None else between[0]
    return Slice(path, number, position, orientation, spacing, apart, (slope[0], intercept[0]))


def _offset(header: Any, position: Any, orientation: Any, number: int) -> tuple[float, ...] | None:
    """A frame's place where the header has that of the first one, and offsets along the normal; else none."""
    offsets = header.get("GridFrameOffsetVector")
    if position is None or orientation is None or offsets is None:
        return None
    normal = np.cross(orientation[:3], orientation[3:])
    return tuple(np.asarray(position) + normal * (float(offsets[number]) - float(offsets[0])))


def _item(header: Any, sequence: str, number: int = 0) -> Any:
    items = header.get(sequence)
    return items[number] if items else None


def _found(groups: Sequence[Any], sequence: str, header: Any) -> Any:
    """The first group that has this part; the header itself if none has."""
    for group in groups:
        if group is not None and group.get(sequence):
            return group.get(sequence)[0]
    return header


def _numbers(dataset: Any, keyword: str, count: int) -> tuple[float, ...] | None:
    value = dataset.get(keyword)
    if value is None or value == "":
        return None
    numbers = tuple(float(number) for number in ([value] if count == 1 else value))
    if len(numbers) != count or not all(map(math.isfinite, numbers)):
        raise ValueError(f"{keyword} is {value}")
    return numbers
