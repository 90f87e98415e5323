"""Figures of one kind: quiet axes, one idea each."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure


def bars(values: Mapping[str, float], label: str, marks: Mapping[str, float] | None = None) -> Figure:
    """A horizontal bar for each value, with its number; ``marks`` are drawn as a line on the bar's height."""
    figure, axes = _figure()
    names = list(values)[::-1]
    drawn = axes.barh(names, [values[name] for name in names], color="#4878a8")
    axes.bar_label(drawn, fmt="%.3g", padding=3)
    for name, mark in (marks or {}).items():
        height = names.index(name)
        axes.plot([mark, mark], [height - 0.45, height + 0.45], color="#c44e52", linewidth=2)
    axes.set_xlabel(label)
    axes.margins(x=0.12)
    return figure


def lines(panels: Mapping[str, Mapping[str, Sequence[tuple[float, float]]]], label: str) -> Figure:
    """A panel for each quantity that is varied, doubly logarithmic, with a line for each name in it."""
    figure, first = _figure(len(panels))
    for axes, (title, curves) in zip(figure.axes or [first], panels.items(), strict=True):
        for name, points in curves.items():
            axes.plot(*zip(*points, strict=True), marker="o", label=name)
        axes.set(xscale="log", yscale="log", xlabel=title)
        axes.grid(alpha=0.3)
    figure.axes[0].set_ylabel(label)
    figure.axes[0].legend(frameon=False)
    return figure


def _figure(panels: int = 1) -> tuple[Figure, Any]:
    figure = Figure(figsize=(max(7, 3.2 * panels), 3.6), layout="constrained")
    axes = figure.subplots(1, panels)
    for one in figure.axes:
        one.spines[["top", "right"]].set_visible(False)
    return figure, axes
