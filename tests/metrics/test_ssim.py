import numpy as np
import pytest
from scipy.ndimage import correlate1d
from skimage import data

from ecop.core.errors import InvalidSetting
from ecop.metrics import ssim


def by_definition(x, y):
    """Wang et al. (2004), equation 13, with their 11×11 Gaussian window, for one channel."""
    window = np.exp(-np.square(np.arange(-5, 6)) / (2 * 1.5**2))
    window /= window.sum()

    def mean(image):
        return correlate1d(correlate1d(image, window, 0), window, 1)[5:-5, 5:-5]

    mx, my = mean(x), mean(y)
    vx, vy, vxy = mean(x * x) - mx**2, mean(y * y) - my**2, mean(x * y) - mx * my
    c1, c2 = 0.01**2, 0.03**2
    return np.mean((2 * mx * my + c1) * (2 * vxy + c2) / ((mx**2 + my**2 + c1) * (vx + vy + c2)))


def test_against_the_definition():
    x = data.astronaut()[100:160, 150:230] / 255
    y = np.clip(x + np.random.default_rng(0).normal(0, 0.1, x.shape), 0, 1)
    expected = np.mean([by_definition(x[..., c], y[..., c]) for c in range(3)])
    assert ssim(x, y) == pytest.approx(expected, abs=1e-10)
    assert 0.3 < expected < 0.95


def test_the_smallest_image_and_one_below():
    x = np.random.default_rng(0).random((11, 11, 1))
    assert ssim(x, x) == pytest.approx(1)
    with pytest.raises(InvalidSetting, match="at least 11 pixels"):
        ssim(x[1:], x[1:])
    with pytest.raises(InvalidSetting, match="reference's shape"):
        ssim(x, x[1:])
