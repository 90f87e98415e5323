"""How a person looks at a volume: its three middle slices side by side."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from PIL import Image as Pillow

from ecop.signals.volume_placement import upright

GAP = 2
"""Pixels between slices."""

THICKEST = 8.0
"""Slices further apart than so many pixels are drawn closer, lest a picture of few slices grow without end."""

SMALLEST = 96
"""Pixels up to which a picture of few voxels is magnified."""


def middle_slices(values: np.ndarray, about: Mapping[str, Any]) -> np.ndarray:
    """The middle slice across each axis, (height, width, 3) in [0, 1]: one seen from above, from the front, from aside.

    Voxels have their proportions: where slices lie further apart than pixels, they are drawn taller. Missing values
    are black, channels are averaged, white lies between the slices.

    Args:
        values: (a, b, c, channels) in [0, 1].
        about: of the volume.
    """
    stack, spacing = upright(values, about)
    middles = [n // 2 for n in stack.shape[:3]]
    rows, columns = ((1, 0, 0), (2, 2, 1))
    pictures = []
    for axis, (down, across) in enumerate(zip(rows, columns, strict=True)):
        plane = np.nan_to_num(np.take(stack, middles[axis], axis)).mean(axis=-1).clip(0, 1)
        pictures.append(_proportioned(plane, spacing[down], spacing[across]))
    factor = max(1, SMALLEST // max(len(picture) for picture in pictures))
    pictures = [picture.repeat(factor, 0).repeat(factor, 1) for picture in pictures]
    height = max(len(picture) for picture in pictures)
    parts: list[np.ndarray] = []
    for picture in pictures:
        above = (height - len(picture)) // 2
        below = height - len(picture) - above
        parts.append(np.pad(picture, ((above, below), (GAP * bool(parts), 0)), constant_values=1))
    grey = np.concatenate(parts, axis=1)
    return np.repeat(grey[..., None], 3, axis=-1)


def _proportioned(plane: np.ndarray, down: float, across: float) -> np.ndarray:
    """Stretched along the axis whose samples lie further apart."""
    smallest = min(down, across)
    height, width = (
        round(n * min(THICKEST, distance / smallest)) for n, distance in zip(plane.shape, (down, across), strict=True)
    )
    if (height, width) == plane.shape:
        return plane.astype(np.float32)
    picture = Pillow.fromarray(np.ascontiguousarray(plane, np.float32))
    return np.asarray(picture.resize((width, height), Pillow.Resampling.BILINEAR))
