"""Pictures of surfaces: lit views from several sides, drawn by a depth buffer in NumPy."""

from collections.abc import Iterator

import numpy as np

from ecop.metrics.geometry import unit_normals
from ecop.signals.shape_surface import Surface

DIRECTIONS = ((30.0, 25.0), (150.0, 25.0), (270.0, 25.0))
"""Azimuth about the second axis, which points up, and elevation of the camera, in degrees."""

RADIUS = 1.35
"""Half a side of a view by default: even a cube is just seen whole, and all shapes at one scale."""

FINER = 2  # samples along each side of a pixel
COLOUR = np.array([0.55, 0.66, 0.80])
LIGHTS = ((0.85, (-0.5, 0.7, 0.6)), (0.25, (0.8, 0.1, 0.5)), (0.12, (0.0, -1.0, 0.3)))
AMBIENT = 0.12
CREASE = np.cos(np.radians(35))
"""Where a triangle is turned farther than that from its neighbours' mean, an edge is drawn as one."""


def views(
    surface: Surface, size: int, directions: tuple[tuple[float, float], ...] = DIRECTIONS, radius: float = RADIUS
) -> np.ndarray:
    """Views side by side, (size, directions · size, 3) in [0, 1], on white.

    Args:
        surface: in the box [−1, 1]³; nothing is drawn for one without triangles.
        size: pixels along a side of each view.
        directions: azimuth and elevation of each.
        radius: half a side of a view, in half sides of the box.
    """
    return np.concatenate([_view(surface, size, *direction, radius) for direction in directions], axis=1)


def scattered(coordinates: np.ndarray, numbers: np.ndarray, size: int = 96) -> np.ndarray:
    """Numbers of points in the box where the first view shows them: (size, size), the mean of a cell, NaN of none.

    Args:
        coordinates: (points, 3).
        numbers: (points,).
        size: cells along a side.
    """
    turned = coordinates @ _rotation(*DIRECTIONS[0]).T
    columns, rows = ((np.array([1, -1]) * turned[:, :2] / RADIUS + 1) / 2 * size).astype(int).T
    inside = (columns >= 0) & (columns < size) & (rows >= 0) & (rows < size)
    cell = (rows * size + columns)[inside]
    count = np.bincount(cell, minlength=size**2)
    total = np.bincount(cell, numbers[inside].astype(float), minlength=size**2)
    return np.where(count, total / np.maximum(count, 1), np.nan).reshape(size, size)


def _view(surface: Surface, size: int, azimuth: float, elevation: float, radius: float) -> np.ndarray:
    side = size * FINER
    scale = side / 2 / radius
    depth, normal = np.full(side * side, -np.inf, np.float32), np.zeros((side * side, 3), np.float32)
    turned = surface.vertices @ _rotation(azimuth, elevation).T
    corners = (turned * [1, -1, 1] * scale + [side / 2, side / 2, 0])[surface.faces]
    corners = np.concatenate([corners, _corner_normals(turned, surface.faces)], axis=-1).astype(np.float32)
    for points in _covering(corners):
        column, row = points[:, 0].astype(int), points[:, 1].astype(int)
        seen = (points[:, :2] >= 0).all(axis=1) & (column < side) & (row < side)
        place, points = (row * side + column)[seen], points[seen]
        np.maximum.at(depth, place, points[:, 2])
        front = points[:, 2] >= depth[place]
        normal[place[front]] = points[front, 3:]
    lit = _shaded(depth.reshape(side, side), normal.reshape(side, side, 3), scale)
    return lit.reshape(size, FINER, size, FINER, 3).mean(axis=(1, 3))


def _rotation(azimuth: float, elevation: float) -> np.ndarray:
    """From the box to (right, up, towards the camera)."""
    a, e = np.radians([azimuth, elevation])
    towards = np.array([np.sin(a) * np.cos(e), np.sin(e), np.cos(a) * np.cos(e)])
    right = np.array([np.cos(a), 0, -np.sin(a)])
    return np.stack([right, np.cross(towards, right), towards])


