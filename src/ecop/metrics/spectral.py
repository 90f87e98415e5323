"""Spectra of sound in short windows, and how far two of them lie apart."""

import numpy as np

from ecop.core.errors import InvalidSetting

FLOOR = -80.0  # dB below a sine of full amplitude: what is quieter counts as this loud
SLAB = 4096  # windows transformed together


def spectrogram(samples: np.ndarray, window: int, hop: int) -> np.ndarray:
    """Levels in short windows: L = max(20 log₁₀ |2 Σ w x e^{−iωt} / Σ w|, −80 dB), with Hann's window w.

    Args:
        samples: (n,), around 0, n ≥ ``window``.
        window: samples of a window.
        hop: samples from one window to the next; those that the end cuts are left out.

    Returns:
        (windows, window // 2 + 1) float32 dB; a sine of amplitude 1 at the middle of a bin has 0 dB.

    Raises:
        InvalidSetting: if there are fewer samples than in a window.
    """
    if samples.ndim != 1 or len(samples) < window:
        raise InvalidSetting(
            "samples.shape", samples.shape, f"one axis of at least {window} samples, those of a window"
        )
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)
    weights = (2 * hann / hann.sum()).astype(np.float32)
    cuts = np.lib.stride_tricks.sliding_window_view(samples.astype(np.float32), window)[::hop]
    slabs = [np.abs(np.fft.rfft(cuts[i : i + SLAB] * weights)) for i in range(0, len(cuts), SLAB)]
    smallest = 10 ** (FLOOR / 20)
    return np.concatenate([20 * np.log10(np.maximum(slab, smallest)) for slab in slabs]).astype(np.float32)


def log_spectral_distance(reference: np.ndarray, reconstruction: np.ndarray, window: int) -> float:
    """LSD = mean over windows and channels of the root of the mean over frequencies of (L − L̂)², in dB.

    L is `spectrogram`, with a hop of a quarter of the window; libraries differ in all of this.

    Args:
        reference: (n, channels), around 0, n ≥ ``window``.
        reconstruction: the same shape.
        window: samples of a window; that of 32 ms is usual.

    Returns:
        dB, 0 for equal signals.

    Raises:
        InvalidSetting: if the shapes differ or there are fewer samples than in a window.

    Example:
        >>> wave = np.sin(np.arange(1000))[:, None]
        >>> log_spectral_distance(wave, wave, 256)
        0.0
    """
    if reference.shape != reconstruction.shape:
        raise InvalidSetting("reconstruction.shape", reconstruction.shape, f"the reference's shape, {reference.shape}")
    hop = max(1, window // 4)
    distances = []
    for ours, theirs in zip(reference.T, reconstruction.T, strict=True):
        difference = spectrogram(ours, window, hop) - spectrogram(theirs, window, hop)
        distances.append(np.sqrt(np.mean(np.square(difference, dtype=np.float64), axis=1)))
    return float(np.mean(distances))
