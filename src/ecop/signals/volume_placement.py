"""Where the voxels of a volume lie: spacing and affine of a block and of a resampling, and which way is up."""

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ecop.signals.base import Extent


def spacing_of(about: Mapping[str, Any]) -> tuple[float, float, float]:
    """Distances between neighbouring voxels along each axis; 1 where nobody said."""
    first, second, third = about.get("spacing", (1.0, 1.0, 1.0))
    return first, second, third


def affine_of(about: Mapping[str, Any]) -> np.ndarray:
    """(4, 4) float64 from indices to places, whose axes go to the right, to the front and upwards.

    Where the file had none, its axes are taken for those of a stack of pictures: slices from above to below, rows
    from front to back, columns to the right.

    Example:
        >>> affine_of({"spacing": [5.0, 1.0, 2.0]})[:3, :3].tolist()
        [[0.0, 0.0, 2.0], [0.0, -1.0, 0.0], [-5.0, 0.0, 0.0]]
    """
    if "affine" in about:
        return np.asarray(about["affine"], np.float64)
    affine = np.zeros((4, 4))
    slices, rows, columns = spacing_of(about)
    affine[2, 0], affine[1, 1], affine[0, 2], affine[3, 3] = -slices, -rows, columns, 1
    return affine


def moved(about: Mapping[str, Any], start: Sequence[float], steps: Sequence[float]) -> dict[str, Any]:
    """``about`` of samples that begin at index ``start`` of the present ones and lie ``steps`` of them apart.

    Example:
        >>> moved({"spacing": [1.0, 1.0, 5.0]}, (0, 0, 0), (2, 2, 0.5))
        {'spacing': [2.0, 2.0, 2.5]}
    """
    own = dict(about)
    if "spacing" in own:
        own["spacing"] = [float(s * step) for s, step in zip(own["spacing"], steps, strict=True)]
    if "affine" in own:
        change = np.diag([*steps, 1.0])
        change[:3, 3] = start
        own["affine"] = (np.asarray(own["affine"], np.float64) @ change).tolist()
    return own


def resampled_about(
    about: Mapping[str, Any], before: tuple[int, ...], after: tuple[int, ...], region: Extent | None = None
) -> dict[str, Any]:
    """``about`` of ``after`` voxels that fill the space, or a region of it, that ``before`` voxels fill now."""
    extent = region or ((0.0, 1.0),) * 3
    steps = [(end - begin) * old / new for (begin, end), old, new in zip(extent, before, after, strict=True)]
    # A voxel's middle lies half a voxel behind its edge, before as after.
    axes = zip(extent, before, steps, strict=True)
    start = [begin * old + step / 2 - 0.5 for (begin, _), old, step in axes]
    return moved(about, start, steps)


def upright_axes(about: Mapping[str, Any]) -> tuple[tuple[int, int, int], tuple[int, ...]]:
    """Which axes of the array are slices from the top, rows from the front and columns from the left.

    Returns:
        The three axes, and those of them that run the other way.

    Example:
        >>> upright_axes({"affine": np.diag([-1.0, 1.0, 1.0, 1.0]).tolist()})
        ((2, 1, 0), (0, 1, 2))
    """
    turn = affine_of(about)[:3, :3]
    # Which array axis goes along each axis of the world, for an oblique volume the nearest.
    order = max(
        itertools.permutations(range(3)), key=lambda axes: math.prod(abs(turn[w, a]) for w, a in enumerate(axes))
    )
    right, front, up = order
    flips = tuple(
        axis for axis, world, towards in ((right, 0, 1), (front, 1, -1), (up, 2, -1)) if turn[world, axis] * towards < 0
    )
    return (up, front, right), flips


def upright(values: np.ndarray, about: Mapping[str, Any]) -> tuple[np.ndarray, tuple[float, ...]]:
    """The volume as a stack of pictures, and its spacings along slices, rows and columns.

    The top comes first, the front is the upper edge of a picture, and left is left. Without an affine it is as it is.

    Args:
        values: (a, b, c, channels).
        about: of the volume.
    """
    axes, flips = upright_axes(about)
    stack = np.flip(values, flips).transpose(*axes, 3)
    return stack, tuple(spacing_of(about)[axis] for axis in axes)
