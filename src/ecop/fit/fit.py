"""From a signal and an initialisation to a fitted signal: the compiled loop, and the metrics."""

import dataclasses
import math
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from ecop.core import trees
from ecop.core.errors import Diverged
from ecop.fields.base import Field
from ecop.fit.fitted import Fitted
from ecop.fit.loop import FitInfo, FitPlan, FitState, advance_fit, finish_fit, start_fit
from ecop.fit.prepared import Prepared, prepare
from ecop.signals.base import Measure, Signal
from ecop.signals.context import Context
from ecop.store.field_file import Dtype

if TYPE_CHECKING:
    from ecop.fit.initialisation import Initialisation

QUIET_POINTS = 8_192
"""Points up to which a fit is one call; a larger one comes back after every step to report progress."""


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
    progress: Callable[[int, int, float], None] | None = None,
    measures: Mapping[str, Measure] | None = None,
) -> Fitted:
    """Fit a signal; see `Initialisation.fit`, which is the way to call it."""
    prepared = prepare(initialisation, signal, native, patches)
    fitted = fit_prepared(
        initialisation, prepared, plan, until_psnr=until_psnr, dtype=dtype, seed=seed, progress=progress
    )
    return judged(fitted, prepared.signal, measures)


def fit_prepared(
    initialisation: "Initialisation",
    prepared: Prepared,
    plan: FitPlan,
    *,
    until_psnr: float | None = None,
    dtype: Dtype = "float32",
    seed: int = 0,
    progress: Callable[[int, int, float], None] | None = None,
) -> Fitted:
    """Fit a signal that is ready for it; nothing has judged the result yet (`judged`).

    Raises:
        Diverged: if the loss leaves the finite numbers.
    """
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
    seconds = time.perf_counter() - start
    return assembled(initialisation, prepared, plan, fields, psnr_curve(infos), dtype, seconds)


def assembled(
    initialisation: "Initialisation",
    prepared: Prepared,
    plan: FitPlan,
    fields: list[Field],
    curve: tuple[float, ...],
    dtype: Dtype = "float32",
    seconds: float = 0.0,
) -> Fitted:
    """The fields of a signal's pieces as one fitted signal, which nothing has judged yet.

    Args:
        initialisation: what they were fitted from.
        prepared: the signal.
        plan: how it was fitted.
        fields: one for each piece, as `as_stored` makes them.
        curve: PSNR in dB before each step and after the last.
        dtype: how the parameters are stored.
        seconds: the fit took.
    """
    signal = prepared.signal
    return Fitted(
        fields[0] if prepared.blocks is None else jax.tree.map(lambda *leaves: np.stack(leaves), *fields),
        signal.kind, signal.resolution, signal.channels, signal.about, prepared.convention, prepared.blocks, dtype,
        curve, seconds=seconds, resampled=prepared.original if prepared.original != signal.shape else None,
        points=None if signal.coordinates is None else len(signal.values),
        provenance={
            "initialisation": initialisation.name, "sha256": initialisation.provenance.get("sha256", ""),
            "source": signal.source, "scaling": type(plan.scaling).__name__,
            "precision": plan.engine.precision,
        },
    )  # fmt: skip


def judged(fitted: Fitted, signal: Signal, measures: Mapping[str, Measure] | None = None) -> Fitted:
    """With the metrics of its reconstruction of the signal: the modality's, and further ones where they are defined."""
    reconstruction = fitted.reconstruction(signal)
    further = {name: measure(signal, reconstruction) for name, measure in (measures or {}).items()}
    found = {name: value for name, value in further.items() if value is not None}
    return dataclasses.replace(fitted, metrics={**signal.metrics(reconstruction), **found})


def fit_one(
    field: Field,
    context: Context,
    plan: FitPlan,
    key: Any,
    until_mse: float = -1.0,
    report: Callable[[int, float], None] | None = None,
) -> tuple[Field, FitInfo]:
    """Fit one context with compiled programs, reporting the steps done, and the PSNR before the last of them.

    Raises:
        Diverged: if the loss leaves the finite numbers.
    """
    state = _start(field, context, plan)
    stride = plan.total if report is None or context.size <= QUIET_POINTS else 1
    stop = 0
    while stop < plan.total and not bool(state.done):
        stop = min(plan.total, stop + stride)
        fixed = (field, context, plan, key, jnp.asarray(until_mse, jnp.float32), jnp.asarray(stop))
        state = _advance(fixed, state)
        if report is not None:
            taken = int(state.step)
            mse = np.asarray(state.mse)[max(0, taken - 1)]
            report(taken, float(-10 * np.log10(np.maximum(mse, 1e-12))))
    fitted, info = _finish(state, field, context, plan)
    check_converged(info)
    return fitted, info


def check_converged(info: FitInfo) -> None:
    """Raise `Diverged` if the loss behind the last step is no finite number."""
    steps = int(info.steps)
    loss = float(info.mse[steps])
    if not math.isfinite(loss):
        raise Diverged(f"the fit diverged (loss {loss} after {steps} steps); try the scaling 'none' or fewer steps")


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


@eqx.filter_jit
def _start(field: Field, context: Context, plan: FitPlan) -> FitState:
    """A state that shares no array with the initialisation, so that it may be donated."""
    return jax.tree.map(jnp.copy, start_fit(field, context, plan))


@eqx.filter_jit(donate="all-except-first")
def _advance(fixed: tuple[Any, ...], state: FitState) -> FitState:
    """The next state in the memory of the last."""
    return advance_fit(state, *fixed)


_finish = eqx.filter_jit(finish_fit)


def _reporter(
    progress: Callable[[int, int, float], None] | None, number: int, pieces: int, total: int
) -> Callable[[int, float], None] | None:
    if progress is None:
        return None
    return lambda step, psnr: progress(number * total + step, pieces * total, psnr)
