"""Where the samples of a regular grid lie: the one place that turns a sample's position into a coordinate.

Every axis has its own [−1, 1] (times a scale, 50 for sound). Under ``centres`` sample i of N lies at −1 + (2i+1)/N,
the middle of its cell, so that grids of different sizes over one extent agree. Under ``corners`` the first and last
samples lie on −1 and 1, as in ``linspace`` and in the paper.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ecop.core.errors import InvalidSetting

Convention = Literal["centres", "corners"]


@dataclass(frozen=True)
class GridSpec:
    """A regular grid: sample i along axis a lies at ``origin[a] + i * spacing[a]``.

    Attributes:
        shape: number of samples along each axis, row-major.
        origin: coordinate of the first sample along each axis.
        spacing: distance between neighbouring samples along each axis.
    """

    shape: tuple[int, ...]
    origin: tuple[float, ...]
    spacing: tuple[float, ...]

    @property
    def size(self) -> int:
        """Number of samples."""
        return math.prod(self.shape)

    def axes(self) -> list[np.ndarray]:
        """The coordinates along each axis, float64."""
        return [o + s * np.arange(n) for n, o, s in zip(self.shape, self.origin, self.spacing, strict=True)]

    def coordinates(self) -> np.ndarray:
        """All coordinates, (size, dimensions) float64, row-major."""
        return np.stack(np.meshgrid(*self.axes(), indexing="ij"), axis=-1).reshape(self.size, len(self.shape))

    def block(self, start: tuple[int, ...], shape: tuple[int, ...]) -> "GridSpec":
        """The sub-grid of ``shape`` whose first sample is the sample at ``start`` of this one."""
        origin = tuple(o + i * s for o, i, s in zip(self.origin, start, self.spacing, strict=True))
        return GridSpec(tuple(shape), origin, self.spacing)


def regular_grid(
    shape: tuple[int, ...],
    convention: Convention = "centres",
    scale: float = 1.0,
    region: tuple[tuple[float, float], ...] | None = None,
) -> GridSpec:
    """The grid of ``shape`` samples over [−scale, scale] on every axis, or over a part of it.

    Args:
        shape: samples along each axis, each at least 1.
        convention: ``centres`` or ``corners``.
        scale: half the extent of every axis (1 for images, 50 for sound).
        region: per axis (start, end) as fractions of the extent, 0 ≤ start < end ≤ 1; the whole extent by default.

    Returns:
        A grid; under either convention a render at the original shape meets the original samples.

    Raises:
        InvalidSetting: for an empty axis, an unknown convention or an empty region.

    Example:
        >>> regular_grid((4,)).axes()[0].tolist()
        [-0.75, -0.25, 0.25, 0.75]
        >>> regular_grid((3,), "corners").axes()[0].tolist()
        [-1.0, 0.0, 1.0]
    """
    if not shape or any(n < 1 for n in shape):
        raise InvalidSetting("shape", shape, "at least one sample along every axis")
    origin, spacing = [], []
    for n, (start, end) in zip(shape, region or ((0.0, 1.0),) * len(shape), strict=True):
        if not 0 <= start < end <= 1:
            raise InvalidSetting("region", (start, end), "0 ≤ start < end ≤ 1 along every axis")
        low, extent = scale * (2 * start - 1), scale * 2 * (end - start)
        if convention == "centres":
            spacing.append(extent / n)
            origin.append(low + extent / n / 2)
        elif convention == "corners":
            spacing.append(extent / (n - 1) if n > 1 else 0.0)
            origin.append(low if n > 1 else low + extent / 2)
        else:
            raise InvalidSetting("grid", convention, "'centres' or 'corners'")
    return GridSpec(tuple(shape), tuple(origin), tuple(spacing))
