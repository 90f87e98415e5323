"""A signal made ready to be fitted: its channels, its size, its blocks; on the host alone."""

import dataclasses
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from ecop.core.grids import Convention
from ecop.core.recipe import check
from ecop.fields.base import Field
from ecop.fit.blocks import Blocks, cut
from ecop.signals.base import Signal
from ecop.signals.context import Context, bucket, context_of

if TYPE_CHECKING:
    from ecop.fit.initialisation import Initialisation

S = TypeVar("S", bound=Signal)

OVERLAP = 8
"""Samples that neighbouring blocks share."""


@dataclass(frozen=True)
class Prepared:
    """A signal as a fit takes it.

    Attributes:
        signal: with the initialisation's channels, resampled unless it is fitted natively or in patches.
        original: the shape that it had before.
        blocks: how it is cut, or ``None``.
        convention: of its grid.
    """

    signal: Signal
    original: tuple[int, ...]
    blocks: Blocks | None
    convention: Convention

    @property
    def pieces(self) -> list[Signal]:
        """What each field stands for: the signal, or its blocks."""
        if self.blocks is None:
            return [self.signal]
        return [self.signal.block(begin, self.blocks.shape) for begin in self.blocks.starts]

    def context(self, piece: Signal, field: Field) -> Context:
        """The points of a piece, padded so that few programs serve all sizes."""
        return context_of(piece, self.convention, rows_for(field, piece), field.point_axes)


def prepare(initialisation: "Initialisation", signal: Signal, native: bool = False, patches: bool = False) -> Prepared:
    """Make a signal ready to be fitted; the settings are those of `Initialisation.fit`.

    Raises:
        InvalidSetting: for a signal or a setting that does not go with the initialisation's field.
    """
    data, is_grid = initialisation.recipe.data, signal.coordinates is None
    check(is_grid != signal.scattered, "signal", signal.source, "scattered points, as its files give them")
    check(is_grid or not patches, "--patches", signal.kind, "a signal on a grid: scattered points have no blocks")
    original = signal.shape
    signal = signal.with_channels(data.channels)
    axes = initialisation.field.point_axes
    if not (native or patches):
        signal = signal.resized(trained_shape(signal, data.size, axes))
    block = block_shape(signal, data.size, native, patches)
    check(
        axes is None or (block or signal.shape)[axes:] == signal.shape[axes:] == data.size[axes:],
        "--native, --patches",
        signal.shape,
        "neither for a field of whole frames, unless they have its size",
    )
    blocks = None if block is None else cut(signal.shape, block, min(OVERLAP, min(block) // 4))
    if blocks is None and not native:
        signal = spanning(signal, data.size, data.grid)
    return Prepared(signal, original, blocks, data.grid)


def trained_shape(signal: Signal, size: tuple[int, ...], point_axes: int | None) -> tuple[int, ...]:
    """The shape to resample to: as many points as ``size``, at the signal's aspect ratio.

    A field of whole frames has frames of one size, to which those of the signal are stretched.
    """
    if point_axes is None:
        return comparable_shape(signal.shape, size, signal.elastic)
    return (*signal.shape[:point_axes], *size[point_axes:])


def comparable_shape(shape: tuple[int, ...], size: tuple[int, ...], elastic: tuple[bool, ...]) -> tuple[int, ...]:
    """The shape with as many points as ``size`` and the aspect ratio of ``shape``; ``shape`` itself if it has no more.

    Only the elastic axes count, and change.

    Example:
        >>> comparable_shape((3000, 3000), (178, 178), (True, True))
        (178, 178)
        >>> comparable_shape((300, 1000, 4000), (16, 64, 64), (False, True, True))
        (300, 32, 128)
    """
    points = math.prod(n for n, stretches in zip(shape, elastic, strict=True) if stretches)
    wanted = math.prod(n for n, stretches in zip(size, elastic, strict=True) if stretches)
    if points <= wanted:
        return shape
    factor = (wanted / points) ** (1 / sum(elastic))
    return tuple(max(2, round(n * factor)) if e else n for n, e in zip(shape, elastic, strict=True))


def block_shape(signal: Signal, size: tuple[int, ...], native: bool, patches: bool) -> tuple[int, ...] | None:
    """Samples of a block, or ``None`` for one field: what is longer than ``size`` along an axis that keeps its rate
    is cut there, and with ``patches`` along every axis.
    """
    if patches:
        return size
    if native or all(e or n <= s for n, s, e in zip(signal.shape, size, signal.elastic, strict=True)):
        return None
    return tuple(n if e else s for n, s, e in zip(signal.shape, size, signal.elastic, strict=True))


def spanning(signal: S, size: tuple[int, ...], convention: Convention) -> S:
    """The signal, knowing that it covers only the first part of an axis that keeps its rate and has ``size`` samples.

    Its samples then lie as close to each other as those of the training signals did.
    """
    ends = 1 if convention == "corners" else 0
    axes = zip(signal.shape, size, signal.elastic, strict=True)
    span = [1.0 if e or n >= s else (n - ends) / (s - ends) for n, s, e in axes]
    if min(span) == 1:
        return signal
    return dataclasses.replace(signal, about={**signal.about, "span": span})


def rows_for(field: Field, signal: Signal) -> int | None:
    """Rows to pad a signal's context to: none for a field of whole frames, of which there are few."""
    return None if field.point_axes is not None else bucket(math.prod(signal.shape))
