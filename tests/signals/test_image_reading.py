"""What image files give, against Pillow, tifffile and imagecodecs."""

import sys

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image as Pillow
from PIL import ImageOps
from skimage import data

from ecop.core.errors import BadInput, MissingExtra
from ecop.signals import Image

PHOTO = data.astronaut()[::8, ::6]  # 64×86, RGB


def random_pixels(channels, dtype=np.uint8, shape=(9, 13)):
    return np.random.default_rng(channels).integers(0, np.iinfo(dtype).max + 1, (*shape, channels), dtype)


def saved(path, pixels, **settings):
    Pillow.fromarray(np.squeeze(pixels)).save(path, **settings)
    return path


@pytest.mark.parametrize("suffix", [".png", ".tif", ".bmp", ".ppm", ".webp"])
def test_lossless_formats_give_the_exact_pixels(tmp_path, suffix):
    image = Image.read(saved(tmp_path / f"a{suffix}", PHOTO, **({"lossless": True} if suffix == ".webp" else {})))
    assert (image.bits, image.source) == (8, f"a{suffix}")
    np.testing.assert_array_equal(image.values, PHOTO.astype(np.float32) / np.float32(255))


@pytest.mark.parametrize("suffix", [".jpg", ".webp", ".gif"])
def test_lossy_formats_give_the_pixels_that_pillow_decodes(tmp_path, suffix):
    path = saved(tmp_path / f"a{suffix}", PHOTO)
    with Pillow.open(path) as image:
        expected = np.asarray(image.convert("RGB"))
    np.testing.assert_allclose(Image.read(path).values, expected / 255, atol=1e-6)


@pytest.mark.parametrize("suffix", [".png", ".pgm", ".tif", ".jpg"])
def test_grey_stays_one_channel(tmp_path, suffix):
    image = Image.read(saved(tmp_path / f"a{suffix}", PHOTO[..., :1]))
    assert image.values.shape == (64, 86, 1)


def test_transparency_of_any_kind_becomes_a_fourth_channel(tmp_path):
    rgba = random_pixels(4)
    np.testing.assert_allclose(Image.read(saved(tmp_path / "a.png", rgba)).values, rgba / 255, atol=1e-6)
    grey_alpha = random_pixels(2)
    np.testing.assert_allclose(
        Image.read(saved(tmp_path / "b.png", grey_alpha)).values, grey_alpha[..., [0, 0, 0, 1]] / 255, atol=1e-6
    )
    palette = Pillow.new("P", (2, 2))
    palette.putpalette([255, 0, 0, 0, 255, 0])
    palette.putpixel((1, 0), 1)
    palette.save(tmp_path / "c.png")
    red, green = [1, 0, 0], [0, 1, 0]
    np.testing.assert_array_equal(Image.read(tmp_path / "c.png").values, [[red, green], [red, red]])
    palette.save(tmp_path / "d.png", transparency=1)
    expected = [[[*red, 1], [*green, 0]], [[*red, 1], [*red, 1]]]
    np.testing.assert_array_equal(Image.read(tmp_path / "d.png").values, expected)


def test_one_bit_and_keyed_transparency(tmp_path):
    checks = (np.indices((6, 6)).sum(0) % 2).astype(bool)
    Pillow.fromarray(checks).save(tmp_path / "a.png")
    np.testing.assert_array_equal(Image.read(tmp_path / "a.png").values[..., 0], checks)
    grey = (checks * 255).astype(np.uint8)
    Pillow.fromarray(grey).save(tmp_path / "b.png", transparency=255)
    np.testing.assert_array_equal(Image.read(tmp_path / "b.png").values[..., 3], ~checks)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(("suffix", "form"), [("jpg", "JPEG"), ("png", "PNG"), ("webp", "WEBP"), ("tif", "TIFF")])
def test_exif_orientation_is_applied_once(tmp_path, suffix, form, orientation):
    exif = Pillow.Exif()
    exif[0x0112] = orientation
    path = saved(tmp_path / f"a.{suffix}", PHOTO, format=form, exif=exif)
    with Pillow.open(path) as image:
        expected = np.asarray(ImageOps.exif_transpose(image))
    np.testing.assert_allclose(Image.read(path).values, expected / 255, atol=1e-6)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_of_a_deep_tiff(tmp_path, orientation):
    exif = Pillow.Exif()
    exif[0x0112] = orientation
    pixels = random_pixels(3)
    shallow = saved(tmp_path / "a.tif", pixels, exif=exif)
    tag = [(274, "H", 1, orientation, True)]
    tifffile.imwrite(tmp_path / "b.tif", pixels.astype(np.uint16) * 257, photometric="rgb", extratags=tag)
    np.testing.assert_allclose(Image.read(tmp_path / "b.tif").values, Image.read(shallow).values, atol=1e-6)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_sixteen_bit_png_keeps_every_bit(tmp_path, channels):
    pixels = random_pixels(channels, np.uint16)
    (tmp_path / "a.png").write_bytes(imagecodecs.png_encode(pixels))
    image = Image.read(tmp_path / "a.png")
    expected = pixels[..., [0, 0, 0, 1]] if channels == 2 else pixels
    assert image.bits == 16
    np.testing.assert_array_equal(np.rint(image.values.astype(np.float64) * 65535), expected)


