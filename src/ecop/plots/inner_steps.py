"""What each inner step of a fit looks at: the points with the highest scores; and the PSNR on the way."""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure, SubFigure

from ecop.core.errors import InvalidSetting
from ecop.fit.initialisation import Initialisation
from ecop.fit.prepared import Prepared
from ecop.fit.watching import watch_fit
from ecop.plots.lines import lines
from ecop.plots.style import COLOURS, styled
from ecop.signals.base import Signal

PANELS = 8
"""Steps that are shown, evenly chosen, of those that there are."""

CELLS = 128
"""Cells along a side of a picture of scattered points, and along a line."""


@dataclasses.dataclass(frozen=True)
class InnerSteps:
    """A fit, step by step.

    Attributes:
        psnr: dB before each step and after the last, from the unclipped loss.
        kept: for each step a mask of the points with the highest scores, in the signal's shape.
        signal: as it was fitted.
    """

    psnr: list[float]
    kept: list[np.ndarray]
    signal: Signal

    def overlap(self) -> list[float]:
        """Of the points that a step keeps the share that the step before kept, too; from the second step on."""
        pairs = zip(self.kept, self.kept[1:], strict=False)
        return [float((before & after).sum() / max(1, after.sum())) for before, after in pairs]


def inner_steps(initialisation: Initialisation, prepared: Prepared) -> InnerSteps:
    """Fit a signal step by step, with the gradient scaled.

    Raises:
        InvalidSetting: for an initialisation that was trained to keep every point.
    """
    plan = initialisation.plan(scaling="norm")
    if not plan.pruning.active:
        raise InvalidSetting("initialisation", initialisation.name, "one that keeps some of the points of a signal")
    watched = list(watch_fit(initialisation, prepared, plan))
    masks = [one.kept for one in watched[:-1] if one.kept is not None]
    return InnerSteps(list(watched[-1].fitted.psnr_curve), masks, prepared.signal)


def shown_steps(count: int, most: int = PANELS) -> list[int]:
    """The first step, the last, and others evenly between.

    Example:
        >>> shown_steps(16, 4), shown_steps(2, 4)
        ([0, 5, 10, 15], [0, 1])
    """
    return sorted({round(place) for place in np.linspace(0, count - 1, min(count, most))})


def as_picture(values: np.ndarray, coordinates: np.ndarray | None) -> np.ndarray:
    """(height, width) means of numbers at a signal's points: over time and depth, or in cells of the first two axes.

    Args:
        values: one number a point, in the signal's shape.
        coordinates: (points, axes) in [−1, 1] of scattered points.

    Returns:
        NaN where there is no point.
    """
    if coordinates is not None:
        side = max(8, min(CELLS, math.isqrt(len(values)) // 2))
        edges = np.linspace(-1, 1, side + 1)
        places = [np.clip(coordinates[:, axis], -1, 1) for axis in (1, 0)]
        total, _, _ = np.histogram2d(*places, bins=[edges, edges], weights=values.astype(float))
        count, _, _ = np.histogram2d(*places, bins=[edges, edges])
        return np.where(count > 0, total / np.maximum(count, 1), np.nan)[::-1]
    if values.ndim == 1:
        return np.array([[part.mean() for part in np.array_split(values.astype(float), min(CELLS, len(values)))]])
    return values.reshape(-1, *values.shape[-2:]).mean(axis=0)


@styled()
def draw_kept_points(place: Figure | SubFigure, found: InnerSteps) -> None:
    """PSNR over the steps above pictures of what some of them keep, over the signal in grey."""
    chosen, signal = shown_steps(len(found.kept)), found.signal
    kept = {step: as_picture(found.kept[step], signal.coordinates) for step in chosen}
    flat = kept[0].shape[0] == 1  # a sound: steps below one another, time across
    rows = 1 if flat else math.ceil(len(kept) / 4)
    above, below = np.ravel(place.subfigures(2, 1, squeeze=False, height_ratios=(1, 1 if rows == 1 else 1.7)))
    left, right = above.subplots(1, 2)
    _draw_curves(left, right, found)
    if flat:
        _draw_raster(below, found)
    else:
        _draw_masks(below.subplots(rows, min(4, len(kept)), squeeze=False).ravel(), kept, _grey(signal))


def _draw_curves(left: Axes, right: Axes, found: InnerSteps) -> None:
    steps, overlap = list(range(len(found.psnr))), found.overlap()
    lines(left, {"": (steps, found.psnr)}, x="inner steps", y="PSNR (dB)", named=False)
    lines(right, {"": (steps[1:-1], overlap)}, x="inner step", y="kept once more (share)", named=False)
    right.set(xlim=left.get_xlim(), ylim=(0, 1.04))


def _draw_raster(place: SubFigure, found: InnerSteps) -> None:
    axes = place.subplots()
    raster = np.concatenate([as_picture(mask, None) for mask in found.kept])
    image = axes.imshow(raster, aspect="auto", vmin=0, vmax=1, interpolation="nearest", extent=(0, 1, len(raster), 0))
    axes.set(xlabel="time (share of the signal)", ylabel="inner step")
    place.colorbar(image, ax=axes, label="kept (share)")


def _draw_masks(panels: np.ndarray, kept: Mapping[int, np.ndarray], grey: np.ndarray) -> None:
    ink = np.array(to_rgb(COLOURS["vermillion"]))
    for panel in panels:
        panel.set_axis_off()
    for panel, (step, shares) in zip(panels, kept.items(), strict=False):
        cover = np.nan_to_num(shares)[..., None]
        panel.imshow((1 - cover) * grey[..., None] + cover * ink, interpolation="nearest")
        panel.set_title(f"kept at step {step}")


def _grey(signal: Signal) -> np.ndarray:
    """The signal in light grey, where its points are; white elsewhere."""
    values = as_picture(np.nan_to_num(signal.values.mean(axis=-1), nan=1.0), signal.coordinates)
    low, high = np.nanmin(values), np.nanmax(values)
    return np.nan_to_num(0.35 + 0.55 * (values - low) / max(high - low, 1e-6), nan=1.0)


def kept_numbers(found: InnerSteps) -> dict[str, Any]:
    """PSNR before each step and after the last, the share of points that each keeps, and how many of them once more."""
    return {
        "psnr": found.psnr, "kept": [float(mask.mean()) for mask in found.kept], "overlap": found.overlap(),
    }  # fmt: skip
