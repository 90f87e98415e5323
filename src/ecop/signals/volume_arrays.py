"""NumPy files of volumes; nothing is unpickled."""

import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from ecop.core.errors import BadInput
from ecop.core.limits import INPUT_VOXELS
from ecop.signals.volume_opened import Opened


def numpy_file(path: Path, name: str | None) -> Opened:
    """Open a ``.npy`` file, or one array of a ``.npz`` file: the one of that name, or the only one.

    Raises:
        BadInput: for pickled objects, no such array, or several of which none is chosen.
        TooLarge: if the header announces more numbers than ``ECOP_MAX_PIXELS``.
    """
    with path.open("rb") as stream:
        is_archive = zipfile.is_zipfile(stream)
    if not is_archive:
        if name is not None:
            raise BadInput(path, f"a .npy file has no array {name!r}", "leave var out")
        with path.open("rb") as stream:
            shape, dtype = _header(path, stream)
        return _opened(path, shape, dtype, lambda: np.load(path, allow_pickle=False))
    with zipfile.ZipFile(path) as archive:
        members = [member.removesuffix(".npy") for member in archive.namelist() if member.endswith(".npy")]
        chosen = _chosen(path, members, name)
        with archive.open(f"{chosen}.npy") as stream:
            shape, dtype = _header(path, stream)

    def read() -> np.ndarray:
        with np.load(path, allow_pickle=False) as arrays:
            return arrays[chosen]

    return _opened(path, shape, dtype, read)


def _opened(path: Path, shape: tuple[int, ...], dtype: np.dtype, load) -> Opened:
    def read(time: tuple[int, int] | None) -> np.ndarray:
        # The whole array is decoded, of which the caller has checked one volume alone.
        INPUT_VOXELS.check(str(path), shape)
        numbers = load()
        return numbers if time is None else np.take(numbers, time[1], axis=time[0])

    return Opened(shape, None, read, {"dtype": "uint8" if dtype.kind == "b" else dtype.newbyteorder("=").name})


def _chosen(path: Path, members: list[str], name: str | None) -> str:
    held = ", ".join(members) or "none"
    if name is not None and name not in members:
        raise BadInput(path, f"it has no array {name!r}", f"choose one of its arrays: {held}")
    if name is None and len(members) != 1:
        raise BadInput(path, f"it has {len(members)} arrays", f"choose one, --read var=NAME: {held}")
    return members[0] if name is None else name


def _header(path: Path, stream: Any) -> tuple[tuple[int, ...], np.dtype]:
    version = np.lib.format.read_magic(stream)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(stream)
    if dtype.hasobject:
        raise BadInput(path, "it holds pickled objects, which are never read", "save a plain array of numbers")
    if dtype.kind not in "biuf":
        raise BadInput(path, f"it holds {dtype} values, not numbers", "convert it to whole or real numbers")
    return shape, dtype
