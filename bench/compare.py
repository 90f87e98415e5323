"""What changed between two results: ``python -m bench.compare roofline``, or two files."""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from tyro.conf import Positional

from bench.benchmark import RESULTS

KEYS = ("quantity", "value", "method", "shape", "precision", "tile", "signals", "phase")
"""What names a row of a list of results."""


@dataclass(frozen=True, kw_only=True)
class Compare:
    """Every number that two results share and that differs, with the ratio."""

    results: Annotated[Positional[tuple[str, ...]], None]
    """the name of a benchmark, for its last two results, or an earlier and a later file"""
    json: bool = False
    """print one JSON document and nothing else"""
    least: float = 0.02
    """relative change from which a number is shown"""
    folder: Path = RESULTS
    """where the results of a name lie"""

    def run(self) -> dict[str, Any]:
        """Compare and print."""
        earlier, later = (json.loads(path.read_text()) for path in self._files())
        changes = {
            name: {"before": before, "after": after, "ratio": after / before if before else math.inf}
            for name, before, after in shared(earlier, later)
            if abs(after - before) > self.least * max(abs(before), abs(after))
        }
        machines = {key: [earlier["machine"].get(key), later["machine"].get(key)] for key in later["machine"]}
        other = {key: pair for key, pair in machines.items() if pair[0] != pair[1] and key not in ("date", "load")}
        if self.json:
            print(json.dumps({"changes": changes, "machine": other}))
            return {"changes": changes, "machine": other}
        for key, (before, after) in other.items():
            print(f"not the same {key}: {before} → {after}")
        for name, own in changes.items():
            print(f"{name:50} {own['before']:12.5g} → {own['after']:12.5g}   × {own['ratio']:.3f}")
        if not changes:
            print(f"no number changed by more than {self.least:.0%}")
        return {"changes": changes, "machine": other}

    def _files(self) -> list[Path]:
        if len(self.results) == 2:
            return [Path(name) for name in self.results]
        found = self.folder.glob(f"{self.results[0]}-*.json")
        files = sorted(found, key=lambda path: (path.stat().st_mtime, path.name))
        if len(self.results) != 1 or len(files) < 2:
            raise SystemExit(f"give two files, or a benchmark with two results in {self.folder}")
        return files[-2:]


def shared(earlier: Any, later: Any) -> Iterator[tuple[str, float, float]]:
    """(dotted name, before, after) of the numbers in both.

    Example:
        >>> list(shared({"a": {"b": 1, "c": 2}}, {"a": {"b": 3}}))
        [('a.b', 1, 3)]
    """
    before, after = dict(numbers(earlier)), dict(numbers(later))
    return ((name, before[name], after[name]) for name in after if name in before)


def numbers(tree: Any, name: str = "") -> Iterator[tuple[str, float]]:
    """Every number with its dotted name; a row of a list is named by what tells it apart, not by its place."""
    if isinstance(tree, Mapping):
        for key, value in tree.items():
            yield from numbers(value, f"{name}.{key}" if name else str(key))
    elif isinstance(tree, list):
        for place, item in enumerate(tree):
            label = " ".join(str(item[key]) for key in KEYS if key in item) if isinstance(item, Mapping) else str(place)
            yield from numbers(item, f"{name}[{label}]")
    elif isinstance(tree, int | float) and not isinstance(tree, bool):
        yield name, tree


if __name__ == "__main__":
    import tyro

    tyro.cli(Compare, prog="python -m bench.compare", config=(tyro.conf.FlagCreatePairsOff,)).run()
