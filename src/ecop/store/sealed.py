"""A safetensors file that carries one JSON document and the digests that show any change to it.

The format itself has no checksum, and a flipped byte would load in silence. So the document begins with the SHA-256 of
the whole file, taken with the 64 digits of that digest as zeros: they lie at one fixed place, `DIGITS`, because the
metadata comes first in the header and ``file_sha256`` first in the document. Written out in ``docs/format.md``.
"""

import hashlib
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import safetensors
import safetensors.numpy

from ecop.core.errors import BadFieldFile, TooLarge
from ecop.store.documents import read_json, write_json

FORMAT_VERSION = 1
MAX_HEADER = 1 << 20
MAX_TENSORS = 10_000
DTYPES = {"F16": "float16", "F32": "float32", "F64": "float64"}

_OPENING = b'{"__metadata__":{"ecop":"{\\"file_sha256\\":\\"'
_ZEROS = b"0" * 64
DIGITS = slice(8 + len(_OPENING), 8 + len(_OPENING) + len(_ZEROS))


def seal(tensors: Mapping[str, np.ndarray], document: Mapping[str, Any]) -> bytes:
    """The bytes of a sealed file; the same for the same content.

    Args:
        tensors: arrays of float16, float32 or float64, of any shape.
        document: plain JSON values; format version and digests are added here.

    Raises:
        TooLarge: if the description or the number of tensors exceeds what a reader accepts.
    """
    if len(tensors) > MAX_TENSORS:
        raise TooLarge("the number of tensors", str(len(tensors)), str(MAX_TENSORS), "store fewer in one file")
    dense = {name: np.array(tensor, tensor.dtype.newbyteorder("<"), order="C") for name, tensor in tensors.items()}
    complete = {**document, "format_version": FORMAT_VERSION, "payload_sha256": payload_sha256(dense)}
    text = f'{{"file_sha256":"{_ZEROS.decode()}",{write_json(complete)[1:]}'
    data = safetensors.numpy.save(dense, metadata={"ecop": text})
    length = int.from_bytes(data[:8], "little")
    if length > MAX_HEADER:
        raise TooLarge(
            "the description of the field", f"{length} bytes", f"{MAX_HEADER} bytes", "shorten its provenance"
        )
    if data[8 : DIGITS.start] != _OPENING:
        raise RuntimeError("safetensors no longer writes the metadata first; the digest has no fixed place")
    return data[: DIGITS.start] + _file_digest(data) + data[DIGITS.stop :]


def payload_sha256(tensors: Mapping[str, np.ndarray]) -> str:
    """SHA-256 of the tensors' bytes in the order in which safetensors lays them out."""
    return hashlib.sha256(_payload(safetensors.numpy.save(dict(tensors)))).hexdigest()


def unseal(path: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Read a sealed file and check everything: limits before parsing, sizes before reading, digests before trusting.

    Returns:
        The tensors in memory of their own (not mapped to the file), and the document with its digests.

    Raises:
        BadFieldFile: if it is missing, not ours, newer, cut short, prolonged or changed in any byte.
    """
    try:
        with open(path, "rb", opener=_regular_file) as file:
            data, document = _read(file, path)
    except OSError as error:
        raise BadFieldFile(path, f"cannot be read ({error.strerror or error})", "check the path") from None
    if data[8 : DIGITS.start] != _OPENING or data[DIGITS] != _file_digest(data):
        raise _damaged(path, "its checksum does not agree, so some bytes were changed since it was written")
    try:
        tensors = safetensors.numpy.load(data)
    except (safetensors.SafetensorError, ValueError) as error:
        raise _damaged(path, f"its tensors cannot be laid out ({error})") from None
    if document.get("payload_sha256") != hashlib.sha256(_payload(data)).hexdigest():
        raise _damaged(path, "the checksum of its tensors does not agree")
    return tensors, document


def _regular_file(name: str, flags: int) -> int:
    """Open without waiting, and nothing but a regular file: a pipe would block, a device never end."""
    descriptor = os.open(name, flags | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError("not a regular file")
    return descriptor


def _read(file: BinaryIO, path: Path) -> tuple[bytes, dict[str, Any]]:
    """The whole file and its document, each part only after what announces it was found sound."""
    size = os.fstat(file.fileno()).st_size
    prefix = file.read(8)
    length = int.from_bytes(prefix, "little")
    if len(prefix) < 8:
        raise _damaged(path, f"it has only {len(prefix)} bytes")
    if length > MAX_HEADER:
        raise _foreign(path, f"a header of {length} bytes, over the limit of {MAX_HEADER}")
    if 8 + length > size:
        raise _damaged(path, f"it ends within its header, at {size} bytes")
    header = file.read(length)
    entries, document = _parse(header, path)
    expected = 8 + length + _payload_size(entries, path)
    if size != expected:
        problem = "it was cut short" if size < expected else "something was appended"
        raise _damaged(path, f"{problem}: {size} bytes where its header announces {expected}")
    data = prefix + header + file.read(expected - 8 - length)
    if len(data) != expected:
        raise _damaged(path, "it was cut short while it was read")
    return data, document


def _parse(header: bytes, path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """The tensors' entries and our document, after the version says that we can read on."""
    try:
        entries = read_json(header)
        metadata = entries.pop("__metadata__", None)
    except (ValueError, AttributeError, TypeError):
        raise _foreign(path, "no header of a safetensors file") from None
    if not isinstance(metadata, dict) or not isinstance(metadata.get("ecop"), str):
        raise _foreign(path, "a safetensors file without ecop's description")
    try:
        document = read_json(metadata["ecop"])
        version = document["format_version"]
    except (ValueError, KeyError, TypeError):
        raise _damaged(path, "its description cannot be read") from None
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise _damaged(path, f"its format version is {version!r}")
    if version > FORMAT_VERSION:
        problem = f"it has format {version}, written by a newer ecop (this one reads up to format {FORMAT_VERSION})"
        raise BadFieldFile(path, problem, "upgrade with pip install -U ecop")
    if len(entries) > MAX_TENSORS:
        raise _foreign(path, f"{len(entries)} tensors, over the limit of {MAX_TENSORS}")
    return entries, document


def _payload_size(entries: Mapping[str, Any], path: Path) -> int:
    """Bytes that the tensors take, according to the header."""
    try:
        kinds = {entry["dtype"] for entry in entries.values()}
        ends = [entry["data_offsets"][1] for entry in entries.values()]
        size = max(ends, default=0)
        if not all(type(end) is int and end >= 0 for end in ends):
            raise TypeError
    except (KeyError, TypeError, IndexError):
        raise _damaged(path, "an entry of its header is not that of a tensor") from None
    if not kinds <= DTYPES.keys():
        raise _foreign(path, f"tensors of type {', '.join(sorted(map(str, kinds - DTYPES.keys())))}")
    return size


def _payload(data: bytes) -> bytes:
    return data[8 + int.from_bytes(data[:8], "little") :]


def _file_digest(data: bytes) -> bytes:
    digest = hashlib.sha256(data[: DIGITS.start])
    digest.update(_ZEROS)
    digest.update(data[DIGITS.stop :])
    return digest.hexdigest().encode()


def _damaged(path: Path, problem: str) -> BadFieldFile:
    return BadFieldFile(path, f"this field file is damaged: {problem}", "copy or create it anew")


def _foreign(path: Path, what: str) -> BadFieldFile:
    return BadFieldFile(path, f"not a file that ecop wrote ({what})", "give an initialisation or a field of ecop's")
