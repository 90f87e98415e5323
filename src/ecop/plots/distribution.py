"""Many numbers a row: every one of them, and their mean."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes

from ecop.plots.style import COLOURS, GREY, Place, new_axes, styled

GOLDEN = (math.sqrt(5) - 1) / 2


@styled()
def distribution(
    place: Place,
    samples: Mapping[str, Sequence[float]],
    *,
    x: str,
    title: str = "",
    number: str = "{:.2f}",
    zero: bool = False,
) -> Axes:
    """A row for each set: a dot for each number, and their mean with its 95 % interval, written beside it.

    Args:
        place: a figure, or a part of one.
        samples: finite numbers, by name of their set.
        x: label of the numbers, with their unit.
        title: above the axes.
        number: how a mean is written.
        zero: whether zero has a line.

    Example:
        >>> from ecop.plots import distribution, new_figure
        >>> axes = distribution(new_figure(), {"photo": [27.0, 29.0], "random": [19.0, 20.0]}, x="PSNR (dB)")
        >>> sorted(text.get_text() for text in axes.texts)
        ['19.50', '28.00']
    """
    axes = new_axes(place, x=x, title=title)
    names = list(samples)
    for row, name in enumerate(names[::-1]):
        values = np.asarray(samples[name], float)
        colour = list(COLOURS.values())[(len(names) - 1 - row) % len(COLOURS)]
        # the golden ratio's multiples are evenly spread, whatever their number
        heights = row + 0.5 * (np.arange(1, len(values) + 1) * GOLDEN % 1 - 0.5)
        axes.plot(
            np.sort(values), heights, linestyle="", marker="o", markersize=3, markeredgewidth=0, color=colour,
            alpha=max(0.15, min(0.7, 20 / max(1, len(values)))),
        )  # fmt: skip
        mean, half = mean_and_interval(values)
        axes.errorbar(
            mean, row, xerr=None if math.isnan(half) else half, fmt="D", color="black", markersize=4, elinewidth=1.2
        )
        axes.annotate(
            number.format(mean), (1, row), (3, 0), xycoords=("axes fraction", "data"), textcoords="offset points",
            va="center", fontsize=7,
        )  # fmt: skip
    axes.set_yticks(range(len(names)), names[::-1])
    axes.set_ylim(-0.6, len(names) - 0.4)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x")
    if zero:
        axes.axvline(0, color=GREY, linewidth=0.8)
    return axes


def mean_and_interval(values: Sequence[float] | np.ndarray) -> tuple[float, float]:
    """The mean, and half its 95 % interval, 1.96 σ/√n with the sample's σ; NaN for one value.

    Example:
        >>> mean, half = mean_and_interval([1.0, 3.0])
        >>> mean, round(half, 2)
        (2.0, 1.96)
    """
    values = np.asarray(values, float)
    half = 1.96 * values.std(ddof=1) / math.sqrt(len(values)) if len(values) > 1 else math.nan
    return float(values.mean()), float(half)
