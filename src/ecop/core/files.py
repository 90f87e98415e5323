"""Writing a file so that it is there whole or not at all."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from ecop.core.errors import CannotWrite


@contextmanager
def atomic_write(path: str | Path) -> Iterator[BinaryIO]:
    """A binary file that takes the place of ``path`` when the block ends without an error.

    It is written under a unique name in the same folder, synced to the disk and renamed: what was at ``path`` stays
    until then, and stays for good if anything fails.

    Raises:
        CannotWrite: for a folder that is missing or cannot be written, a full disk, or a ``path`` that is no file.

    Example:
        >>> import tempfile
        >>> target = Path(tempfile.mkdtemp()) / "note.txt"
        >>> with atomic_write(target) as file:
        ...     _ = file.write(b"whole")
        >>> target.read_bytes()
        b'whole'
    """
    target = Path(path).resolve()  # through a link, to the file that it names
    if target.exists() and not target.is_file():
        raise CannotWrite(path, "it is not a file")
    partial = target.parent / f".{secrets.token_hex(8)}.partial"
    try:
        with partial.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        partial.replace(target)
    except OSError as error:
        raise CannotWrite(path, error.strerror or str(error)) from None
    finally:
        with suppress(OSError):  # after the rename nothing is left under this name
            partial.unlink(missing_ok=True)
