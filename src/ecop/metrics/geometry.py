"""How alike two solids and two surfaces are: intersection over union, Chamfer distance, consistency of normals."""

import numpy as np

FARTHEST = 1.0
"""A distance counts no more than that, half a side of the box in which shapes lie: so far away is what is not there."""

SAMPLES = 16_384
"""Points on each of two surfaces that are compared."""


def iou(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Intersection over union, |A ∩ B| / |A ∪ B|, of two solids by whether points lie in them; 1 if both are empty.

    Args:
        ours: (n,) truth values.
        theirs: (n,), at the same points, which should be spread evenly.

    Example:
        >>> iou(np.array([True, True, False]), np.array([False, True, False]))
        0.5
    """
    either = int(np.count_nonzero(ours | theirs))
    return 1.0 if either == 0 else int(np.count_nonzero(ours & theirs)) / either


def compare_surfaces(
    ours: np.ndarray, theirs: np.ndarray, samples: int = SAMPLES, seed: int = 0
) -> tuple[float, float]:
    """Chamfer distance and normal consistency of two surfaces A and B.

    With a ∈ A and b ∈ B drawn evenly by area, and π the nearest point on the other surface (on its triangles, not
    among samples, so that equal surfaces have no distance):

        chamfer = ½ (mean ‖a − π_B(a)‖ + mean ‖b − π_A(b)‖), distances capped at `FARTHEST`
        consistency = ½ (mean |n(a) · n(π_B(a))| + mean |n(b) · n(π_A(b))|), n the triangles' unit normals

    Args:
        ours: (m, 3, 3) corners of triangles.
        theirs: (k, 3, 3), likewise.
        samples: points drawn on each.
        seed: of the draw.

    Returns:
        Both numbers: 0 and 1 for equal surfaces; `FARTHEST` and 0 where one has no triangles.

    Example:
        >>> square = np.array([[[0, 0, 0], [1, 0, 0], [0, 1, 0]], [[1, 1, 0], [0, 1, 0], [1, 0, 0]]], float)
        >>> chamfer, consistency = compare_surfaces(square, square + [0, 0, 0.25])
        >>> round(chamfer, 6), round(consistency, 6)
        (0.25, 1.0)
    """
    if not (len(ours) and len(theirs)):
        return FARTHEST, 0.0
    generator = np.random.default_rng(seed)
    sides = [_one_way(*pair, samples, generator) for pair in ((ours, theirs), (theirs, ours))]
    chamfer, consistency = np.mean(sides, axis=0)
    return float(chamfer), float(consistency)


def surface_points(triangles: np.ndarray, count: int, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Points drawn evenly by area.

    Args:
        triangles: (m, 3, 3) corners, not all without area.
        count: how many points.
        generator: draws them.

    Returns:
        (count, 3) points, and (count,) numbers of the triangles that they lie on.
    """
    doubled = np.linalg.norm(_crosses(triangles), axis=1)
    ends = np.cumsum(doubled)
    chosen = np.searchsorted(ends, generator.uniform(0, ends[-1], count), side="right").clip(max=len(triangles) - 1)
    # A square root makes the share of each corner even over the triangle (Turk, Graphics Gems I, 1990).
    root, along = np.sqrt(generator.random((count, 1))), generator.random((count, 1))
    a, b, c = np.moveaxis(triangles[chosen], 1, 0)
    return (1 - root) * a + root * ((1 - along) * b + along * c), chosen


def nearest(points: np.ndarray, triangles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Exact distance of each point to the nearest of some triangles, and that triangle's number.

    Args:
        points: (n, 3).
        triangles: (m, 3, 3) corners.

    Returns:
        (n,) distances ≥ 0 and (n,) numbers below m.
    """
    import igl

    vertices = np.ascontiguousarray(triangles.reshape(-1, 3), np.float64)
    faces = np.arange(len(vertices)).reshape(-1, 3)
    squared, number, _ = igl.point_mesh_squared_distance(np.ascontiguousarray(points, np.float64), vertices, faces)
    return np.sqrt(np.maximum(squared, 0)), np.asarray(number)


def unit_normals(triangles: np.ndarray) -> np.ndarray:
    """(m, 3) unit normals of (m, 3, 3) triangles, by the right hand; 0 for one without area."""
    crosses = _crosses(triangles)
    return crosses / np.maximum(np.linalg.norm(crosses, axis=1, keepdims=True), 1e-300)


def _crosses(triangles: np.ndarray) -> np.ndarray:
    """(m, 3) normals that are as long as twice the triangles' areas."""
    return np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])


def _one_way(start: np.ndarray, end: np.ndarray, samples: int, generator: np.random.Generator) -> tuple[float, float]:
    points, own = surface_points(start, samples, generator)
    distance, other = nearest(points, end)
    alike = np.abs(np.sum(unit_normals(start)[own] * unit_normals(end)[other], axis=1))
    return float(np.minimum(distance, FARTHEST).mean()), float(alike.mean())
