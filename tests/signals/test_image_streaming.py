"""Strips make the same file as the whole image does, in every format and at every depth."""

import numpy as np
import pytest

from ecop.core.errors import CannotWrite
from ecop.signals.image import Image


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize(
    ("suffix", "bits"), [(".png", 8), (".png", 16), (".tif", 8), (".tif", 16), (".tiff", 32), (".webp", 8)]
)
def test_strips_read_back_as_the_whole_image(tmp_path, suffix, bits, channels):
    values = np.random.default_rng(0).random((150, 37, channels), np.float32)
    strips = [values[:70], values[70:71], values[71:]]
    path = tmp_path / f"strips{suffix}"
    Image.write_strips(path, iter(strips), (150, 37), channels, {"bits": bits})
    back = Image.read(path)
    expected = Image.assemble(values, {"bits": bits}).stored()
    if suffix == ".webp" and channels == 1:  # WebP has no grey
        expected = expected.with_channels(3)
    assert back.bits == bits
    np.testing.assert_allclose(back.values, expected.values, atol=1e-6)


def test_jpeg_strips_equal_a_jpeg_of_the_whole(tmp_path):
    values = np.random.default_rng(0).random((40, 30, 3), np.float32)
    Image.write_strips(tmp_path / "strips.jpg", iter([values[:16], values[16:]]), (40, 30), 3, {})
    Image.assemble(values, {}).write(tmp_path / "whole.jpg")
    assert (tmp_path / "strips.jpg").read_bytes() == (tmp_path / "whole.jpg").read_bytes()


def test_a_failure_between_strips_leaves_nothing(tmp_path):
    def strips():
        yield np.zeros((4, 4, 3), np.float32)
        raise RuntimeError("the device went away")

    for suffix in (".png", ".tif", ".jpg"):
        with pytest.raises(RuntimeError, match="went away"):
            Image.write_strips(tmp_path / f"half{suffix}", strips(), (8, 4), 3, {})
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_suffix_is_refused_before_any_strip_is_made(tmp_path):
    def strips():
        raise AssertionError("nothing should be rendered")
        yield

    with pytest.raises(CannotWrite, match="choose one of"):
        Image.write_strips(tmp_path / "render.xyz", strips(), (8, 4), 3, {})
