"""What all plots share beside the style file: widths of columns, colours by name, an empty figure, and saving."""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from ecop.core.errors import CannotWrite
from ecop.signals.figures import save
from ecop.signals.figures import styled as styled

ONE_COLUMN, TWO_COLUMNS = 3.3, 6.9
"""Inches: the width of a column, and of a page with two, of most journals and conferences."""

COLOURS = {
    "blue": "#0072B2", "vermillion": "#D55E00", "green": "#009E73", "purple": "#CC79A7", "orange": "#E69F00",
    "sky": "#56B4E9", "black": "#000000",
}  # fmt: skip
"""Okabe and Ito's, in the order in which lines take them; their yellow is too light for a line on paper."""

GREY = "#808080"
"""Of what is only there to compare with."""

FORMATS = (".pdf", ".png", ".svg")
"""Suffixes of files that plots are saved as."""

Place = Figure | SubFigure | Axes
"""Where a plot is drawn: a figure, a part of one that ``subfigures`` makes, or one of `new_panels`."""


def new_figure(width: float = ONE_COLUMN, height: float | None = None) -> Figure:
    """An empty figure, which needs no display and is known to nobody else.

    Args:
        width: inches, `ONE_COLUMN` or `TWO_COLUMNS` wide for print.
        height: inches; by default 0.7 of the width, and at most that of one column.
    """
    with styled():
        return Figure(figsize=(width, min(0.7 * width, 0.7 * ONE_COLUMN) if height is None else height))


@styled()
def new_panels(figure: Figure | SubFigure, rows: int, columns: int) -> np.ndarray:
    """(rows, columns) empty axes, which stand in line; plots are drawn in them."""
    return figure.subplots(rows, columns, squeeze=False)


@styled()
def new_axes(
    place: Place, *, x: str = "", y: str = "", title: str = "", log_x: bool = False, log_y: bool = False
) -> Axes:
    """Axes that fill a place, with their labels; a label names its unit."""
    axes = place if isinstance(place, Axes) else place.subplots()
    axes.set(xlabel=x, ylabel=y, xscale="log" if log_x else "linear", yscale="log" if log_y else "linear")
    axes.set_title(title, loc="left")
    return axes


def save_plot(figure: Figure, path: Path) -> None:
    """Write it as PDF with its fonts, PNG of 200 dots an inch, or SVG, as the suffix says.

    Raises:
        CannotWrite: for another suffix, or if the file system refuses.
    """
    check_format(path)
    save(figure, path)


def check_format(path: Path) -> None:
    """Refuse a suffix that plots are not saved as.

    Raises:
        CannotWrite: for such a one.
    """
    if path.suffix.lower() not in FORMATS:
        raise CannotWrite(path, f"no plot is saved as {path.suffix!r}", f"name it {', '.join(FORMATS)}")
