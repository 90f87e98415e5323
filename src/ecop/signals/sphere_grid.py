"""Latitudes and longitudes: extents that do not depend on the number of samples, grids within them, the unit sphere.

An extent is kept as ``latitudes``, the first and last sample's in degrees, and ``longitudes``: likewise, or, where the
grid goes ``round`` the globe, the first sample's and the same meridian 360 degrees on, which has no sample of its own.
"""

import math
from collections.abc import Mapping
from typing import Any

from ecop.core.errors import InvalidSetting
from ecop.core.grids import GridSpec

GLOBE: Mapping[str, Any] = {"latitudes": (90.0, -90.0), "longitudes": (0.0, 360.0), "round": True}
"""The whole globe, from the North Pole to the South Pole, and eastward from Greenwich."""

Fractions = tuple[tuple[float, float], ...]


def unit_sphere(positions: Any) -> Any:
    """(cos φ cos λ, cos φ sin λ, sin φ) of latitudes φ and longitudes λ.

    Args:
        positions: (…, 2) degrees, latitude first; of NumPy or of JAX.

    Returns:
        (…, 3) of the same library: x to Greenwich on the equator, y to 90° east, z to the North Pole.

    Example:
        >>> import numpy as np
        >>> unit_sphere(np.array([[0.0, 0.0], [0.0, 90.0], [90.0, 0.0]])).round(6) + 0.0
        array([[1., 0., 0.],
               [0., 1., 0.],
               [0., 0., 1.]])
    """
    xp = positions.__array_namespace__()
    latitude, longitude = positions[..., 0] * (math.pi / 180), positions[..., 1] * (math.pi / 180)
    across = xp.cos(latitude)
    return xp.stack([across * xp.cos(longitude), across * xp.sin(longitude), xp.sin(latitude)], axis=-1)


def globe_grid(shape: tuple[int, ...], about: Mapping[str, Any], region: Fractions | None = None) -> GridSpec:
    """The grid of (rows, columns) over an extent or a part of it, in degrees.

    Raises:
        InvalidSetting: for an empty axis or an empty region.

    Example:
        >>> [axis.tolist() for axis in globe_grid((3, 4), {}).axes()]
        [[90.0, 0.0, -90.0], [0.0, 90.0, 180.0, 270.0]]
    """
    if len(shape) != 2 or min(shape) < 1:
        raise InvalidSetting("shape", shape, "(latitudes, longitudes), at least one of each")
    if region is not None:
        about = part_of(about, region, shape)
    (north, south), (west, east), is_round = extent_of(about)
    rows, columns = shape
    latitude, down = _spread(north, south, rows)
    longitude, across = (west, (east - west) / columns) if is_round else _spread(west, east, columns)
    return GridSpec((rows, columns), (latitude, longitude), (down, across))


def extent_of(about: Mapping[str, Any]) -> tuple[tuple[float, float], tuple[float, float], bool]:
    """First and last latitude, first and last longitude, and whether the grid goes round the globe."""
    extent = about if "latitudes" in about else GLOBE
    return tuple(extent["latitudes"]), tuple(extent["longitudes"]), bool(extent["round"])


def part_of(about: Mapping[str, Any], region: Fractions, shape: tuple[int, ...]) -> dict[str, Any]:
    """``about`` of ``shape`` samples over a part of the extent, from start to end as fractions along each axis.

    They are those of a grid over all of the extent, n / (end − start) samples of it for n of them here, so that parts
    side by side join and share none.

    Example:
        >>> part_of(GLOBE, ((0.5, 1.0), (0.0, 0.25)), (2, 3))["longitudes"]
        [0.0, 60.0]
    """
    for start, end in region:
        if not 0 <= start < end <= 1:
            raise InvalidSetting("region", (start, end), "0 ≤ start < end ≤ 1 along every axis")
    (north, south), (west, east), is_round = extent_of(about)
    (top, bottom), (left, right) = region
    rows = _share(top, bottom, shape[0], open_end=False)
    columns = _share(left, right, shape[1], open_end=is_round)
    whole = is_round and (left, right) == (0, 1)
    return {
        **about,
        "latitudes": [north + share * (south - north) for share in rows],
        "longitudes": [west, east] if whole else [west + share * (east - west) for share in columns],
        "round": whole,
    }


def block_of(
    about: Mapping[str, Any], start: tuple[int, ...], shape: tuple[int, ...], whole: tuple[int, ...]
) -> dict[str, Any]:
    """``about`` of a block of samples."""
    grid = globe_grid(whole, about)
    ends = [
        [origin + first * spacing, origin + (first + count - 1) * spacing]
        for origin, spacing, first, count in zip(grid.origin, grid.spacing, start, shape, strict=True)
    ]
    _, longitudes, is_round = extent_of(about)
    whole_round = is_round and shape[1] == whole[1]
    return {
        **about,
        "latitudes": ends[0],
        "longitudes": list(longitudes) if whole_round else ends[1],
        "round": whole_round,
    }


def _spread(first: float, last: float, count: int) -> tuple[float, float]:
    """Origin and spacing of ``count`` samples from first to last; a single one lies in the middle."""
    return (first, (last - first) / (count - 1)) if count > 1 else ((first + last) / 2, 0.0)


def _share(start: float, end: float, count: int, *, open_end: bool) -> tuple[float, float]:
    """Where the first and the last of ``count`` samples of a part lie, as shares of the way to the extent's end."""
    samples = count / (end - start)
    steps = samples if open_end else samples - 1
    if steps == 0:  # one sample for all of the extent, which lies in its middle
        return 0.0, 1.0
    return start * samples / steps, (end * samples - 1) / steps
