"""Time and memory of an outer step against points, inner steps, signals, width and processor cores, one at a time.

A slope is the exponent p of (time or memory) ∝ quantity^p, fitted through the upper half of the points.
"""

import math
from dataclasses import dataclass
from typing import Any, ClassVar

from bench import chart
from bench.benchmark import Benchmark, main
from ecop.core import machine
from ecop.experiments.programs import planned, run_alone

VARIED = {
    "points": [64**2, 128**2, 256**2, 512**2, 1024**2, 2048**2],
    "inner steps": [4, 8, 16, 32, 64],
    "signals": [1, 2, 4, 8],
    "width": [64, 128, 256, 512],
    "cores": [1, 2, 4, 8, 16, 32],
}
SMALL: dict[str, Any] = {"field__width": 8, "field__depth": 3, "learner__inner_steps": 2}
SETTINGS = {"inner steps": "learner__inner_steps", "signals": "data__batch", "width": "field__width"}


@dataclass(frozen=True, kw_only=True)
class Scaling(Benchmark):
    """How an outer step's time and memory grow, with the slopes."""

    name: ClassVar[str] = "scaling"

    quantities: tuple[str, ...] = tuple(VARIED)
    """what is varied"""
    side: int = 64
    """points along each side, where they are not what is varied"""
    longest: float = 40.0
    """seconds that a step may take, by its plan, to be run; longer ones are planned only"""

    def measure(self) -> dict[str, Any]:
        """A row for each value of each quantity, with what was planned and what was measured, and the slopes."""
        rows = []
        for quantity in self.quantities:
            for value in self._values(quantity):
                rows.append(self._row(quantity, value))
                if not self.json:
                    print(in_words(rows[-1]), flush=True)
        return {"rows": rows, "slopes": {q: slopes([r for r in rows if r["quantity"] == q]) for q in self.quantities}}

    def _values(self, quantity: str) -> list[int]:
        if self.small:
            return [8**2, 16**2] if quantity == "points" else [1, 2]
        return [n for n in VARIED[quantity] if quantity != "cores" or n <= machine.cores()]

    def _row(self, quantity: str, value: int) -> dict[str, Any]:
        side = math.isqrt(value) if quantity == "points" else 8 if self.small else self.side
        settings = dict(SMALL) if self.small else {}
        if quantity in SETTINGS:
            settings[SETTINGS[quantity]] = value
        plan = planned("ecop", (side, side), **settings)
        arguments = {"method": "ecop", "shape": [side, side], "settings": settings, "repeats": 1 if side > 256 else 3}
        if quantity == "cores":
            arguments["cores"] = value
        measured = None
        if plan.seconds <= self.longest:
            measured = run_alone("ecop.experiments.one_step", arguments, timeout=120 + 10 * self.longest)
        return {"quantity": quantity, "value": value, "bytes": plan.peak_bytes, "planned_seconds": plan.seconds,
                "measured_bytes": measured and measured["program_bytes"],
                "seconds": measured and measured["seconds"]}  # fmt: skip

    def in_words(self, result: dict[str, Any]) -> list[str]:
        """The slopes; the rows have been printed already."""
        return [
            f"{quantity:12} "
            + "   ".join(
                f"{what} ∝ n^{own[key]:.2f}"
                for key, what in (("seconds", "time"), ("bytes", "memory"))
                if own[key] is not None
            )
            for quantity, own in result["slopes"].items()
        ]

    def draw(self, result: dict[str, Any]) -> Any:
        """A panel for each quantity: seconds, and memory in MiB."""
        panels = {
            quantity: {
                "seconds": [(r["value"], r["seconds"]) for r in result["rows"]
                            if r["quantity"] == quantity and r["seconds"]],
                "MiB": [(r["value"], r["bytes"] / 2**20) for r in result["rows"] if r["quantity"] == quantity],
            } for quantity in result["slopes"]
        }  # fmt: skip
        return chart.lines(panels, "seconds · MiB")


def slopes(rows: list[dict[str, Any]]) -> dict[str, float | None]:
    """Exponents of time and memory, by least squares on logarithms; ``None`` from fewer than two points.

    Example:
        >>> slopes([{"value": n, "seconds": 3 * n, "bytes": 5} for n in (1, 2, 4, 8)])
        {'seconds': 1.0, 'bytes': 0.0}
    """
    found: dict[str, float | None] = {}
    for name in ("seconds", "bytes"):
        points = [(math.log(row["value"]), math.log(row[name])) for row in rows if row[name]]
        points = points[-max(2, (len(points) + 1) // 2) :]
        found[name] = _slope(points) if len(points) > 1 else None
    return found


def _slope(points: list[tuple[float, float]]) -> float:
    x_mean, y_mean = (sum(axis) / len(points) for axis in zip(*points, strict=True))
    above = sum((x - x_mean) * (y - y_mean) for x, y in points)
    return round(above / sum((x - x_mean) ** 2 for x, _ in points), 6)


def in_words(row: dict[str, Any]) -> str:
    """A row as a line."""
    time = f"{row['seconds']:9.3f} s" if row["seconds"] else f"{row['planned_seconds']:9.1f} s planned, not run"
    memory = f"{row['bytes'] / 2**20:9.1f} MiB planned"
    if row["measured_bytes"]:
        memory += f", {row['measured_bytes'] / 2**20:.1f} measured"
    return f"{row['quantity']:12} {row['value']:8} {time}  {memory}"


if __name__ == "__main__":
    main(Scaling)
