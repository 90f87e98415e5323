from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import given

from ecop.cli.outputs import check_writable, is_folder, output_names
from ecop.core.errors import CannotWrite

parts = st.text("abAB-.", min_size=1, max_size=3).filter(lambda text: text not in (".", ".."))
paths = st.lists(parts, min_size=1, max_size=3).map(lambda names: Path(*names))


@given(st.lists(paths, unique=True, max_size=8))
def test_names_are_distinct_whatever_the_file_system_thinks_of_capitals(inputs):
    names = output_names(inputs, ".x")
    assert len({name.casefold() for name in names}) == len(inputs)
    assert all("/" not in name and name.endswith(".x") for name in names)
    assert names == output_names(inputs, ".x")


def test_a_name_is_as_long_as_it_has_to_be():
    inputs = [Path("a/cat.jpg"), Path("a/cat.png"), Path("b/dog.jpg"), Path("c/dog.jpg"), Path("c/fox.jpg")]
    assert output_names(inputs, "") == ["cat.jpg", "cat.png", "b-dog.jpg", "c-dog.jpg", "fox"]


def test_what_is_a_folder(tmp_path):
    assert is_folder("new/")
    assert is_folder(str(tmp_path))
    assert not is_folder("new")


def test_checking_leaves_nothing_behind(tmp_path):
    check_writable(tmp_path / "new" / "deep" / "x.png", overwrite=False)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_file_that_exists_needs_permission(tmp_path, overwrite):
    path = tmp_path / "x"
    path.write_text("mine")
    if overwrite:
        check_writable(path, overwrite=True)
    else:
        with pytest.raises(CannotWrite, match=r"exists already; replace it with -y"):
            check_writable(path, overwrite=False)
    assert path.read_text() == "mine"
