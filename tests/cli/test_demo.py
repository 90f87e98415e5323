import json
import math

import numpy as np
import pytest

from ecop.cli.demo import HELD_OUT, TRAINED_ON, photo_folder
from ecop.fit.fitted import Fitted
from ecop.fit.prepared import prepare
from ecop.plots.inner_steps import inner_steps
from ecop.signals import Image

PICTURES = ("reconstruction.png", "kept_points.png", "error_map.png", "psnr.png")


def test_the_photos_are_there_and_one_is_held_out():
    assert HELD_OUT not in TRAINED_ON
    assert len(TRAINED_ON) >= 10
    assert all((photo_folder() / name).is_file() for name in (HELD_OUT, *TRAINED_ON))


def test_kept_points_are_those_with_the_largest_errors(tiny, picture, tmp_path):
    """At the first step, recomputed with NumPy from the initialisation's own predictions."""
    from ecop.fit.render import View, render_strips

    signal = Image.read(picture(tmp_path / "a.png"))
    masks = inner_steps(tiny, prepare(tiny, signal)).kept
    assert len(masks) == tiny.settings.steps
    assert all(mask.shape == signal.shape and mask.sum() == 64 for mask in masks)
    predicted = np.concatenate(list(render_strips(tiny.field, View(signal.grid(), None), signal.grid())))
    error = np.square(predicted - signal.values).sum(-1)
    assert error[masks[0]].min() >= error[~masks[0]].max() - 1e-6


@pytest.mark.usefixtures("optimised")
def test_demo_in_small(ecop, refused, tmp_path):
    """Two steps of training: every output is there, and its numbers agree with each other."""
    result = ecop("demo", "--steps", "2", "--json")
    assert result.code == 0, result.err
    summary = json.loads((tmp_path / "demo" / "summary.json").read_text())
    assert result.document == {"out": "demo", **summary}
    assert summary["trained_steps"] <= 2
    fits = summary["fits"]
    assert {"trained here", "random"} <= set(fits)
    assert all(len(fit["psnr_curve"]) == 17 and fit["steps"] == 16 for fit in fits.values())
    for name in PICTURES:
        assert min(Image.read(tmp_path / "demo" / name).shape) > 200
    fitted = Fitted.load(tmp_path / "demo" / "chelsea.safetensors")
    original = Image.read(photo_folder() / HELD_OUT).resized(fitted.shape)
    error = np.mean(np.square(fitted.render().values - original.values, dtype=float))
    assert fits["trained here"]["psnr"] == pytest.approx(-10 * math.log10(error), abs=1e-3)
    names = {path.name for path in (tmp_path / "demo" / "run").iterdir()}
    assert {"best.safetensors", "recipe.toml", "metrics.jsonl"} <= names


def test_a_folder_with_other_things_is_left_alone(refused, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("all of it")
    assert "not a demo's" in refused("demo", "--out", "mine")
    (tmp_path / "file").write_text("")
    assert "a file" in refused("demo", "--out", "file")
