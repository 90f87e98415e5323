"""What every registered modality must do; tests/signals/conftest.py has an example of each."""

import dataclasses
import json

import numpy as np
import pytest

from ecop.core.errors import BadInput, CannotWrite, TooLarge, UnknownName
from ecop.core.registry import SIGNALS
from ecop.data import find_files
from ecop.signals.base import reading_settings

CONVENTIONS = ["centres", "corners"]


def listing(folder):
    return sorted(path.name for path in folder.iterdir())


def same(values, expected, tolerance=0.0):
    assert values.shape == expected.shape
    np.testing.assert_allclose(values, expected, rtol=0, atol=tolerance)  # NaN is equal to NaN


def test_scattered_points_have_places_and_a_render_has_a_shape(example):
    signal, cls = example.read, type(example.read)
    assert (signal.coordinates is not None) is cls.scattered
    assert len(signal.resolution) == cls.dimensions
    assert signal.grid().shape == signal.resolution
    if signal.coordinates is not None:
        assert signal.coordinates.dtype == np.float32
        assert signal.coordinates.shape == (len(signal.values), cls.d_in)
        assert signal.whole is not None


def test_the_class_says_what_it_is(example):
    cls = type(example.read)
    assert SIGNALS[cls.kind] is cls
    assert len(cls.elastic) == len(example.read.shape) == (1 if cls.scattered else cls.dimensions)
    assert cls.preferred_suffix in cls.suffixes
    assert all(suffix == suffix.lower() and suffix.startswith(".") for suffix in cls.suffixes)


def test_what_is_read_is_scaled_and_described(example):
    signal = example.read
    assert signal.values.dtype == np.float32
    assert signal.values.shape == (*signal.shape, signal.channels)
    known = signal.values[~np.isnan(signal.values)]
    assert known.size > 0
    assert 0 <= known.min() < known.max() <= 1
    assert signal.source.startswith(example.file.name)
    assert json.loads(json.dumps(dict(signal.about))) == dict(signal.about)


def test_a_folder_finds_it_and_its_members_open(example):
    cls = type(example.read)
    assert find_files(example.file.parent, cls) == [example.file]
    members = cls.members(example.file, example.reading)
    assert len(members) >= 1
    same(cls.open(example.file, {**example.reading, **members[0]}).values, example.read.values)
    assert set(example.reading) <= set(reading_settings(cls))
    with pytest.raises(UnknownName, match="setting for reading"):
        cls.open(example.file, {"nonsense": 1})


def test_what_is_written_reads_back_as_stored(example, tmp_path):
    signal = example.read
    path = tmp_path / "new" / f"again{signal.preferred_suffix}"
    signal.write(path)
    back = type(signal).open(path, example.reading)
    same(back.values, signal.stored().values, example.tolerance)
    assert back.grid() == signal.grid()
    assert listing(path.parent) == [path.name]


