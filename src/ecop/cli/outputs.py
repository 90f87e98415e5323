"""Where results go: one file or a folder of them, what is there already, and whether it can be written at all."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

from ecop.core.errors import CannotWrite
from ecop.core.files import explained


def is_folder(out: str) -> bool:
    """Whether ``-o`` means a folder: it ends in a slash, or is one."""
    return out.endswith(("/", "\\")) or Path(out).is_dir()


def output_names(inputs: Sequence[Path], suffix: str) -> list[str]:
    """A name for the result of each input: its own without the suffix, or as much more of its path as tells it apart.

    The names follow from the paths alone, and no two are equal, however a file system treats capitals.

    Args:
        inputs: distinct paths.
        suffix: of the results, with its dot.

    Example:
        >>> output_names([Path("a/cat.jpg"), Path("a/cat.png"), Path("dog.jpg")], ".safetensors")
        ['cat.jpg.safetensors', 'cat.png.safetensors', 'dog.safetensors']
        >>> output_names([Path("a/cat.jpg"), Path("b/cat.jpg")], ".safetensors")
        ['a-cat.jpg.safetensors', 'b-cat.jpg.safetensors']
    """
    depth = dict.fromkeys(range(len(inputs)), 0)
    deepest = max((len(path.parts) for path in inputs), default=0)
    while True:
        names = [_label(path, depth[i]) for i, path in enumerate(inputs)]
        seen: dict[str, list[int]] = {}
        for i, name in enumerate(names):
            seen.setdefault(name.casefold(), []).append(i)
        clashes = [i for same in seen.values() if len(same) > 1 for i in same]
        if not clashes:
            return [name + suffix for name in names]
        if all(depth[i] >= deepest for i in clashes):  # only capitals or dashes tell them apart
            return [f"{name}-{i + 1}{suffix}" if i in clashes else name + suffix for i, name in enumerate(names)]
        for i in clashes:
            depth[i] += 1


def check_writable(path: Path, *, overwrite: bool) -> None:
    """Find out before the work whether a file can be put there; nothing is left behind.

    Raises:
        CannotWrite: if it exists and may not be replaced, is a folder, or the file system refuses.
    """
    with explained(path):
        if path.is_dir():
            raise IsADirectoryError(21, "it is a folder")
        if path.exists() and not overwrite:
            raise CannotWrite(path, "it exists already", "replace it with -y, or choose another place with -o")
        folder = path.absolute().parent
        while not folder.exists():
            folder = folder.parent
        if not folder.is_dir():
            raise NotADirectoryError(20, f"{folder} is a file")
        with tempfile.TemporaryFile(dir=folder):
            pass


def _label(path: Path, depth: int) -> str:
    return path.stem if depth == 0 else "-".join(part for part in path.parts[-depth:] if part not in ("/", ".", ".."))
