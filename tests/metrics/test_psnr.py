import math

import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio

from ecop.core.errors import InvalidSetting
from ecop.metrics import psnr


def pair(seed=0, shape=(9, 7, 3)):
    return np.random.default_rng(seed).random((2, *shape)).astype(np.float32)


@pytest.mark.parametrize("peak", [1.0, 255.0])
def test_against_scikit_image(peak):
    a, b = pair()
    expected = peak_signal_noise_ratio(a.astype(np.float64), b.astype(np.float64), data_range=peak)
    assert psnr(a, b, peak) == pytest.approx(expected, abs=1e-9)


def test_equal_signals():
    a, _ = pair()
    assert psnr(a, a) == math.inf


def test_small_errors_are_counted_in_float64():
    a = np.full((10, 10, 1), 0.5)
    assert psnr(a, a + 1e-9) == pytest.approx(180, abs=1e-4)


def test_a_mask_leaves_points_out_even_those_without_a_value():
    a, b = pair()
    mask = np.random.default_rng(1).random(a.shape[:-1]) < 0.5
    a[~mask] = np.nan
    assert psnr(a, b, weights=mask) == pytest.approx(10 * math.log10(1 / np.square(a - b)[mask].mean()), abs=1e-5)


def test_weights_count_as_repetitions():
    a, b = pair(shape=(4, 1))
    weights = np.array([1, 2, 0, 3])
    assert psnr(a, b, weights=weights) == pytest.approx(psnr(a.repeat(weights, 0), b.repeat(weights, 0)), abs=1e-9)


def test_what_is_refused():
    a, b = pair()
    with pytest.raises(InvalidSetting, match="reference's shape"):
        psnr(a, b[:-1])
    for weights in (np.zeros((9, 7)), np.full((9, 7), -1.0), np.ones(9)):
        with pytest.raises(InvalidSetting, match="weights"):
            psnr(a, b, weights=weights)
