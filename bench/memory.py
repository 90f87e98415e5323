"""Peak memory of an outer step by method and shape: each in a process of its own, above what importing takes.

What would not fit into this machine, or would take too long, is planned and not run, and the result says so.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

from bench import chart
from bench.benchmark import Benchmark, main
from ecop.core import machine
from ecop.core.memory import parse_bytes
from ecop.experiments.programs import METHODS, planned, run_alone

SHAPES = ("178x178", "512x512", "1024x1024", "256x256x32")
ROOM = 0.7
"""Share of the machine's memory that a step may take to be run."""


@dataclass(frozen=True, kw_only=True)
class Memory(Benchmark):
    """Peak memory of ECoP, Learnit and plain autodiff, measured beside the plan."""

    name: ClassVar[str] = "memory"

    methods: tuple[str, ...] = tuple(METHODS)
    """methods to measure"""
    shapes: tuple[str, ...] = SHAPES
    """shapes to measure"""
    longest: float = 180.0
    """seconds that a step may take, by its plan, to be run"""
    memory: str | None = None
    """memory that a step may take to be run; by default 0.7 of this machine's"""

    def measure(self) -> dict[str, Any]:
        """A row for each method and shape."""
        limit = parse_bytes(self.memory) if self.memory else ROOM * machine.memory()
        shapes, settings = (("16x16",), SMALL) if self.small else (self.shapes, {})
        rows = []
        for text in shapes:
            for method in self.methods:
                shape = tuple(int(n) for n in text.split("x"))
                plan = planned(method, shape, **settings)
                row = {"method": method, "shape": text, "K": plan.steps, "keep": plan.keep, "tile": plan.tile,
                       "planned_bytes": plan.peak_bytes, "planned_seconds": plan.seconds}  # fmt: skip
                rows.append(row | self._measured(method, shape, settings, plan, limit))
                if not self.json:
                    print(in_words(rows[-1]), flush=True)
        return {"rows": rows, "limit_bytes": int(limit)}

    def _measured(self, method: str, shape: tuple[int, ...], settings: dict, plan: Any, limit: float) -> dict[str, Any]:
        if plan.peak_bytes > limit:
            return {"measured": None, "why": "does not fit: planned, not run"}
        if plan.seconds > self.longest:
            return {"measured": None, "why": "would take too long: planned, not run"}
        arguments = {"method": method, "shape": shape, "settings": settings}
        measured = run_alone("ecop.experiments.one_step", arguments, timeout=60 + 5 * self.longest)
        return {"measured": measured, "why": None if measured else "took too long and was stopped"}

    def in_words(self, result: dict[str, Any]) -> list[str]:
        """What was measured has been printed already; this is the sum."""
        measured = [row for row in result["rows"] if row["measured"]]
        off = max(abs(row["planned_bytes"] - row["measured"]["program_bytes"]) for row in measured)
        return [f"{len(measured)} of {len(result['rows'])} run; plan and measurement at most {mib(off)} apart"]

    def draw(self, result: dict[str, Any]) -> Any:
        """A bar for each row, planned where there is nothing else."""
        values = {
            f"{row['method']} {row['shape']}" + ("" if row["measured"] else " (planned)"):
                (row["measured"]["program_bytes"] if row["measured"] else row["planned_bytes"]) / 2**20
            for row in result["rows"]
        }  # fmt: skip
        return chart.bars(values, "MiB of an outer step, above what the process takes", log=True)


SMALL = {"field__width": 16, "field__depth": 3, "learner__inner_steps": 2}


def in_words(row: dict[str, Any]) -> str:
    """A row as a line."""
    plan = f"planned {mib(row['planned_bytes'])} {row['planned_seconds']:8.1f} s"
    name = f"{row['shape']:12} {row['method']:14} {plan}"
    if not row["measured"]:
        return f"{name}   {row['why']}"
    own = row["measured"]
    above = f"with the compiler {mib(own['above_import_bytes'])} above the import's {mib(own['import_bytes'])}"
    return f"{name}   measured {mib(own['program_bytes'])} {own['seconds']:8.1f} s, {above}"


def mib(count: int) -> str:
    """Bytes in MiB."""
    return f"{count / 2**20:8.1f} MiB"


if __name__ == "__main__":
    main(Memory)
