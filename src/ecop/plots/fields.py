"""What fitted fields say of themselves: the way to their PSNR, and the bytes that it takes."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.ticker import FuncFormatter

from ecop.plots.lines import spaced
from ecop.plots.sources import FieldSource
from ecop.plots.style import COLOURS, Place, new_axes, styled

MARKERS = {"float16": "o", "float32": "s", "float64": "D"}
NAMED = 12
"""No more fields than this are named in the plot."""


def curve_numbers(fields: Sequence[FieldSource]) -> dict[str, dict[str, list[float]]]:
    """PSNR in dB before each step and after the last, as each file has it."""
    return {field.name: {"psnr": field.psnr_curve} for field in fields}


def rate_numbers(fields: Sequence[FieldSource]) -> dict[str, dict[str, Any]]:
    """For each field its bytes on the disk, bits for each sample of the signal, type of numbers, and PSNR in dB."""
    found = {}
    for field in fields:
        signal = field.content.signal
        samples = math.prod([signal["points"]] if "points" in signal else signal["shape"])
        found[field.name] = {
            "bytes": field.nbytes, "bits_per_sample": 8 * field.nbytes / samples, "dtype": field.content.dtype,
            "parameters": sum(tensor.size for tensor in field.content.tensors.values()), "psnr": field.psnr,
        }  # fmt: skip
    return found


@styled()
def draw_rate(place: Place, numbers: Mapping[str, Mapping[str, Any]]) -> None:
    """A point for each field, its kind by the type of its numbers."""
    axes = new_axes(place, x="size of the file (kB)", y="PSNR (dB)", log_x=True)
    named: list[tuple[str, float, float, str]] = []
    for (dtype, marker), colour in zip(MARKERS.items(), COLOURS.values(), strict=False):
        own = {name: one for name, one in numbers.items() if one["dtype"] == dtype and np.isfinite(one["psnr"])}
        if own:
            kilobytes, psnr = [one["bytes"] / 1000 for one in own.values()], [one["psnr"] for one in own.values()]
            axes.plot(kilobytes, psnr, linestyle="", marker=marker, markersize=5, color=colour, label=dtype)
            named += [(name, x, y, colour) for name, x, y in zip(own, kilobytes, psnr, strict=True)]
    axes.margins(0.15)
    low, high = axes.get_xlim()
    if high < 4 * low:  # else a decade's ticks might all lie outside
        middle = math.sqrt(low * high)
        axes.set_xlim(min(low, middle / 2), max(high, 2 * middle))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(FuncFormatter(lambda value, _: f"{value:g}" if f"{value:e}"[0] in "25" else ""))
    axes.tick_params(which="minor", labelsize=7)
    axes.grid(axis="y")
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=len(MARKERS), borderaxespad=0.2)
    for colour in {colour for *_, colour in named} if len(named) <= NAMED else ():
        _name(axes, [point for point in named if point[-1] == colour])


def _name(axes: Any, points: Sequence[tuple[str, float, float, str]]) -> None:
    """Names to the right of their points, moved up or down where they would meet."""
    low, high = axes.get_ylim()
    heights = spaced([psnr for _, _, psnr, _ in points], 0.06 * (high - low))
    for (name, kilobytes, _, colour), height in zip(points, heights, strict=True):
        axes.annotate(name, (kilobytes, height), (5, 0), textcoords="offset points", va="center", color=colour,
                      fontsize=7)  # fmt: skip
