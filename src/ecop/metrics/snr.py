"""Signal-to-noise ratio."""

import math

import numpy as np

from ecop.core.errors import InvalidSetting


def snr(reference: np.ndarray, reconstruction: np.ndarray) -> float:
    """SNR = 10 log₁₀(Σ x² / Σ (x − x̂)²) in dB, over all samples and channels in float64.

    Args:
        reference: (*shape, channels), around 0: silence is 0.
        reconstruction: the same shape.

    Returns:
        dB; infinity for equal signals, minus infinity for noise in place of silence.

    Raises:
        InvalidSetting: if the shapes differ.

    Example:
        >>> round(snr(np.ones((4, 1)), np.full((4, 1), 0.9)), 6)
        20.0
    """
    if reference.shape != reconstruction.shape:
        raise InvalidSetting("reconstruction.shape", reconstruction.shape, f"the reference's shape, {reference.shape}")
    noise = float(np.square(np.subtract(reference, reconstruction, dtype=np.float64)).sum())
    power = float(np.square(reference, dtype=np.float64).sum())
    if noise == 0:
        return math.inf
    return 10 * math.log10(power / noise) if power > 0 else -math.inf
