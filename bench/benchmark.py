"""What every benchmark is: a command that measures, prints, and keeps its result as JSON with a picture beside it."""

import abc
import json
import os
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from ecop.core.files import atomic_write
from ecop.experiments import runner

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True, kw_only=True)
class Benchmark(abc.ABC):
    """One benchmark; its fields are its command's arguments."""

    name: ClassVar[str]

    small: bool = False
    """tiny sizes, in seconds: shows that it works, and measures nothing of worth; kept only where --out says"""
    json: bool = False
    """print one JSON document and nothing else"""
    out: Path | None = None
    """folder of the results; bench/results by default"""

    @abc.abstractmethod
    def measure(self) -> dict[str, Any]:
        """The numbers, as JSON values."""

    @abc.abstractmethod
    def draw(self, result: dict[str, Any]) -> Any:
        """A figure of matplotlib's."""

    @abc.abstractmethod
    def in_words(self, result: dict[str, Any]) -> list[str]:
        """Lines for a person."""

    def run(self) -> dict[str, Any]:
        """Measure, print and keep."""
        result = {**self.measure(), "benchmark": self.name, "small": self.small, "machine": about_this_machine()}
        if self.json:
            print(json.dumps(result, indent=1))
        else:
            print("\n".join(self.in_words(result)))
        if self.out is not None or not self.small:
            path = keep(result, self.draw(result), self.out or RESULTS)
            if not self.json:
                print(path)
        return result


def main(benchmark: type[Benchmark]) -> None:
    """The command of a benchmark."""
    import tyro

    tyro.cli(benchmark, prog=f"python -m bench.{benchmark.name}", config=(tyro.conf.FlagCreatePairsOff,)).run()


def about_this_machine() -> dict[str, Any]:
    """What the numbers depend on, in general terms; ``load``: how many tasks wanted a core in the last minute."""
    return {
        **runner.about_this_machine(), "system": platform.system(), "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None,
    }  # fmt: skip


def keep(result: dict[str, Any], figure: Any, folder: Path) -> Path:
    """Write NAME-DATE.json (NAME-INIT-DATE.json if it is about an initialisation; -2 and so on) and its picture."""
    subject = f"-{result['subject']}" if "subject" in result else ""
    stem = f"{result['benchmark']}{subject}-{result['machine']['date']}"
    taken = (path for path in (folder / f"{stem}{suffix}.json" for suffix in _suffixes()) if not path.exists())
    path = next(taken)
    with atomic_write(path) as file:
        file.write(json.dumps(result, indent=1).encode())
    figure.savefig(path.with_suffix(".png"), dpi=120)
    return path


def _suffixes():
    yield ""
    number = 2
    while True:
        yield f"-{number}"
        number += 1
