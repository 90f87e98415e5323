import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow
from skimage import data

from ecop.core.errors import InvalidSetting
from ecop.signals import Image

PHOTO = Image.assemble(data.astronaut()[::4, ::3] / 255, {"bits": 8}, "astronaut")
sides, channels = st.integers(1, 40), st.sampled_from([1, 3, 4])


def noise(shape, seed=0):
    return Image.assemble(np.random.default_rng(seed).random(shape), {"bits": 8})


@settings(max_examples=40, deadline=None)
@given(sides, sides, sides, sides, channels, st.floats(0, 1))
def test_resizing_keeps_a_constant(height, width, to_height, to_width, channel, value):
    resized = Image.assemble(np.full((height, width, channel), value), {}).resized((to_height, to_width))
    assert resized.values.shape == (to_height, to_width, channel)
    assert resized.values.dtype == np.float32
    np.testing.assert_allclose(resized.values, value, atol=1e-6)


@settings(max_examples=40, deadline=None)
@given(sides, sides, sides, sides, channels)
def test_resizing_stays_in_range(height, width, to_height, to_width, channel):
    values = noise((height, width, channel)).resized((to_height, to_width)).values
    assert 0 <= values.min() <= values.max() <= 1


def test_shrinking_is_antialiased_and_keeps_the_mean():
    checks = Image.assemble((np.indices((128, 128)).sum(0) % 2)[..., None].astype(float), {})
    np.testing.assert_allclose(checks.resized((16, 16)).values[2:-2, 2:-2], 0.5, atol=0.02)
    np.testing.assert_allclose(PHOTO.resized((32, 32)).values.mean(), PHOTO.values.mean(), atol=3e-3)


def test_resizing_does_not_shift():
    ramp = Image.assemble(np.broadcast_to((np.arange(60) + 0.5) / 60, (8, 60))[..., None].copy(), {})
    np.testing.assert_allclose(ramp.resized((4, 20)).values[0, 3:-3, 0], (np.arange(20) + 0.5)[3:-3] / 20, atol=2e-3)


def test_resizing_to_its_own_shape_changes_nothing():
    np.testing.assert_array_equal(PHOTO.resized(PHOTO.shape).values, PHOTO.values)


@pytest.mark.parametrize("shape", [(0, 4), (4,), (4, -1)])
def test_shapes_that_no_image_has(shape):
    with pytest.raises(InvalidSetting, match="shape"):
        PHOTO.resized(shape)


def test_channels():
    grey, rgb, rgba = noise((5, 4, 1)), noise((5, 4, 3)), noise((5, 4, 4))
    np.testing.assert_array_equal(grey.with_channels(3).values, grey.values.repeat(3, -1))
    np.testing.assert_array_equal(grey.with_channels(4).values[..., :3], grey.values.repeat(3, -1))
    np.testing.assert_array_equal(rgb.with_channels(4).values[..., :3], rgb.values)
    for image in (grey, rgb):
        np.testing.assert_array_equal(image.with_channels(4).values[..., 3], 1)
    np.testing.assert_array_equal(rgba.with_channels(3).values, rgba.values[..., :3])
    np.testing.assert_array_equal(rgba.with_channels(1).values, rgba.with_channels(3).with_channels(1).values)
    assert rgb.with_channels(3) is rgb
    with pytest.raises(InvalidSetting, match="channels"):
        rgb.with_channels(2)


def test_grey_is_pillows_grey():
    expected = np.asarray(Pillow.fromarray(data.astronaut()[::4, ::3]).convert("L"))
    np.testing.assert_allclose(PHOTO.with_channels(1).values[..., 0], expected / 255, atol=1.01 / 255)


def test_blocks_tile_the_image():
    top, bottom = PHOTO.block((0, 0), (100, PHOTO.shape[1])), PHOTO.block((100, 0), (28, PHOTO.shape[1]))
    np.testing.assert_array_equal(np.concatenate([top.values, bottom.values]), PHOTO.values)
    assert top.about == PHOTO.about
    for start, shape in [((-1, 0), (2, 2)), ((127, 0), (2, 2)), ((0, 0), (0, 2))]:
        with pytest.raises(InvalidSetting, match="a block inside"):
            PHOTO.block(start, shape)


@pytest.mark.parametrize(("bits", "steps"), [(8, 255), (16, 65535)])
def test_stored_is_clipped_and_rounded_to_whole_steps(bits, steps):
    values = np.linspace(-0.2, 1.2, 999, dtype=np.float32).reshape(9, 111, 1)
    stored = Image(values, {"bits": bits}).stored()
    np.testing.assert_allclose(
        stored.values, np.rint(np.clip(values, 0, 1) * np.float64(steps)) / steps, atol=1 / steps
    )
    whole = stored.values.astype(np.float64) * steps
    np.testing.assert_allclose(whole, np.rint(whole), atol=0.01)
    np.testing.assert_array_equal(stored.stored().values, stored.values)


def test_stored_float_is_only_clipped():
    values = np.linspace(-0.2, 1.2, 30, dtype=np.float32).reshape(5, 6, 1)
    np.testing.assert_array_equal(Image(values, {"bits": 32}).stored().values, np.clip(values, 0, 1))


def test_metrics():
    off = Image.assemble(np.clip(PHOTO.values * 0.8 + 0.1, 0, 1), PHOTO.about)
    metrics = PHOTO.metrics(off)
    assert set(metrics) == {"psnr", "ssim"}
    assert metrics["psnr"] == pytest.approx(-10 * np.log10(np.square(PHOTO.values - off.values).mean()), abs=1e-4)
    assert PHOTO.metrics(PHOTO) == {"psnr": np.inf, "ssim": pytest.approx(1)}
    assert set(noise((10, 30, 3)).metrics(noise((10, 30, 3), 1))) == {"psnr"}


@pytest.mark.parametrize(
    ("values", "about"),
    [
        (np.zeros((4, 4), np.float32), {}),
        (np.zeros((4, 4, 0), np.float32), {}),
        (np.zeros((4, 4, 3)), {}),
        (np.zeros((4, 4, 3), np.float32), {"bits": 12}),
    ],
)
def test_what_is_no_image(values, about):
    with pytest.raises(InvalidSetting, match=r"values|bits"):
        Image(values, about)
