"""Structural similarity at several scales, with its settings said, since libraries disagree on them."""

import numpy as np

from ecop.core.errors import InvalidSetting
from ecop.metrics.ssim import WINDOW

WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""Exponents of the scales, the finest first, as in the paper."""

SMALLEST = WINDOW * 2 ** (len(WEIGHTS) - 1)
"""Pixels along a side from which the coarsest scale still has the window's 11."""

K1, K2, SIGMA = 0.01, 0.03, 1.5


def ms_ssim(reference: np.ndarray, reconstruction: np.ndarray, data_range: float = 1.0) -> float:
    """MS-SSIM = l₅^w₅ ∏ⱼ cⱼ^wⱼ, j = 1…5, of Wang, Simoncelli and Bovik (2003).

    cⱼ is the mean over the picture of contrast and structure, (2σ_xy + C₂) / (σ_x² + σ_y² + C₂), at scale j; at the
    last scale it is taken together with the luminance, (2μ_x μ_y + C₁) / (μ_x² + μ_y² + C₁), as the mean of their
    product, as the authors' program has it. Each scale is half of the one before, by the mean of 2×2 pixels; an odd
    last row or column is repeated first. Statistics are those of `ssim`: an 11×11 Gaussian window of σ = 1.5,
    population covariance, K₁ = 0.01, K₂ = 0.03, without the border that the window does not cover. Channels are
    averaged at the end.

    A mean cⱼ below 0, which pictures with opposite structure have, counts as 0, since its power is no real number: the
    similarity is then 0.

    Args:
        reference: (height, width, channels), each side at least 176, for which the coarsest scale has the window's 11.
        reconstruction: the same shape.
        data_range: largest minus smallest possible value.

    Returns:
        0 to 1, which equal images reach.

    Raises:
        InvalidSetting: if the shapes differ or a side is too short.

    Example:
        >>> grey = np.linspace(0, 1, 176 * 176).reshape(176, 176, 1)
        >>> ms_ssim(grey, grey)
        1.0
    """
    if reference.shape != reconstruction.shape:
        raise InvalidSetting("reconstruction.shape", reconstruction.shape, f"the reference's shape, {reference.shape}")
    if reference.ndim != 3 or min(reference.shape[:-1]) < SMALLEST:
        expected = f"(height, width, channels) with at least {SMALLEST} pixels along each side for MS-SSIM"
        raise InvalidSetting("shape", reference.shape, expected)
    planes = zip(np.moveaxis(reference, -1, 0), np.moveaxis(reconstruction, -1, 0), strict=True)
    return float(np.mean([_of_plane(x.astype(np.float64), y.astype(np.float64), data_range) for x, y in planes]))


def _of_plane(x: np.ndarray, y: np.ndarray, data_range: float) -> float:
    similarity = 1.0
    for weight in WEIGHTS[:-1]:
        _, contrast = _mean_terms(x, y, data_range)
        similarity *= max(contrast, 0.0) ** weight
        x, y = _halved(x), _halved(y)
    whole, _ = _mean_terms(x, y, data_range)
    return similarity * max(whole, 0.0) ** WEIGHTS[-1]


def _mean_terms(x: np.ndarray, y: np.ndarray, data_range: float) -> tuple[float, float]:
    """The means of SSIM, and of its contrast and structure alone."""
    c1, c2 = (K1 * data_range) ** 2, (K2 * data_range) ** 2
    mean_x, mean_y = _blurred(x), _blurred(y)
    variances = _blurred(x * x) + _blurred(y * y) - mean_x**2 - mean_y**2
    covariance = _blurred(x * y) - mean_x * mean_y
    contrast = (2 * covariance + c2) / (variances + c2)
    luminance = (2 * mean_x * mean_y + c1) / (mean_x**2 + mean_y**2 + c1)
    return float((luminance * contrast).mean()), float(contrast.mean())


def _blurred(plane: np.ndarray) -> np.ndarray:
    """The Gaussian mean around each pixel that has all of its window."""
    from skimage.filters import gaussian  # half a second to import, and needed only here

    border = WINDOW // 2
    return gaussian(plane, SIGMA, truncate=border / SIGMA, preserve_range=True)[border:-border, border:-border]


def _halved(plane: np.ndarray) -> np.ndarray:
    height, width = plane.shape
    even = np.pad(plane, ((0, height % 2), (0, width % 2)), "edge")
    return (even[::2, ::2] + even[1::2, ::2] + even[::2, 1::2] + even[1::2, 1::2]) / 4
