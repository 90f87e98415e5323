"""From a signal and an initialisation to a fitted signal: resampling, cutting, the compiled loop, the metrics."""

import dataclasses
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from ecop.core import trees
from ecop.core.errors import Diverged
from ecop.core.grids import Convention
from ecop.core.recipe import check
from ecop.fields.base import Field
from ecop.fit.blocks import Blocks, cut
from ecop.fit.fitted import Fitted
from ecop.fit.loop import FitInfo, FitPlan, advance_fit, finish_fit, start_fit
from ecop.signals.base import Signal
from ecop.signals.context import Context, bucket, context_of
from ecop.store.field_file import Dtype

if TYPE_CHECKING:
    from ecop.fit.initialisation import Initialisation

S = TypeVar("S", bound=Signal)

OVERLAP = 8
"""Samples that neighbouring blocks share."""

QUIET_POINTS = 8_192
"""Points up to which a fit is one call; a larger one comes back after every step to report progress."""


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


def fit_signal(
    initialisation: "Initialisation",
    signal: Signal,
    plan: FitPlan,
    *,
    until_psnr: float | None = None,
    native: bool = False,
    patches: bool = False,
    dtype: Dtype = "float32",
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Fitted:
    """Fit a signal; see `Initialisation.fit`, which is the way to call it."""
    prepared = prepare(initialisation, signal, native, patches)
    until_mse = -1.0 if until_psnr is None else 10 ** (-until_psnr / 10)
    start = time.perf_counter()
    fields, infos, pieces = [], [], prepared.pieces
    for number, piece in enumerate(pieces):
        report = _reporter(progress, number, len(pieces), plan.total)
        context = prepared.context(piece, initialisation.field)
        key = jax.random.fold_in(jax.random.key(seed), number)
        field, info = fit_one(initialisation.field, context, plan, key, until_mse, report)
        fields.append(as_stored(field, dtype))
        infos.append(info)
    fitted = assembled(initialisation, prepared, plan, fields, psnr_curve(infos), dtype)
    return judged(dataclasses.replace(fitted, seconds=time.perf_counter() - start), prepared.signal)


def assembled(
    initialisation: "Initialisation",
    prepared: Prepared,
    plan: FitPlan,
    fields: list[Field],
    curve: tuple[float, ...],
    dtype: Dtype = "float32",
) -> Fitted:
    """The fields of a signal's pieces as one fitted signal, which nothing has judged yet.

    Args:
        initialisation: what they were fitted from.
        prepared: the signal.
        plan: how it was fitted.
        fields: one for each piece, as `as_stored` makes them.
        curve: PSNR in dB before each step and after the last.
        dtype: how the parameters are stored.
    """
    signal = prepared.signal
    return Fitted(
        fields[0] if prepared.blocks is None else jax.tree.map(lambda *leaves: np.stack(leaves), *fields),
        signal.kind, signal.resolution, signal.channels, signal.about, prepared.convention, prepared.blocks, dtype,
        curve, resampled=prepared.original if prepared.original != signal.shape else None,
        points=None if signal.coordinates is None else len(signal.values),
        provenance={
            "initialisation": initialisation.name, "sha256": initialisation.provenance.get("sha256", ""),
            "source": signal.source, "scaling": type(plan.scaling).__name__,
        },
    )  # fmt: skip


def judged(fitted: Fitted, signal: Signal) -> Fitted:
    """With the metrics of its reconstruction of the signal."""
    return dataclasses.replace(fitted, metrics=signal.metrics(fitted.reconstruction(signal)))


def fit_one(
    field: Field,
    context: Context,
    plan: FitPlan,
    key: Any,
    until_mse: float = -1.0,
    report: Callable[[int], None] | None = None,
) -> tuple[Field, FitInfo]:
    """Fit one context with compiled programs, reporting the steps done as they are done.

    Raises:
        Diverged: if the loss leaves the finite numbers.
    """
    state = _start(field, context, plan)
    stride = plan.total if report is None or context.size <= QUIET_POINTS else 1
    stop = 0
    while stop < plan.total and not bool(state.done):
        stop = min(plan.total, stop + stride)
        state = _advance(state, field, context, plan, key, jnp.asarray(until_mse, jnp.float32), jnp.asarray(stop))
        if report is not None:
            report(int(state.step))
    fitted, info = _finish(state, field, context, plan)
    loss = float(info.mse[info.steps])
    if not math.isfinite(loss):
        steps = int(info.steps)
        raise Diverged(f"the fit diverged (loss {loss} after {steps} steps); try the scaling 'none' or fewer steps")
    return fitted, info


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


def as_stored(field: Field, dtype: Dtype) -> Field:
    """The field on the host, with the precision that its file will have."""
    return trees.with_leaves(field, lambda _, leaf: np.asarray(leaf).astype(dtype).astype(np.float32))


def psnr_curve(infos: list[FitInfo]) -> tuple[float, ...]:
    """PSNR in dB before each step and after the last, of the mean loss of the blocks; a block that ended stays."""
    longest = max(int(info.steps) for info in infos)
    losses = []
    for info in infos:
        own = np.asarray(info.mse)[: int(info.steps) + 1]
        losses.append(np.concatenate([own, np.full(longest + 1 - len(own), own[-1])]))
    mean = np.maximum(np.mean(losses, 0), 1e-12)
    return tuple(float(db) for db in -10 * np.log10(mean))


_start = eqx.filter_jit(start_fit)
_advance = eqx.filter_jit(advance_fit)
_finish = eqx.filter_jit(finish_fit)


def _reporter(
    progress: Callable[[int, int], None] | None, number: int, pieces: int, total: int
) -> Callable[[int], None] | None:
    if progress is None:
        return None
    return lambda step: progress(number * total + step, pieces * total)
