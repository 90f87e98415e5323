"""Pictures of text: the same for a seed, different otherwise, and full of letters."""

import numpy as np
import pytest
from PIL import Image as Pillow
from PIL import ImageFont

from ecop.data import DATASETS, fetch, text
from ecop.data.text import CHARACTERS, own_fonts, text_picture, write_text_pictures


def picture(*seed):
    return np.asarray(text_picture(np.random.default_rng(seed), own_fonts()))


def test_a_seed_decides():
    np.testing.assert_array_equal(picture(0, 1), picture(0, 1))
    assert (picture(0, 1) != picture(0, 2)).any()


def test_pictures_hold_words_in_several_colours_on_a_plain_ground():
    shares, colours = [], []
    for seed in range(30):
        values = picture(seed).reshape(-1, 3)
        _, counts = np.unique(values, axis=0, return_counts=True)
        shares.append(counts.max() / len(values))
        colours.append((counts > 20).sum())  # those of words, without the blended edges
    assert picture(0).shape == (178, 178, 3)
    assert 0.5 < np.mean(shares) < 0.95  # the ground covers most, not all
    assert np.median(colours) >= 4


def test_every_font_has_every_character():
    fonts = own_fonts()
    assert len(fonts) >= 10
    for path in fonts:
        font = ImageFont.truetype(path, 24)
        missing = bytes(font.getmask("\uffff"))
        shapes = {bytes(font.getmask(character)) for character in CHARACTERS}
        assert missing not in shapes
        assert len(shapes) > len(CHARACTERS) - 10  # a few look alike: 0 and O, I and l


def test_fewer_pictures_are_the_first_of_more(tmp_path):
    write_text_pictures(tmp_path / "few", {"train": 2, "test": 1}, own_fonts())
    write_text_pictures(tmp_path / "more", {"train": 3, "test": 2}, own_fonts())
    few = sorted(path.relative_to(tmp_path / "few") for path in (tmp_path / "few").rglob("*.png"))
    assert len(few) == 3
    for name in few:
        with Pillow.open(tmp_path / "few" / name) as one, Pillow.open(tmp_path / "more" / name) as other:
            np.testing.assert_array_equal(np.asarray(one), np.asarray(other))


def test_the_data_set_is_drawn_without_a_network(tmp_path, monkeypatch):
    monkeypatch.setenv("ECOP_CACHE", str(tmp_path))
    monkeypatch.setenv("ECOP_OFFLINE", "1")
    monkeypatch.setattr(text, "COUNTS", {"train": 2, "validation": 1, "test": 1})
    path = fetch("text")
    assert {split: len(list((path / split).iterdir())) for split in ("train", "validation", "test")} == {
        "train": 2, "validation": 1, "test": 1}  # fmt: skip
    assert DATASETS["text"].bytes == 0
    with pytest.raises(FileExistsError):
        write_text_pictures(path, {"train": 1}, own_fonts())
