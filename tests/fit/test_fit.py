"""Fitting whole signals: shapes, resampling, blocks, precision, files, and how often anything is compiled."""

import dataclasses
import math

import hypothesis
import jax
import numpy as np
import pytest
from hypothesis import strategies

from ecop.core.errors import BadFieldFile, Diverged, InvalidSetting
from ecop.core.recipe import DataSettings, FitSettings, Part, Recipe
from ecop.fit import fit
from ecop.fit.fitted import Fitted
from ecop.fit.initialisation import Initialisation
from ecop.fit.loading import load
from ecop.fit.prepared import comparable_shape
from ecop.signals.image import Image

SETTINGS = FitSettings(steps=3, scaling="norm", lr=1e-2, scorer="error", keep=0.25)


@pytest.fixture(scope="module")
def initialisation():
    recipe = Recipe(field=Part("siren", {"width": 16, "depth": 3}), data=DataSettings(size=(16, 16)))
    return Initialisation.random(recipe, SETTINGS)


def picture(height, width, channels=3):
    rows, columns = np.mgrid[0:height, 0:width]
    waves = [0.5 + 0.4 * np.sin(2 * rows / height + c) * np.cos(3 * columns / width) for c in range(channels)]
    return Image.assemble(np.stack(waves, -1), {"bits": 8}, "waves")


@hypothesis.given(strategies.tuples(strategies.integers(2, 9000), strategies.integers(2, 9000)))
def test_a_large_signal_is_resampled_to_as_many_points_at_its_own_aspect(shape):
    found = comparable_shape(shape, (178, 178), (True, True))
    if math.prod(shape) <= 178 * 178:
        assert found == shape
    elif min(found) >= 50:  # where rounding to whole samples is small
        assert math.prod(found) == pytest.approx(178 * 178, rel=0.02)
        assert found[0] / found[1] == pytest.approx(shape[0] / shape[1], rel=0.03)


def test_a_fit_says_what_it_did(initialisation):
    fitted = initialisation.fit(picture(32, 32))
    assert (fitted.shape, fitted.resampled, fitted.steps) == ((16, 16), (32, 32), 3)
    assert len(fitted.psnr_curve) == 4
    assert fitted.psnr_curve[-1] > fitted.psnr_curve[0]
    small = initialisation.fit(picture(10, 14))
    assert (small.shape, small.resampled) == ((10, 14), None)


def test_psnr_is_of_what_the_file_stores(initialisation, tmp_path):
    signal = picture(12, 16)
    fitted = initialisation.fit(signal, dtype="float16")
    fitted.save(tmp_path / "half.safetensors")
    back = load(tmp_path / "half.safetensors")
    assert isinstance(back, Fitted)
    assert fitted.nbytes == (tmp_path / "half.safetensors").stat().st_size
    np.testing.assert_array_equal(back.render().values, fitted.render().values)
    error = np.mean((np.clip(back.render().values, 0, 1).astype(float) - signal.values) ** 2)
    assert back.metrics["psnr"] == pytest.approx(-10 * math.log10(error), abs=1e-4)
    full = initialisation.fit(signal)
    assert full.metrics["psnr"] != fitted.metrics["psnr"]


