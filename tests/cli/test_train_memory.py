"""``ecop train --memory``: what the planner chose is used, said and stored."""

import json

import pytest


@pytest.fixture
def programs_alone(monkeypatch):
    """Only the programs count: what the tests' own process takes is not to be known."""
    monkeypatch.setattr("ecop.meta.budget.baseline", lambda: 0)


def tile(run):
    return json.loads((run / "run.json").read_text())["tile"]


def test_tiles_that_fit_are_used_and_kept_on_resume(ecop, photos, recipe, tmp_path, programs_alone):
    from ecop.adapt import Engine
    from ecop.core.recipe import Recipe
    from ecop.meta.plan import program_bytes

    wide = Recipe.load(recipe).with_settings({"field.width": 128})
    whole = max(program_bytes(wide, Engine(), phase) for phase in ("train", "fit"))
    options = ["--data", photos, "--out", "run"]
    given = ["--recipe", recipe, "--set", "field.width=128", "--steps", "1", "--memory", f"{whole - 1}B"]
    result = ecop("train", *options, *given)
    assert result.code == 0, result.err
    chosen = tile(tmp_path / "run")
    assert chosen < 1024  # the rows that a fit is padded to
    assert ecop("train", *options, "--resume", "--steps", "2").code == 0
    assert tile(tmp_path / "run") == chosen


def test_what_cannot_fit_is_refused(refused, photos, recipe, programs_alone):
    options = ["--data", photos, "--out", "run"]
    assert "allow more memory" in refused("train", *options, "--recipe", recipe, "--memory", "1kB")
    assert "memory = 'much'" in refused("train", *options, "--recipe", recipe, "--memory", "much")
    assert "leave out --memory" in refused("train", *options, "--resume", "--memory", "1GB")
