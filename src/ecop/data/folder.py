"""The signals of a folder: which files there are, in an order that never changes. Nothing is opened."""

import os
from pathlib import Path

from ecop.core.errors import BadInput
from ecop.signals.base import Signal


def find_files(source: Path | str, signal: type[Signal]) -> list[Path]:
    """The files of a modality in a folder and its subfolders, or the one file that ``source`` is.

    They are chosen by suffix (in either case) and sorted by their path relative to ``source``, compared as text with
    forward slashes, so that the order is the same on every system. Names that begin with a dot are passed over, and
    links to folders are not followed. A file that is named itself is taken whatever its suffix.

    Raises:
        BadInput: if ``source`` is missing or cannot be listed, or holds no such file.
    """
    source = Path(source)
    if source.is_file():
        return [source]
    if not source.is_dir():
        raise BadInput(source, "there is no such file or folder", "check the path")
    found = [path for path in _walk(source) if path.suffix.lower() in signal.suffixes]
    if not found:
        expected = f"put {signal.kind} files there ({', '.join(signal.suffixes)}) or name another folder"
        is_empty = next(source.iterdir(), None) is None
        raise BadInput(source, "the folder is empty" if is_empty else f"no {signal.kind} in this folder", expected)
    return sorted(found, key=lambda path: relative_name(path, source))


def relative_name(path: Path, root: Path) -> str:
    """The name of a file below ``root``, with forward slashes; the file's own name if it is the root itself."""
    return path.name if path == root else path.relative_to(root).as_posix()


def _walk(root: Path) -> list[Path]:
    def refuse(error: OSError) -> None:
        raise BadInput(error.filename, f"the folder cannot be listed ({error.strerror})", "check its permissions")

    found = []
    for folder, subfolders, names in os.walk(root, onerror=refuse):
        subfolders[:] = [name for name in subfolders if not name.startswith(".")]
        found += [Path(folder, name) for name in names if not name.startswith(".")]
    return found
