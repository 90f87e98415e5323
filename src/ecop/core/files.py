"""Writing files so that a reader never meets half of one, and a failure says in one line what happened."""

import contextlib
import errno
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from ecop.core.errors import CannotWrite

PROBLEMS = {
    errno.ENOSPC: ("the disk is full", "free some space or choose another place with -o"),
    errno.EDQUOT: ("your quota on this disk is used up", "free some space or choose another place with -o"),
    errno.EFBIG: ("the file would be larger than this system allows", "choose another place with -o"),
    errno.EACCES: ("permission denied", "choose a folder that you may write to with -o"),
    errno.EPERM: ("permission denied", "choose a folder that you may write to with -o"),
    errno.EROFS: ("the file system is read-only", "choose another place with -o"),
    errno.ENOTDIR: ("a part of its path is a file, not a folder", "choose another place with -o"),
    errno.EEXIST: ("a part of its path is a file, not a folder", "choose another place with -o"),
    errno.EISDIR: ("it is a folder", "name a file"),
    errno.ENAMETOOLONG: ("its name is too long", "choose a shorter name with -o"),
}


@contextlib.contextmanager
def atomic_write(path: Path | str) -> Iterator[BinaryIO]:
    """A stream whose content appears at ``path`` only once it is complete and on the disk.

    The content goes to a temporary name in the same folder (made if missing), is flushed to the disk and renamed.
    Whatever interrupts it, Ctrl-C too, leaves an earlier file at ``path`` as it was and no temporary file behind.

    Args:
        path: the file to write; a symbolic link is followed. Only the body's writing should happen inside the
            ``with`` block, since every OSError there is taken for a failure to write.

    Raises:
        CannotWrite: for a full disk, missing permission, a folder or device at ``path``, or any other OSError.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with atomic_write(Path(folder) / "a" / "b.bin") as stream:
        ...         _ = stream.write(b"123")
        ...     (Path(folder) / "a" / "b.bin").read_bytes()
        b'123'
    """
    with explained(path):
        target = Path(path).resolve()
        if target.is_dir():
            raise IsADirectoryError(errno.EISDIR, "is a folder")
        if target.exists() and not target.is_file():
            raise CannotWrite(path, "it is a device or a pipe, not a file", "name a file")
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(f".{target.name[:64]}.{secrets.token_hex(4)}.partial")
        try:
            with partial.open("xb") as stream:
                yield stream
                stream.flush()
                os.fsync(stream.fileno())
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)
        _sync_folder(target.parent)


@contextlib.contextmanager
def explained(path: Path | str) -> Iterator[None]:
    """Turns an OSError of the body into `CannotWrite` for ``path``, with what to do about it."""
    try:
        yield
    except OSError as error:
        unknown = error.strerror or str(error), "choose another place with -o"
        raise CannotWrite(path, *PROBLEMS.get(error.errno or 0, unknown)) from None


def _sync_folder(folder: Path) -> None:
    """Bring the renaming itself to the disk, where the system can (Windows cannot open a folder)."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
