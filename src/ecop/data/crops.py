"""Windows of a signal: the middle one, and random ones. For any number of axes."""

from typing import TypeVar

import numpy as np

from ecop.signals.base import Signal

Window = tuple[tuple[int, ...], tuple[int, ...]]
S = TypeVar("S", bound=Signal)


def centre_cut(signal: S, size: tuple[int, ...]) -> S:
    """The middle of the signal at ``size``: the shortest side is resized to fit, the rest is cut off evenly.

    The window is cut first and resized afterwards, which gives the same picture for less work on a large one. A signal
    that is smaller than ``size`` is enlarged; one of this size comes back unchanged.
    """
    start, shape = centre_window(signal.shape, size)
    return signal.block(start, shape).resized(size)


def centre_window(shape: tuple[int, ...], size: tuple[int, ...]) -> Window:
    """Start and shape of the largest window in the middle of ``shape`` with the proportions of ``size``.

    Example:
        >>> centre_window((100, 400), (64, 64))
        ((0, 150), (100, 100))
    """
    window = _window_shape(shape, size, np.inf)
    return tuple((n - w) // 2 for n, w in zip(shape, window, strict=True)), window


def random_window(
    shape: tuple[int, ...], size: tuple[int, ...], scales: tuple[float, float], generator: np.random.Generator
) -> Window:
    """Start and shape of a random window inside ``shape``, with the proportions of ``size``.

    It is ``size`` times a factor drawn log-uniformly from ``scales``, or the largest window that fits where that is
    less, so that a signal smaller than ``size`` is enlarged later. Its place is uniform.

    Args:
        shape: samples of the signal along each axis.
        size: samples of the training signals along each axis.
        scales: smallest and largest factor.
        generator: decides; the same state gives the same window.
    """
    low, high = scales
    window = _window_shape(shape, size, float(np.exp(generator.uniform(np.log(low), np.log(high)))))
    start = tuple(int(generator.integers(n - w + 1)) for n, w in zip(shape, window, strict=True))
    return start, window


def _window_shape(shape: tuple[int, ...], size: tuple[int, ...], factor: float) -> tuple[int, ...]:
    """``size`` times ``factor``, or times the largest factor that stays inside ``shape``; at least one sample."""
    factor = min(factor, *(n / s for n, s in zip(shape, size, strict=True)))
    return tuple(max(1, min(n, round(s * factor))) for n, s in zip(shape, size, strict=True))
