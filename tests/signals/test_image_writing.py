"""What is written, read back by us and by others."""

import imagecodecs
import numpy as np
import pytest
from PIL import Image as Pillow
from skimage import data

from ecop.core.errors import CannotWrite
from ecop.signals import Image

PHOTO = data.astronaut()[::8, ::6]  # 64×86, RGB


@pytest.mark.parametrize("bits", [8, 16, 32])
@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("suffix", [".png", ".tif", ".tiff", ".webp"])
def test_what_is_written_is_read_back(tmp_path, suffix, channels, bits):
    values = np.random.default_rng(0).uniform(-0.1, 1.1, (11, 17, channels))
    image = Image.assemble(values, {"bits": bits})
    image.write(tmp_path / f"a{suffix}")
    back = Image.read(tmp_path / f"a{suffix}")
    held = {".webp": 8, ".png": min(bits, 16)}.get(suffix, bits)
    assert back.bits == held
    stored = Image.assemble(values, {"bits": held}).stored()
    np.testing.assert_allclose(back.with_channels(channels).values, stored.values, atol=1e-7)


def test_written_files_are_what_other_programs_read(tmp_path):
    image = Image.assemble(PHOTO / 255, {"bits": 8})
    image.write(tmp_path / "a.png")
    image.write(tmp_path / "a.jpeg")
    with Pillow.open(tmp_path / "a.png") as again:
        np.testing.assert_array_equal(np.asarray(again), PHOTO)
    with Pillow.open(tmp_path / "a.jpeg") as again:
        assert again.format == "JPEG"
        assert np.abs(np.asarray(again).astype(int) - PHOTO).mean() < 3
    deep = Image.assemble(PHOTO / 255, {"bits": 16})
    deep.write(tmp_path / "b.png")
    np.testing.assert_array_equal(
        imagecodecs.png_decode((tmp_path / "b.png").read_bytes()), PHOTO.astype(np.uint16) * 257
    )


def test_what_cannot_be_written(tmp_path):
    image = Image.assemble(np.zeros((4, 4, 4)), {})
    for name, words in {
        "a.xyz": r"'.xyz' is not a suffix of an image format; choose one of: .png, .jpg, .jpeg, .webp, .avif, .tif",
        "a": "the name has no suffix",
        "a.jpg": "JPEG holds no alpha channel; choose .png",
    }.items():
        with pytest.raises(CannotWrite, match=words):
            image.write(tmp_path / name)
    with pytest.raises(CannotWrite, match="WebP holds at most 16383"):
        Image.assemble(np.zeros((2, 16384, 1)), {}).write(tmp_path / "a.webp")
    assert list(tmp_path.iterdir()) == []
