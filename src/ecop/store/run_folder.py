"""The folder of a training run: recipe, log, description, samples, checkpoints and the initialisations that it made.

::

    RUN/recipe.toml         everything that decides the run
    RUN/run.json            what it ran on, and what was chosen for it: versions, device, tiles, the data
    RUN/metrics.jsonl       one JSON object a line
    RUN/checkpoints/        the training state, for resuming
    RUN/samples/*.png       reconstructions of validation signals
    RUN/best.safetensors    the initialisation with the best validation, and the last one
    RUN/last.safetensors

Everything inside is relative, so that a run can be moved.
"""

import hashlib
import platform
import shutil
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, Self

from ecop.core.errors import BadInput, CannotWrite, InvalidSetting
from ecop.core.files import atomic_write, explained
from ecop.core.recipe import Recipe
from ecop.store.documents import plain, read_json, write_json

_FILES = ("run.json", "metrics.jsonl", "best.safetensors", "last.safetensors")
_FOLDERS = ("checkpoints", "samples", "events")


class RunFolder:
    """A run's folder and what is in it; made by `create` or `open`.

    Attributes:
        path: the folder.
        recipe: the recipe of the run.
        checkpoints: the folder of the training state.
        samples: the folder of sample pictures.
        events: the folder of TensorBoard events, if any are written.
        best: the file of the best initialisation.
        last: the file of the last initialisation.

    Example:
        >>> import tempfile
        >>> run = RunFolder.create(tempfile.mkdtemp() + "/run", Recipe())
        >>> run.log(10, loss=0.5, psnr=float("inf"))
        >>> RunFolder.open(run.path).read_metrics()
        [{'loss': 0.5, 'psnr': None, 'step': 10}]
    """

    def __init__(self, path: Path, recipe: Recipe):
        self.path = path
        self.recipe = recipe
        self.checkpoints, self.samples, self.events = (path / name for name in _FOLDERS)
        self.best, self.last = path / "best.safetensors", path / "last.safetensors"

    @classmethod
    def create(cls, path: str | Path, recipe: Recipe, *, overwrite: bool = False) -> Self:
        """Make the folder of a new run.

        Args:
            path: a folder that does not exist or is empty.
            recipe: written to ``recipe.toml``.
            overwrite: replace a run that is there already; any other folder with something in it stays untouched.

        Raises:
            CannotWrite: if something is there, or the file system refuses.
        """
        path = Path(path)
        with explained(path):
            if path.is_dir() and any(path.iterdir()):
                _clear(path, overwrite)
            (path / "samples").mkdir(parents=True, exist_ok=True)
        with atomic_write(path / "recipe.toml") as file:
            file.write(recipe.to_toml().encode())
        return cls(path, recipe)

    @classmethod
    def open(cls, path: str | Path) -> Self:
        """The folder of a run that was made before; nothing is changed. Call `rewind` before logging more.

        Raises:
            BadInput: if it is not the folder of a run.
        """
        path = Path(path)
        if not (path / "recipe.toml").is_file():
            raise BadInput(path, "not the folder of a run (no recipe.toml in it)", "give the folder of a training run")
        return cls(path, Recipe.load(path / "recipe.toml"))

    def lengthen(self, recipe: Recipe) -> None:
        """Replace the recipe by one that goes on for longer, so that the next resume knows of it."""
        with atomic_write(self.path / "recipe.toml") as file:
            file.write(recipe.to_toml().encode())
        self.recipe = recipe

    def describe(self, **facts: Any) -> None:
        """Write ``run.json``: the versions of Python, ecop and JAX, and these facts.

        Args:
            **facts: JSON values, e.g. ``device="cpu"``, ``tile=1024``, ``data=describe_files(...)``.

        Raises:
            InvalidSetting: for an absolute path among them: a run can be moved.
            CannotWrite: if the file system refuses.
        """
        versions = {"python": platform.python_version(), **{name: version(name) for name in ("ecop", "jax", "jaxlib")}}
        facts = plain({"versions": versions, **facts}, "run")
        _refuse_absolute(facts, "run")
        with atomic_write(self.path / "run.json") as file:
            file.write(write_json(facts, indent=2).encode() + b"\n")

    def description(self) -> dict[str, Any]:
        """What `describe` wrote.

        Raises:
            BadInput: if it is missing or damaged.
        """
        path = self.path / "run.json"
        try:
            return read_json(path.read_bytes())
        except (OSError, ValueError) as error:
            raise BadInput(path, f"the run's description cannot be read ({error})", "resume the run anew") from None

    def log(self, step: int, **numbers: Any) -> None:
        """Append one line to ``metrics.jsonl``; NaN and infinity are written as ``null``.

        Raises:
            CannotWrite: if the file system refuses.
        """
        line = write_json({**plain(numbers, "metrics", gaps=True), "step": step}) + "\n"
        path = self.path / "metrics.jsonl"
        with explained(path), path.open("ab") as file:
            file.write(line.encode())

    def read_metrics(self) -> list[dict[str, Any]]:
        """All lines of ``metrics.jsonl``, without a last one that is incomplete (being written, or cut off by a kill).

        Raises:
            BadInput: if another line is damaged.
        """
        return [read_json(line) for line in self._lines()]

    def rewind(self, step: int) -> None:
        """Drop what was logged after ``step``, the step of the checkpoint from which the run goes on.

        Raises:
            BadInput: if a line other than the last is damaged.
            CannotWrite: if the file system refuses.
        """
        kept = [line for line in self._lines() if read_json(line)["step"] <= step]
        with atomic_write(self.path / "metrics.jsonl") as file:
            file.write(b"".join(kept))

    def _lines(self) -> list[bytes]:
        """The lines of the log that are complete, each with its end."""
        path = self.path / "metrics.jsonl"
        try:
            lines = path.read_bytes().splitlines(keepends=True) if path.exists() else []
        except OSError as error:
            raise BadInput(path, f"cannot be read ({error.strerror})", "check the run's folder") from None
        for number, line in enumerate(lines, 1):
            if not _is_entry(line):
                if number < len(lines):
                    raise BadInput(path, f"line {number} is damaged", "delete that line")
                return lines[:-1]
        return lines


