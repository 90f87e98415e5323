"""Grids resampled linearly, and antialiased when they shrink, round the globe and past missing values."""

from typing import NamedTuple

import numpy as np


def resampled(values: np.ndarray, shape: tuple[int, int], is_round: bool) -> np.ndarray:
    """Values at ``shape`` samples over the same extent.

    Each axis is filtered by a triangle, as wide as the spacing of the coarser of the two grids: linear interpolation
    when enlarging, and when shrinking a mean over the neighbourhood that the new sample stands for. The first and last
    latitude stay where they are; a grid that goes round the globe has no ends.

    A missing value counts for nothing; where more than half of what a sample is made of is missing, so is the sample.

    Args:
        values: (rows, columns) with NaN for missing.
        shape: (rows, columns), each at least 1.
        is_round: whether the longitudes go round the globe.

    Returns:
        The same dtype, of ``shape``.
    """
    down = _filter(values.shape[0], shape[0], wraps=False)
    across = _filter(values.shape[1], shape[1], wraps=is_round)
    present = np.isfinite(values)
    total = _applied(down, across, np.where(present, values, 0))
    if present.all():
        return total.astype(values.dtype)
    share = _applied(down, across, present.astype(np.float64))
    return np.where(share >= 0.5, total / np.maximum(share, 0.5), np.nan).astype(values.dtype)


class _Filter(NamedTuple):
    """Each new sample as a weighted sum of old ones.

    Attributes:
        taps: (new, n) indices of the old samples.
        weights: (new, n), of sum 1 for every new sample.
    """

    taps: np.ndarray
    weights: np.ndarray

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """(old, m) to (new, m), tap by tap, in the memory of the result."""
        total = np.zeros((len(self.taps), values.shape[1]))
        for taps, weights in zip(self.taps.T, self.weights.T, strict=True):
            total += weights[:, None] * values[taps]
        return total


def _applied(down: _Filter, across: _Filter, values: np.ndarray) -> np.ndarray:
    return across(down(values).T).T


def _filter(count: int, wanted: int, wraps: bool) -> _Filter:
    """From ``count`` samples to ``wanted``."""
    if wraps:
        ratio = count / wanted
        places = np.arange(wanted) * ratio
    elif wanted > 1:
        ratio = (count - 1) / (wanted - 1)
        places = np.arange(wanted) * ratio
    else:
        ratio, places = float(count), np.array([(count - 1) / 2])
    reach = max(1.0, ratio)
    nearby = np.floor(places)[:, None] + np.arange(-int(reach), int(reach) + 2)
    weights = np.maximum(0, 1 - np.abs(nearby - places[:, None]) / reach)
    taps = nearby.astype(np.int64)
    if wraps:
        taps %= count
    else:
        weights[(taps < 0) | (taps >= count)] = 0
        taps = taps.clip(0, count - 1)
    return _Filter(taps, weights / weights.sum(axis=1, keepdims=True))
