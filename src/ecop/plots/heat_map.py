"""A table of numbers as colours."""

from collections.abc import Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes

from ecop.plots.style import Place, new_axes, styled

MOST = 60
"""No more cells than this have their number written."""


@styled()
def heat_map(
    place: Place,
    values: np.ndarray,
    *,
    columns: Sequence[str | float],
    rows: Sequence[str | float],
    x: str,
    y: str,
    label: str,
    title: str = "",
    number: str = "{:.1f}",
    centred: bool = False,
) -> Axes:
    """A cell for each value, the first row at the bottom, with a colour bar.

    Args:
        place: a figure, or a part of one.
        values: (rows, columns); NaN stays grey.
        columns: what each column stands for.
        rows: what each row stands for.
        x: label of the columns.
        y: label of the rows.
        label: of the values, with their unit.
        title: above the axes.
        number: how a value is written in its cell, where there are not too many.
        centred: zero is white, and colours go both ways from it.

    Example:
        >>> from ecop.plots import heat_map, new_figure
        >>> values, sizes = np.array([[20.0, 22.0], [21.0, np.nan]]), {"columns": [4, 16], "rows": [0.25, 1]}
        >>> axes = heat_map(new_figure(), values, **sizes, x="inner steps K", y="keep ratio γ", label="PSNR (dB)")
        >>> [text.get_text() for text in axes.texts]
        ['20.0', '22.0', '21.0']
    """
    values = np.asarray(values, float)
    axes = new_axes(place, x=x, y=y, title=title)
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    if centred:
        low, high = -max(-low, high), max(-low, high)
    name = "RdBu_r" if centred else "cividis"
    axes.set_facecolor("0.85")
    image = axes.imshow(values, cmap=name, vmin=low, vmax=high, origin="lower", aspect="auto", interpolation="nearest")
    axes.set_xticks(range(len(columns)), [_word(column) for column in columns])
    axes.set_yticks(range(len(rows)), [_word(row) for row in rows])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.figure.colorbar(image, ax=axes, label=label)
    if values.size <= MOST:
        for (row, column), value in np.ndenumerate(values):
            if np.isfinite(value):
                ink = _ink(colormaps[name]((value - low) / max(high - low, 1e-12)))
                axes.text(column, row, number.format(value), ha="center", va="center", color=ink, fontsize=7)
    return axes


def _word(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:g}"


def _ink(colour: tuple[float, ...]) -> str:
    """Black on light cells and white on dark ones, by the luminance that people see."""
    red, green, blue = colour[:3]
    return "black" if 0.2126 * red**2.2 + 0.7152 * green**2.2 + 0.0722 * blue**2.2 > 0.18 else "white"
