"""Pictures beside one another: reconstructions, the points that a fit keeps, and where it errs."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure, SubFigure

from ecop.plots.style import COLOURS, styled

PANEL = 1.75
"""Inches across a picture, at which figures of pictures are best made."""


def size_for(count: int, columns: int, shape: Sequence[int]) -> tuple[float, float]:
    """Inches across and down of a figure for so many pictures of a shape, each with a title."""
    rows, (height, width) = math.ceil(count / columns), shape[:2]
    return PANEL * columns, (PANEL * min(1, height / width) + 0.22) * rows + 0.3


@styled()
def pictures(
    place: Figure | SubFigure, images: Mapping[str, np.ndarray], title: str, columns: int | None = None
) -> list[Axes]:
    """Images beside one another, with their titles; pixels are shown as they are.

    Args:
        place: a figure, or a part of one.
        images: (height, width, 1 or 3) in [0, 1] by title.
        title: of them all.
        columns: how many in a row; all by default.
    """
    axes = _panels(place, len(images), columns or len(images))
    for axis, (name, image) in zip(axes, images.items(), strict=True):
        grey = {"cmap": "gray", "vmin": 0, "vmax": 1} if image.shape[-1] == 1 else {}
        axis.imshow(np.clip(image[..., 0] if grey else image, 0, 1), interpolation="nearest", **grey)
        axis.set_title(name)
    place.suptitle(title)
    return axes


def kept_points(place: Figure | SubFigure, image: np.ndarray, masks: Sequence[np.ndarray]) -> list[Axes]:
    """Where the kept points of each step lie, over the image in grey."""
    grey = 0.35 + 0.5 * np.repeat(image.mean(-1, keepdims=True), 3, -1)
    ink = to_rgb(COLOURS["vermillion"])
    marked = {f"step {step}": np.where(mask[..., None], ink, grey) for step, mask in enumerate(masks)}
    share = np.mean([mask.mean() for mask in masks])
    title = f"the {share:.0%} of the points with the highest scores, chosen anew at each step"
    return pictures(place, marked, title, columns=min(4, len(masks)))


@styled()
def error_maps(place: Figure | SubFigure, errors: Mapping[str, np.ndarray]) -> list[Axes]:
    """Absolute errors on one scale, which ends at the largest but a hundredth of them."""
    axes = _panels(place, len(errors), len(errors))
    highest = max(float(np.quantile(error, 0.99)) for error in errors.values())
    for axis, (name, error) in zip(axes, errors.items(), strict=True):
        axis.imshow(error, vmin=0, vmax=max(highest, 1e-6), interpolation="nearest")
        axis.set_title(name)
    place.colorbar(axes[0].images[0], ax=axes, label="absolute error", shrink=0.8)
    return axes


def _panels(place: Figure | SubFigure, count: int, columns: int) -> list[Axes]:
    axes = place.subplots(math.ceil(count / columns), columns, squeeze=False).ravel().tolist()
    for axis in axes:
        axis.set_axis_off()
    return axes[:count]
