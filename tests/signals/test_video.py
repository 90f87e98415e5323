import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecop.core.errors import InvalidSetting
from ecop.metrics.ssim import ssim
from ecop.signals import Image, Video

lengths, sides, channels = st.integers(1, 6), st.integers(1, 14), st.sampled_from([1, 3])


@pytest.fixture
def video(film):
    return Video.assemble(film() / 255, {"rate": 24.0}, "film")


@settings(max_examples=30)
@given(lengths, sides, sides, lengths, sides, sides, channels, st.floats(0, 1))
def test_resizing_keeps_a_constant_and_the_duration(n, height, width, to_n, to_height, to_width, channel, value):
    video = Video.assemble(np.full((n, height, width, channel), value), {"rate": 10.0})
    resized = video.resized((to_n, to_height, to_width))
    assert resized.values.shape == (to_n, to_height, to_width, channel)
    assert resized.values.dtype == np.float32
    np.testing.assert_allclose(resized.values, value, atol=1e-6)
    assert to_n / resized.rate == pytest.approx(n / 10)


def test_each_frame_is_resized_as_a_picture_and_frames_never_mix(video):
    smaller = video.resized((8, 20, 30))
    expected = Image(video.values[3], {}).resized((20, 30)).values
    np.testing.assert_array_equal(smaller.values[3], expected)
    np.testing.assert_array_equal(video.resized((4, 48, 64)).values, video.values[1::2])
    np.testing.assert_array_equal(video.resized((16, 48, 64)).values, video.values.repeat(2, 0))


@pytest.mark.parametrize("shape", [(0, 4, 4), (4, 4), (4, 4, -1)])
def test_shapes_that_no_video_has(video, shape):
    with pytest.raises(InvalidSetting, match="shape"):
        video.resized(shape)


def test_blocks_keep_the_rate(video):
    parts = [video.block((start, 0, 0), (4, 48, 64)) for start in (0, 4)]
    np.testing.assert_array_equal(np.concatenate([part.values for part in parts]), video.values)
    assert parts[0].rate == 24
    for start, shape in [((-1, 0, 0), (2, 2, 2)), ((7, 0, 0), (2, 2, 2)), ((0, 0, 0), (0, 2, 2))]:
        with pytest.raises(InvalidSetting, match="a block inside"):
            video.block(start, shape)


def test_channels(video):
    grey = video.with_channels(1)
    np.testing.assert_array_equal(grey.values[2], Image(video.values[2], {}).with_channels(1).values)
    np.testing.assert_array_equal(grey.with_channels(3).values, grey.values.repeat(3, -1))
    with pytest.raises(InvalidSetting, match="channels"):
        video.with_channels(4)


def test_metrics(video):
    off = Video.assemble(np.clip(video.values * 0.8 + 0.1, 0, 1), video.about)
    metrics = video.metrics(off)
    assert metrics["psnr"] == pytest.approx(-10 * np.log10(np.square(video.values - off.values).mean()), abs=1e-4)
    each = [ssim(ours, theirs) for ours, theirs in zip(video.values, off.values, strict=True)]
    assert metrics["ssim"] == pytest.approx(np.mean(each))
    assert set(video.block((0, 0, 0), (3, 10, 40)).metrics(off.block((0, 0, 0), (3, 10, 40)))) == {"psnr"}


def test_missing_frames_do_not_count(video):
    off = Video.assemble(np.clip(video.values + 0.05, 0, 1), video.about)
    padded = Video(np.pad(video.values, ((0, 2), (0, 0), (0, 0), (0, 0)), constant_values=np.nan), video.about)
    longer = Video(np.pad(off.values, ((0, 2), (0, 0), (0, 0), (0, 0))), video.about)
    assert padded.metrics(longer) == pytest.approx(video.metrics(off))
    np.testing.assert_array_equal(padded.picture(), video.picture())
    assert np.isnan(padded.stored().values[8:]).all()


def test_stored_is_clipped_and_rounded_to_eight_bits():
    values = np.linspace(-0.2, 1.2, 2 * 9 * 37 * 3, dtype=np.float32).reshape(2, 9, 37, 3)
    stored = Video(values, {}).stored()
    np.testing.assert_allclose(stored.values, np.rint(np.clip(values, 0, 1) * 255) / 255, atol=1e-6)


def test_the_picture_shows_first_and_last(video):
    picture = video.picture()
    assert picture.shape == (48, 5 * 64 + 4 * 2, 3)
    np.testing.assert_array_equal(picture[:, :64], video.values[0])
    np.testing.assert_array_equal(picture[:, -64:], video.values[-1])


@pytest.mark.parametrize(
    ("values", "about", "words"),
    [
        (np.zeros((4, 4, 3), np.float32), {}, "values"),
        (np.zeros((2, 4, 4, 4), np.float32), {}, "values"),
        (np.zeros((2, 4, 4, 3)), {}, "values"),
        (np.zeros((2, 4, 4, 3), np.float32), {"rate": 0.0}, "rate"),
    ],
)
def test_what_is_no_video(values, about, words):
    with pytest.raises(InvalidSetting, match=words):
        Video(values, about)
