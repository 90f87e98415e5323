"""``ecop train --engine --tile --precision``: what was chosen is stored, and kept by a run that is resumed."""

import json

import numpy as np


def described(run):
    about = json.loads((run / "run.json").read_text())
    return about["engine"], about["tile"], about["precision"]


def test_the_choice_is_stored_and_kept(ecop, photos, recipe, tmp_path):
    options = ["--data", photos, "--recipe", recipe, "--steps", "2"]
    chosen = ["--engine", "unrolled", "--precision", "bf16"]
    assert ecop("train", *options, "--out", "whole", *chosen).code == 0
    assert described(tmp_path / "whole") == ("unrolled", None, "bf16")
    assert ecop("train", *options[:-1], "1", "--out", "parts", *chosen).code == 0
    assert ecop("train", "--data", photos, "--out", "parts", "--resume", "--steps", "2").code == 0
    assert described(tmp_path / "parts") == ("unrolled", None, "bf16")
    whole, parts = ((tmp_path / name / "last.safetensors") for name in ("whole", "parts"))
    np.testing.assert_array_equal(fields(whole), fields(parts))


def fields(path):
    from safetensors.numpy import load_file

    return np.concatenate([array.ravel() for array in load_file(path).values()])


def test_what_was_measured_is_said(ecop, photos, recipe, tmp_path, monkeypatch):
    monkeypatch.setattr("ecop.meta.tuning.tuned_tile", lambda *_: 96)
    monkeypatch.setattr("ecop.meta.tuning.step_seconds", lambda _, engine: float(engine.kind == "unrolled"))
    result = ecop("train", "--data", photos, "--recipe", recipe, "--steps", "1", "--out", "run",
                  "--engine", "auto", "--tile", "auto")  # fmt: skip
    assert result.code == 0, result.err
    assert "engine exact-lowmem, tiles of 96 points" in result.err + result.out
    assert described(tmp_path / "run") == ("exact-lowmem", 96, "float32")


def test_what_makes_no_sense_is_refused(refused, photos, recipe):
    options = ["--data", photos, "--out", "run"]
    assert "'many'" in refused("train", *options, "--recipe", recipe, "--tile", "many")
    assert "--precision" in refused("train", *options, "--resume", "--precision", "tf32")
    assert "'exact-lowmem'" in refused("train", *options, "--recipe", recipe, "--engine", "unrolled", "--memory", "1GB")