def _corner_normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """(m, 3, 3) a normal for each corner: the mean about its vertex, or at a crease the triangle's own."""
    triangles = vertices[faces]
    own = unit_normals(triangles)
    weighted = np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])
    total = np.zeros_like(vertices)
    for corner in range(3):
        np.add.at(total, faces[:, corner], weighted)
    mean = (total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-300))[faces]
    smooth = np.sum(mean * own[:, None], axis=-1, keepdims=True) > CREASE
    return np.where(smooth, mean, own[:, None])


def _covering(corners: np.ndarray) -> Iterator[np.ndarray]:
    """Points on triangles, less than a pixel apart, some triangles at a time.

    Args:
        corners: (m, 3, k) column, row and whatever else is interpolated.

    Yields:
        (n, k) points.
    """
    edges = np.linalg.norm((np.roll(corners, -2, axis=1) - np.roll(corners, -1, axis=1))[..., :2], axis=-1)
    order = (np.argmax(edges, axis=1)[:, None] + np.arange(3)) % 3  # the first corner faces the longest edge
    a, b, c = np.moveaxis(np.take_along_axis(corners, order[..., None], axis=1), 1, 0)
    base = edges.max(axis=1, initial=0)
    (ux, uy), (vx, vy) = (c - b)[:, :2].T, (a - b)[:, :2].T
    height = np.abs(ux * vy - uy * vx) / np.maximum(base, 1e-6)
    along, across = _steps(base), _steps(height)
    for pair in np.unique(np.stack([along, across], axis=1), axis=0):
        t, s = np.linspace(0, 1, pair[0] + 1), np.linspace(0, 1, pair[1] + 1)
        shares = np.stack([1 - s[:, None] + 0 * t, s[:, None] * (1 - t), s[:, None] * t], -1).reshape(-1, 3)
        chosen = np.flatnonzero((along == pair[0]) & (across == pair[1]))
        group = max(1, 2**18 // len(shares))
        for start in range(0, len(chosen), group):
            part = chosen[start : start + group]
            block = np.stack([a[part], b[part], c[part]], axis=1)
            yield np.matmul(shares.astype(np.float32), block).reshape(-1, corners.shape[-1])


def _steps(length: np.ndarray) -> np.ndarray:
    """Steps of at most 0.7 pixels, as many as the next of 1, 2, 4, 8, …, so that few groups hold all triangles."""
    return 2 ** np.ceil(np.log2(np.maximum(length / 0.7, 1))).astype(int)


def _shaded(depth: np.ndarray, normal: np.ndarray, scale: float) -> np.ndarray:
    """Colours of a depth buffer: three lights, and dark where the surroundings stand out in front."""
    from scipy.ndimage import gaussian_filter

    hit = np.isfinite(depth)
    if not hit.any():
        return np.ones((*depth.shape, 3))
    normal = normal / np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), 1e-12)
    normal = np.where(normal[..., 2:] < 0, -normal, normal)
    light = np.full(depth.shape, AMBIENT)
    for strength, direction in LIGHTS:
        light += strength * np.clip(normal @ (np.array(direction) / np.linalg.norm(direction)), 0, None)
    height = np.where(hit, depth, 0) / scale
    weight = gaussian_filter(hit.astype(float), 0.06 * scale)
    around = gaussian_filter(height * hit, 0.06 * scale) / np.maximum(weight, 1e-6)
    light *= 1 - np.clip(1.5 * (around - height), 0, 0.55)
    gloss = 0.12 * np.clip(normal @ (np.array([-0.3, 0.4, 0.87])), 0, 1) ** 24
    colours = np.clip(COLOUR * light[..., None] + gloss[..., None], 0, 1) ** (1 / 1.4)
    return np.where(hit[..., None], colours, 1.0)
