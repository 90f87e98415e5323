"""Signals of one shape, fitted in one call: small ones take longer to hand over than to fit."""

import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Int, PRNGKeyArray

from ecop.core.recipe import check
from ecop.fields.base import Field, split_adapted
from ecop.fit.fit import as_stored, assembled, check_converged, fit_prepared, psnr_curve
from ecop.fit.fitted import Fitted
from ecop.fit.loop import FitInfo, FitPlan, fit_context
from ecop.fit.prepared import Prepared
from ecop.signals.context import Context, stack

if TYPE_CHECKING:
    from ecop.fit.initialisation import Initialisation

POINTS, SIGNALS = 65_536, 16
"""Most points of a batch, padding included, and most signals; one with more points is fitted by itself."""


def fit_alike(
    initialisation: "Initialisation", signals: Iterable[Prepared], plan: FitPlan, seed: int = 0, points: int = POINTS
) -> Iterator[tuple[Prepared, Fitted]]:
    """Fit signals as `fit_prepared` does one by one, those of one shape that follow each other together.

    They share one compiled program, in which they are walked through one after another in the memory of one fit.

    Args:
        initialisation: θ_0.
        signals: ready to be fitted; read only as far as the next batch needs them.
        plan: steps, rate and scaling.
        seed: for scorers that draw; every signal draws alike, as it would by itself.
        points: most points of a batch.

    Yields:
        Each signal, and what was fitted, in their order; nothing has judged it yet.

    Raises:
        Diverged: if a loss leaves the finite numbers.
    """
    check(points >= 1, "points", points, "a number of points ≥ 1")
    for batch in _batches(initialisation.field, signals, points):
        if batch[0][0].blocks is not None or _most(batch[0][1], points) == 1:
            ((ready, _),) = batch
            yield ready, fit_prepared(initialisation, ready, plan, seed=seed)
            continue
        begun = time.perf_counter()
        fields, infos = _fit_batch(initialisation.field, [context for _, context in batch], plan, seed, points)
        seconds = (time.perf_counter() - begun) / len(batch)
        for (ready, _), field, info in zip(batch, fields, infos, strict=True):
            check_converged(info)
            stored = [as_stored(field, "float32")]
            yield ready, assembled(initialisation, ready, plan, stored, psnr_curve([info]), seconds=seconds)


def _batches(field: Field, signals: Iterable[Prepared], points: int) -> Iterator[list[tuple[Prepared, Context]]]:
    """Neighbours whose contexts have one structure, as many as there is room for; what has blocks is by itself."""
    batch: list[tuple[Prepared, Context]] = []
    for ready in signals:
        context = ready.context(ready.pieces[0], field)
        alone = ready.blocks is not None
        if batch and (alone or _shape(context) != _shape(batch[0][1]) or batch[0][0].blocks is not None):
            yield batch
            batch = []
        batch.append((ready, context))
        if len(batch) >= _most(context, points):
            yield batch
            batch = []
    if batch:
        yield batch


def _most(context: Context, points: int) -> int:
    return max(1, min(SIGNALS, points // context.size))


def _shape(context: Context) -> Any:
    """What one program is compiled for."""
    leaves, structure = jax.tree.flatten(context)
    return structure, [(leaf.shape, leaf.dtype) for leaf in leaves]


def _fit_batch(
    field: Field, contexts: list[Context], plan: FitPlan, seed: int, points: int
) -> tuple[list[Field], list[FitInfo]]:
    count, room = len(contexts), _most(contexts[0], points)
    # The last batch of a folder is filled up, so that it needs no program of its own; the loop passes over the rest.
    full = stack(contexts + contexts[:1] * (room - count))
    key = jax.random.fold_in(jax.random.key(seed), 0)
    fitted, infos = jax.device_get(_fit_first(field, full, jnp.asarray(count), plan, key))
    each = [jax.tree.map(lambda leaf, n=number: leaf[n], (fitted, infos)) for number in range(count)]
    return [eqx.combine(theta, field) for theta, _ in each], [info for _, info in each]


@eqx.filter_jit
def _fit_first(
    field: Field, contexts: Context, count: Int[Array, ""], plan: FitPlan, key: PRNGKeyArray
) -> tuple[Field, FitInfo]:
    """The first ``count`` of B signals, fitted one after another; results have a leading axis of B."""

    def one(number: Any) -> tuple[Field, FitInfo]:
        context = jax.tree.map(lambda leaf: leaf[number], contexts)
        fitted, info = fit_context(field, context, plan, key)
        return split_adapted(fitted)[0], info

    nothing = jax.tree.map(
        lambda leaf: jnp.zeros((contexts.values.shape[0], *leaf.shape), leaf.dtype), jax.eval_shape(one, 0)
    )
    return lax.fori_loop(
        0, count, lambda n, all_: jax.tree.map(lambda rows, row: rows.at[n].set(row), all_, one(n)), nothing
    )
