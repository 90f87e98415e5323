"""What every modality says of how it is shown; tests/signals/conftest.py has an example of each."""

import dataclasses

import numpy as np
import pytest

from ecop.core.registry import SIGNALS
from ecop.signals.showing import Pixels, Window, layer_depth, layer_extent

BEGINS = {"image": (0, b"\x89PNG"), "audio": (0, b"RIFF"), "video": (4, b"ftyp"), "model": (0, b"glTF")}
"""Where the bytes of each player's format are, and which."""


@pytest.fixture
def drawn(gridded):
    """A signal, its plane, and the middle layer of a window in so many pixels."""
    signal, plane = gridded.read, type(gridded.read).show.plane

    def draw(window, pixels):
        part = plane.part(signal.shape, signal.about, window, pixels)
        indices = [
            np.clip(((start + (np.arange(n) + 0.5) / n * (end - start)) * own).astype(int), 0, own - 1)
            for own, n, (start, end) in zip(signal.shape, part.shape, part.extent, strict=True)
        ]
        return plane.turned(signal.values[np.ix_(*indices)], signal.about)

    return draw


def test_it_plays(example, tmp_path):
    show = type(example.read).show
    path = tmp_path / f"play{show.suffix}"
    show.play(example.read, path)
    offset, mark = BEGINS[show.player]
    assert path.read_bytes()[offset : offset + 4] == mark


def test_a_window_is_a_part_of_the_whole(gridded, drawn):
    plane = type(gridded.read).show.plane
    down = (0.0, 1.0) if plane.zooms == "across" else (0.5, 1.0)
    whole = drawn(Window(), Pixels(16, 32))
    part = drawn(Window(0.25, down[0], 0.75, down[1]), Pixels(round(16 * (down[1] - down[0])), 16))
    assert whole.shape[-1] == gridded.read.channels
    if plane.zooms == "both":
        np.testing.assert_array_equal(part, whole[8:, 8:24])
    else:  # as many samples as there are, whatever the pixels
        np.testing.assert_array_equal(part, whole[:, part.shape[1] // 2 : part.shape[1] * 3 // 2])


def test_layers_lie_behind_one_another(gridded, drawn):
    signal, plane = gridded.read, type(gridded.read).show.plane
    count = plane.layers(signal.shape, signal.about)
    assert (count > 1) is bool(plane.layer)
    if plane.layer:
        first, last = (drawn(Window(depth=layer_depth(count, n)), Pixels(8, 8)) for n in (0, count - 1))
        assert not np.array_equal(first, last)


def test_its_colours_fill_a_window(gridded):
    signal, plane = gridded.read, type(gridded.read).show.plane
    part = plane.part(signal.shape, signal.about, Window(), Pixels(20, 30))
    values = np.random.default_rng(0).random((*part.shape, signal.channels))
    about = signal.about_render(signal.about, signal.shape, part.shape, part.extent)
    colours = plane.colours(signal.assemble(values, about), Pixels(20, 30))
    assert colours.shape[1:] == (30, 3)
    assert 0 <= colours.min() < colours.max() <= 1
    height, width = plane.size(signal.shape, signal.about)
    assert 0 < height < np.inf > width > 0


def test_scattered_points_are_shown_where_they_are(example):
    signal, show = example.read, type(example.read).show
    assert (show.scattered is not None) is type(signal).scattered
    if show.scattered is not None:
        shown = show.scattered(signal, np.full(len(signal.values), 0.25))
        assert np.isfinite(shown).mean() > 0.1
        assert set(shown[np.isfinite(shown)]) == {0.25}


@pytest.mark.parametrize(
    ("kind", "title"), [(kind, title) for kind in SIGNALS.names() for title in SIGNALS[kind].show.samples]
)
def test_samples_are_signals(kind, title, tmp_path):
    cls = SIGNALS[kind]
    path = tmp_path / f"sample{cls.show.sample_suffix}"
    cls.show.samples[title](path)
    signal = cls.read(path)
    assert np.isfinite(signal.values).all()
    assert np.std(signal.values) > 0.02


def test_a_modality_that_says_nothing_is_a_still_picture():
    from ecop.signals.showing import Show

    assert dataclasses.asdict(Show())["player"] == "image"
    assert Show().plane is None


def test_layers_fill_the_depth():
    assert [layer_extent(5, layer_depth(5, n)) for n in range(5)] == [(n / 5, (n + 1) / 5) for n in range(5)]
