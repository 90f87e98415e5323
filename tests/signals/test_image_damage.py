"""Files that are no image, cut, damaged or far too large: one clear line each."""

import io
import warnings
import zlib

import imagecodecs
import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow
from skimage import data

from ecop.core.errors import BadInput, TooLarge
from ecop.signals import Image

PHOTO = data.astronaut()[::8, ::6]  # 64×86, RGB


def random_pixels(channels, dtype=np.uint8, shape=(9, 13)):
    return np.random.default_rng(channels).integers(0, np.iinfo(dtype).max + 1, (*shape, channels), dtype)


def saved(path, pixels, **settings):
    Pillow.fromarray(np.squeeze(pixels)).save(path, **settings)
    return path


def test_files_that_are_no_image(tmp_path):
    (tmp_path / "text.png").write_text("not an image, but long enough to look at")
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "folder.png").mkdir()
    Pillow.new("RGB", (1, 1)).save(tmp_path / "dot.png")
    Pillow.new("RGB", (5, 1)).save(tmp_path / "line.png")
    for name, words in {
        "text.png": "not an image of a known format; give a PNG",
        "empty.jpg": r"empty \(0 bytes\)",
        "folder.png": "a folder, not an image",
        "dot.png": "1×1 pixels is no signal to fit; give at least 2×2",
        "line.png": "1×5 pixels",
        "none.png": "there is no such file",
    }.items():
        with pytest.raises(BadInput, match=words) as caught:
            Image.read(tmp_path / name)
        assert name in str(caught.value)


FORMS = {
    "PNG": {},
    "JPEG": {},
    "JPEG-progressive": {"progressive": True},
    "WEBP": {},
    "AVIF": {},
    "TIFF": {},
    "BMP": {},
    "PPM": {},
}
ENCODED = {}
for _form, _more in FORMS.items():
    _stream = io.BytesIO()
    Pillow.fromarray(PHOTO[:24, :24]).save(_stream, _form.partition("-")[0], **_more)
    ENCODED[_form] = _stream.getvalue()
_stream = io.BytesIO()
tifffile.imwrite(_stream, random_pixels(3, np.uint16), photometric="rgb", compression="zlib")
ENCODED["TIFF-16"] = _stream.getvalue()
ENCODED["PNG-16"] = imagecodecs.png_encode(random_pixels(3, np.uint16))


@pytest.mark.parametrize("form", ENCODED)
@settings(max_examples=60, deadline=None)
@given(share=st.floats(0, 1, exclude_max=True))
def test_a_file_cut_anywhere_is_refused_or_still_has_every_pixel(tmp_path_factory, form, share):
    content = ENCODED[form]
    path = tmp_path_factory.mktemp("cut") / "a.img"
    path.write_bytes(content)
    whole = Image.read(path).values
    path.write_bytes(content[: int(share * len(content))])
    try:
        cut = Image.read(path).values
    except BadInput:
        return
    np.testing.assert_array_equal(cut, whole)


@pytest.mark.parametrize("form", ENCODED)
@settings(max_examples=60, deadline=None)
@given(place=st.floats(0, 1, exclude_max=True), value=st.integers(0, 255))
def test_a_damaged_byte_raises_nothing_but_our_errors(tmp_path_factory, form, place, value):
    content = bytearray(ENCODED[form])
    content[int(place * len(content))] = value
    path = tmp_path_factory.mktemp("damaged") / "a.img"
    path.write_bytes(content)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns of odd metadata
        try:
            values = Image.read(path).values
        except (BadInput, TooLarge):
            return
    assert np.isfinite(values).all()


@pytest.mark.parametrize("cut", [0.3, 0.9])
@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_the_words_for_a_truncated_file(tmp_path, suffix, cut):
    path = saved(tmp_path / f"a{suffix}", PHOTO)
    content = path.read_bytes()
    path.write_bytes(content[: int(cut * len(content))])
    with pytest.raises(BadInput, match="damaged or truncated image") as caught:
        Image.read(path)
    assert "\n" not in str(caught.value)


def png_bomb(side):
    def chunk(kind, body):
        return len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")

    header = side.to_bytes(4, "big") * 2 + bytes([8, 2, 0, 0, 0])
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(10**6)))
        + chunk(b"IEND", b"")
    )


def test_a_decompression_bomb_is_refused_on_its_header(tmp_path, monkeypatch):
    (tmp_path / "a.png").write_bytes(png_bomb(100_000))
    with pytest.raises(TooLarge, match=r"100000×100000 = 10000000000 pixels.*set ECOP_MAX_PIXELS=10000000000"):
        Image.read(tmp_path / "a.png")
    path = saved(tmp_path / "b.png", PHOTO)
    monkeypatch.setenv("ECOP_MAX_PIXELS", str(64 * 86 - 1))
    with pytest.raises(TooLarge, match="64×86 = 5504 pixels"):
        Image.read(path)
    tifffile.imwrite(tmp_path / "c.tif", np.zeros((64, 86), np.uint16))
    with pytest.raises(TooLarge, match="64×86 = 5504 pixels"):
        Image.read(tmp_path / "c.tif")


def test_our_limit_alone_decides_not_pillows(tmp_path, monkeypatch):
    monkeypatch.setattr(Pillow, "MAX_IMAGE_PIXELS", 10)
    assert Image.read(saved(tmp_path / "a.png", PHOTO)).shape == (64, 86)  # a warning of Pillow's would be an error
