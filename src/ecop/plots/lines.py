"""Curves, each named at its end."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from ecop.plots.style import Place, new_axes, styled

Curve = tuple[Sequence[float], Sequence[float]]
"""Where, and how much: two sequences of one length; NaN makes a gap."""

FEW = 20
"""A curve of no more points than this shows them."""

SIZE = 7
"""Points, of the names."""


@styled()
def lines(
    place: Place,
    curves: Mapping[str, Curve],
    *,
    x: str,
    y: str,
    title: str = "",
    log_x: bool = False,
    log_y: bool = False,
    spreads: Mapping[str, tuple[Sequence[float], Sequence[float]]] | None = None,
    named: bool = True,
) -> Axes:
    """A line for each curve, its name in its colour beside its end.

    Args:
        place: a figure, or a part of one.
        curves: by name; an empty one only takes its colour, so that panels agree.
        x: label of what they run over, with its unit.
        y: label of what they are of, with its unit.
        title: above the axes.
        log_x: logarithmic, likewise ``log_y``.
        log_y: see there.
        spreads: by name the lower and the upper end of a band about the curve.
        named: whether the names are written; they need not be in each of several panels.

    Example:
        >>> from ecop.plots import lines, new_figure
        >>> axes = lines(new_figure(), {"ecop": ([0, 8, 16], [8, 25, 28])}, x="inner step", y="PSNR (dB)")
        >>> [text.get_text() for text in axes.texts]
        ['ecop']
    """
    axes = new_axes(place, x=x, y=y, title=title, log_x=log_x, log_y=log_y)
    ends = []
    for name, (where, values) in curves.items():
        marker = "o" if len(values) <= FEW else ""
        (line,) = axes.plot(where, values, marker=marker)
        if spreads and name in spreads:
            axes.fill_between(where, *spreads[name], color=line.get_color(), alpha=0.15, linewidth=0)
        finite = np.asarray(values, float)[np.isfinite(values)]
        if finite.size:
            ends.append((name, float(finite[-1]), line.get_color()))
    axes.grid(axis="y")
    if not log_x and all(float(place).is_integer() for where, _ in curves.values() for place in where):
        axes.xaxis.set_major_locator(MaxNLocator("auto", integer=True, steps=[1, 2, 5, 10]))
    if named:
        name_ends(axes, ends)
    return axes


def name_ends(axes: Axes, ends: Sequence[tuple[str, float, Any]]) -> None:
    """Write names to the right of axes, each at its height, none over another.

    Args:
        axes: with limits that will not change.
        ends: name, height as a value of the second axis, and colour.
    """
    if not ends:
        return
    x_last = axes.get_xlim()[1]
    points = axes.transData.transform([(x_last, value) for _, value, _ in ends])
    heights = axes.transAxes.inverted().transform(points)[:, 1]
    scale = axes.figure.dpi_scale_trans.inverted()
    own = 72 * 0.9 * axes.bbox.transformed(scale).height  # points, without what labels and titles take
    for (name, _, colour), height in zip(ends, spaced(heights, 1.25 * SIZE / own), strict=True):
        axes.annotate(
            name, (1, height), (4, 0), xycoords="axes fraction", textcoords="offset points", color=colour,
            fontsize=SIZE, va="center", annotation_clip=False,
        )  # fmt: skip


def spaced(heights: Sequence[float] | np.ndarray, gap: float) -> np.ndarray:
    """Heights moved as little as it takes to lie ``gap`` apart, in the same order.

    Groups of neighbours that are too near are spread about their mean.

    Example:
        >>> spaced([0.5, 0.5, 0.9], 0.1).round(2).tolist()
        [0.45, 0.55, 0.9]
    """
    order = np.argsort(heights, kind="stable")
    groups: list[tuple[float, int]] = []  # mean height and members of each, from the lowest
    for height in np.asarray(heights, float)[order]:
        groups.append((float(height), 1))
        while len(groups) > 1:
            (low, below), (high, above) = groups[-2:]
            if high - low >= gap * (below + above) / 2:
                break
            groups[-2:] = [((low * below + high * above) / (below + above), below + above)]
    moved = [mean + gap * (i - (count - 1) / 2) for mean, count in groups for i in range(count)]
    result = np.empty(len(moved))
    result[order] = moved
    return result
