"""``ecop plot``: runs, evaluations and fields as figures for a paper, or as numbers."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from tyro.conf import Positional

from ecop.cli.command import Command, Overwrite, option
from ecop.cli.outputs import check_writable
from ecop.cli.terminal import Terminal
from ecop.core.errors import BadInput, BadUsage

if TYPE_CHECKING:
    from ecop.plots.sources import FieldSource, RunLog, Scores, Source

Kind = Literal["training", "distribution", "difference", "steps", "rate", "points"]

Drawn = tuple[Any, Callable[[Any], None], tuple[float, float]]
"""The numbers, what draws them into a figure, and the figure's width and height in columns."""


@dataclass(frozen=True, kw_only=True)
class Plot(Command):
    """Draw runs, evaluations or fields as figures for a paper: PDF with its fonts, PNG of 200 dpi, or SVG.

    A run's folder gives its training curves, several over one another. The .json or .csv of 'ecop eval' gives the PSNR
    of every signal and its mean; --of difference compares two by signal, and --of steps shows the way there. A field
    gives PSNR over its steps; --of rate sets PSNR against bytes, and --of points shows what each step kept.
    """

    examples: ClassVar[str] = """
        ecop plot runs/ecop runs/learnit -o training.pdf
        ecop plot ecop.json learnit.json -o psnr.pdf
        ecop plot ecop.json learnit.json --of difference -o gain.png
        ecop plot fields/*.safetensors --of rate -o rate.pdf
        ecop plot cat.safetensors --of points --signal cat.jpg -o points.png
        ecop plot runs/ecop --json
    """

    inputs: Annotated[Positional[tuple[Path, ...]], option("RUN|EVAL|FIELD...")]
    """run folders, or evaluations (.json, .csv), or fitted fields: of one kind"""
    out: Annotated[Path | None, option("FILE", "-o")] = None
    """the figure: .pdf, .png or .svg; with --json it may be left out"""
    of: Annotated[Kind | None, option()] = None
    """what to show; by default training, distribution or steps, by the inputs"""
    columns: Annotated[Literal[1, 2] | None, option()] = None
    """width: 3.3 inches for one column, 6.9 for two; by default what the plot needs"""
    signal: Annotated[Path | None, option("FILE")] = None
    """--of points: the signal that was fitted; by default where it lay then"""
    init: Annotated[str | None, option("INIT")] = None
    """--of points: the initialisation that it was fitted from; by default the one of that name"""
    overwrite: Overwrite = False
    """replace the figure if it exists"""

    def run(self, terminal: Terminal) -> int:
        """Read, draw, say where."""
        if not self.inputs:
            raise BadUsage("plot", "nothing to plot: give runs, evaluations or fields")
        if self.out is None and not self.json:
            raise BadUsage("plot", "-o FILE is missing; --json alone prints the numbers")
        from ecop.plots.sources import read_sources
        from ecop.plots.style import check_format, new_figure, save_plot

        if self.out is not None:
            check_format(self.out)
            check_writable(self.out, overwrite=self.overwrite)
        kind, sources = self._kind(read_sources(self.inputs))
        numbers, draw, (columns, height) = getattr(self, f"_{kind}")(sources)
        if self.out is not None:
            figure = new_figure(*size_of(self.columns or columns, columns, height))
            draw(figure)
            save_plot(figure, self.out)
            terminal.say(str(self.out))
        terminal.document({"of": kind, "out": None if self.out is None else str(self.out), "numbers": numbers})
        return 0

    def _kind(self, sources: "list[Source]") -> "tuple[Kind, list[Source]]":
        """What to show; every input must be of the kind that this needs."""
        from ecop.plots.sources import FieldSource, RunLog, Scores

        able: dict[type, tuple[Kind, ...]] = {
            RunLog: ("training",), Scores: ("distribution", "difference", "steps"),
            FieldSource: ("steps", "rate", "points"),
        }  # fmt: skip
        chosen = self.of or able[type(sources[0])][0]
        for source in sources:
            if chosen not in able[type(source)] or type(source) is not type(sources[0]):
                other = ", ".join(able[type(source)])
                raise BadInput(source.path, f"not to be shown as {chosen} beside the others", f"it can be: {other}")
        for kind, most in (("difference", 2), ("points", 1)):
            if chosen == kind and len(sources) != most:
                raise BadUsage("plot", f"--of {kind} takes {most} of them, not {len(sources)}")
        return chosen, sources

    def _training(self, runs: "list[RunLog]") -> Drawn:
        from ecop.plots.training import draw_training, training_numbers

        numbers = training_numbers(runs)
        columns = min(self.columns or 2, len(numbers))
        rows = -(-len(numbers) // columns)
        return numbers, lambda figure: draw_training(figure, numbers, columns), (columns, 0.62 * rows)

    def _distribution(self, scores: "list[Scores]") -> Drawn:
        from ecop.plots.evaluations import distribution_numbers, draw_distribution

        numbers = distribution_numbers(scores)
        return numbers, lambda figure: draw_distribution(figure, numbers), (1, 0.25 + 0.12 * max(2, len(scores)))

    def _difference(self, scores: "list[Scores]") -> Drawn:
        from ecop.plots.evaluations import difference_numbers, draw_difference

        numbers = difference_numbers(*scores)
        return numbers, lambda figure: draw_difference(figure, numbers), (1, 0.7)

    def _steps(self, sources: "list[Any]") -> Drawn:
        from ecop.plots.evaluations import draw_steps, step_numbers
        from ecop.plots.fields import curve_numbers
        from ecop.plots.sources import Scores

        numbers = step_numbers(sources) if isinstance(sources[0], Scores) else curve_numbers(sources)
        return numbers, lambda figure: draw_steps(figure, numbers), (1, 0.7)

    def _rate(self, fields: "list[FieldSource]") -> Drawn:
        from ecop.plots.fields import draw_rate, rate_numbers

        numbers = rate_numbers(fields)
        return numbers, lambda figure: draw_rate(figure, numbers), (1, 0.75)

    def _points(self, fields: "list[FieldSource]") -> Drawn:
        from ecop.cli.runtime import prepare_jax

        prepare_jax()
        from ecop.fit.initialisation import Initialisation
        from ecop.fit.prepared import prepare
        from ecop.plots.inner_steps import draw_kept_points, inner_steps, kept_numbers

        (field,) = fields
        if field.content.blocks is not None:
            raise BadInput(field.path, "fitted in blocks, each with steps of its own", "fit a signal of one block")
        came_from, about = field.content.provenance["from"], field.content.signal
        initialisation = Initialisation.load(self.init or came_from["initialisation"])
        signal = initialisation.read(self.signal or Path(came_from["source"]), {})
        ready = prepare(initialisation, signal)
        if ready.blocks is not None or ready.signal.resolution != tuple(about["shape"]):
            ready = prepare(initialisation, signal, native=True)
        found = inner_steps(initialisation, ready)
        return kept_numbers(found), lambda figure: draw_kept_points(figure, found), (2, 1.45)


def size_of(columns: int, natural: float, height: float) -> tuple[float, float]:
    """Inches across and down.

    Args:
        columns: that the figure takes.
        natural: that the plot was designed for.
        height: of the plot as designed, in widths of one column.

    Example:
        >>> size_of(1, 1, 0.5)
        (3.3, 1.65)
    """
    from ecop.plots.style import ONE_COLUMN, TWO_COLUMNS

    stretch = 1.0 if columns >= natural else 0.75
    return (ONE_COLUMN if columns == 1 else TWO_COLUMNS), stretch * height * ONE_COLUMN