def describe_files(root: str | Path, files: Iterable[str | Path]) -> dict[str, Any]:
    """What identifies a data folder without saying where it lies: its name, and its files' names and sizes.

    Args:
        root: the data folder.
        files: the files in it that are used.

    Returns:
        ``folder`` (its name), ``files`` (how many), ``bytes`` and ``sha256`` (over sorted relative names and sizes).
    """
    root = Path(root)
    sizes = sorted((Path(file).relative_to(root).as_posix(), Path(file).stat().st_size) for file in files)
    listing = "".join(f"{size} {name}\n" for name, size in sizes)
    digest = hashlib.sha256(listing.encode(errors="surrogateescape")).hexdigest()
    total = sum(size for _, size in sizes)
    return {"folder": root.resolve().name, "files": len(sizes), "bytes": total, "sha256": digest}


def _is_entry(line: bytes) -> bool:
    try:
        return line.endswith(b"\n") and isinstance(read_json(line)["step"], int)
    except (ValueError, KeyError, TypeError):
        return False


def _clear(path: Path, overwrite: bool) -> None:
    """Remove the parts of a run but its recipe, which marks it as one, and nothing that a person put beside them."""
    if not (path / "recipe.toml").is_file():
        raise CannotWrite(path, "there are files in it that are not a run's", "choose another folder")
    if not overwrite:
        raise CannotWrite(path, "a run is there already", "resume it, overwrite it or choose another folder")
    for name in _FILES:
        (path / name).unlink(missing_ok=True)
    for name in _FOLDERS:
        if (path / name).is_dir():
            shutil.rmtree(path / name)


def _refuse_absolute(value: Any, name: str) -> None:
    if isinstance(value, Mapping):
        for key, item in value.items():
            _refuse_absolute(item, f"{name}.{key}")
    elif isinstance(value, list):
        for i, item in enumerate(value):
            _refuse_absolute(item, f"{name}[{i}]")
    elif isinstance(value, str) and (PurePosixPath(value).is_absolute() or PureWindowsPath(value).is_absolute()):
        raise InvalidSetting(name, value, "a relative path, since a run can be moved")
