"""The surface of a shape: triangles, which side of them is inside, and the surface that a render on a grid has."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from ecop.core.grids import GridSpec
from ecop.metrics.geometry import surface_points, unit_normals

THICKNESS = 2e-3
"""How far beside a triangle is looked for the inside, in half sides of the box: more than the gap between two parts
that should touch, less than the thinnest wall."""

TRIED = 2048
"""Points of a surface that say whether it has walls at all."""

FINEST = 0.04
"""Longest edge of a triangle that is kept or left out as a whole."""

PROBES = np.array([[4, 1, 1], [1, 4, 1], [1, 1, 4], [2, 2, 2], [3, 3, 0.2], [0.2, 3, 3], [3, 0.2, 3]]) / 6
PROBES /= PROBES.sum(axis=1, keepdims=True)


@dataclass(frozen=True, eq=False)
class Surface:
    """Triangles with their outside on the right hand's side.

    Attributes:
        vertices: (n, 3) float64.
        faces: (m, 3) int64, numbers of vertices; m may be 0.
    """

    vertices: np.ndarray
    faces: np.ndarray

    @classmethod
    def of(cls, triangles: np.ndarray) -> Self:
        """A surface of (m, 3, 3) corners that shares no vertices."""
        vertices = np.ascontiguousarray(triangles.reshape(-1, 3), np.float64)
        return cls(vertices, np.arange(len(vertices), dtype=np.int64).reshape(-1, 3))

    @property
    def triangles(self) -> np.ndarray:
        """(m, 3, 3) corners."""
        return self.vertices[self.faces]

    @property
    def volume(self) -> float:
        """Signed volume, ⅙ Σ a · (b × c) over the triangles: below 0 for a closed surface turned inside out."""
        a, b, c = np.moveaxis(self.triangles, 1, 0)
        return float(np.sum(a * np.cross(b, c)) / 6)

    def moved(self, centre: Any, half: Any) -> "Surface":
        """Every vertex v at ``centre`` + ``half`` · v."""
        return Surface(np.asarray(centre) + np.asarray(half) * self.vertices, self.faces)

    def outwards(self) -> "Surface":
        """The surface, turned where its volume is below 0."""
        return self if self.volume >= 0 else Surface(self.vertices, self.faces[:, ::-1])

    def contains(self, points: np.ndarray) -> np.ndarray:
        """(n,) truth values: which of (n, 3) points have a generalised winding number above ½.

        The number of times that the surface winds around a point (Jacobson et al. 2013), computed fast (Barill et al.
        2018): 1 inside and 0 outside a closed surface, something between for one with holes.
        """
        import igl

        if not len(self.faces):
            return np.zeros(len(points), bool)
        arrays = self.vertices, self.faces, np.asarray(points, np.float64)
        return np.asarray(igl.fast_winding_number(*map(np.ascontiguousarray, arrays))) > 0.5


def open_edges(surface: Surface) -> int:
    """Edges that are not met by one triangle in each direction, or by as many in both: 0 for a watertight surface."""
    edges = np.concatenate([surface.faces[:, [0, 1]], surface.faces[:, [1, 2]], surface.faces[:, [2, 0]]])
    sign = np.where(edges[:, 0] < edges[:, 1], 1, -1)
    _, number = np.unique(np.sort(edges, axis=1), axis=0, return_inverse=True)
    return int(np.count_nonzero(np.bincount(number.reshape(-1), weights=sign)))


def boundary(surface: Surface) -> Surface:
    """The surface without what lies inside the solid: walls between parts that touch or overlap.

    A part of a triangle is left out if both of its sides are inside. Triangles that are only partly so are cut in
    four until their edges are at most `FINEST`. A surface without such walls comes back as it is.
    """
    triangles = surface.triangles
    tried, numbers = surface_points(triangles, TRIED, np.random.default_rng(0))
    if not _between(tried, unit_normals(triangles[numbers]), surface).any():
        return surface
    share, kept = _walled(triangles, surface), []
    while len(triangles):
        longest = np.linalg.norm(triangles - np.roll(triangles, 1, axis=1), axis=-1).max(axis=1)
        whole = (share == 0) | ((longest <= FINEST) & (share < 0.5))
        kept.append(triangles[whole])
        triangles = _quartered(triangles[~whole & (share < 1) & (longest > FINEST)])
        share = _walled(triangles, surface)
    return Surface.of(np.concatenate(kept))


def extracted(depth: np.ndarray, grid: GridSpec) -> Surface:
    """The surface where a field on a grid goes through 0, by marching cubes (Lewiner et al. 2003).

    Args:
        depth: (x, y, z), above 0 inside.
        grid: where its samples lie.

    Returns:
        A surface, without triangles where the field has one sign.
    """
    from skimage.measure import marching_cubes

    if min(depth.shape) < 2 or not depth.min() < 0 < depth.max():
        return Surface(np.zeros((0, 3)), np.zeros((0, 3), np.int64))
    # Its triangles have their right hand towards what is higher, the inside.
    vertices, faces, _, _ = marching_cubes(np.asarray(depth, np.float32), 0.0, allow_degenerate=False)
    return Surface(np.array(grid.origin) + vertices * np.array(grid.spacing), faces[:, ::-1].astype(np.int64))


def _walled(triangles: np.ndarray, surface: Surface) -> np.ndarray:
    """(m,) the share of each triangle whose both sides are inside the solid."""
    probes = np.einsum("pc,mcd->mpd", PROBES, triangles)
    normals = np.repeat(unit_normals(triangles), len(PROBES), axis=0)
    return _between(probes.reshape(-1, 3), normals, surface).reshape(len(triangles), len(PROBES)).mean(axis=1)


def _between(points: np.ndarray, normals: np.ndarray, surface: Surface) -> np.ndarray:
    """(n,) whether both sides of points on a surface are inside the solid."""
    aside = THICKNESS * normals
    one, other = np.split(surface.contains(np.concatenate([points + aside, points - aside])), 2)
    return one & other


def _quartered(triangles: np.ndarray) -> np.ndarray:
    """Every triangle cut in four at the middles of its edges."""
    a, b, c = np.moveaxis(triangles, 1, 0)
    ab, bc, ca = (a + b) / 2, (b + c) / 2, (c + a) / 2
    parts = [(a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca)]
    return np.concatenate([np.stack(part, axis=1) for part in parts])