def test_all_of_a_fitted_signal_survives_its_file(initialisation, tmp_path):
    fitted = initialisation.fit(picture(40, 24), patches=True)
    fitted.save(tmp_path / "field.safetensors")
    back = Fitted.load(tmp_path / "field.safetensors")
    for name in (f.name for f in dataclasses.fields(Fitted) if f.name != "field"):
        assert getattr(back, name) == getattr(fitted, name), name
    for ours, theirs in zip(jax.tree.leaves(back.field), jax.tree.leaves(fitted.field), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_patches_beat_one_resampled_field_and_are_seamless(initialisation):
    signal = picture(40, 56)
    patches = initialisation.fit(signal, steps=8, patches=True)
    assert patches.shape == (40, 56)
    assert patches.blocks is not None
    assert patches.blocks.shape == (16, 16)
    error = np.abs(patches.render().values - signal.values)
    seams = sorted({start[1] for start in patches.blocks.starts})[1:]
    assert error[:, seams].mean() < 2 * error.mean()


def test_native_fits_every_point(initialisation):
    assert initialisation.fit(picture(32, 40), native=True).shape == (32, 40)


def test_until_psnr_goes_on_with_adam_and_stops_there(initialisation):
    signal = picture(16, 16)
    trained = initialisation.fit(signal)
    wanted = trained.psnr_curve[-1] + 3
    fitted = initialisation.fit(signal, until_psnr=wanted, limit=400)
    assert 3 < fitted.steps < 400
    assert fitted.psnr_curve[-1] >= wanted > fitted.psnr_curve[-2]
    assert fitted.psnr_curve[:4] == pytest.approx(trained.psnr_curve, abs=1e-4)


def test_sizes_in_one_bucket_share_their_programs(initialisation):
    initialisation.fit(picture(9, 11))
    compiled = []

    def note(event, seconds, **_):
        if "backend_compile" in event:
            compiled.append(event)

    jax.monitoring.register_event_duration_secs_listener(note)
    for height, width in [(10, 10), (12, 13), (7, 15), (16, 16), (5, 40)]:
        initialisation.fit(picture(height, width))
    assert compiled == []


def test_progress_counts_every_step(initialisation):
    seen = []
    fitted = initialisation.fit(picture(110, 120), native=True, progress=lambda *now: seen.append(now))
    assert seen == [(step, 3, pytest.approx(fitted.psnr_curve[step - 1], abs=1e-4)) for step in (1, 2, 3)]


def test_a_state_gives_its_memory_to_the_next_and_the_initialisation_stays(initialisation, monkeypatch):
    """A fit that comes back after every step, twice: all arrays of a state are taken, none of the initialisation's."""
    states, own = [], fit._advance

    def watched(fixed, state):
        states.append(state)
        return own(fixed, state)

    monkeypatch.setattr(fit, "_advance", watched)
    whole = initialisation.fit(picture(12, 12))
    monkeypatch.setattr(fit, "QUIET_POINTS", 1)
    steps = initialisation.fit(picture(12, 12), progress=lambda *now: None)
    assert len(states) == 1 + 3
    assert all(leaf.is_deleted() for state in states for leaf in (*jax.tree.leaves(state.theta), state.factor))
    assert not any(leaf.is_deleted() for leaf in jax.tree.leaves(initialisation.field) if isinstance(leaf, jax.Array))
    np.testing.assert_allclose(steps.render().values, whole.render().values, atol=1e-6)


def test_channels_follow_the_initialisation(initialisation):
    for channels in (1, 4):
        assert initialisation.fit(picture(12, 12, channels)).channels == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"native": True, "patches": True}, "one of the two"),
        ({"steps": -1}, "whole number"),
        ({"scaling": "warmup:x"}, "number behind the colon"),
    ],
)
def test_impossible_requests_are_refused(initialisation, arguments, message):
    with pytest.raises(InvalidSetting, match=message):
        initialisation.fit(picture(8, 8), **arguments)


def test_a_fit_that_diverges_says_so(initialisation):
    wild = dataclasses.replace(initialisation, settings=dataclasses.replace(SETTINGS, lr=1e20))
    with pytest.raises(Diverged, match="diverged"):
        wild.fit(picture(12, 12))


def test_an_initialisation_survives_its_file(initialisation, tmp_path):
    initialisation.save(tmp_path / "start.safetensors")
    back = load(tmp_path / "start.safetensors")
    assert isinstance(back, Initialisation)
    assert (back.recipe, back.settings, back.name) == (initialisation.recipe, SETTINGS, "start")
    for ours, theirs in zip(jax.tree.leaves(back.field), jax.tree.leaves(initialisation.field), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_field_is_no_initialisation_and_the_other_way_round(initialisation, tmp_path):
    initialisation.save(tmp_path / "start.safetensors")
    initialisation.fit(picture(8, 8)).save(tmp_path / "field.safetensors")
    with pytest.raises(BadFieldFile, match="not a fitted field"):
        Fitted.load(tmp_path / "start.safetensors")
    with pytest.raises(BadFieldFile, match="not an initialisation"):
        Initialisation.load(tmp_path / "field.safetensors")


def test_steps_of_adam_train_a_field_from_scratch():
    start = Initialisation.load("random:quick")
    assert start.settings == FitSettings(steps=16, scaling="norm", lr=1e-2, scorer="error", keep=0.25)
    narrow = Initialisation.random(
        Recipe(field=Part("siren", {"width": 16, "depth": 3}), data=start.recipe.data), SETTINGS
    )
    fitted = narrow.fit(picture(12, 12), steps=0, adam_steps=300)
    assert fitted.steps == 300
    assert fitted.psnr_curve[-1] > fitted.psnr_curve[0] + 1
