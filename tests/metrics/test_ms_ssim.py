import numpy as np
import pytest
from scipy.ndimage import correlate1d
from skimage import data
from skimage.measure import block_reduce

from ecop.core.errors import InvalidSetting
from ecop.metrics import ms_ssim, ssim
from ecop.signals import Image

WEIGHTS = [0.0448, 0.2856, 0.3001, 0.2363, 0.1333]
PHOTO = data.astronaut()[:181:1, 100:290] / 255  # odd along one side


def by_definition(x, y):
    """Wang, Simoncelli and Bovik (2003), equation 7, for one channel; cs and l·cs of Wang et al. (2004)."""
    window = np.exp(-np.square(np.arange(-5, 6)) / (2 * 1.5**2))
    window /= window.sum()

    def mean(image):
        return correlate1d(correlate1d(image, window, 0), window, 1)[5:-5, 5:-5]

    result = 1.0
    for scale, weight in enumerate(WEIGHTS):
        mx, my = mean(x), mean(y)
        vx, vy, vxy = mean(x * x) - mx**2, mean(y * y) - my**2, mean(x * y) - mx * my
        contrast = (2 * vxy + 0.03**2) / (vx + vy + 0.03**2)
        luminance = (2 * mx * my + 0.01**2) / (mx**2 + my**2 + 0.01**2)
        result *= np.mean(contrast * luminance if scale == 4 else contrast) ** weight
        x, y = (block_reduce(np.pad(z, [(0, n % 2) for n in z.shape], "symmetric"), 2, np.mean) for z in (x, y))
    return result


def noisy(x, sigma=0.1):
    return np.clip(x + np.random.default_rng(0).normal(0, sigma, x.shape), 0, 1)


def test_against_the_definition():
    y = noisy(PHOTO)
    expected = np.mean([by_definition(PHOTO[..., c], y[..., c]) for c in range(3)])
    assert ms_ssim(PHOTO, y) == pytest.approx(expected, abs=1e-9)
    assert 0.5 < expected < 0.99


def test_constants_by_hand():
    """Without structure every contrast is 1, and the luminance of the last scale stands alone."""
    x, y = np.full((176, 176, 1), 0.2), np.full((176, 176, 1), 0.6)
    luminance = (2 * 0.2 * 0.6 + 1e-4) / (0.2**2 + 0.6**2 + 1e-4)
    assert ms_ssim(x, y) == pytest.approx(luminance**0.1333, abs=1e-9)


def test_a_copy_is_perfect_and_worse_is_less():
    assert ms_ssim(PHOTO, PHOTO) == pytest.approx(1)
    values = [ms_ssim(PHOTO, noisy(PHOTO, sigma)) for sigma in (0.02, 0.1, 0.3)]
    assert values == sorted(values, reverse=True)


def test_opposite_structure_is_zero_and_never_no_number():
    negative = 1 - PHOTO
    assert ssim(PHOTO, negative) < 0.5
    assert ms_ssim(PHOTO, negative) == 0


def test_the_range_counts():
    y = noisy(PHOTO)
    assert ms_ssim(255 * PHOTO, 255 * y, data_range=255) == pytest.approx(ms_ssim(PHOTO, y), abs=1e-9)


def test_the_smallest_image_and_one_below():
    x = np.random.default_rng(0).random((176, 180, 1))
    assert ms_ssim(x, x) == pytest.approx(1)
    with pytest.raises(InvalidSetting, match="at least 176 pixels along each side"):
        ms_ssim(x[1:], x[1:])
    with pytest.raises(InvalidSetting, match="reference's shape"):
        ms_ssim(x, x[1:])


def test_images_report_it_where_they_are_large_enough():
    large, small = Image.assemble(PHOTO, {}), Image.assemble(PHOTO[:175], {})
    assert set(large.metrics(large.assemble(noisy(PHOTO), {}))) == {"psnr", "ssim", "ms_ssim"}
    assert set(small.metrics(small)) == {"psnr", "ssim"}
