"""Running a study piece by piece: every run's document is kept on its own, and what is there is not run again."""

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

from ecop.core import machine
from ecop.core.errors import BadInput, UnknownName
from ecop.core.files import atomic_write
from ecop.experiments import compare, dynamics, memory
from ecop.experiments.compare import Place, Report
from ecop.experiments.study import Arm, Scale, Study
from ecop.store.documents import plain, read_json, write_json


class Piece(Protocol):
    """What a study is made of, called to run."""

    @property
    def name(self) -> str:
        """Of its file."""
        ...

    @property
    def corpus(self) -> str:
        """What it is run on."""
        ...

    @property
    def arm(self) -> Arm:
        """What is looked at."""
        ...

    def identity(self) -> Any:
        """All that decides its result, as JSON values."""
        ...

    def __call__(self, place: Place, report: Report) -> dict[str, Any]:
        """Run it; its document."""
        ...


KINDS: dict[str, Callable[[Study, Scale], Iterator[Piece]]] = {
    "compare": compare.runs, "dynamics": dynamics.runs, "memory": memory.runs,
}  # fmt: skip
"""For each kind of study the pieces that it consists of."""


@dataclass(frozen=True)
class Progressed:
    """How far a study is.

    Attributes:
        done: pieces whose results are there.
        all: pieces that the study has.
        ran: pieces that this call ran.
    """

    done: int
    all: int
    ran: int


def pieces(study: Study, scale: Scale) -> list[Piece]:
    """The pieces of a study, in the order in which they are run.

    Raises:
        UnknownName: if the study's kind or one of its corpora does not exist.
    """
    if study.kind not in KINDS:
        raise UnknownName("kind of study", study.kind, KINDS)
    return list(KINDS[study.kind](study, scale))


def folder_of(study: Study, scale: Scale, out: Path) -> Path:
    """The folder of a study's results."""
    return out / f"{study.name}-{scale.name}"


def path_of(piece: Piece, study: Study, scale: Scale, out: Path) -> Path:
    """The file of a piece's document."""
    return folder_of(study, scale, out) / "runs" / f"{piece.name}.json"


def run(
    study: Study,
    scale: Scale,
    place: Place,
    *,
    corpora: Sequence[str] = (),
    arms: Sequence[str] = (),
    seconds: float | None = None,
    report: Report = lambda what, done, total: None,
) -> Progressed:
    """Run what is not there yet.

    Args:
        study: the study.
        scale: its size.
        place: where results go, and where data lie.
        corpora: only pieces of these corpora; empty: all.
        arms: only these arms; empty: all.
        seconds: begin no further piece after that time.
        report: called as the work goes on.

    Returns:
        How far the study is now.

    Raises:
        BadInput: if data are missing or damaged, or results come from another form of the study.
        CannotWrite: if the folder cannot be written.
    """
    begun, ran = time.monotonic(), 0
    every = [(piece, path_of(piece, study, scale, place.out)) for piece in pieces(study, scale)]
    for piece, path in every:
        if is_done(path, piece):
            continue
        if (corpora and piece.corpus not in corpora) or (arms and piece.arm.name not in arms):
            continue
        if seconds is not None and time.monotonic() - begun > seconds:
            break
        document = piece(place, report)
        with atomic_write(path) as stream:
            entry = {"identity": fingerprint(piece), "machine": about_this_machine(), **document}
            stream.write(write_json(plain(entry, "results", gaps=True)).encode() + b"\n")
        ran += 1
    return Progressed(sum(is_done(path, piece) for piece, path in every), len(every), ran)


def results(study: Study, scale: Scale, out: Path) -> list[dict[str, Any]]:
    """Documents of the pieces that are done, in the study's order.

    Raises:
        BadInput: if there is none.
    """
    every = [(piece, path_of(piece, study, scale, out)) for piece in pieces(study, scale)]
    paths = [path for piece, path in every if is_done(path, piece)]
    if not paths:
        raise BadInput(folder_of(study, scale, out) / "runs", "no run of the study is there", "run it first")
    return [read_json(path.read_bytes()) for path in paths]


def is_done(path: Path, piece: Piece) -> bool:
    """Whether a piece's document is there, and is of the piece as the study describes it now."""
    if not path.is_file():
        return False
    try:
        return read_json(path.read_bytes())["identity"] == fingerprint(piece)
    except (OSError, ValueError, KeyError):
        return False


def fingerprint(piece: Piece) -> str:
    """A short hash of all that decides a piece's result."""
    return hashlib.sha256(json.dumps(piece.identity(), sort_keys=True).encode()).hexdigest()[:16]


def about_this_machine() -> dict[str, Any]:
    """What a result was computed on, in general terms."""
    import jax

    return {
        "processor": machine.processor(), "cores": machine.cores(), "memory_gib": round(machine.memory() / 2**30, 1),
        "device": jax.devices()[0].device_kind, "jax": jax.__version__, "ecop": version("ecop"),
        "date": time.strftime("%Y-%m-%d"),
    }  # fmt: skip
