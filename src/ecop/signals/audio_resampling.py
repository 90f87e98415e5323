"""Sound at another rate, its samples in the middles of equal parts of its duration as the grid has them."""

import math

import numpy as np

from ecop.core.errors import MissingExtra

REACH = 256  # samples of the lower rate by which the ends go on, so that no filter meets an edge


def resampled(samples: np.ndarray, old: float, new: float, count: int) -> np.ndarray:
    """Resample by soxr at its very high quality, band-limited to the lower rate.

    Most programs keep the first sample in its place; here sample i of either rate stands for the i-th part of the
    duration, so that a field fitted at one rate and rendered at the other meets the same sound. The difference is a
    shift of less than a sample of the lower rate, made as a phase. Beyond its ends the sound keeps its last value.

    Args:
        samples: (n, channels) float32, n ≥ 1.
        old: their rate.
        new: the rate that is wanted.
        count: samples that are wanted.

    Returns:
        (count, channels) float32.

    Raises:
        MissingExtra: without the extra ``audio``.
    """
    try:
        import soxr
    except ImportError:
        raise MissingExtra("resampling sound", "audio") from None
    reach = min(REACH * math.ceil(max(1.0, old / new)), max(len(samples), 2**20))
    longer = np.pad(samples, ((reach, reach), (0, 0)), mode="edge")
    dense = soxr.resample(longer, old, new, quality="VHQ")
    edge = math.floor(reach * new / old / 2)  # where the filter met the silence outside
    dense = dense[edge : len(dense) - edge]
    first = (reach - 0.5) * new / old + 0.5 - edge  # where the first sample that is wanted lies
    whole = math.floor(first)
    dense = _earlier(dense, first - whole)[max(0, whole) :][:count]
    return np.pad(dense, ((0, count - len(dense)), (0, 0)), mode="edge")


def _earlier(samples: np.ndarray, shift: float) -> np.ndarray:
    """Moved towards the start by a part of a sample: every frequency by its phase."""
    if shift == 0:
        return samples
    length = 1 << (len(samples) - 1).bit_length()  # powers of two have the fastest transforms
    longer = np.pad(samples, ((0, length - len(samples)), (0, 0)), mode="edge")
    phase = np.exp(2j * np.pi * np.fft.rfftfreq(length) * shift).astype(np.complex64)
    moved = np.fft.irfft(np.fft.rfft(longer, axis=0) * phase[:, None], length, axis=0)
    return moved[: len(samples)].astype(np.float32)
