"""What there is to plot, by the path that a person gives: runs, evaluations, fitted fields."""

import csv
import dataclasses
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ecop.core.errors import BadFieldFile, BadInput
from ecop.store.documents import read_json
from ecop.store.field_file import FieldFile
from ecop.store.run_folder import RunFolder


@dataclasses.dataclass(frozen=True)
class RunLog:
    """A training run.

    Attributes:
        name: of its folder.
        lines: of its log, each with its ``step``; a gap is ``None``.
        path: where it lies.
    """

    name: str
    lines: tuple[Mapping[str, Any], ...]
    path: Path


@dataclasses.dataclass(frozen=True)
class Scores:
    """What one initialisation reached on each signal of a set.

    Attributes:
        name: of the file, and of the row in it where it holds several.
        files: for each signal its name (``file``) and metrics, ``psnr`` in dB among them; ``psnr_curve`` where known.
        path: where it lies.
    """

    name: str
    files: tuple[Mapping[str, Any], ...]
    path: Path


@dataclasses.dataclass(frozen=True)
class FieldSource:
    """A fitted field.

    Attributes:
        name: of the file.
        content: what is in it.
        nbytes: bytes of the file.
        path: where it lies.
    """

    name: str
    content: FieldFile
    nbytes: int
    path: Path

    @property
    def psnr(self) -> float:
        """Of the reconstruction, in dB; infinite where it is exact."""
        found = self.content.metrics.get("psnr")
        return math.inf if found is None else found

    @property
    def psnr_curve(self) -> list[float]:
        """PSNR in dB before each step and after the last."""
        return self.content.provenance["psnr_curve"]


Source = RunLog | Scores | FieldSource


def read_sources(paths: Iterable[Path]) -> list[Source]:
    """Everything that the paths stand for, under names that differ.

    Raises:
        BadInput: for a path that is none of these, is damaged, or holds nothing to plot.
    """
    found = [source for path in paths for source in read_source(path)]
    names = distinct_names([source.name for source in found], [source.path for source in found])
    return [dataclasses.replace(source, name=name) for source, name in zip(found, names, strict=True)]


def read_source(path: Path) -> Sequence[Source]:
    """What one path stands for: a run, a field, or the evaluations in a file.

    Raises:
        BadInput: as `read_sources`.
    """
    if path.is_dir():
        run = RunFolder.open(path)
        lines = tuple(run.read_metrics())
        if not lines:
            raise BadInput(path, "nothing is in its log yet", "wait for the first step")
        return [RunLog(path.resolve().name, lines, path)]
    if path.suffix.lower() == ".safetensors":
        return [_field(path)]
    if path.suffix.lower() in (".json", ".csv"):
        return _evaluations(path)
    problem = "there is no such file" if not path.exists() else "neither a run, nor an evaluation, nor a field"
    raise BadInput(path, problem, "give a run's folder, .json or .csv of 'ecop eval', or a field's .safetensors")


def distinct_names(names: Sequence[str], paths: Sequence[Path]) -> list[str]:
    """The names, with the folder before those that occur twice, and a number behind those that still do.

    Example:
        >>> distinct_names(["a", "a", "b"], [Path("x/a.json"), Path("y/a.json"), Path("b.json")])
        ['x/a', 'y/a', 'b']
    """
    longer = [
        name if names.count(name) == 1 else f"{path.absolute().parent.name}/{name}"
        for name, path in zip(names, paths, strict=True)
    ]
    return [
        name if longer.count(name) == 1 else f"{name} ({longer[: place + 1].count(name)})"
        for place, name in enumerate(longer)
    ]


def _field(path: Path) -> FieldSource:
    content = FieldFile.load(path)
    if content.role != "fitted":
        raise BadFieldFile(path, "holds an initialisation, not a fitted field", "fit a signal with it first")
    if "psnr_curve" not in content.provenance:
        raise BadFieldFile(path, "its description is incomplete (no psnr_curve)", "create it anew")
    return FieldSource(path.stem, content, path.stat().st_size, path)


def _evaluations(path: Path) -> list[Scores]:
    try:
        text = path.read_text()
        document = {"files": list(csv.DictReader(text.splitlines()))} if path.suffix.lower() == ".csv" else None
        found = _rows(path.stem, read_json(text) if document is None else document)
        scores = [Scores(name, tuple(_numbers(file) for file in files), path) for name, files in found]
    except (OSError, UnicodeDecodeError, ValueError, KeyError, TypeError, csv.Error) as error:
        detail = f"no {error}" if isinstance(error, KeyError) else getattr(error, "strerror", None) or str(error)
        raise BadInput(path, f"not an evaluation ({detail})", "make one by 'ecop eval --json' or --csv") from None
    if not scores or not all(one.files for one in scores):
        raise BadInput(path, "an evaluation of no signals", "make one by 'ecop eval --json' or --csv")
    return scores


def _rows(stem: str, document: Any) -> list[tuple[str, list[Mapping[str, Any]]]]:
    """The sets of signals in a document: its own, or those of its rows, as `bench.pretrained` writes them."""
    if "rows" in document:
        return [(", ".join(filter(None, (row["name"], row.get("scaling")))), row["files"]) for row in document["rows"]]
    return [(stem, document["files"])]


def _numbers(file: Mapping[str, Any]) -> dict[str, Any]:
    """A signal's numbers; of a CSV file they are texts. A PSNR that JSON could not write was infinite."""
    psnr = file["psnr"]
    values: dict[str, Any] = {"file": str(file["file"]), "psnr": math.inf if psnr is None else float(psnr)}
    if "psnr_curve" in file:
        values["psnr_curve"] = [float(value) for value in file["psnr_curve"]]
    return values
