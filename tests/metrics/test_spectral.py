import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import ShortTimeFFT
from scipy.signal.windows import hann

from ecop.core.errors import InvalidSetting
from ecop.metrics import log_spectral_distance, snr
from ecop.metrics.spectral import FLOOR, spectrogram

NOISE = np.random.default_rng(0).uniform(-1, 1, (3000, 2))


def test_levels_are_scipys():
    window, hop = 256, 64
    transform = ShortTimeFFT(hann(window, sym=False), hop, fs=1, scale_to="magnitude", phase_shift=None)
    levels = spectrogram(NOISE[:, 0], window, hop)
    first = window // 2 // hop  # the first window that does not reach over the start
    theirs = 20 * np.log10(2 * np.abs(transform.stft(NOISE[:, 0], p0=first, p1=first + len(levels)).T))
    assert levels.shape == ((3000 - window) // hop + 1, window // 2 + 1)
    np.testing.assert_allclose(levels, np.maximum(theirs, FLOOR), atol=1e-3)


def test_a_full_sine_has_0_db_and_silence_the_floor():
    time = np.arange(2048)
    levels = spectrogram(np.sin(2 * np.pi * 32 / 512 * time), 512, 128)
    np.testing.assert_allclose(levels[:, 32], 0, atol=1e-4)
    np.testing.assert_array_equal(spectrogram(np.zeros(600), 512, 128), FLOOR)


@pytest.mark.parametrize("gain", [0.5, 0.9, 1.1])
def test_a_gain_is_its_own_distance(gain):
    """LSD of x and g x is |20 log₁₀ g| as long as nothing meets the floor."""
    distance = log_spectral_distance(NOISE, gain * NOISE, 256)
    assert distance == pytest.approx(abs(20 * np.log10(gain)), rel=1e-3)


def test_distance_is_symmetric_and_0_for_equals():
    other = np.roll(NOISE, 40, axis=0)
    assert log_spectral_distance(NOISE, other, 256) == pytest.approx(log_spectral_distance(other, NOISE, 256))
    assert log_spectral_distance(NOISE, NOISE, 256) == 0


@given(st.floats(0.01, 10))
def test_snr_of_a_gain(gain):
    """SNR of x and (1 + g) x is −20 log₁₀ g."""
    assert snr(NOISE, NOISE * (1 + gain)) == pytest.approx(-20 * np.log10(gain), abs=1e-6)


def test_snr_of_silence():
    silence = np.zeros((10, 1))
    assert snr(silence, silence) == np.inf
    assert snr(silence, silence + 0.1) == -np.inf


def test_shapes_that_do_not_fit():
    with pytest.raises(InvalidSetting, match="the reference's shape"):
        snr(NOISE, NOISE[:-1])
    with pytest.raises(InvalidSetting, match="the reference's shape"):
        log_spectral_distance(NOISE, NOISE[:, :1], 256)
    with pytest.raises(InvalidSetting, match="at least 256 samples"):
        log_spectral_distance(NOISE[:255], NOISE[:255], 256)
