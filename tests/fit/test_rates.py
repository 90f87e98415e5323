"""Signals with an axis that keeps its rate: cut into blocks when long, in the first part of the extent when short."""

import jax
import numpy as np
import pytest

from ecop.core.recipe import FitSettings, Recipe
from ecop.fit.initialisation import Initialisation
from ecop.fit.prepared import block_shape, spanning
from ecop.signals import Audio

RECIPE = Recipe.from_dict(
    {
        "signal": "audio",
        "field": {"name": "siren", "width": 16, "depth": 3},
        "data": {"size": [256], "channels": 1},
        "learner": {"name": "ecop", "inner_steps": 2},
    }
)


@pytest.fixture(scope="module")
def start():
    return Initialisation.random(RECIPE, FitSettings(steps=2, lr=1e-3, scorer="error", keep=0.25))


def sound(samples):
    wave = 0.5 + 0.3 * np.sin(np.linspace(0, 40, samples))
    return Audio.assemble(wave[:, None].astype(np.float32), {"rate": 8000})


def test_a_long_sound_is_cut_into_windows_of_the_trained_length(start):
    fitted = start.fit(sound(600))
    assert fitted.blocks is not None
    assert fitted.blocks.shape == (256,)
    assert [begin for (begin,) in fitted.blocks.starts] == [0, 172, 344]
    assert fitted.resampled is None
    assert fitted.render().shape == (600,)
    assert jax.tree.leaves(fitted.field)[0].shape[0] == 3


def test_native_fits_it_with_one_field_all_the_same(start):
    fitted = start.fit(sound(600), native=True)
    assert fitted.blocks is None
    assert fitted.shape == (600,)


@pytest.mark.parametrize("convention", ["centres", "corners"])
def test_a_short_sound_has_the_density_of_the_trained_ones(convention):
    short, whole = spanning(sound(64), (256,), convention), sound(256)
    expected = whole.grid(convention).axes()[0][:64]
    np.testing.assert_allclose(short.grid(convention).axes()[0], expected, atol=1e-9)
    twice = short.grid_of((128,), short.about, convention)
    assert twice.axes()[0][-1] <= expected[-1] + (0 if convention == "corners" else short.grid().spacing[0])


def test_a_short_sound_survives_its_file_with_its_place(start, tmp_path):
    from ecop.fit.fitted import Fitted

    fitted = start.fit(sound(64))
    fitted.save(tmp_path / "short.safetensors")
    loaded = Fitted.load(tmp_path / "short.safetensors")
    np.testing.assert_array_equal(loaded.render().values, fitted.render().values)
    assert loaded.grid() == fitted.grid()


def test_what_needs_blocks():
    assert block_shape(sound(256), (256,), native=False, patches=False) is None
    assert block_shape(sound(257), (256,), native=False, patches=False) == (256,)
    assert block_shape(sound(257), (256,), native=True, patches=False) is None
    assert block_shape(sound(100), (64,), native=False, patches=True) == (64,)
