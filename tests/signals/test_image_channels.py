"""Images of any number of channels, and AVIF."""

import numpy as np
import pytest
import tifffile
from PIL import Image as Pillow
from skimage import data

from ecop.core.errors import BadInput, CannotWrite, InvalidSetting, TooLarge
from ecop.data.packed import Packed
from ecop.signals import Image

BANDS = [2, 5, 9]


def spectral(channels, dtype="uint16", shape=(12, 17)):
    rng = np.random.default_rng(channels)
    if np.dtype(dtype).kind == "f":
        return rng.random((*shape, channels)).astype(dtype)
    return rng.integers(0, np.iinfo(dtype).max, (*shape, channels), dtype, endpoint=True)


def scaled(pixels):
    return pixels / np.float32(np.iinfo(pixels.dtype).max) if pixels.dtype.kind == "u" else pixels


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("channels", BANDS)
def test_many_channels_in_every_order(tmp_path, channels, dtype):
    pixels = spectral(channels, dtype)
    planes = np.moveaxis(pixels, -1, 0).copy()
    grey = {"photometric": "minisblack", "metadata": None}
    tifffile.imwrite(tmp_path / "mixed.tif", pixels, planarconfig="contig", **grey)
    tifffile.imwrite(tmp_path / "planes.tif", planes, planarconfig="separate", **grey)
    tifffile.imwrite(tmp_path / "imagej.tif", planes, imagej=True, metadata={"axes": "CYX"})
    tifffile.imwrite(tmp_path / "pages.ome.tif", planes, photometric="minisblack", metadata={"axes": "CYX"})
    for name in ("mixed.tif", "planes.tif", "imagej.tif", "pages.ome.tif"):
        image = Image.read(tmp_path / name)
        np.testing.assert_allclose(image.values, scaled(pixels), rtol=1e-6, err_msg=name)
        assert image.bits == {"uint8": 8, "uint16": 16, "float32": 32}[dtype]


@pytest.mark.parametrize("bits", [8, 16, 32])
@pytest.mark.parametrize("channels", BANDS)
def test_many_channels_come_back(tmp_path, channels, bits):
    image = Image.assemble(np.random.default_rng(0).random((70, 40, channels)), {"bits": bits})
    image.write(tmp_path / "a.tif")
    np.testing.assert_array_equal(Image.read(tmp_path / "a.tif").values, image.stored().values)
    strips = (image.values[start : start + 9] for start in range(0, 70, 9))
    Image.write_strips(tmp_path / "b.tif", strips, (70, 40), channels, {"bits": bits})
    np.testing.assert_array_equal(Image.read(tmp_path / "b.tif").values, image.stored().values)
    for suffix in (".png", ".jpg", ".webp", ".avif"):
        for write in (image.write, lambda path: Image.write_strips(path, [image.values], (70, 40), channels, {})):
            with pytest.raises(CannotWrite, match=rf"this format has no {channels} channels; choose \.tif"):
                write(tmp_path / f"a{suffix}")


def test_two_channels_are_grey_with_alpha_only_where_the_file_says_so(tmp_path):
    pixels = spectral(2)
    settings = {"photometric": "minisblack", "planarconfig": "contig", "metadata": None}
    tifffile.imwrite(tmp_path / "alpha.tif", pixels, extrasamples=["unassalpha"], **settings)
    image = Image.read(tmp_path / "alpha.tif")
    np.testing.assert_array_equal(image.values, scaled(pixels[..., [0, 0, 0, 1]]))
    tifffile.imwrite(tmp_path / "bands.tif", pixels, extrasamples=["unspecified"], **settings)
    assert Image.read(tmp_path / "bands.tif").channels == 2


def test_other_pages_are_not_channels(tmp_path):
    pages = np.moveaxis(spectral(5), -1, 0)
    tifffile.imwrite(tmp_path / "times.tif", pages, metadata={"axes": "TYX"})
    with tifffile.TiffWriter(tmp_path / "pages.tif") as file:
        for page in pages:
            file.write(page, metadata=None)
    for name in ("times.tif", "pages.tif"):
        np.testing.assert_array_equal(Image.read(tmp_path / name).values, scaled(pages[0])[..., None])


def test_the_limit_counts_channels(tmp_path, monkeypatch):
    tifffile.imwrite(tmp_path / "a.tif", spectral(9), photometric="minisblack", planarconfig="contig")
    monkeypatch.setenv("ECOP_MAX_PIXELS", str(12 * 17 * 9 - 1))
    with pytest.raises(TooLarge, match="12×17×9 = 1836 samples"):
        Image.read(tmp_path / "a.tif")