def test_sixteen_bit_rgb_png_is_never_read_or_written_as_eight(tmp_path, monkeypatch):
    (tmp_path / "a.png").write_bytes(imagecodecs.png_encode(random_pixels(3, np.uint16)))
    monkeypatch.setitem(sys.modules, "imagecodecs", None)
    with pytest.raises(MissingExtra, match=r"16-bit RGB PNG needs .* pip install 'ecop\[images\]'"):
        Image.read(tmp_path / "a.png")
    with pytest.raises(MissingExtra, match="16-bit RGB PNG"):
        Image.assemble(np.zeros((4, 4, 3)), {"bits": 16}).write(tmp_path / "b.png")
    assert not (tmp_path / "b.png").exists()


def test_sixteen_bit_pnm(tmp_path):
    pixels = random_pixels(1, np.uint16)
    (tmp_path / "a.pgm").write_bytes(b"P5\n13 9\n65535\n" + pixels.astype(">u2").tobytes())
    np.testing.assert_array_equal(np.rint(Image.read(tmp_path / "a.pgm").values * 65535), pixels)
    (tmp_path / "a.ppm").write_bytes(b"P6 # deep\n13 9\n65535\n" + random_pixels(3, np.uint16).astype(">u2").tobytes())
    with pytest.raises(BadInput, match="16 bits for each of three colours"):
        Image.read(tmp_path / "a.ppm")


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize("dtype", [np.uint16, np.float32, np.float64])
def test_deep_tiff(tmp_path, dtype, planar, channels):
    pixels = random_pixels(channels, np.uint16)
    pixels = pixels if dtype == np.uint16 else (pixels / 65535).astype(dtype)
    laid_out = pixels[..., 0] if channels == 1 else pixels if planar == "contig" else np.moveaxis(pixels, -1, 0)
    photometric = "minisblack" if channels == 1 else "rgb"
    tifffile.imwrite(tmp_path / "a.tif", laid_out, photometric=photometric,
                     planarconfig=None if channels == 1 else planar)  # fmt: skip
    image = Image.read(tmp_path / "a.tif")
    assert image.bits == (16 if dtype == np.uint16 else 32)
    np.testing.assert_allclose(image.values, pixels / 65535 if dtype == np.uint16 else pixels, atol=1e-7)


def test_a_tiff_whose_zero_is_white(tmp_path):
    pixels = random_pixels(1, np.uint16)[..., 0]
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="miniswhite")
    np.testing.assert_allclose(Image.read(tmp_path / "a.tif").values[..., 0], 1 - pixels / 65535, atol=1e-7)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (np.nan, r"1 values are NaN or infinite; replace them"),
        (np.inf, r"NaN or infinite"),
        (255.0, r"float values from 0 to 255, outside \[0, 1\]; scale them"),
        (-0.5, r"float values from -0.5 to 0, outside"),
    ],
)
def test_float_values_that_are_no_image(tmp_path, change, words):
    values = np.zeros((5, 5), np.float32)
    values[2, 3] = change
    tifffile.imwrite(tmp_path / "a.tif", values)
    with pytest.raises(BadInput, match=words):
        Image.read(tmp_path / "a.tif")


@pytest.mark.parametrize("dtype", [np.int16, np.uint32, np.complex64])
def test_tiffs_of_other_kinds(tmp_path, dtype):
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((5, 5), dtype))
    with pytest.raises(BadInput, match=f"a TIFF of {np.dtype(dtype)} values"):
        Image.read(tmp_path / "a.tif")


@pytest.mark.parametrize("suffix", ["jpg", "tif"])
def test_cmyk(tmp_path, suffix):
    Pillow.fromarray(PHOTO).convert("CMYK").save(tmp_path / f"a.{suffix}")
    with pytest.raises(BadInput, match="CMYK colours depend on a printing profile; convert it to RGB"):
        Image.read(tmp_path / f"a.{suffix}")
