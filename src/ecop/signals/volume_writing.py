"""Volumes to files, in the format that the suffix names."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ecop.core.errors import CannotWrite
from ecop.core.files import atomic_write
from ecop.signals.pictures import write_picture
from ecop.signals.volume_nifti import nifti_bytes
from ecop.signals.volume_scaling import stored_numbers
from ecop.signals.volume_slices import middle_slices
from ecop.signals.volume_stacks import tiff_bytes

ENCODERS: dict[str, Callable[[Path, np.ndarray, Mapping[str, Any]], bytes]] = {
    ".nii": nifti_bytes,
    ".nii.gz": nifti_bytes,
    ".tif": tiff_bytes,
    ".tiff": tiff_bytes,
}
SUFFIXES = (*ENCODERS, ".npy", ".png")


def format_of(path: Path) -> str:
    """The suffix of ours that a path has.

    Raises:
        CannotWrite: if it is none of them.
    """
    suffix = next((suffix for suffix in SUFFIXES if path.name.lower().endswith(suffix)), None)
    if suffix is None:
        problem = f"{path.suffix!r} is not a suffix of a volume format" if path.suffix else "the name has no suffix"
        raise CannotWrite(path, problem, f"choose one of: {', '.join(SUFFIXES)}")
    return suffix


def write_volume(path: Path, values: np.ndarray, about: Mapping[str, Any]) -> None:
    """Write (a, b, c, channels) values in [0, 1] as the numbers that they stand for.

    Raises:
        CannotWrite: for an unknown suffix, several channels in a NIfTI, or whatever the system objects to.
        MissingExtra: for a NIfTI without the extra ``volumes``.
    """
    suffix = format_of(path)
    if suffix == ".png":
        write_picture(path, middle_slices(values, about))
        return
    numbers = stored_numbers(values, about)
    if suffix == ".npy":
        with atomic_write(path) as stream:
            np.save(stream, numbers[..., 0] if numbers.shape[-1] == 1 else numbers, allow_pickle=False)
        return
    content = ENCODERS[suffix](path, numbers, about)
    with atomic_write(path) as stream:
        stream.write(content)