def test_the_rules_for_channels():
    values = np.random.default_rng(0).random((6, 7, 6), np.float32)
    image = Image(values, {})
    np.testing.assert_array_equal(image.with_channels(3).values, values[..., :3])
    np.testing.assert_array_equal(image.with_channels(2).values, values[..., :2])
    np.testing.assert_allclose(image.with_channels(1).values[..., 0], values.mean(-1), rtol=1e-6)
    grey = Image(values[..., :1].copy(), {})
    np.testing.assert_array_equal(grey.with_channels(5).values, values[..., :1].repeat(5, -1))
    for wrong in (7, 0):
        with pytest.raises(InvalidSetting, match="1 to 6, from an image of 6"):
            image.with_channels(wrong)
    for colours in (3, 4):
        with pytest.raises(InvalidSetting, match=rf"1 \(grey\), 3 \(RGB\) or 4 \(RGBA\), from an image of {colours}"):
            Image(values[..., :colours].copy(), {}).with_channels(5)


@pytest.mark.parametrize("channels", BANDS)
def test_many_channels_are_resized_judged_packed_and_seen(channels):
    image = Image.assemble(np.random.default_rng(0).random((24, 30, channels)), {"bits": 8}).stored()
    small = image.resized((12, 15))
    assert small.values.shape == (12, 15, channels)
    assert set(image.metrics(image.assemble(image.values * 0.9, {}))) == {"psnr", "ssim"}
    packed = Packed.of(image)
    assert packed.samples.dtype == np.uint8
    np.testing.assert_array_equal(packed.block((1, 2), (5, 6)).values, image.values[1:6, 2:8])
    picture = image.picture()
    assert picture.shape == (24, 30, 3)
    if channels > 3:
        np.testing.assert_array_equal(picture, image.values[..., :3])


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_avif_is_read_as_pillow_reads_it(tmp_path, mode):
    picture = Pillow.fromarray(data.astronaut()[:96:2, :80]).convert(mode)
    picture.save(tmp_path / "a.avif", quality=70)
    with Pillow.open(tmp_path / "a.avif") as again:
        expected = np.asarray(again)
    image = Image.read(tmp_path / "a.avif")
    np.testing.assert_array_equal(image.values, scaled(expected if expected.ndim == 3 else expected[..., None]))
    assert image.bits == 8


def test_avif_is_upright(tmp_path):
    picture = Pillow.fromarray(data.astronaut()[:96:2, :80])
    exif = Pillow.Exif()
    exif[0x0112] = 6  # turned by a quarter
    picture.save(tmp_path / "a.avif", exif=exif, quality=100, subsampling="4:4:4")
    image = Image.read(tmp_path / "a.avif")
    assert image.shape == (80, 48)
    expected = np.asarray(picture.transpose(Pillow.Transpose.ROTATE_270)) / 255
    np.testing.assert_allclose(image.values, expected, atol=0.03)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_avif_is_written_close_to_the_picture(tmp_path, channels):
    photo = Image.assemble(data.astronaut()[:128:2, :96:2] / 255, {"bits": 8}).with_channels(channels)
    if channels == 4:
        photo.values[..., 3] = np.linspace(0, 1, 48)
    photo.write(tmp_path / "a.avif")
    back = Image.read(tmp_path / "a.avif")
    assert back.channels == channels
    assert photo.metrics(back)["psnr"] > 38
    with pytest.raises(CannotWrite, match="not a folder"):
        photo.write(tmp_path / "a.avif" / "b.avif")


def test_a_pillow_without_avif_says_so(tmp_path, monkeypatch):
    Pillow.fromarray(data.astronaut()[:32, :32]).save(tmp_path / "a.avif")
    reader, _ = Pillow.OPEN["AVIF"]
    monkeypatch.setitem(Pillow.OPEN, "AVIF", (reader, lambda prefix: prefix[4:8] == b"ftyp" and "no support"))
    with pytest.raises(BadInput, match=r"AVIF cannot be read here \(no support\); convert it to PNG"):
        Image.read(tmp_path / "a.avif")
    monkeypatch.delitem(Pillow.SAVE, "AVIF")
    with pytest.raises(CannotWrite, match="this Pillow was built without AVIF"):
        Image.assemble(np.zeros((4, 4, 3)), {}).write(tmp_path / "b.avif")


def test_sixteen_bits_of_colour_in_a_png(tmp_path):
    image = Image.assemble(np.random.default_rng(0).random((9, 8, 3)), {"bits": 16})
    image.write(tmp_path / "a.png")
    back = Image.read(tmp_path / "a.png")
    assert back.bits == 16
    np.testing.assert_array_equal(back.values, image.stored().values)
