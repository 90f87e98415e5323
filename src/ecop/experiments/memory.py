"""What an outer step takes in memory, by method and shape: planned, and measured in a process of its own."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ecop.core import machine
from ecop.experiments.compare import Place, Report
from ecop.experiments.programs import planned, run_alone
from ecop.experiments.study import Arm, Scale, Study

ROOM = 0.6
"""Share of the machine's memory that a step may take to be run."""


@dataclass(frozen=True)
class Step:
    """One method at one shape.

    Attributes:
        study: it belongs to; ``options`` say the shapes, and the seconds that a step may take to be run.
        shape: samples of a signal along each axis.
        arm: the method; its name is one of `ecop.experiments.programs.METHODS`.
    """

    study: Study
    shape: str
    arm: Arm

    @property
    def corpus(self) -> str:
        """The shape."""
        return self.shape

    @property
    def name(self) -> str:
        """Of its file."""
        return f"{self.shape}-{self.arm.name}"

    def identity(self) -> Any:
        """All that decides its result."""
        return [self.name, dict(self.arm.settings), self.study.options["seconds"]]

    def __call__(self, place: Place, report: Report) -> dict[str, Any]:
        """Plan, and run what fits into this machine and is not too long."""
        report(f"{self.name}: planning", 0, 0)
        shape = tuple(int(n) for n in self.shape.split("x"))
        settings = {name.replace(".", "__"): value for name, value in self.arm.settings.items()}
        plan = planned(self.arm.name, shape, **settings)
        row = {"arm": self.arm.name, "corpus": self.shape, "planned_bytes": plan.peak_bytes,
               "planned_seconds": plan.seconds, "K": plan.steps, "keep": plan.keep}  # fmt: skip
        if plan.peak_bytes > ROOM * machine.memory():
            return row | {"measured": None, "why": "does not fit into this machine"}
        longest = self.study.options["seconds"]
        if plan.seconds > longest:
            return row | {"measured": None, "why": f"a step would take more than {longest:g} s"}
        report(f"{self.name}: running one step", 0, 0)
        arguments = {"method": self.arm.name, "shape": shape, "settings": settings}
        measured = run_alone("ecop.experiments.one_step", arguments, timeout=120 + 20 * longest)
        return row | {"measured": measured, "why": None if measured else "took too long and was stopped"}


def runs(study: Study, scale: Scale) -> Iterator[Step]:
    """The pieces of a study of this kind; the scale's corpora have no part in it."""
    for shape in study.corpora:
        for arm in study.arms:
            yield Step(study, shape, arm)
