"""The choice of engine and tile: by what was measured, once, and within the memory."""

import pytest

from ecop.adapt import Engine, default_tile
from ecop.core.errors import InvalidSetting
from ecop.core.recipe import Recipe
from ecop.meta import tuning
from ecop.meta.tuning import choose_engine, step_seconds, tuned_tile

RECIPE = Recipe.named("quick").with_settings(
    {"field.width": 16, "field.depth": 2, "data.size": [16, 16], "data.batch": 2, "learner.inner_steps": 2}
)


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("ECOP_CACHE", str(tmp_path))


def never(*_, **__):
    raise AssertionError("nothing has to be measured")


def test_what_is_asked_for_is_what_comes(monkeypatch):
    monkeypatch.setattr(tuning, "fastest", never)
    assert choose_engine(RECIPE) == Engine()
    assert choose_engine(RECIPE, tile=64, precision="bf16") == Engine(tile=64, precision="bf16")
    assert choose_engine(RECIPE, kind="unrolled", tile="auto") == Engine("unrolled")
    with pytest.raises(InvalidSetting, match="tile"):
        choose_engine(RECIPE, tile=0)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [([1.0, 2.0, 3.0], 0.5), ([3.0, 2.0, 1.0], 2), ([3.0, 1.0, 2.0], 1), ([0.97, 1.0, 0.96], 1)],
)
def test_another_tile_must_gain(monkeypatch, seconds, expected):
    monkeypatch.setattr(tuning, "fastest", lambda runs: seconds)
    assert tuned_tile(RECIPE) == expected * default_tile(16)


def test_a_measured_tile_is_remembered(monkeypatch):
    first = tuned_tile(RECIPE)
    assert first in [int(factor * default_tile(16)) for factor in (0.5, 1, 2)]
    monkeypatch.setattr(tuning, "fastest", never)
    assert choose_engine(RECIPE, tile="auto") == Engine(tile=first)
    with pytest.raises(AssertionError):
        tuned_tile(RECIPE, Engine(precision="bf16"))


@pytest.mark.parametrize(("plain", "kind"), [(0.5, "unrolled"), (2.0, "exact-lowmem")])
def test_the_faster_engine_wins(monkeypatch, plain, kind):
    monkeypatch.setattr(tuning, "step_seconds", lambda _, engine: plain if engine.kind == "unrolled" else 1.0)
    assert choose_engine(RECIPE, kind="auto", memory=2**40).kind == kind


def test_plain_autodiff_must_fit(monkeypatch):
    monkeypatch.setattr(tuning, "step_seconds", never)
    assert choose_engine(RECIPE, kind="auto", memory=2**20) == Engine()


def test_seconds_of_a_step_are_those_of_one_signal(monkeypatch):
    seconds = step_seconds(RECIPE, Engine())
    assert 0 < seconds < 60
    monkeypatch.setattr(tuning, "fastest", never)
    assert step_seconds(RECIPE.with_settings({"data.batch": 7}), Engine()) == seconds
    with pytest.raises(AssertionError):
        step_seconds(RECIPE.with_settings({"learner.inner_steps": 3}), Engine())
