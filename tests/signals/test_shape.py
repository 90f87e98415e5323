"""What shapes alone do: distances, surfaces, metrics, files; against closed forms."""

import numpy as np
import pytest
import trimesh
from hypothesis import given
from hypothesis import strategies as st

from ecop.core.errors import CannotWrite, InvalidSetting
from ecop.signals import Shape
from ecop.signals.shape_sampling import scaled_distance

BALL = {"centre": [5.0, 0.0, -1.0], "half": [2.0] * 3, "target": "sdf", "truncation": 0.2}


@pytest.fixture(scope="module")
def ball_file(tmp_path_factory):
    """A ball of radius 3 about (5, 0, −1): radius 0.9 in its box."""
    path = tmp_path_factory.mktemp("ball") / "ball.ply"
    mesh = trimesh.creation.icosphere(subdivisions=4, radius=3)
    path.write_bytes(mesh.apply_translation([5, 0, -1]).export(file_type="ply"))
    return path


@pytest.fixture(scope="module")
def ball(ball_file):
    return Shape.read(ball_file, points=4000, resolution=32)


def on_grid(distance, resolution=40, about=BALL):
    """A shape on a grid by its signed distance, a function of coordinates (…, 3)."""
    places = Shape.grid_of((resolution,) * 3, {}).coordinates().reshape(*(resolution,) * 3, 3)
    return Shape.assemble(scaled_distance(distance(places), 0.2)[..., None], about)


def sphere(radius):
    return lambda places: np.linalg.norm(places, axis=-1) - radius


def test_distances_of_a_ball(ball):
    expected = scaled_distance(np.linalg.norm(ball.coordinates.astype(float), axis=1) - 0.9, 0.2)
    np.testing.assert_allclose(ball.values[:, 0], expected, atol=0.01)  # its facets lie up to 0.002 inside
    assert ball.about["centre"] == pytest.approx([5, 0, -1])
    assert ball.about["half"] == pytest.approx([3 / 0.9] * 3)
    assert "changed" not in ball.about


def test_occupancy_of_a_ball(ball_file):
    shape = Shape.read(ball_file, points=4000, target="occupancy")
    radius = np.linalg.norm(shape.coordinates, axis=1)
    clear = np.abs(radius - 0.9) > 0.005
    np.testing.assert_array_equal(shape.values[clear, 0], radius[clear] < 0.9)


def test_places_are_half_uniform_and_half_about_the_surface(ball_file):
    shape = Shape.read(ball_file, points=40_000)
    assert np.abs(shape.coordinates).max() <= 1
    near = np.abs(np.linalg.norm(shape.coordinates, axis=1) - 0.9) < 0.06  # 3 σ of one quarter
    shell = 4 / 3 * np.pi * (0.96**3 - 0.84**3) / 8
    about_one_sigma = 0.451  # P(|N(0, 0.1²)| < 0.06)
    assert near.mean() == pytest.approx(shell / 2 + 0.25 * 0.997 + 0.25 * about_one_sigma, abs=0.02)


