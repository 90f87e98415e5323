import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecop.core.errors import InvalidSetting
from ecop.data.crops import at_size, centre_cut
from ecop.fit.prepared import spanning
from ecop.signals import Audio

counts = st.integers(1, 600)


def tone(samples, rate, hertz=440.0, channels=1):
    """A tone that swells and fades, so that it has no edges, its samples in the middles of their cells."""
    time = (np.arange(samples) + 0.5) / rate
    wave = np.sin(2 * np.pi * hertz * time) * np.sin(np.pi * time * rate / samples) ** 2
    return Audio.assemble(np.repeat(0.5 + 0.4 * wave[:, None], channels, 1), {"rate": rate})


def noise(samples, channels=1, seed=0):
    return Audio.assemble(np.random.default_rng(seed).random((samples, channels)), {"rate": 1000})


@given(counts, counts, st.integers(1, 3))
def test_resampling_stays_in_range_and_the_rate_follows(samples, wanted, channels):
    sound = noise(samples, channels)
    resampled = sound.resized((wanted,))
    assert resampled.values.shape == (wanted, channels)
    assert 0 <= resampled.values.min() <= resampled.values.max() <= 1
    assert resampled.rate == pytest.approx(1000 * wanted / samples)
    assert resampled.seconds == pytest.approx(sound.seconds)


@pytest.mark.parametrize(("old", "new"), [(8000, 16000), (16000, 8000), (44100, 16000), (16000, 16001), (8000, 3200)])
def test_a_tone_below_both_limits_stays_where_it_is(old, new):
    """In amplitude, pitch and phase, at the places of the new grid."""
    resampled = tone(old, old).resized((new,))
    np.testing.assert_allclose(resampled.values, tone(new, new).values, atol=2e-5)


def test_what_the_lower_rate_cannot_hold_is_gone():
    alias = tone(16000, 16000, hertz=6000).resized((8000,))
    np.testing.assert_allclose(alias.values, 0.5, atol=1e-4)


def test_missing_samples_stay_missing():
    sound = tone(400, 400, 20)
    values = sound.values.copy()
    values[300:] = np.nan
    resampled = dataclasses.replace(sound, values=values).resized((200,))
    np.testing.assert_array_equal(np.isnan(resampled.values[:, 0]), np.arange(200) >= 150)


@pytest.mark.parametrize("shape", [(0,), (4, 4), (-1,)])
def test_shapes_that_no_sound_has(shape):
    with pytest.raises(InvalidSetting, match="shape"):
        noise(10).resized(shape)


def test_channels():
    stereo, mono = noise(50, 2), noise(50, 1)
    np.testing.assert_allclose(stereo.with_channels(1).values[:, 0], stereo.values.mean(1), atol=1e-7)
    np.testing.assert_array_equal(mono.with_channels(3).values, mono.values.repeat(3, 1))
    for wanted in (3, 0):
        with pytest.raises(InvalidSetting, match=r"channels.*1 or the sound's own 2"):
            stereo.with_channels(wanted)


def test_time_runs_over_the_papers_extent_unless_told_otherwise():
    assert Audio.grid_of((100,), {}, "corners").axes()[0][[0, -1]].tolist() == [-50, 50]
    assert Audio.grid_of((100,), {"scale": 2.0}, "corners").axes()[0][[0, -1]].tolist() == [-2, 2]
    assert noise(100).grid().spacing == (1.0,)


def test_blocks_lie_inside():
    sound = noise(100)
    for start, shape in [((-1,), (5,)), ((98,), (3,)), ((0,), (0,))]:
        with pytest.raises(InvalidSetting, match="a block inside"):
            sound.block(start, shape)


def test_time_is_never_stretched():
    """A longer sound is cut from its middle; a shorter one is followed by what is missing."""
    sound = noise(100)
    np.testing.assert_array_equal(centre_cut(sound, (40,)).values, sound.values[30:70])
    short = at_size(sound, (130,))
    np.testing.assert_array_equal(short.values[:100], sound.values)
    assert np.isnan(short.values[100:]).all()


@pytest.mark.parametrize("convention", ["centres", "corners"])
def test_a_short_sound_lies_as_dense_as_the_training_signals(convention):
    whole, short = noise(400).grid(convention), spanning(noise(100), (400,), convention).grid(convention)
    np.testing.assert_allclose(short.axes()[0], whole.axes()[0][:100], atol=1e-9)


@pytest.mark.parametrize("bits", [16, 24])
def test_stored_has_whole_steps(bits):
    values = np.linspace(-0.1, 1.1, 997, dtype=np.float32)[:, None]
    stored = Audio(values, {"bits": bits}).stored().values.astype(np.float64)
    steps = stored * 2**bits  # of x, around 2^(bits − 1)
    np.testing.assert_array_equal(steps, np.rint(steps))
    assert steps.min() == 0
    assert steps.max() == 2**bits - 1
    np.testing.assert_allclose(stored, np.clip(values, 0, 1), atol=1.01 / 2**bits + 1e-7)


def test_stored_silences_what_is_missing():
    stored = Audio(np.array([[np.nan], [0.25]], np.float32), {}).stored()
    np.testing.assert_array_equal(stored.values[:, 0], [0.5, 0.25])


def test_metrics_from_their_definitions():
    sound = tone(4000, 8000)
    louder = Audio.assemble(0.5 + 1.01 * (sound.values - 0.5), sound.about)
    metrics = sound.metrics(louder)
    error = np.square(sound.values - louder.values, dtype=float).mean()
    assert metrics["psnr"] == pytest.approx(-10 * np.log10(error))
    assert metrics["snr"] == pytest.approx(40, abs=0.01)  # 1 %
    assert 0 < metrics["lsd"] <= 20 * np.log10(1.01) + 1e-3


def test_metrics_leave_out_what_is_missing_or_undefined():
    sound = tone(4000, 8000)
    values = np.concatenate([sound.values, np.full((1000, 1), np.nan, np.float32)])
    longer = dataclasses.replace(sound, values=values)
    rendered = Audio.assemble(np.nan_to_num(values * 0.9, nan=0.7), sound.about)
    assert longer.metrics(rendered) == sound.metrics(rendered.block((0,), (4000,)))
    silence = Audio.assemble(np.full((100, 1), 0.5), {"rate": 8000})
    assert set(silence.metrics(noise(100))) == {"psnr"}


@pytest.mark.parametrize("samples", [2, 50, 400, 401, 100_000])
def test_pictures_of_any_length(samples):
    picture = noise(samples).picture()
    assert picture.shape == (256, 400, 3)
    assert 0 <= picture.min() < picture.max() <= 1


def test_the_picture_shows_the_pitch():
    """A tone at a quarter of half the rate is the brightest line a quarter up the spectrogram."""
    brightness = tone(8000, 8000, hertz=1000).picture()[96:, 100:300].sum(-1).mean(1)
    assert 160 - 1 - int(brightness.argmax()) == pytest.approx(159 / 4, abs=2)


@pytest.mark.parametrize(
    ("values", "about"),
    [
        (np.zeros(4, np.float32), {}),
        (np.zeros((4, 0), np.float32), {}),
        (np.zeros((4, 1)), {}),
        (np.zeros((4, 1), np.float32), {"bits": 12}),
        (np.zeros((4, 1), np.float32), {"rate": 0}),
    ],
)
def test_what_is_no_sound(values, about):
    with pytest.raises(InvalidSetting, match=r"values|bits|rate"):
        Audio(values, about)
