"""Against closed forms: spheres and boxes of known distance and overlap."""

import numpy as np
import pytest
import trimesh
from hypothesis import given
from hypothesis import strategies as st

from ecop.metrics.geometry import FARTHEST, compare_surfaces, iou, nearest, surface_points, unit_normals

NOTHING = np.zeros((0, 3, 3))


def sphere(radius, centre=(0.0, 0.0, 0.0)):
    return np.asarray(trimesh.creation.icosphere(subdivisions=4, radius=radius).triangles) + np.array(centre)


def cube(half):
    return np.asarray(trimesh.creation.box((2 * half,) * 3).triangles)


@pytest.mark.parametrize(("small", "large"), [(0.5, 0.6), (0.2, 0.9)])
def test_concentric_spheres_are_as_far_apart_as_their_radii(small, large):
    chamfer, consistency = compare_surfaces(sphere(small), sphere(large), 4000)
    assert chamfer == pytest.approx(large - small, abs=2e-3)
    assert consistency == pytest.approx(1, abs=1e-3)


def test_concentric_cubes():
    """From the inner one it is b − a; from the outer one (u, v, b) it is √(b−a)² + (|u|−a)₊² + (|v|−a)₊²."""
    a, b = 0.4, 0.5
    u, v = np.meshgrid(*(2 * [b * (np.arange(1000) + 0.5) / 1000]))
    outwards = np.sqrt((b - a) ** 2 + np.maximum(u - a, 0) ** 2 + np.maximum(v - a, 0) ** 2).mean()
    chamfer, _ = compare_surfaces(cube(a), cube(b), 20_000)
    assert chamfer == pytest.approx((b - a + outwards) / 2, rel=2e-3)


def test_perpendicular_walls_do_not_agree_and_turned_ones_do():
    wall = np.array([[[0, -9, -9], [0, 9, -9], [0, 0, 18]]], float) / 9
    floor = wall[..., [2, 0, 1]]
    assert compare_surfaces(wall, floor, 100)[1] == pytest.approx(0)
    assert compare_surfaces(wall, wall[:, ::-1], 100) == pytest.approx((0, 1))


def test_what_is_missing_or_far_away_counts_one():
    assert compare_surfaces(sphere(1.0), NOTHING) == (FARTHEST, 0.0)
    assert compare_surfaces(NOTHING, NOTHING) == (FARTHEST, 0.0)
    assert compare_surfaces(sphere(0.1), sphere(0.1, (9, 0, 0)), 50)[0] == FARTHEST


def test_overlap_of_boxes():
    """[0, 1]³ and [½, 3/2] × [0, 1]² share ⅓ of their union; points on a fine grid count it exactly."""
    places = (np.stack(np.meshgrid(*3 * [np.arange(40)]), -1).reshape(-1, 3) + 0.5) / 20
    ours = (places < 1).all(axis=1)
    theirs = ((places - [0.5, 0, 0] > 0) & (places - [0.5, 0, 0] < 1)).all(axis=1)
    assert iou(ours, theirs) == pytest.approx(1 / 3)


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1))
def test_overlap_is_symmetric_and_a_share(pairs):
    ours, theirs = np.array(pairs, bool).T
    assert iou(ours, theirs) == iou(theirs, ours)
    assert 0 <= iou(ours, theirs) <= 1
    assert iou(ours, ours) == 1


def test_points_are_spread_by_area():
    """Of a triangle and one of nine times its area; within each the mean is the middle of the corners."""
    one = np.array([[[0, 0, 0], [1, 0, 0], [0, 1, 0]]], float)
    both = np.concatenate([one, 3 * one + [5, 0, 0]])
    points, chosen = surface_points(both, 100_000, np.random.default_rng(0))
    assert chosen.mean() == pytest.approx(0.9, abs=0.01)
    for number, triangle in enumerate(both):
        np.testing.assert_allclose(points[chosen == number].mean(axis=0), triangle.mean(axis=0), atol=0.02)
    assert (points[:, 2] == 0).all()


def test_nearest_is_what_another_library_says():
    mesh = trimesh.creation.icosphere(subdivisions=1)
    points = np.random.default_rng(0).uniform(-2, 2, (50, 3))
    _, expected, _ = trimesh.proximity.closest_point_naive(mesh, points)
    distance, number = nearest(points, np.asarray(mesh.triangles))
    np.testing.assert_allclose(distance, expected, atol=1e-12)
    assert number.max() < len(mesh.faces)
    np.testing.assert_allclose(unit_normals(np.asarray(mesh.triangles)), mesh.face_normals, atol=1e-9)
