"""Recipes: one source for files, command line and Python."""

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecop.core.errors import BadInput, InvalidSetting, UnknownName
from ecop.core.recipe import DataSettings, FitSettings, Part, Recipe, TrainSettings, parse_value, shipped_recipes

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
POSITIVE = st.floats(1e-9, 1e9)
VALUES = st.one_of(
    st.integers(-(2**53), 2**53), st.floats(allow_nan=False), TEXT, st.booleans(), st.lists(st.integers(0, 9))
)
PARTS = st.tuples(
    st.sampled_from(["siren", "ecop", "x y", "é"]),
    st.dictionaries(TEXT.filter(lambda key: key != "name"), VALUES, max_size=3),
)
DATA = {
    "size": st.lists(st.integers(2, 4096), min_size=1, max_size=3).map(tuple),
    "crop": st.sampled_from(["centre", "random"]),
    "grid": st.sampled_from(["centres", "corners"]),
    "scales": st.tuples(st.floats(0.1, 1), st.floats(1, 9)),
    "batch": st.integers(1, 99),
    "split_file": st.none() | TEXT,
}
TRAIN = {"steps": st.integers(1, 10**9), "lr": POSITIVE, "final_lr": st.none() | POSITIVE}
FIT = {"keep": st.none() | st.floats(0.01, 1), "scorer": st.none() | TEXT}


@settings(max_examples=60, deadline=None)
@given(TEXT, PARTS, PARTS, *map(st.fixed_dictionaries, (DATA, TRAIN, FIT)))
def test_round_trip(name, field, learner, data, train, fit):
    recipe = Recipe(
        name, field=Part(*field), learner=Part(*learner), data=DataSettings(**data), train=TrainSettings(**train),
        fit=FitSettings(**fit),
    )  # fmt: skip
    assert Recipe.from_toml(recipe.to_toml()) == recipe
    assert Recipe.from_dict(recipe.to_dict()) == recipe


@pytest.mark.parametrize("name", shipped_recipes())
def test_recipes_that_ship(name):
    recipe = Recipe.named(name)
    assert recipe.name == name
    assert Recipe.from_toml(recipe.to_toml()) == recipe
    assert recipe.about


def test_the_papers_recipe():
    """CelebA 178²: SIREN 5×256, K = 16, L = 5, γ = 0.25, α = 1e-2, α_boot = 5e-2, λ = 100, Adam 1e-5, batch 8."""
    recipe = Recipe.named("ecop-celeba")
    inner = {"inner_steps": 16, "inner_lr": 1e-2, "keep": 0.25, "bootstrap_steps": 5, "bootstrap_lr": 5e-2}
    assert inner.items() <= recipe.learner.settings.items()
    assert recipe.learner.settings["bootstrap_weight"] == 100
    assert (recipe.data.size, recipe.data.batch, recipe.data.grid) == ((178, 178), 8, "corners")
    assert (recipe.train.lr, recipe.train.steps, recipe.train.clip) == (1e-5, 150_000, 1.0)
    assert Recipe.named("learnit-celeba").learner.settings["inner_steps"] == 4


def test_changes_by_dotted_keys():
    recipe = Recipe().with_settings(
        {"learner.keep": 0.5, "train.steps": 7, "data.size": [64, 32], "train.final_lr": 1, "name": "mine"}
    )
    assert recipe.learner == Part("ecop", {"keep": 0.5})
    assert (recipe.train.steps, recipe.data.size, recipe.name) == (7, (64, 32), "mine")
    assert isinstance(recipe.train.final_lr, float)
    other = recipe.with_settings({"learner.name": "maml"})
    assert other.learner == Part("maml")  # another part takes other settings
    assert recipe.train == other.train


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"train.stesp": 3}, r"setting of \[train\] 'stesp' \(did you mean 'steps'\?\)"),
     ({"trian.steps": 3}, r"recipe setting 'trian' \(did you mean 'train'\?\); choose one of: about, data, field, fit"),
     ({"unknown.deep.key": 3}, "recipe setting 'unknown'")],
)  # fmt: skip
def test_unknown_keys_are_refused_with_the_nearest(changes, message):
    with pytest.raises(UnknownName, match=message):
        Recipe().with_settings(changes)


@pytest.mark.parametrize(
    ("key", "value"),
    [("train.steps", 0), ("train.steps", 1.5), ("train.steps", "many"), ("train.steps", True), ("train.lr", 0),
     ("train.lr", "fast"), ("train.lr", float("nan")), ("train.clip", -1), ("train.final_lr", "x"), ("data.batch", 0),
     ("data.size", [1, 5]), ("data.size", []), ("data.size", 5), ("data.crop", "left"), ("data.crop", [1]),
     ("data.grid", "middle"), ("data.scales", [2.0]), ("data.scales", [2.0, 1.0]), ("data.validation", 0.95),
     ("data.test", -0.1), ("fit.steps", 0), ("fit.scorer", 3), ("field", 3), ("learner", {"keep": 0.5}), ("train", 5),
     ("train.steps.more", 5)],
)  # fmt: skip
def test_bad_values_are_named(key, value):
    with pytest.raises(InvalidSetting, match=r"is not usable: expected"):
        Recipe().with_settings({key: value})


def test_files(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(dataclasses.replace(Recipe(), name="mine").to_toml())
    assert Recipe.load(path).name == "mine"
    assert Recipe.load("quick") == Recipe.named("quick")
    with pytest.raises(UnknownName, match=r"no recipe 'quik' \(did you mean 'quick'\?\)"):
        Recipe.load("quik")
    with pytest.raises(BadInput, match="cannot be read"):
        Recipe.load(tmp_path / "none.toml")
    path.write_text("train = {steps")
    with pytest.raises(BadInput, match="not valid TOML"):
        Recipe.load(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadInput, match="cannot be read"):
        Recipe.load(path)


def test_values_on_the_command_line():
    assert parse_value("0.5") == 0.5
    assert parse_value("[64, 64]") == [64, 64]
    assert parse_value("true") is True
    assert parse_value("last_layer") == "last_layer"
    assert parse_value('"quoted"') == "quoted"