def test_strips_make_the_same_file(gridded, tmp_path):
    signal, path = gridded.read, tmp_path / f"strips{gridded.read.preferred_suffix}"
    rows = signal.shape[0]
    strips = (signal.values[a:b] for a, b in [(0, 1), (1, rows // 2), (rows // 2, rows)])
    signal.write_strips(path, strips, signal.shape, signal.channels, signal.about)
    same(type(signal).open(path, gridded.reading).values, signal.stored().values, gridded.tolerance)


def test_a_failure_between_strips_leaves_what_was_there(gridded, tmp_path):
    signal, path = gridded.read, tmp_path / f"half{gridded.read.preferred_suffix}"

    def strips():
        yield signal.values[:1]
        raise RuntimeError("the device went away")

    before = listing(tmp_path)
    with pytest.raises(RuntimeError, match="went away"):
        signal.write_strips(path, strips(), signal.shape, signal.channels, signal.about)
    assert listing(tmp_path) == before


@pytest.mark.parametrize("name", ["render.xyz", "render"])
def test_an_unknown_suffix_is_refused(example, tmp_path, name):
    before = listing(tmp_path)
    with pytest.raises(CannotWrite, match="choose one of") as caught:
        example.read.write(tmp_path / name)
    assert "\n" not in str(caught.value)
    assert listing(tmp_path) == before


def test_a_place_that_cannot_be_written(example, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    path = tmp_path / "file" / f"a{example.read.preferred_suffix}"
    with pytest.raises(CannotWrite, match="not a folder") as caught:
        example.read.write(path)
    assert "\n" not in str(caught.value)
    assert (tmp_path / "file").read_text() == "not a folder"


def test_stored_is_what_a_file_keeps(example):
    stored = example.read.stored()
    assert stored.values.dtype == np.float32
    same(stored.stored().values, stored.values)


def test_blocks(example):
    signal, cls = example.read, type(example.read)
    block = signal.block(example.start, example.part)
    window = tuple(slice(i, i + n) for i, n in zip(example.start, example.part, strict=True))
    same(block.values, signal.values[window])
    if signal.coordinates is not None:
        same(block.coordinates, signal.coordinates[window])
    about = cls.about_block(signal.about, example.start, example.part, signal.shape)
    for convention in CONVENTIONS:
        assert block.grid(convention) == cls.grid_of(block.resolution, about, convention)


def test_resampling(example):
    signal = example.read
    smaller = signal.resized(example.smaller)
    assert smaller.values.shape == (*example.smaller, signal.channels)
    assert smaller.values.dtype == np.float32
    known = smaller.values[~np.isnan(smaller.values)]
    assert 0 <= known.min() <= known.max() <= 1
    same(signal.resized(signal.shape).values, signal.values)
    constant = dataclasses.replace(signal, values=np.full_like(signal.values, 0.5))
    np.testing.assert_allclose(constant.resized(example.smaller).values, 0.5, atol=1e-5)
    assert smaller.grid().shape == smaller.resolution
    if smaller.coordinates is not None:
        assert len(smaller.coordinates) == example.smaller[0]


def test_channels(example):
    signal = example.read
    assert signal.with_channels(signal.channels) is signal
    single = dataclasses.replace(signal, values=signal.values[..., :1].copy())
    assert single.channels == 1
    assert single.with_channels(1) is single


def test_predictions_are_clipped(gridded):
    signal = gridded.read
    wild = np.random.default_rng(0).uniform(-1, 2, (*gridded.smaller, signal.channels))
    assembled = signal.assemble(wild, signal.about, "render")
    assert (assembled.shape, assembled.source) == (gridded.smaller, "render")
    assert assembled.values.dtype == np.float32
    same(assembled.values, np.clip(wild, *gridded.limits), 1e-6)


def test_metrics(example):
    signal = example.read
    assert signal.metrics(signal)["psnr"] == np.inf
    off = dataclasses.replace(signal, values=np.where(signal.values > 0.5, signal.values - 0.1, signal.values + 0.1))
    metrics = signal.metrics(off)
    assert metrics["psnr"] == pytest.approx(20, abs=1e-3)
    assert all(isinstance(value, float) and np.isfinite(value) for value in metrics.values())


def test_pictures_are_colours_of_one_size(example):
    signal = example.read
    picture = signal.picture()
    assert picture.ndim == 3
    assert picture.shape[-1] == 3
    assert np.isfinite(picture).all()
    assert 0 <= picture.min() < picture.max() <= 1
    constant = dataclasses.replace(signal, values=np.full_like(signal.values, 0.5))
    assert constant.picture().shape == picture.shape


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_grids(gridded, convention):
    signal, cls = gridded.read, type(gridded.read)
    for about in (signal.about, {}):
        grid = cls.grid_of(signal.shape, about, convention)
        assert grid.shape == signal.shape
        positions = grid.coordinates()[:: max(1, grid.size // 100)]
        assert np.isfinite(positions).all()
        coords = positions if cls.embed is None else np.asarray(cls.embed(positions))
        assert coords.shape == (len(positions), cls.d_in)
        whole = tuple((0.0, 1.0) for _ in signal.shape)
        np.testing.assert_allclose(
            np.array(cls.grid_of(signal.shape, about, convention, whole).axes()[0]), grid.axes()[0], atol=1e-5
        )
    assert signal.grid(convention) == cls.grid_of(signal.shape, signal.about, convention)


def test_parts_of_the_extent_join(gridded):
    """Two halves of the first axis, rendered apart, lie where all of it lies."""
    signal, cls = gridded.read, type(gridded.read)
    rows, *others = signal.shape
    rest = tuple((0.0, 1.0) for _ in others)
    shape = (2 * rows, *others)
    halves = [cls.grid_of((rows, *others), signal.about, region=(part, *rest)) for part in [(0, 0.5), (0.5, 1)]]
    whole = cls.grid_of(shape, signal.about, "centres")
    first = np.concatenate([half.axes()[0] for half in halves])
    np.testing.assert_allclose(first, whole.axes()[0], atol=np.abs(whole.spacing[0]) * 1e-3)


def test_a_render_can_be_written(gridded, tmp_path):
    """Of another size, and of a part: with what the modality says of it, it is placed and written."""
    signal, cls = gridded.read, type(gridded.read)
    region = ((0.25, 0.75),) * cls.dimensions
    for part in (None, region):
        about = cls.about_render(signal.about, signal.shape, gridded.smaller, part)
        values = np.random.default_rng(0).random((*gridded.smaller, signal.channels), np.float32)
        render = cls.assemble(values, about, "render")
        assert render.grid().shape == gridded.smaller
        path = tmp_path / f"render{cls.preferred_suffix}"
        render.write(path)
        assert cls.read(path).shape == gridded.smaller


def test_bad_input_is_one_clear_line(example, tmp_path):
    cls, suffix = type(example.read), example.file.suffix
    content = example.file.read_bytes()
    files = {"empty": b"", "text": b"ffconcat version 1.0\nfile 'other.wav'\n" * 20, "mark": content[:5]}
    if example.cut:
        files["cut"] = content[: len(content) // 2]
    (tmp_path / f"folder{suffix}").mkdir()
    for name, wrong in files.items():
        (tmp_path / f"{name}{suffix}").write_bytes(wrong)
    for name in ("folder", "none", *files):
        path = tmp_path / f"{name}{suffix}"
        with pytest.raises(BadInput) as caught:
            cls.open(path, example.reading)
        assert str(caught.value).startswith(f"{path}: ")
        assert "\n" not in str(caught.value)


def test_the_limit_holds(example, monkeypatch):
    points = int(np.prod(example.read.shape))
    monkeypatch.setenv("ECOP_MAX_PIXELS", str(points // 2))
    with pytest.raises(TooLarge, match="set ECOP_MAX_PIXELS=") as caught:
        type(example.read).open(example.file, example.reading)
    assert "\n" not in str(caught.value)
