"""How a page shows volumes: slice by slice from the top down."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ecop.signals.showing import Part, Pixels, Plane, Show, Window, layer_extent
from ecop.signals.volume_placement import spacing_of, upright, upright_axes
from ecop.signals.volume_slices import THICKEST

SIDE = 48
ELLIPSOIDS = (
    (1.0, (0.69, 0.92, 0.81), (0, 0, 0), 0), (-0.6, (0.66, 0.87, 0.78), (0, -0.02, 0), 0),
    (-0.2, (0.11, 0.31, 0.22), (0.22, 0, 0), -18), (-0.2, (0.16, 0.41, 0.28), (-0.22, 0, 0), 18),
    (0.3, (0.21, 0.25, 0.41), (0, 0.35, -0.15), 0), (0.3, (0.05, 0.05, 0.1), (0, 0.1, 0.25), 0),
)  # fmt: skip
"""Density, half axes, centre and turn in degrees about the third axis: a head after Shepp and Logan (1974)."""


def size(shape: tuple[int, ...], about: Mapping[str, Any]) -> tuple[float, float]:
    """Rows and columns of a slice in their proportions; distances that differ too much are drawn closer."""
    (_, rows, columns), _ = upright_axes(about)
    spacing = spacing_of(about)
    nearest = min(spacing[rows], spacing[columns])
    height, width = (shape[axis] * min(THICKEST, spacing[axis] / nearest) for axis in (rows, columns))
    return height, width


def slice_part(shape: tuple[int, ...], about: Mapping[str, Any], window: Window, pixels: Pixels) -> Part:
    """One slice, a sample a pixel."""
    axes, flips = upright_axes(about)
    wanted = (1, *pixels)
    looked_at = (
        layer_extent(shape[axes[0]], window.depth), (window.top, window.bottom), (window.left, window.right),
    )  # fmt: skip
    parts = {axis: (count, part) for axis, count, part in zip(axes, wanted, looked_at, strict=True)}
    extent = [(1 - parts[a][1][1], 1 - parts[a][1][0]) if a in flips else parts[a][1] for a in range(3)]
    return Part(tuple(parts[axis][0] for axis in range(3)), tuple(extent))


def turned(values: np.ndarray, about: Mapping[str, Any]) -> np.ndarray:
    """The one slice that there is."""
    return upright(values, about)[0][0]


def colours(signal: Any, pixels: Pixels) -> np.ndarray:
    """Greys; missing values are black and channels averaged."""
    grey = np.nan_to_num(turned(signal.values, signal.about)).mean(axis=-1, keepdims=True)
    return np.repeat(np.clip(grey, 0, 1), 3, axis=-1)


def _head(path: Path) -> None:
    """A phantom of ellipsoids."""
    axes = np.meshgrid(*3 * [np.linspace(-1, 1, SIDE)], indexing="ij")
    up, front, right = (-axes[0], axes[1], axes[2])
    density = np.zeros_like(up)
    for value, (a, b, c), (x, y, z), degrees in ELLIPSOIDS:
        turn = np.radians(degrees)
        across, along = right - x, front - y
        inner = ((across * np.cos(turn) + along * np.sin(turn)) / a) ** 2
        inner += ((along * np.cos(turn) - across * np.sin(turn)) / b) ** 2 + ((up - z) / c) ** 2
        density[inner <= 1] += value
    np.save(path, density.astype(np.float32))


SHOW = Show(
    plane=Plane(
        size=size,
        part=slice_part,
        turned=turned,
        colours=colours,
        layers=lambda shape, about: shape[upright_axes(about)[0][0]],
        layer="slice",
    ),
    samples={"A head of ellipsoids": _head},
    sample_suffix=".npy",
)
