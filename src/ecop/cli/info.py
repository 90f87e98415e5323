"""``ecop info``: what is in a file or a run folder."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar

from tyro.conf import Positional

from ecop.cli import units
from ecop.cli.command import Command, option
from ecop.cli.terminal import Terminal
from ecop.fit.finding import find_initialisation


@dataclass(frozen=True, kw_only=True)
class Info(Command):
    """Say what a field file, an initialisation or a run folder holds, and how good it is."""

    examples: ClassVar[str] = """
        ecop info photo
        ecop info cat.safetensors
        ecop info runs/mine --json
    """

    file: Annotated[Positional[str], option("FILE")]
    """a field file, an initialisation (file or name), or a run's folder"""

    def run(self, terminal: Terminal) -> int:
        """Read it and print it."""
        is_run = (Path(self.file) / "recipe.toml").is_file()
        document = describe_run(Path(self.file)) if is_run else describe_file(find_initialisation(self.file))
        from rich.table import Table

        table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
        for name, text in flattened(document):
            table.add_row(name, text)
        terminal.table(table)
        terminal.document(document)
        return 0


def describe_file(path: Path) -> dict[str, Any]:
    """All that a field file says of itself, beside its tensors."""
    from ecop.store.field_file import UPDATE, FieldFile

    content = FieldFile.load(path)
    of_update = sum(tensor.size for name, tensor in content.tensors.items() if name.startswith(UPDATE))
    return {
        "file": str(path), "role": content.role, "bytes": path.stat().st_size, "dtype": content.dtype,
        "parameters": sum(tensor.size for tensor in content.tensors.values()) - of_update,
        "learned_rates": of_update or None,
        "sha256": content.sha256,
        "field": content.field, "signal": content.signal,
        "blocks": None if content.blocks is None else len(content.blocks["starts"]),
        "metrics": content.metrics, "fit": content.fit, "recipe": content.recipe, "provenance": content.provenance,
    }  # fmt: skip


def describe_run(path: Path) -> dict[str, Any]:
    """Where a run stands: its last numbers, its validations, its recipe, what it ran on."""
    from ecop.store.run_folder import RunFolder

    run = RunFolder.open(path)
    lines = run.read_metrics()
    validations = [(line["step"], line["psnr"]) for line in lines if line.get("psnr") is not None]
    best = max(validations, key=lambda pair: pair[1], default=None)
    return {
        "folder": str(path), "role": "run",
        "step": lines[-1]["step"] if lines else 0, "steps": run.recipe.train.steps,
        "seconds": lines[-1].get("seconds") if lines else 0,
        "best": None if best is None else {"step": best[0], "psnr": best[1]},
        "last": lines[-1] if lines else None,
        "initialisations": [file.name for file in (run.best, run.last) if file.is_file()],
        "recipe": run.recipe.to_dict(),
        "description": run.description() if (path / "run.json").is_file() else None,
    }  # fmt: skip


def flattened(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Dotted names with their values in words, without what is empty; of long lists only the length."""
    for name, value in tree.items():
        if isinstance(value, Mapping):
            yield from flattened(value, f"{prefix}{name}.")
        elif value is not None and value not in ("", []):
            yield prefix + name, in_words(name, value)


def in_words(name: str, value: Any) -> str:
    """One value, by the name that it has."""
    if name == "bytes":
        return units.size(value)
    if name == "seconds":
        return units.duration(value)
    if name.endswith("psnr"):
        return units.decibels(value)
    if name in ("shape", "size", "resampled_from"):
        return units.shape(value)
    if isinstance(value, list) and len(value) > 6:
        first, last = value[0], value[-1]
        shown = (f"{v:.2f}" if isinstance(v, float) else str(v) for v in (first, last))
        return f"{len(value)} values, from {' to '.join(shown)}"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
