"""The demo's figures."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from ecop.signals.figures import styled


def pictures(images: Mapping[str, np.ndarray], title: str) -> Figure:
    """Images beside one another, with their titles; pixels are shown as they are."""
    with styled():
        figure, axes = _panels(len(images), len(images), next(iter(images.values())).shape)
        for axis, (name, image) in zip(axes, images.items(), strict=True):
            axis.imshow(_shown(image), interpolation="nearest")
            axis.set_title(name)
        figure.suptitle(title)
    return figure


def kept_points(image: np.ndarray, masks: Sequence[np.ndarray]) -> Figure:
    """Where the kept points of each step lie, over the image in grey."""
    with styled():
        figure, axes = _panels(len(masks), min(4, len(masks)), image.shape)
        grey = 0.35 + 0.5 * np.repeat(image.mean(-1, keepdims=True), 3, -1)
        for step, (axis, mask) in enumerate(zip(axes, masks, strict=True)):
            axis.imshow(np.where(mask[..., None], to_rgb("#D55E00"), grey), interpolation="nearest")
            axis.set_title(f"step {step}")
        share = np.mean([mask.mean() for mask in masks])
        figure.suptitle(f"the {share:.0%} of the points with the highest scores, chosen anew at each step")
    return figure


def error_maps(errors: Mapping[str, np.ndarray]) -> Figure:
    """Absolute errors on one scale, which ends at the largest but a hundredth of them."""
    with styled():
        figure, axes = _panels(len(errors), len(errors), next(iter(errors.values())).shape)
        highest = max(float(np.quantile(error, 0.99)) for error in errors.values())
        for axis, (name, error) in zip(axes, errors.items(), strict=True):
            axis.imshow(error, vmin=0, vmax=max(highest, 1e-6), interpolation="nearest")
            axis.set_title(name)
        figure.colorbar(axes[0].images[0], ax=axes, label="absolute error", shrink=0.8)
    return figure


def psnr_curves(curves: Mapping[str, Sequence[float]]) -> Figure:
    """PSNR against the step, each line named at its end."""
    with styled():
        figure = Figure(figsize=(6, 4))
        axis = figure.subplots()
        for (name, curve), marker in zip(curves.items(), "osD^v", strict=False):
            axis.plot(range(len(curve)), curve, label=name, marker=marker, markersize=4)
        axis.set(xlabel="gradient step", ylabel="PSNR (dB)", title="fit of a photo that training never saw")
        axis.legend(title="initialisation")
    return figure


def _panels(count: int, columns: int, shape: Sequence[int]) -> tuple[Figure, list]:
    rows, (height, width) = math.ceil(count / columns), shape[:2]
    panel = 2.6 * min(1, height / width) + 0.35
    figure = Figure(figsize=(2.6 * columns, panel * rows + 0.4), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False).ravel().tolist()
    for axis in axes:
        axis.set_axis_off()
    return figure, axes[:count]


def _shown(image: np.ndarray) -> np.ndarray:
    return np.clip(image[..., 0] if image.shape[-1] == 1 else image, 0, 1)
