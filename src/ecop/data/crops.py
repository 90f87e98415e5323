"""Windows of a signal: the middle one, and random ones. For any number of axes."""

import dataclasses
from typing import TypeVar

import numpy as np

from ecop.signals.base import Signal

Window = tuple[tuple[int, ...], tuple[int, ...]]
S = TypeVar("S", bound=Signal)


def centre_cut(signal: S, size: tuple[int, ...]) -> S:
    """The middle of the signal at ``size``: the shortest elastic side is resized to fit, the rest is cut off evenly.

    The window is cut first and resized afterwards, which gives the same picture for less work on a large one. A signal
    that is smaller than ``size`` is enlarged (see `at_size`); one of this size comes back unchanged. Nothing is cut
    off along elastic axes that may be stretched each by itself (`Signal.keeps_aspect`).
    """
    proportions = size
    if not signal.keeps_aspect:
        proportions = tuple(n if e else s for n, s, e in zip(signal.shape, size, signal.elastic, strict=True))
    start, shape = centre_window(signal.shape, proportions, signal.elastic)
    return at_size(signal.block(start, shape), size)


def at_size(signal: S, size: tuple[int, ...]) -> S:
    """A window at the size of training signals: resized along elastic axes, filled up along the others.

    What is filled up is missing (NaN) and lies behind the signal's end.
    """
    room = [(0, 0 if e else max(0, s - n)) for n, s, e in zip(signal.shape, size, signal.elastic, strict=True)]
    stretched = tuple(s - behind for s, (_, behind) in zip(size, room, strict=True))
    signal = signal.resized(stretched)
    if stretched == size:
        return signal
    return dataclasses.replace(signal, values=np.pad(signal.values, [*room, (0, 0)], constant_values=np.nan))


def centre_window(shape: tuple[int, ...], size: tuple[int, ...], elastic: tuple[bool, ...]) -> Window:
    """Start and shape of the largest window in the middle of ``shape`` with the proportions of ``size``.

    Example:
        >>> centre_window((100, 400), (64, 64), (True, True))
        ((0, 150), (100, 100))
        >>> centre_window((100, 400), (64, 64), (False, True))
        ((18, 0), (64, 400))
    """
    window = _window_shape(shape, size, elastic, np.inf)
    return tuple((n - w) // 2 for n, w in zip(shape, window, strict=True)), window


def random_window(
    shape: tuple[int, ...],
    size: tuple[int, ...],
    elastic: tuple[bool, ...],
    scales: tuple[float, float],
    generator: np.random.Generator,
) -> Window:
    """Start and shape of a random window inside ``shape``, with the proportions of ``size`` along elastic axes.

    There it is ``size`` times a factor drawn log-uniformly from ``scales``, or the largest window that fits where that
    is less, so that a signal smaller than ``size`` is enlarged later. Along the other axes it is ``size``, or all that
    there is. Its place is uniform.

    Args:
        shape: samples of the signal along each axis.
        size: samples of the training signals along each axis.
        elastic: which axes may be stretched (`Signal.elastic`).
        scales: smallest and largest factor.
        generator: decides; the same state gives the same window.
    """
    low, high = scales
    window = _window_shape(shape, size, elastic, float(np.exp(generator.uniform(np.log(low), np.log(high)))))
    start = tuple(int(generator.integers(n - w + 1)) for n, w in zip(shape, window, strict=True))
    return start, window


def _window_shape(
    shape: tuple[int, ...], size: tuple[int, ...], elastic: tuple[bool, ...], factor: float
) -> tuple[int, ...]:
    """``size`` times ``factor``, or times the largest factor that stays inside ``shape``; at least one sample."""
    factor = min([factor, *(n / s for n, s, e in zip(shape, size, elastic, strict=True) if e)])
    return tuple(
        max(1, min(n, round(s * factor))) if e else min(n, s) for n, s, e in zip(shape, size, elastic, strict=True)
    )