def test_the_seed_decides(ball_file):
    first, again, other = (Shape.read(ball_file, points=500, seed=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first.coordinates, again.coordinates)
    np.testing.assert_array_equal(first.values, again.values)
    assert not np.array_equal(first.coordinates, other.coordinates)


@pytest.mark.parametrize(
    ("setting", "value"),
    [("target", "mass"), ("points", 7), ("points", True), ("seed", -1), ("truncation", 0.0), ("truncation", 3.0),
     ("resolution", 1)],
)  # fmt: skip
def test_settings_outside_their_range(ball_file, setting, value):
    with pytest.raises(InvalidSetting, match=setting):
        Shape.open(ball_file, {setting: value})


def test_the_surface_of_a_grid_is_where_the_distance_is_nought():
    surface = on_grid(sphere(0.6)).surface()
    np.testing.assert_allclose(np.linalg.norm(surface.vertices, axis=1), 0.6, atol=2e-3)
    assert surface.volume == pytest.approx(4 / 3 * np.pi * 0.6**3, rel=0.01)  # above 0: turned outwards


def test_occupancy_is_turned_outwards_too():
    values = 1 - on_grid(sphere(0.6)).values
    assert Shape.assemble(values, {**BALL, "target": "occupancy"}).surface().volume > 0


def test_metrics_of_two_balls(ball):
    render = on_grid(sphere(0.8))
    values = scaled_distance(np.linalg.norm(ball.coordinates, axis=1) - 0.8, 0.2)[:, None].astype(np.float32)
    metrics = ball.metrics(Shape(values, BALL, "", ball.coordinates, render))
    assert metrics["iou"] == pytest.approx((0.8 / 0.9) ** 3, abs=0.01)
    assert metrics["chamfer"] == pytest.approx(0.1, abs=0.003)
    assert metrics["normal_consistency"] == pytest.approx(1, abs=0.005)
    assert metrics["psnr"] == pytest.approx(-10 * np.log10(np.mean((values - ball.values) ** 2)), abs=1e-3)


def test_metrics_of_a_field_without_a_surface(ball):
    empty = Shape.assemble(np.ones((8, 8, 8, 1)), BALL)
    metrics = ball.metrics(Shape(np.ones_like(ball.values), BALL, "", ball.coordinates, empty))
    assert (metrics["iou"], metrics["chamfer"], metrics["normal_consistency"]) == (0, 1, 0)


@pytest.mark.parametrize("suffix", [".obj", ".ply", ".stl", ".glb", ".off"])
def test_a_render_is_written_where_the_file_lay(tmp_path, suffix):
    path = tmp_path / f"ball{suffix}"
    on_grid(sphere(0.5)).write(path)
    mesh = trimesh.load_mesh(path)
    mesh.merge_vertices()
    assert mesh.is_watertight
    assert mesh.volume == pytest.approx(4 / 3 * np.pi, rel=0.02)  # radius 0.5 · 2
    np.testing.assert_allclose(mesh.bounds, np.array([[4, -1, -2], [6, 1, 0]]), atol=0.01)


def test_a_part_is_written_where_it_lies():
    """The box's upper half along z: its lower wall is at the ball's middle."""
    about = Shape.about_render(BALL, (40,) * 3, (40, 40, 20), ((0, 1), (0, 1), (0.5, 1)))
    assert about["centre"] == pytest.approx([5, 0, 0])
    assert about["half"] == pytest.approx([2, 2, 1])
    whole = on_grid(sphere(0.5))
    part = Shape.assemble(whole.values[:, :, 20:], about)
    theirs = part.surface().moved(about["centre"], about["half"]).vertices
    np.testing.assert_allclose(np.linalg.norm(theirs - [5, 0, -1], axis=1), 1, atol=0.01)
    assert theirs[:, 2].min() >= -1
    assert dict(whole.block((0, 0, 20), (40, 40, 20)).about) == about


def test_strips_make_a_surface_and_a_failure_leaves_nothing(tmp_path):
    shape = on_grid(sphere(0.5))
    Shape.write_strips(tmp_path / "a.ply", np.split(shape.values, 4), shape.shape, 1, shape.about)
    shape.write(tmp_path / "b.ply")
    assert (tmp_path / "a.ply").read_bytes() == (tmp_path / "b.ply").read_bytes()

    def failing():
        yield shape.values[:1]
        raise RuntimeError("the device went away")

    with pytest.raises(RuntimeError, match="went away"):
        Shape.write_strips(tmp_path / "c.ply", failing(), shape.shape, 1, shape.about)
    with pytest.raises(CannotWrite, match="choose one of"):
        Shape.write_strips(tmp_path / "c.txt", failing(), shape.shape, 1, shape.about)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.ply", "b.ply"]


def test_without_a_surface_there_is_no_mesh(tmp_path):
    with pytest.raises(CannotWrite, match="no surface there: it is all inside or all outside") as caught:
        Shape.assemble(np.ones((8, 8, 8, 1)), BALL).write(tmp_path / "a.obj")
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_grid_is_resampled_and_points_are_thinned(ball):
    coarse = on_grid(sphere(0.6)).resized((20, 20, 20))
    np.testing.assert_allclose(np.linalg.norm(coarse.surface().vertices, axis=1), 0.6, atol=0.02)
    few, many = ball.resized((100,)), ball.resized((9000,))
    np.testing.assert_array_equal(few.coordinates, ball.coordinates[:100])
    np.testing.assert_array_equal(many.values[4000:8000], ball.values)


def test_one_value_at_a_point(ball):
    with pytest.raises(InvalidSetting, match="channels"):
        ball.with_channels(3)
    with pytest.raises(InvalidSetting, match="values"):
        Shape(np.zeros((3, 3), np.float32), {})


@given(st.floats(-3, 3), st.floats(0.01, 2))
def test_scaled_distances_rise_within_bounds(distance, truncation):
    (value,) = scaled_distance(np.array([distance]), truncation)
    assert 0 <= value <= 1
    assert value == pytest.approx(np.interp(distance, [-truncation, truncation], [0, 1]))
