from itertools import islice

import numpy as np
import pytest
from skimage import data

from ecop.core.errors import BadInput
from ecop.core.recipe import DataSettings
from ecop.data import Item, Loader, centre_cut, find_files, fixed_signals, items_of
from ecop.signals import Image

RANDOM = DataSettings(size=(16, 12), crop="random", scales=(0.5, 3), batch=3)
CENTRE = DataSettings(size=(16, 16), crop="centre", batch=2)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Seven images of several shapes, depths and channels."""
    folder = tmp_path_factory.mktemp("images")
    photo = data.astronaut() / 255
    for index, part in enumerate(np.split(photo[:490], 7)):
        bits = 16 if index == 3 else 8
        image = Image.assemble(part[:, : 60 + 50 * index], {"bits": bits})
        image.with_channels((3, 1, 4)[index % 3]).write(folder / f"{index}.png")
    return items_of(find_files(folder, Image), Image, {})


def take(loader, count, start=0):
    return [batch.values for batch in islice(loader.batches(start), count)]


@pytest.mark.parametrize("settings", [RANDOM, CENTRE])
def test_a_run_that_resumes_sees_the_same_batches_bit_for_bit(files, settings):
    whole = take(Loader(files, Image, settings, seed=3), 12)
    for start in (0, 1, 5, 11):
        resumed = take(Loader(files, Image, settings, seed=3), 12 - start, start)
        np.testing.assert_array_equal(resumed, whole[start:])


def test_batches_are_what_the_settings_say(files):
    for batch in take(Loader(files, Image, RANDOM, seed=0), 6):
        assert batch.shape == (3, 16, 12, 3)
        assert batch.dtype == np.float32
        assert 0 <= batch.min() <= batch.max() <= 1
    grey = take(Loader(files, Image, DataSettings(size=(8, 8), channels=1, batch=1), seed=0), 1)
    assert grey[0].shape == (1, 8, 8, 1)


def test_every_epoch_has_every_file_once_in_an_order_of_its_own(files):
    fixed = np.stack([signal.values for signal in fixed_signals(files, Image, CENTRE)])
    drawn = np.concatenate(take(Loader(files, Image, CENTRE, seed=0), 7))
    order = [int(np.argmin([np.abs(one - each).max() for each in fixed])) for one in drawn]
    np.testing.assert_array_equal(drawn, fixed[order])
    assert sorted(order[:7]) == sorted(order[7:]) == list(range(7))
    assert order[:7] != order[7:]


def test_the_seed_decides_order_and_windows(files):
    first, other = (take(Loader(files, Image, RANDOM, seed), 2) for seed in (0, 1))
    assert not np.array_equal(first, other)
    one = DataSettings(size=(16, 12), crop="random", batch=2)
    (batch,) = take(Loader(files[6:], Image, one, seed=0), 1)
    assert not np.array_equal(batch[0], batch[1])


def test_a_small_memory_gives_the_same_batches(files, monkeypatch):
    plenty = take(Loader(files, Image, RANDOM, seed=0), 6)
    monkeypatch.setenv("ECOP_DECODED_BYTES", "50000")
    loader = Loader(files, Image, RANDOM, seed=0)
    np.testing.assert_array_equal(take(loader, 6), plenty)
    assert 0 < loader._decoded._bytes <= 50_000 + 360 * 70 * 3
    assert loader._decoded._bytes == sum(packed.bytes for packed in loader._decoded._kept.values())


def test_files_are_decoded_once_while_they_fit(files):
    count = []

    class Counted(Image):
        @classmethod
        def read(cls, path):
            count.append(path)
            return Image.read(path)

    take(Loader(files, Counted, RANDOM, seed=0), 12)
    assert sorted(count) == sorted(item.path for item in files)


@pytest.mark.parametrize("settings", [RANDOM, CENTRE])
def test_a_file_that_cannot_be_read_ends_it_with_its_name(files, tmp_path, settings):
    (tmp_path / "broken.png").write_bytes(files[0].path.read_bytes()[:200])
    with pytest.raises(BadInput, match=r"broken.png: damaged or truncated") as caught:
        take(Loader([*files, Item(tmp_path / "broken.png")], Image, settings, seed=0), 8)
    assert "\n" not in str(caught.value)


def test_fixed_signals_are_the_middles_in_order(files):
    signals = list(fixed_signals(files, Image, CENTRE))
    assert [signal.source for signal in signals] == [item.path.name for item in files]
    for item, signal in zip(files, signals, strict=True):
        expected = centre_cut(Image.read(item.path), (16, 16)).with_channels(3).values
        np.testing.assert_array_equal(signal.values, expected)
