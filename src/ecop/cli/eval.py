"""``ecop eval``: how good an initialisation is on a folder of signals."""

import csv
import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from tyro.conf import Positional

from ecop.cli import units
from ecop.cli.command import Command, Lpips, Overwrite, Precise, lpips_measures, option
from ecop.cli.outputs import check_writable
from ecop.cli.terminal import Terminal

if TYPE_CHECKING:
    from ecop.fit.evaluate import Evaluation


@dataclass(frozen=True, kw_only=True)
class Eval(Command):
    """Measure an initialisation: fit every signal of a folder, and report the metrics.

    Each signal is cut from the middle of its file at the recipe's size, as in validation. The PSNR of the set is the
    mean of the signals' PSNR, each of the reconstruction clipped to [0, 1].
    """

    examples: ClassVar[str] = """
        ecop eval photo --data photos/
        ecop eval runs/mine --data photos/ --split test --steps 16 --csv test.csv
        ecop eval photo --data photos/ --scaling none --json
        ecop eval photo --data photos/ --lpips alexnet.pth --lpips alex.pth
    """

    init: Annotated[Positional[str], option("INIT")]
    """initialisation: a file, a run's folder, the name of one that ships, or random:RECIPE"""
    data: Annotated[Path, option("DIR")]
    """folder of signals, read with its subfolders"""
    steps: Annotated[int | None, option("N")] = None
    """gradient steps; by default those that the initialisation was trained for"""
    scaling: Annotated[str | None, option("NAME")] = None
    """gradient scaling: norm, none, warmup:N, loss or constant:C"""
    head: Annotated[Literal["steps", "least-squares"] | None, option("steps|least-squares")] = None
    """the last layer at the end: as the steps leave it, or solved for; the initialisation's by default"""
    split: Annotated[Literal["all", "test", "validation", "train"], option()] = "all"
    """which files, as the recipe divides the folder"""
    csv: Annotated[Path | None, option("FILE")] = None
    """write one line a signal to this file"""
    seed: Annotated[int, option("N")] = 0
    """for scorers that draw"""
    precision: Precise = "float32"
    """of matrix products; tf32 and bf16 are faster on GPUs"""
    lpips: Lpips = ()
    """measure LPIPS, too, with the weights in this file; AlexNet and LPIPS's own layers may lie in two"""
    overwrite: Overwrite = False
    """replace the CSV file if it exists"""

    def run(self, terminal: Terminal) -> int:
        """Fit them all and print the table."""
        if self.csv is not None:
            check_writable(self.csv, overwrite=self.overwrite)
        from ecop.cli.runtime import prepare_jax

        prepare_jax()
        from ecop.fit.evaluate import evaluate
        from ecop.fit.initialisation import Initialisation

        initialisation = Initialisation.load(self.init)
        if self.head is not None:
            initialisation = initialisation.with_fit(head=self.head)
        measures = lpips_measures("eval", initialisation.recipe.signal, self.lpips)
        with terminal.progress("evaluating", unit="signals") as advance:
            evaluation = evaluate(
                initialisation, self.data, steps=self.steps, scaling=self.scaling, part=self.split, seed=self.seed,
                precision=self.precision, measures=measures,
                progress=lambda done, total, psnr: advance(done, total=total, note=f"PSNR {units.decibels(psnr)}"),
            )  # fmt: skip
        if self.csv is not None:
            write_csv(self.csv, evaluation)
        terminal.table(as_table(evaluation))
        terminal.document(as_document(evaluation))
        return 0


def as_document(evaluation: "Evaluation") -> dict[str, Any]:
    """What ``ecop eval --json`` prints."""
    return {
        "mean": evaluation.mean, "std": evaluation.std, "n": len(evaluation.files), "steps": evaluation.steps,
        "files": list(evaluation.files),
    }  # fmt: skip


def as_table(evaluation: "Evaluation") -> Any:
    """A line for each signal, then mean and standard deviation."""
    from rich.table import Table

    table = Table("file", box=None, padding=(0, 2, 0, 0))
    for name in evaluation.names:
        table.add_column(f"{name.upper()} (dB)" if name == "psnr" else name.upper(), justify="right")
    for file in evaluation.files:
        table.add_row(file["file"], *(_number(name, file[name]) for name in evaluation.names))
    table.add_section()
    for title, numbers in (("mean", evaluation.mean), ("standard deviation", evaluation.std)):
        table.add_row(f"{title} of {len(evaluation.files)}", *(_number(name, v) for name, v in numbers.items()))
    return table


def write_csv(path: Path, evaluation: "Evaluation") -> None:
    """A header, and one line a signal.

    Raises:
        CannotWrite: if the file system refuses.
    """
    from ecop.core.files import atomic_write

    text = io.StringIO()
    writer = csv.DictWriter(text, ["file", *evaluation.names], extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(evaluation.files)
    with atomic_write(path) as stream:
        stream.write(text.getvalue().encode())


def _number(name: str, value: float) -> str:
    return f"{value:.2f}" if name == "psnr" else f"{value:.4f}"
