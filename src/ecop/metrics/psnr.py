"""Peak signal-to-noise ratio."""

import math

import numpy as np

from ecop.core.errors import InvalidSetting


def psnr(
    reference: np.ndarray, reconstruction: np.ndarray, peak: float = 1.0, weights: np.ndarray | None = None
) -> float:
    """PSNR = 10 log₁₀(peak² / MSE) in dB, the mean squared error taken over points and channels in float64.

    Args:
        reference: (*shape, channels).
        reconstruction: the same shape; clip it first, as this function does not.
        peak: the largest possible value.
        weights: (*shape), each point's weight ≥ 0, or a mask: the mean is weighted, and a point of weight 0 does not
            count even where it is not a number.

    Returns:
        dB; infinity for equal signals.

    Raises:
        InvalidSetting: if the shapes differ or no point has a weight.

    Example:
        >>> round(psnr(np.zeros((4, 4, 3)), np.full((4, 4, 3), 0.1)), 6)
        20.0
    """
    if reference.shape != reconstruction.shape:
        raise InvalidSetting("reconstruction.shape", reconstruction.shape, f"the reference's shape, {reference.shape}")
    squares = np.square(np.subtract(reference, reconstruction, dtype=np.float64))
    if weights is None:
        error = float(squares.mean())
    else:
        if weights.shape != reference.shape[:-1] or not np.any(weights > 0) or np.any(weights < 0):
            raise InvalidSetting("weights", weights.shape, f"weights ≥ 0 of shape {reference.shape[:-1]}, not all 0")
        error = float(np.average(squares[weights > 0].mean(axis=-1), weights=weights[weights > 0]))
    return math.inf if error == 0 else 10 * math.log10(peak**2 / error)
