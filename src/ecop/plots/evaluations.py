"""What evaluations found: PSNR by signal, and what the choice of one over another makes of each signal."""

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ecop.core.errors import InvalidSetting
from ecop.plots.distribution import distribution, mean_and_interval
from ecop.plots.lines import lines
from ecop.plots.sources import Scores
from ecop.plots.style import COLOURS, GREY, Place, new_axes, styled

TITLE = 44
"""Letters of a line of a title over one column."""


def distribution_numbers(scores: Sequence[Scores]) -> dict[str, dict[str, Any]]:
    """For each evaluation the PSNR of every signal, in dB, the mean and half its 95 % interval.

    A reconstruction that is exact, with an infinite PSNR, is counted and left out.
    """
    found = {}
    for one in scores:
        values = [file["psnr"] for file in one.files if np.isfinite(file["psnr"])]
        mean, half = mean_and_interval(values) if values else (np.nan, np.nan)
        found[one.name] = {
            "psnr": values, "mean": mean, "interval": half, "n": len(values), "exact": len(one.files) - len(values),
        }  # fmt: skip
    return found


def draw_distribution(place: Place, numbers: Mapping[str, Mapping[str, Any]]) -> None:
    """A row of dots for each evaluation."""
    distribution(place, {name: one["psnr"] for name, one in numbers.items() if one["psnr"]}, x="PSNR (dB)")


def difference_numbers(first: Scores, second: Scores) -> dict[str, Any]:
    """Of every signal that two evaluations share, by how much the first is better, in dB, from the smallest on.

    Raises:
        InvalidSetting: if they share none.
    """
    others = {file["file"]: file["psnr"] for file in second.files}
    shared = [file["file"] for file in first.files if file["file"] in others]
    if not shared:
        raise InvalidSetting("evaluations", f"{first.name}, {second.name}", "two of the same signals, by their names")
    own = {file["file"]: file["psnr"] for file in first.files}
    gains = {name: own[name] - others[name] for name in shared}
    gains = {name: gain for name, gain in sorted(gains.items(), key=lambda pair: pair[1]) if np.isfinite(gain)}
    mean, half = mean_and_interval(list(gains.values())) if gains else (np.nan, np.nan)
    return {
        "first": first.name, "second": second.name, "gain": gains, "mean": mean, "interval": half,
        "better": sum(gain > 0 for gain in gains.values()), "n": len(gains),
    }  # fmt: skip


@styled()
def draw_difference(place: Place, numbers: Mapping[str, Any]) -> None:
    """A bar for each signal, from the smallest gain to the largest, and a line at the mean with its interval."""
    gains = list(numbers["gain"].values())
    title = f"{numbers['first']} over {numbers['second']}: better on {numbers['better']} of {numbers['n']}"
    folded = textwrap.fill(title, TITLE, break_long_words=False)
    axes = new_axes(place, x="signals, by gain", y="gain in PSNR (dB)", title=folded)
    colours = [COLOURS["blue"] if gain > 0 else COLOURS["vermillion"] for gain in gains]
    axes.bar(range(len(gains)), gains, width=0.9, color=colours)
    axes.axhline(0, color=GREY, linewidth=0.8)
    mean, half = numbers["mean"], numbers["interval"]
    axes.axhline(mean, color="black", linestyle="--", linewidth=0.8)
    if np.isfinite(half):
        axes.axhspan(mean - half, mean + half, color="black", alpha=0.1, linewidth=0)
    spread = f" ± {half:.2f}" if np.isfinite(half) else ""
    axes.annotate(
        f"mean {mean:+.2f}{spread}", (0, mean), (3, 2), xycoords=("axes fraction", "data"),
        textcoords="offset points", fontsize=7,
    )  # fmt: skip
    axes.set_xticks([])


def step_numbers(scores: Sequence[Scores]) -> dict[str, dict[str, list[float]]]:
    """For each evaluation the mean PSNR over signals before each step and after the last, and its 95 % interval.

    Raises:
        InvalidSetting: for an evaluation that has no curves, as a CSV file has none.
    """
    found = {}
    for one in scores:
        curves = [file.get("psnr_curve", []) for file in one.files]
        if len({len(curve) for curve in curves}) != 1 or not curves[0]:
            raise InvalidSetting(
                "evaluation", str(one.path), "one with a psnr_curve of every signal: 'ecop eval --json'"
            )
        pairs = [mean_and_interval(column) for column in np.array(curves).T]
        found[one.name] = {"psnr": [mean for mean, _ in pairs], "interval": [half for _, half in pairs]}
    return found


def draw_steps(place: Place, numbers: Mapping[str, Mapping[str, list[float]]]) -> None:
    """A line for each evaluation or field, in a band of its interval where it has one."""
    curves, bands = {}, {}
    for name, one in numbers.items():
        values = np.asarray(one["psnr"])
        curves[name] = (list(range(len(values))), one["psnr"])
        half = np.nan_to_num(np.asarray(one.get("interval", np.zeros(len(values))), float))
        if half.any():
            bands[name] = (values - half, values + half)
    lines(place, curves, x="inner steps", y="PSNR (dB)", spreads=bands)
