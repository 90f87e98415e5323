"""Files with several signals in them: named, read and split one by one."""

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ecop.core.errors import UnknownName
from ecop.core.recipe import DataSettings
from ecop.data import Item, find_files, items_of, split_items
from ecop.signals import Image


class Album(Image):
    """A file holds as many pictures as its name says."""

    @classmethod
    def members(cls, path, reading):
        return tuple({"page": page} for page in range(int(Path(path).stem)))

    @classmethod
    def owns_folder(cls, folder, names):
        return "pages" in names


def test_an_item_is_named_by_its_file_and_part():
    item = Item(Path("a/b.nc"), {"time": "1982-01-16", "var": "u"})
    assert item.name(Path("a")) == "b.nc#time=1982-01-16,var=u"
    assert Item(Path("a/b.png")).name(Path("a")) == "b.png"
    assert len({item, Item(Path("a/b.nc"), {"time": "1982-01-16", "var": "u"}), Item(Path("a/b.nc"))}) == 2


def test_members_follow_their_files_order():
    items = items_of([Path("2.png"), Path("1.png")], Album, {})
    assert [(item.path.name, dict(item.choice)) for item in items] == [
        ("2.png", {"page": 0}), ("2.png", {"page": 1}), ("1.png", {"page": 0}),
    ]  # fmt: skip


def test_a_reading_setting_that_the_modality_lacks_is_refused(tmp_path):
    with pytest.raises(UnknownName, match=r"setting for reading image files 'rate'; there are none by name"):
        Item(tmp_path / "x.png").read(Image, {"rate": 8000})


def test_a_folder_that_is_one_signal_counts_as_a_file(tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "pages").touch()
    (tmp_path / "b" / "inside.png").touch()
    (tmp_path / "a.png").touch()
    assert find_files(tmp_path, Album) == [tmp_path / "a.png", tmp_path / "b"]
    assert find_files(tmp_path / "b", Album) == [tmp_path / "b"]


@given(st.integers(2, 60), st.floats(0, 0.45), st.floats(0, 0.45))
@example(4, 0.375, 0.375)
def test_one_file_is_divided_in_its_own_order(count, validation, test):
    settings = DataSettings(validation=validation, test=test)
    split = split_items([Path(f"{count}.png")], "folder", Album, settings)
    assert [*split.train, *split.validation, *split.test] == items_of([Path(f"{count}.png")], Album, {})
    assert split.train
    assert not split.validation or validation > 0
    assert not split.test or test > 0
    if count >= 3 and min(validation, test) > 0:
        assert split.validation
        assert split.test


def test_several_files_are_split_as_wholes():
    files = [Path("folder", f"{n}.png") for n in (3, 4, 5, 6)]
    split = split_items(files, "folder", Album, DataSettings(validation=0.25, test=0.25))
    parts = [{item.path for item in part} for part in vars(split).values()]
    assert sum(len(part) for part in parts) == 4
    assert set.union(*parts) == set(files)
