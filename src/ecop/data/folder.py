"""The signals of a folder: which files there are, in an order that never changes, and what lies in each."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ecop.core.errors import BadInput
from ecop.signals.base import Signal


@dataclass(frozen=True)
class Item:
    """One signal: a file, or a part of one.

    Attributes:
        path: the file, or the folder that is one signal.
        choice: reading settings that choose the part; empty where the file is one signal.
    """

    path: Path
    choice: Mapping[str, Any] = field(default_factory=dict)

    def __hash__(self) -> int:
        return hash((self.path, self.label))

    @property
    def label(self) -> str:
        """The part's name within its file, such as ``time=1982-01-16``; empty for a whole file."""
        return ",".join(f"{name}={value}" for name, value in self.choice.items())

    def name(self, root: Path) -> str:
        """Its name below ``root``, with forward slashes, and the part's behind a ``#``."""
        return relative_name(self.path, root) + self._mark

    def __str__(self) -> str:
        """Its path, and the part behind a ``#``."""
        return str(self.path) + self._mark

    @property
    def _mark(self) -> str:
        return f"#{self.label}" if self.choice else ""

    def read(self, signal: type[Signal], reading: Mapping[str, Any]) -> Signal:
        """Read it with a recipe's settings.

        Raises:
            BadInput: if it cannot be read.
            UnknownName: for a setting that the modality does not know.
        """
        return signal.open(self.path, {**reading, **self.choice})


def items_of(files: Iterable[Path], signal: type[Signal], reading: Mapping[str, Any]) -> list[Item]:
    """The signals in files, in their order.

    Raises:
        BadInput: if a file that may hold several cannot be opened.
    """
    return [Item(path, choice) for path in files for choice in signal.members(path, reading)]


def find_files(source: Path | str, signal: type[Signal]) -> list[Path]:
    """The files of a modality in a folder and its subfolders, or the one file that ``source`` is.

    They are chosen by suffix (in either case) and sorted by their path relative to ``source``, compared as text with
    forward slashes, so that the order is the same on every system. A folder that is one signal, as the modality
    decides, counts as a file. Names that begin with a dot are passed over, and links to folders are not followed. A
    file that is named itself is taken whatever its suffix.

    Raises:
        BadInput: if ``source`` is missing or cannot be listed, or holds no such file.
    """
    source = Path(source)
    if source.is_file():
        return [source]
    if not source.is_dir():
        raise BadInput(source, "there is no such file or folder", "check the path")
    found = _walk(source, signal)
    if found == [source]:
        return found
    if not found:
        expected = f"put {signal.kind} files there ({', '.join(signal.suffixes)}) or name another folder"
        is_empty = next(source.iterdir(), None) is None
        raise BadInput(source, "the folder is empty" if is_empty else f"no {signal.kind} in this folder", expected)
    return sorted(found, key=lambda path: relative_name(path, source))


def relative_name(path: Path, root: Path) -> str:
    """The name of a file below ``root``, with forward slashes; the file's own name if it is the root itself."""
    return path.name if path == root else path.relative_to(root).as_posix()


def _walk(root: Path, signal: type[Signal]) -> list[Path]:
    def refuse(error: OSError) -> None:
        raise BadInput(error.filename, f"the folder cannot be listed ({error.strerror})", "check its permissions")

    found = []
    for folder, subfolders, names in os.walk(root, onerror=refuse):
        names = [name for name in names if not name.startswith(".")]
        if signal.owns_folder(Path(folder), names):
            found.append(Path(folder))
            subfolders.clear()
            continue
        subfolders[:] = [name for name in subfolders if not name.startswith(".")]
        found += [Path(folder, name) for name in names if name.lower().endswith(signal.suffixes)]
    return found
