"""``ecop experiment``: studies of the method, run piece by piece, with their reports."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from tyro.conf import Positional, UseAppendAction

from ecop.cli.command import Command, option
from ecop.cli.terminal import Terminal
from ecop.core.errors import BadUsage

if TYPE_CHECKING:
    from ecop.experiments.study import Study


@dataclass(frozen=True, kw_only=True)
class Experiment(Command):
    """Run a study of the method, and write its report.

    A study consists of runs, each recorded on its own: what was interrupted goes on, and what is there is not run
    again. Its folder holds report.html (one page with pictures), report.md, results.json, results.csv and figures;
    README.md beside it says in a table which claims hold. Without a name, the studies are listed.
    """

    examples: ClassVar[str] = """
        ecop experiment
        ecop experiment main --scale small --out results/
        ecop experiment main --scale small --only photos --arms ecop learnit-4 --minutes 20
        ecop experiment main --scale paper --data faces=celeba/ --data photos=imagenette2-320/
        ecop experiment mine.toml --scale small
    """

    study: Annotated[Positional[str | None], option("[NAME|FILE.toml]")] = None
    """the study: the name of one that ships, or a file"""
    scale: Annotated[str, option("NAME|FILE.toml")] = "small"
    """its size: small, medium, paper, or a file"""
    out: Annotated[Path, option("DIR", "-o")] = Path("experiments")
    """folder of all studies' results; trainings that several share lie in its folder trainings"""
    data: Annotated[UseAppendAction[tuple[str, ...]], option("CORPUS=DIR")] = ()
    """a folder for one of the corpora, instead of the data set of the scale"""
    only: Annotated[tuple[str, ...], option("CORPUS...")] = ()
    """run these corpora alone"""
    arms: Annotated[tuple[str, ...], option("ARM...")] = ()
    """run these arms alone"""
    minutes: Annotated[float | None, option("M")] = None
    """begin no further run after that time"""
    report: Annotated[bool, option()] = False
    """run nothing; write the report of what is there"""

    def run(self, terminal: Terminal) -> int:
        """List the studies, or run one and report."""
        from ecop.experiments.study import Scale, Study

        if self.study is None:
            return list_studies(terminal)
        study, scale, given = Study.load(self.study), Scale.load(self.scale), folders(self.data)
        check_choice("--only", self.only, study.corpora)
        check_choice("--arms", self.arms, [arm.name for arm in study.arms])
        check_choice("--data", given, scale.corpora)
        from ecop.cli.runtime import prepare_jax

        prepare_jax()
        from ecop.experiments.compare import Place
        from ecop.experiments.report import write_report
        from ecop.experiments.runner import pieces, run

        place = Place(self.out, given)
        every = len(pieces(study, scale))
        ran = 0
        if not self.report:
            with terminal.progress("beginning") as advance:
                ran = run(
                    study, scale, place, corpora=self.only, arms=self.arms,
                    seconds=None if self.minutes is None else 60 * self.minutes,
                    report=lambda what, done, total: advance(done, total=total or None, note=what),
                ).ran  # fmt: skip
        written = write_report(study, scale, self.out)
        for line in written.verdicts:
            terminal.say(line)
        terminal.say(f"{written.done} of {every} runs are there, {ran} of them new; report: {written.path}")
        terminal.document({"study": study.name, "scale": scale.name, "done": written.done, "all": every, "ran": ran,
                           "report": str(written.path), "claims": written.claims})  # fmt: skip
        return 0


def list_studies(terminal: Terminal) -> int:
    """The studies and the scales that ship."""
    from rich.table import Table

    from ecop.experiments.study import Scale, Study, shipped_scales, shipped_studies

    studies = [Study.load(name) for name in shipped_studies()]
    scales = [Scale.load(name) for name in shipped_scales()]
    table = Table("name", "about", box=None, padding=(0, 2, 0, 0))
    for entry in studies:
        table.add_row(entry.name, f"{entry.title}: {entry.question}")
    table.add_section()
    for entry in scales:
        table.add_row(f"--scale {entry.name}", entry.about)
    terminal.table(table)
    terminal.document({"studies": [as_entry(one) for one in studies],
                       "scales": [{"name": one.name, "about": one.about} for one in scales]})  # fmt: skip
    return 0


def as_entry(study: "Study") -> dict[str, Any]:
    """A study in the document that ``ecop experiment --json`` prints."""
    return {"name": study.name, "title": study.title, "question": study.question, "corpora": list(study.corpora),
            "arms": {arm.name: arm.label for arm in study.arms}}  # fmt: skip


def folders(texts: Iterable[str]) -> dict[str, Path]:
    """``CORPUS=DIR`` texts as folders.

    Raises:
        BadUsage: for a text without ``=``.

    Example:
        >>> folders(["faces=celeba"])
        {'faces': PosixPath('celeba')}
    """
    given = {}
    for text in texts:
        name, equals, folder = text.partition("=")
        if not (name and equals and folder):
            raise BadUsage("experiment", f"--data {text!r} is not CORPUS=DIR")
        given[name] = Path(folder)
    return given


def check_choice(flag: str, chosen: Iterable[str], choices: Iterable[str]) -> None:
    """Raise `UnknownName` for one that the study does not have."""
    from ecop.core.errors import UnknownName

    choices = list(choices)
    for name in chosen:
        if name not in choices:
            raise UnknownName(f"choice for {flag}", name, choices)
