"""Inside and outside, holes, parts that touch, and pictures."""

import numpy as np
import pytest
import trimesh

from ecop.core.grids import regular_grid
from ecop.signals import Shape
from ecop.signals.shape_pictures import views
from ecop.signals.shape_surface import Surface, boundary, extracted, open_edges


def surface_of(mesh):
    return Surface(np.asarray(mesh.vertices, float), np.asarray(mesh.faces, np.int64))


def boxes(*spans):
    """Boxes given by lower and upper corner, as one mesh."""
    return surface_of(trimesh.util.concatenate([trimesh.creation.box(bounds=span) for span in spans]))


BALL = surface_of(trimesh.creation.icosphere(subdivisions=4, radius=0.8))
TOUCHING = boxes([[-0.8, -0.3, -0.3], [0, 0.3, 0.3]], [[0, -0.3, -0.3], [0.8, 0.3, 0.3]])
SEPARATE = boxes([[-0.8, -0.3, -0.3], [-0.1, 0.3, 0.3]], [[0.1, -0.3, -0.3], [0.8, 0.3, 0.3]])


def test_inside_of_a_ball_with_and_without_a_hole():
    points = np.random.default_rng(0).uniform(-1, 1, (2000, 3))
    radius = np.linalg.norm(points, axis=1)
    clear = np.abs(radius - 0.8) > 0.01
    np.testing.assert_array_equal(BALL.contains(points)[clear], radius[clear] < 0.8)
    holed = Surface(BALL.vertices, BALL.faces[20:])
    far = np.abs(radius - 0.8) > 0.15
    np.testing.assert_array_equal(holed.contains(points)[far], radius[far] < 0.8)


def test_open_edges_are_counted():
    assert open_edges(BALL) == open_edges(TOUCHING) == 0
    assert open_edges(Surface(BALL.vertices, BALL.faces[1:])) == 3
    assert open_edges(Surface(BALL.vertices, BALL.faces[:1])) == 3


def test_holes_and_inner_sides_are_said_and_mended(tmp_path):
    for name, faces in (("holed", BALL.faces[20:]), ("turned", BALL.faces[:, ::-1])):
        trimesh.Trimesh(BALL.vertices, faces, process=False).export(tmp_path / f"{name}.off")
    turned, holed = (Shape.read(tmp_path / f"{name}.off", points=2000) for name in ("turned", "holed"))
    assert "changed" not in turned.about
    assert (turned.values < 0.5).mean() > 0.2
    assert holed.about["changed"].startswith("not watertight (")


@pytest.mark.parametrize("gap", [0.0, 1e-4])
def test_a_wall_between_parts_is_no_surface(gap):
    """Two boxes that touch, or nearly: of the wall in their middle nothing is left, of the outside all."""
    parts = boxes([[-0.8, -0.3, -0.3], [-gap, 0.3, 0.3]], [[0, -0.3, -0.3], [0.8, 0.3, 0.3]])
    left = boundary(parts)
    corners = left.triangles
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1).sum() / 2
    assert area == pytest.approx(2 * 0.36 + 4 * 1.6 * 0.6, rel=0.02)
    inner = np.abs(corners.mean(axis=1)) < [0.01, 0.25, 0.25]
    assert not inner.all(axis=1).any()


def test_overlapping_parts_become_one():
    parts = boxes([[-0.8, -0.3, -0.3], [0.2, 0.3, 0.3]], [[-0.2, -0.2, -0.2], [0.8, 0.2, 0.2]])
    left = boundary(parts)
    inside = (np.abs(left.triangles.mean(axis=1)) < [0.19, 0.19, 0.19]).all(axis=1)
    assert not inside.any()
    assert left.triangles.max(axis=(0, 1)) == pytest.approx([0.8, 0.3, 0.3])


def test_a_surface_without_walls_stays_as_it_is():
    assert boundary(BALL) is BALL
    assert boundary(SEPARATE) is SEPARATE


def test_a_field_of_one_sign_has_no_surface():
    grid = regular_grid((5, 5, 5))
    for value in (-1.0, 0.0, 1.0):
        assert len(extracted(np.full((5, 5, 5), value), grid).faces) == 0
    half_space = np.broadcast_to(-grid.axes()[0][:, None, None], (5, 5, 5))
    plane = extracted(half_space, grid)
    np.testing.assert_allclose(plane.vertices[:, 0], 0, atol=1e-6)


def test_a_ball_looks_like_a_disc():
    """Whatever the side, it covers π r² / (2R)² of the view, in its middle; its edge covers half of a pixel more."""
    for direction in ((0.0, 0.0), (75.0, 40.0)):
        picture = views(BALL, 100, (direction,), radius=1.0)
        assert picture.shape == (100, 100, 3)
        assert 0 <= picture.min() <= picture.max() <= 1
        covered = (picture < 0.999).any(axis=-1)
        assert covered.mean() == pytest.approx(np.pi * 0.81**2 / 4, abs=0.01)
        np.testing.assert_allclose(np.argwhere(covered).mean(axis=0), [49.5, 49.5], atol=0.3)


def test_up_is_up_and_the_nearer_side_hides_the_other():
    """A tall box, and a flat one behind it that it hides."""
    tall = boxes([[-0.1, 0, -0.1], [0.1, 0.9, 0.1]])
    rows = np.argwhere((views(tall, 60, ((0.0, 0.0),), radius=1.0) < 0.999).any(axis=-1))[:, 0]
    assert rows.max() <= 30
    front = boxes([[-0.5, -0.5, 0.4], [0.5, 0.5, 0.5]])
    both = boxes([[-0.5, -0.5, 0.4], [0.5, 0.5, 0.5]], [[-0.2, -0.2, -0.6], [0.2, 0.2, -0.5]])
    np.testing.assert_allclose(*(views(s, 40, ((0.0, 0.0),)) for s in (front, both)), atol=1e-6)


def test_nothing_is_white():
    empty = Surface(np.zeros((0, 3)), np.zeros((0, 3), np.int64))
    assert (views(empty, 10) == 1).all()
