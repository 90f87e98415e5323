"""Shapes through the command line: fit, render, info and eval on a ball and a box."""

import json

import numpy as np
import pytest
import trimesh

TINY = """
name = "tiny-shape"
signal = "shape"
[field]
name = "siren"
width = 16
depth = 3
w0 = 10.0
[learner]
name = "ecop"
keep = 0.25
inner_steps = 2
bootstrap_steps = 1
[data]
size = [300]
crop = "random"
channels = 1
batch = 2
[data.reading]
points = 1000
resolution = 12
[train]
steps = 2
lr = 1e-3
validate_every = 2
checkpoint_every = 2
log_every = 1
validation_signals = 2
[fit]
steps = 3
"""


@pytest.fixture
def solids(tmp_path):
    """A recipe, and a folder with a ball, a box, and a ball with a hole."""
    (tmp_path / "tiny.toml").write_text(TINY)
    folder = tmp_path / "solids"
    folder.mkdir()
    ball = trimesh.creation.icosphere(subdivisions=2, radius=2).apply_translation([5, 0, 0])
    ball.export(folder / "ball.ply")
    trimesh.creation.box((1, 2, 3)).export(folder / "box.stl")
    trimesh.Trimesh(ball.vertices, ball.faces[3:], process=False).export(folder / "holed.off")
    return folder


def test_from_a_mesh_to_a_mesh(ecop, solids):
    fitted = ecop("fit", "random:tiny.toml", "solids/ball.ply", "-o", "ball.safetensors", "--steps", "0",
                  "--adam-steps", "60")  # fmt: skip
    assert fitted.code == 0, fitted.err
    assert "1000 resampled to 300" in fitted.out
    assert ", chamfer " in fitted.out
    assert ", IoU " in fitted.out
    assert (
        ecop("render", "ball.safetensors", "-o", "out.obj", "--shape", "24x24x24", "--json").document["shape"]
        == [24] * 3
    )
    mesh = trimesh.load_mesh("out.obj")
    np.testing.assert_allclose(mesh.bounds.mean(axis=0), [5, 0, 0], atol=0.5)  # in the file's own place and size
    np.testing.assert_allclose(np.ptp(mesh.bounds, axis=0), 4, atol=1)
    assert ecop("render", "ball.safetensors", "-o", "out.png").code == 0
    assert ecop("render", "ball.safetensors", "-o", "half.glb", "--region", "0,0,0,1,1,0.5").code == 0
    signal = ecop("info", "ball.safetensors", "--json").document["signal"]
    assert (signal["kind"], signal["shape"], signal["points"]) == ("shape", [12, 12, 12], 300)


def test_what_cannot_be_is_said(ecop, refused, solids):
    assert (
        "not watertight (9 open edges)"
        in ecop("fit", "random:tiny.toml", "solids/holed.off", "-o", "a.safetensors", "--steps", "0").err
    )
    words = refused("fit", "random:tiny.toml", "solids/ball.ply", "-o", "b.safetensors", "--patches")
    assert "scattered points have no blocks" in words
    (solids / "one.obj").write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n")
    assert "enclose nothing" in refused("fit", "random:tiny.toml", "solids/one.obj", "-o", "b.safetensors")
    assert "choose one of: .obj" in refused("render", "a.safetensors", "-o", "a.txt")


def test_training_resuming_and_measuring(ecop, solids):
    assert ecop("train", "--recipe", "tiny.toml", "--data", "solids", "--out", "run").code == 0
    longer = ecop("train", "--data", "solids", "--out", "run", "--resume", "--set", "train.steps=3")
    assert longer.code == 0, longer.err
    result = ecop("eval", "run", "--data", "solids", "--csv", "table.csv", "--json")
    assert result.code == 0, result.err
    document = json.loads(result.out)
    assert document["n"] == 3
    assert set(document["mean"]) == {"psnr", "iou", "chamfer", "normal_consistency"}
    assert 0 <= document["mean"]["iou"] <= 1


def test_a_size_with_three_axes_is_refused(refused, solids):
    (solids / "wrong.toml").write_text(TINY.replace("[300]", "[8, 8, 8]"))
    assert "1 number (of points) for shape" in refused(
        "train", "--recipe", "solids/wrong.toml", "--data", "solids", "--out", "x"
    )
