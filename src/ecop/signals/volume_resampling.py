"""Volumes resampled with Lanczos along each axis, antialiased when shrinking; what is missing does not spread."""

import numpy as np
from PIL import Image as Pillow

KNOWN = 0.5
"""Share of known voxels under the filter from which a new voxel counts as known."""


def resampled(values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """(a, b, c, channels) float32 at another ``shape``; NaN where most of what a voxel is made of is missing.

    The filter is that of images, once along each axis: Lanczos of three lobes, as wide as a new voxel when it shrinks.
    A constant stays constant; where values are missing, the weights of the others are scaled up to 1.
    """
    missing = np.isnan(values)
    if not missing.any():
        return _filtered(values, shape)
    weights = _filtered((~missing).astype(np.float32), shape)
    sums = _filtered(np.where(missing, np.float32(0), values), shape)
    known = weights >= KNOWN
    return np.where(known, sums / np.where(known, weights, np.float32(1)), np.float32(np.nan))


def _filtered(values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    # The axis that shrinks most first, since the others then have less to do.
    for axis in sorted(range(3), key=lambda a: shape[a] / values.shape[a]):
        if shape[axis] == values.shape[axis]:
            continue
        columns = np.moveaxis(values, axis, 0)
        plane = np.ascontiguousarray(columns.reshape(len(columns), -1))
        resized = Pillow.fromarray(plane).resize((plane.shape[1], shape[axis]), Pillow.Resampling.LANCZOS)
        values = np.moveaxis(np.asarray(resized).reshape(shape[axis], *columns.shape[1:]), 0, axis)
    return values
