"""Figures of benchmarks, in the style of all our figures."""

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, NullFormatter

from ecop.plots import ONE_COLUMN, TWO_COLUMNS, new_figure, new_panels
from ecop.plots import bars as draw_bars
from ecop.plots import lines as draw_lines


def bars(
    values: Mapping[str, float], label: str, marks: Mapping[str, float] | None = None, *, log: bool = False
) -> Figure:
    """A horizontal bar for each value, with its number; ``marks`` are drawn as a line on the bar's height."""
    figure = new_figure(TWO_COLUMNS, 0.6 + 0.24 * max(3, len(values)))
    draw_bars(figure, values, x=label, marks=marks, log=log)
    return figure


def lines(panels: Mapping[str, Mapping[str, Sequence[tuple[float, float]]]], label: str) -> Figure:
    """A panel for each quantity that is varied, doubly logarithmic, with a line for each name in it."""
    figure = new_figure(max(TWO_COLUMNS, 0.8 * ONE_COLUMN * len(panels)), 0.7 * ONE_COLUMN)
    for axes, (title, curves) in zip(new_panels(figure, 1, len(panels)).flat, panels.items(), strict=True):
        points = {name: ([x for x, _ in pairs], [y for _, y in pairs]) for name, pairs in curves.items()}
        draw_lines(axes, points, x=title, y=label, log_x=True, log_y=True)
        axes.set_xticks(sorted({x for xs, _ in points.values() for x in xs}))
        axes.xaxis.set_major_formatter(EngFormatter(places=0, sep=""))
        axes.xaxis.set_minor_formatter(NullFormatter())
    return figure
