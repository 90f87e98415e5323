"""Training with learned rates and orthogonalised steps: what is stored, resumed, and used by a fit."""

import dataclasses

import numpy as np
import pytest

from ecop.core.errors import BadFieldFile
from ecop.fit.initialisation import Initialisation
from ecop.store.field_file import FieldFile

SETTINGS = (
    "learner.update.name=orthogonal", "learner.update.rates=layer", "learner.update.per_step=true",
    "learner.update.outer_factor=100.0",
)  # fmt: skip


def test_what_is_learned_is_stored_resumed_and_used(ecop, photos, recipe, tmp_path):
    """A run in two parts ends with the bits of a whole one; its file holds the rates; a fit steps with them."""
    options = ["--data", photos, "--recipe", recipe, "--set", *SETTINGS]
    assert ecop("train", "--out", "whole", *options).code == 0
    assert ecop("train", "--out", "parts", *options, "--steps", "2").code == 0
    resumed = ecop("train", "--out", "parts", "--data", photos, "--resume", "--steps", "4")
    assert resumed.code == 0, resumed.err
    whole, parts = (FieldFile.load(tmp_path / run / "last.safetensors") for run in ("whole", "parts"))
    assert whole.sha256 == parts.sha256
    rates = whole.tensors["update.lr.logs.layers.1.weight"]
    assert rates.shape == (2,)
    assert np.all(rates != 0)
    assert np.all(np.abs(rates) < 0.5)  # four steps of at most 100 · 1e-3
    described = ecop("info", "whole/last.safetensors", "--json").document
    assert described["parameters"] == 8 * 2 + 8 + 8 * 8 + 8 + 3 * 8 + 3
    assert described["learned_rates"] == 6 * 2
    fitted = ecop("fit", "whole", photos / "0.png", "-o", "a.safetensors", "--json")
    assert fitted.code == 0, fitted.err
    start = Initialisation.load(tmp_path / "whole")
    unlearned = dataclasses.replace(start, update=None)
    ours, plain = (own.fit(photos / "0.png").psnr_curve for own in (start, unlearned))
    assert ours[0] == plain[0]
    assert ours[-1] != plain[-1]
    assert fitted.document[0]["steps"] == len(ours) - 1


def test_training_goes_on_from_learned_rates(ecop, photos, recipe, tmp_path):
    """From an initialisation that learned the same rates; one that learned others begins from α."""
    options = ["--data", photos, "--recipe", recipe, "--steps", "1", "--set", *SETTINGS]
    assert ecop("train", "--out", "first", *options).code == 0
    assert ecop("train", "--out", "second", *options, "train.lr=1e-9", "--init", "first").code == 0
    first, second = (FieldFile.load(tmp_path / run / "last.safetensors").tensors for run in ("first", "second"))
    for name, tensor in first.items():
        np.testing.assert_allclose(second[name], tensor, atol=1e-6)


def test_a_learner_without_second_derivatives_learns_no_rates(refused, photos, recipe):
    line = refused("train", "--data", photos, "--out", "run", "--recipe", recipe, "--set", "learner.name=reptile",
                   "learner.update.rates=one")  # fmt: skip
    assert "learner.update" in line
    assert "ecop, maml" in line


def test_tensors_of_another_update_are_refused(tiny, tmp_path):
    tiny.save(tmp_path / "plain.safetensors")
    content = FieldFile.load(tmp_path / "plain.safetensors")
    extra = {**content.tensors, "update.lr.logs": np.zeros(3, np.float32)}
    dataclasses.replace(content, tensors=extra).save(tmp_path / "extra.safetensors")
    with pytest.raises(BadFieldFile, match="inner update"):
        Initialisation.load(tmp_path / "extra.safetensors")
