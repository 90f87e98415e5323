"""Every layout keeps the contract, and any folder is divided as before."""

import pytest
from skimage import data

from ecop.core.errors import BadInput
from ecop.core.recipe import DataSettings, Recipe, shipped_recipes
from ecop.core.registry import LAYOUTS, SIGNALS
from ecop.data import Layout, divided, find_files
from ecop.data.splits import ItemSplit, split_items
from ecop.signals import Image


@pytest.fixture
def folder(tmp_path):
    for number in range(6):
        Image.assemble(data.coffee()[:8, :8] / 255, {}).write(tmp_path / f"{number}.png")
    return tmp_path


@pytest.mark.parametrize("name", LAYOUTS.names())
def test_a_layout_is_an_object_that_is_found_by_its_name(name, tmp_path):
    layout = LAYOUTS[name]
    assert isinstance(layout, Layout)
    error = layout.missing(tmp_path, "test")
    assert isinstance(error, BadInput)
    assert "for test" in str(error)
    assert "\n" not in str(error)


@pytest.mark.parametrize("name", shipped_recipes())
def test_recipes_name_layouts_and_reading_settings_that_exist(name):
    from ecop.signals.base import reading_settings

    recipe = Recipe.named(name)
    assert recipe.data.layout in LAYOUTS.names()
    signal = SIGNALS[recipe.signal]
    assert set(recipe.data.reading) <= set(reading_settings(signal))
    assert len(recipe.data.size) == (1 if signal.scattered else signal.dimensions)


def test_any_folder_is_divided_by_its_files(folder):
    settings = DataSettings(validation=0.2, test=0.2)
    assert divided(folder, Image, settings) == split_items(find_files(folder, Image), folder, Image, settings)
    with pytest.raises(BadInput, match="the split has no file for test; take another split or all"):
        divided(folder, Image, DataSettings(test=0), "test")


def test_a_layout_of_ones_own(folder, monkeypatch):
    class Halves(Layout):
        def divide(self, source, signal, settings):
            items = split_items(find_files(source, signal), source, signal, DataSettings(validation=0, test=0)).train
            return ItemSplit(train=items[:3], test=items[3:])

        def missing(self, source, part):
            return BadInput(source, f"nothing for {part}", "add files")

    monkeypatch.setitem(LAYOUTS._registered, "halves", Halves())
    split = divided(folder, Image, DataSettings(layout="halves"), "test")
    assert [item.name(folder) for item in split.test] == ["3.png", "4.png", "5.png"]
    with pytest.raises(BadInput, match="nothing for validation; add files"):
        divided(folder, Image, DataSettings(layout="halves"), "validation")
