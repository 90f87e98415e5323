from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecop.core.errors import BadInput, UnknownName
from ecop.core.recipe import DataSettings
from ecop.data import split_files

ROOT = Path("root")


def files(count):
    return [ROOT / f"{i:05d}.png" for i in range(count)]


def parts(split):
    return {path.name: part for part in ("train", "validation", "test") for path in getattr(split, part)}


@given(st.integers(1, 40), st.integers(0, 5), st.sampled_from([(0.1, 0.1), (0, 0), (0.5, 0.49), (0.3, 0), (0, 0.3)]))
def test_every_file_is_in_one_split_and_none_that_is_wanted_is_empty(count, seed, shares):
    settings = DataSettings(validation=shares[0], test=shares[1], split_seed=seed)
    split = split_files(files(count), ROOT, settings)
    assert sorted([*split.train, *split.validation, *split.test]) == files(count)
    assert split.train
    assert bool(split.validation) == (shares[0] > 0 and count >= 2)
    assert bool(split.test) == (shares[1] > 0 and count >= (3 if shares[0] > 0 else 2))


def test_shares_are_kept_over_many_files():
    split = split_files(files(4000), ROOT, DataSettings(validation=0.1, test=0.2))
    assert len(split.validation) == pytest.approx(400, abs=60)  # three standard deviations
    assert len(split.test) == pytest.approx(800, abs=80)


def test_adding_files_moves_no_other_and_the_place_of_the_folder_does_not_matter():
    before = parts(split_files(files(300), ROOT, DataSettings()))
    after = parts(split_files(files(400), ROOT, DataSettings()))
    assert before == {name: after[name] for name in before}
    moved = [Path("elsewhere", path.name) for path in files(300)]
    assert parts(split_files(moved, "elsewhere", DataSettings())) == before
    assert parts(split_files(files(300), ROOT, DataSettings(split_seed=1))) != before


def test_folders_that_say_what_they_are():
    test = [ROOT / "test" / f"{i}.png" for i in range(4)]
    train = [ROOT / "train" / f"{i}.png" for i in range(30)]
    split = split_files([*test, *train, ROOT / "other.png"], ROOT, DataSettings(validation=0.2))
    assert split.test == test
    assert sorted([*split.train, *split.validation]) == sorted(train)
    assert 0 < len(split.validation) < 15
    own = [ROOT / "validation" / "v.png"]
    split = split_files([*train, *own], ROOT, DataSettings())
    assert (split.train, split.validation, split.test) == (train, own, [])


def test_a_list_decides(tmp_path):
    (tmp_path / "list.txt").write_text("# ours\n\n00001.png train\n00000.png  test\n00003.png validation\n")
    split = split_files(files(5), ROOT, DataSettings(split_file=str(tmp_path / "list.txt")))
    assert parts(split) == {"00001.png": "train", "00000.png": "test", "00003.png": "validation"}


def test_a_list_with_spaces_in_names(tmp_path):
    (tmp_path / "list.txt").write_text("my cat.png train\n")
    path = ROOT / "my cat.png"
    assert split_files([path], ROOT, DataSettings(split_file=str(tmp_path / "list.txt"))).train == [path]


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("00009.png train\n", UnknownName, r"no file of line 1 of .* '00009.png' \(did you mean"),
        ("00000.png training\n", BadInput, "line 1 is '00000.png training'; write NAME train"),
        ("train\n", BadInput, "line 1 is 'train'"),
        ("00000.png train\n00000.png test\n", BadInput, "line 2 puts 00000.png into a second split"),
        ("00000.png test\n", BadInput, "nothing is left to train on"),
    ],
)
def test_lists_with_mistakes(tmp_path, text, error, words):
    (tmp_path / "list.txt").write_text(text)
    with pytest.raises(error, match=words):
        split_files(files(3), ROOT, DataSettings(split_file=str(tmp_path / "list.txt")))


def test_a_list_that_is_missing(tmp_path):
    with pytest.raises(BadInput, match="the split list cannot be read"):
        split_files(files(3), ROOT, DataSettings(split_file=str(tmp_path / "none.txt")))
