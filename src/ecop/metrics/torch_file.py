"""Tensors from a ``.pth`` file of torch, without torch and without unpickling."""

import io
import struct
import zipfile
from collections.abc import Callable, Mapping
from io import BufferedIOBase
from pathlib import Path
from typing import Any

import numpy as np

from ecop.core.errors import BadInput, EcopError, TooLarge
from ecop.metrics.torch_pickle import REMEDY, Storage, Tensor, read_pickle

MAGIC, PROTOCOL = 0x1950A86A20F9469CFC6C, 1001
"""Of the format before torch 1.6: pickles one behind the other, then the numbers."""

LARGEST_PICKLE, LARGEST_FILE = 2**24, 2**30
"""Bytes."""


def read_torch(path: Path) -> dict[str, np.ndarray]:
    """The tensors of a ``state_dict`` that ``torch.save`` wrote, by name.

    Both formats are read: a zip archive (torch 1.6 and later), and the older one. What the file says of itself is
    followed only as far as tensors need it (`ecop.metrics.torch_pickle`); nothing is unpickled.

    Raises:
        BadInput: if it cannot be read, is damaged, or holds anything but a dictionary of tensors.
        TooLarge: for more than 1 GiB.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "a.pth")
        ...     _ = path.write_bytes(b"not from torch")
        ...     read_torch(path)
        Traceback (most recent call last):
        ecop.core.errors.BadInput: ...a.pth: not a file of torch...
    """
    try:
        size = path.stat().st_size
        if size > LARGEST_FILE:
            raise TooLarge(str(path), f"{size} bytes", f"{LARGEST_FILE} bytes", "save it as safetensors")
        with path.open("rb") as stream:
            if zipfile.is_zipfile(stream):
                with zipfile.ZipFile(stream) as archive:
                    return _of_archive(archive, path)
            stream.seek(0)
            return _of_stream(stream, path)
    except (EcopError, MemoryError):
        raise
    except OSError as error:
        raise BadInput(path, f"it cannot be read ({error.strerror or error})", "check the path") from None
    except Exception as error:  # a damaged file may fail anywhere: zlib.error, BadZipFile, IndexError, struct.error, …
        detail = " ".join(str(error).split()) or type(error).__name__
        raise BadInput(path, f"not a file of torch, or damaged ({detail})", REMEDY) from None


def _of_archive(archive: zipfile.ZipFile, path: Path) -> dict[str, np.ndarray]:
    (pickle,) = (name for name in archive.namelist() if name.endswith("/data.pkl") and name.count("/") == 1)
    folder = pickle.removesuffix("data.pkl")
    if f"{folder}byteorder" in archive.namelist() and _bytes(archive, f"{folder}byteorder", 16) != b"little":
        raise BadInput(path, "its numbers are big-endian", "save it again on an ordinary computer")
    value = read_pickle(io.BytesIO(_bytes(archive, pickle, LARGEST_PICKLE)), path)

    def numbers(storage: Storage) -> bytes:
        return _bytes(archive, f"{folder}data/{storage.key}", storage.count * storage.dtype.itemsize)

    return _arrays(value, numbers, path)


def _bytes(archive: zipfile.ZipFile, name: str, most: int) -> bytes:
    """A member of the archive, whose header is asked before anything is unpacked."""
    size = archive.getinfo(name).file_size
    if size > most:
        raise ValueError(f"{name} has {size} bytes, where {most} were to be expected")
    return archive.read(name)


def _of_stream(stream: BufferedIOBase, path: Path) -> dict[str, np.ndarray]:
    head = io.BytesIO(stream.read(LARGEST_PICKLE))
    if (read_pickle(head, path), read_pickle(head, path)) != (MAGIC, PROTOCOL):
        raise ValueError("it does not begin as such a file does")
    system, value, keys = (read_pickle(head, path) for _ in range(3))
    if not system["little_endian"]:
        raise BadInput(path, "its numbers are big-endian", "save it again on an ordinary computer")
    stream.seek(head.tell())
    found = {storage.key: storage for storage in _storages(value)}
    contents = {}
    for key in keys:
        storage = found[key]
        (count,) = struct.unpack("<q", stream.read(8))
        if count != storage.count:
            raise ValueError(f"storage {key} has {count} numbers, where {storage.count} were to be expected")
        contents[key] = stream.read(min(count * storage.dtype.itemsize, LARGEST_FILE))
    return _arrays(value, lambda storage: contents[storage.key], path)


def _storages(value: Any) -> list[Storage]:
    return [tensor.storage for tensor in value.values() if isinstance(tensor, Tensor)]


def _arrays(value: Any, numbers: Callable[[Storage], bytes], path: Path) -> dict[str, np.ndarray]:
    if not isinstance(value, Mapping) or not all(isinstance(tensor, Tensor) for tensor in value.values()):
        raise BadInput(path, "it holds more than a dictionary of tensors", REMEDY)
    sizes = {storage: storage.count * storage.dtype.itemsize for storage in _storages(value)}
    if sum(sizes.values()) > LARGEST_FILE:
        raise TooLarge(str(path), f"{sum(sizes.values())} bytes of tensors", f"{LARGEST_FILE} bytes", "give another")
    read: dict[Storage, np.ndarray] = {}
    for storage, size in sizes.items():
        content = numbers(storage)
        if len(content) != size:
            raise ValueError(f"truncated: {len(content)} of {size} bytes in storage {storage.key}")
        read[storage] = np.frombuffer(content, storage.dtype)
    return {str(name): tensor.of(read[tensor.storage]) for name, tensor in value.items()}
