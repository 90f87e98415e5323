"""How runs went: one panel for each quantity of their logs, all runs over one another."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure, SubFigure

from ecop.plots.lines import Curve, lines
from ecop.plots.sources import RunLog
from ecop.plots.style import new_panels

QUANTITIES = {
    "loss": ("outer loss", True),
    "psnr": ("validation PSNR (dB)", False),
    "gradient_norm": ("norm of the meta-gradient", True),
    "distance": ("distance ‖θ$_K$ − θ$_{boot}$‖", True),
}
"""What a log has to show: its label, and whether it is looked at on a logarithmic scale."""

SHOWN = 200
"""Points of a curve: what is logged more often is averaged over equally long stretches."""


def training_numbers(runs: Sequence[RunLog]) -> dict[str, dict[str, dict[str, list[float]]]]:
    """Of each quantity that a run logged the curve of each run, averaged over stretches where it is logged often."""
    found: dict[str, dict[str, dict[str, list[float]]]] = {}
    for quantity in QUANTITIES:
        for run in runs:
            steps, values = averaged(*logged(run.lines, quantity))
            if steps:
                found.setdefault(quantity, {})[run.name] = {"step": steps, "value": values}
    return found


def logged(lines_of_log: Sequence[Mapping[str, Any]], quantity: str) -> Curve:
    """Steps and values of a quantity where it was logged and finite."""
    pairs = [(line["step"], line[quantity]) for line in lines_of_log if line.get(quantity) is not None]
    return [step for step, _ in pairs], [value for _, value in pairs]


def averaged(steps: Sequence[float], values: Sequence[float], most: int = SHOWN) -> tuple[list[float], list[float]]:
    """Means over stretches of equally many entries, so that no more than ``most`` remain.

    Example:
        >>> averaged([1, 2, 3, 4], [1.0, 3.0, 5.0, 7.0], most=2)
        ([1.5, 3.5], [2.0, 6.0])
    """
    stretch = max(1, math.ceil(len(steps) / most))
    starts = range(0, len(steps), stretch)
    if stretch == 1:
        return list(steps), list(values)
    means = [[float(np.mean(part[start : start + stretch])) for start in starts] for part in (steps, values)]
    return means[0], means[1]


def draw_training(
    place: Figure | SubFigure, numbers: Mapping[str, Mapping[str, Mapping[str, list[float]]]], columns: int = 2
) -> None:
    """A panel for each quantity, ``columns`` in a row; runs are named in the panels of the last column."""
    panels = new_panels(place, math.ceil(len(numbers) / columns), columns).ravel()
    runs = list(dict.fromkeys(name for curves in numbers.values() for name in curves))
    for panel in panels[len(numbers) :]:
        panel.set_axis_off()
    for order, (panel, (quantity, curves)) in enumerate(zip(panels, numbers.items(), strict=False), 1):
        label, log = QUANTITIES[quantity]
        shown = {name: (curves[name]["step"], curves[name]["value"]) if name in curves else ([], []) for name in runs}
        named = order % columns == 0 or order == len(numbers)
        lines(panel, shown, x="outer step", y=label, log_y=log, named=named)
