"""Whether a video file is as long as its header says: what a decoder makes of half a file looks like a whole one."""

from pathlib import Path
from typing import BinaryIO

from ecop.core.errors import BadInput

EBML, SEGMENT = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67"


def check_complete(path: Path) -> None:
    """Raise `BadInput` if a file ends before its container does.

    MP4 and MOV are boxes, each with its length; AVI begins with its length, and so does the segment of MKV and WebM
    unless it was written to a pipe; GIF ends with a mark. Files of other formats pass.
    """
    length = path.stat().st_size
    with path.open("rb") as file:
        expected = _announced(file, length)
    if expected > length:
        problem = f"truncated video: it has {length} bytes, and announces {expected}"
        raise BadInput(path, problem, "make or fetch the file again")


def _announced(file: BinaryIO, length: int) -> int:
    """Bytes that the file must have at least."""
    head = file.read(12)
    if head[4:8] in (b"ftyp", b"moov", b"mdat", b"free", b"wide", b"skip"):
        return _end_of_boxes(file, length)
    if head[:4] == b"RIFF" and head[8:] == b"AVI ":
        return 8 + int.from_bytes(head[4:8], "little")
    if head[:4] == EBML:
        return _end_of_segment(file)
    if head[:3] == b"GIF":
        file.seek(max(0, length - 256))
        return length + (not file.read().rstrip(b"\0").endswith(b";"))
    return 0


def _end_of_boxes(file: BinaryIO, length: int) -> int:
    place = 0
    while place < length:
        file.seek(place)
        head = file.read(16)
        size = int.from_bytes(head[:4], "big")
        if size == 1:
            size = int.from_bytes(head[8:16], "big")
        if size == 0:  # to the end of the file, whatever that is
            return length
        place += max(size, 8)
    return place


def _end_of_segment(file: BinaryIO) -> int:
    """Where the segment behind the EBML header ends; 0 if it does not say so."""
    file.seek(len(EBML))
    header = _element_size(file)
    if header is None:
        return 0
    file.seek(header, 1)
    if file.read(4) != SEGMENT:
        return 0
    size = _element_size(file)
    return 0 if size is None else file.tell() + size


def _element_size(file: BinaryIO) -> int | None:
    """An element's length: as many further bytes as the first has leading zeros; all ones: unknown."""
    first = file.read(1)
    if not first or not first[0]:
        return None
    more = 8 - first[0].bit_length()
    size = int.from_bytes(bytes([first[0] & ((1 << (7 - more)) - 1)]) + file.read(more), "big")
    return None if size == (1 << (7 * (more + 1))) - 1 else size
