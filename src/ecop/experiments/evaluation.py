"""How good an initialisation is after any number of test steps: one long fit, looked at on its way."""

from collections.abc import Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Int, PRNGKeyArray

from ecop.core.registry import SIGNALS
from ecop.data.loader import Batch
from ecop.fields.base import Field, split_adapted
from ecop.fit.initialisation import Initialisation
from ecop.fit.loop import FitInfo, FitPlan, advance_fit, finish_fit, start_fit
from ecop.fit.render import View, render_strips
from ecop.meta.build import batch_context
from ecop.signals.base import Signal
from ecop.signals.context import Context


def evaluate_steps(
    initialisation: Initialisation,
    contexts: Sequence[Signal],
    targets: Sequence[Signal],
    names: Sequence[str],
    scaling: str,
    stops: Sequence[int],
) -> dict[str, Any]:
    """Fit every signal, and measure it after each of ``stops`` steps.

    Args:
        initialisation: what to fit from.
        contexts: B signals of one shape, which the fits learn from.
        targets: what the reconstructions are compared with, as a rule the same signals.
        names: of the signals.
        scaling: gradient scaling.
        stops: inner steps, ascending; a fit of n steps is the beginning of a longer one, but for steps that have a
            learned schedule: then a fit of fewer goes through all of it, too.

    Returns:
        ``steps``; ``scaling``; ``ratio``, the mean over signals of the scaling's factor at each step; ``diverged``,
        the number of signals whose loss left the finite numbers; ``signals``: for each its ``file`` and, by metric of
        the modality, a list with a value for each stop.
    """
    recipe = initialisation.recipe
    signal_class, convention = SIGNALS[recipe.signal], recipe.data.grid
    batch = batch_context(Batch.of(contexts, convention), recipe)
    found = []
    for together in runs_of(stops, initialisation.inner_update().schedule):
        plan = initialisation.plan(max(together), scaling)
        found.append(snapshots(initialisation.field, batch, plan, jax.random.key(0), jnp.asarray(together)))
    thetas = jax.tree.map(lambda *parts: np.concatenate(parts, axis=1), *(own for own, _ in found))
    info = found[-1][1]
    signals = []
    for number, (name, target) in enumerate(zip(names, targets, strict=True)):
        grid, measured = target.grid(convention), []
        for place in range(len(stops)):
            theta = jax.tree.map(lambda leaf, n=number, p=place: jnp.asarray(leaf[n, p]), thetas)
            field = eqx.combine(theta, initialisation.field)
            values = np.concatenate(list(render_strips(field, View(grid, signal_class.embed), grid)))
            values = np.where(np.isfinite(values), values, 0)  # a fit that diverged is as good as black
            measured.append(target.metrics(signal_class.assemble(values, target.about)))
        signals.append({"file": name, **{key: [round(float(one[key]), 4) for one in measured] for key in measured[0]}})
    factor = np.asarray(info.factor, np.float64)
    lost = ~np.isfinite(np.asarray(info.mse)[:, -1])
    return {
        "steps": list(stops), "scaling": scaling, "ratio": [round(float(one), 4) for one in np.nanmean(factor, 0)],
        "diverged": int(lost.sum()), "signals": signals,
    }  # fmt: skip


def runs_of(stops: Sequence[int], schedule: int) -> list[list[int]]:
    """Stops that one fit comes by: each one below the steps of a learned schedule for itself, all others together.

    Example:
        >>> runs_of([4, 8, 16, 32], 16), runs_of([4, 8, 16, 32], 0)
        ([[4], [8], [16, 32]], [[4, 8, 16, 32]])
    """
    alone = [[stop] for stop in stops if stop < schedule]
    rest = [stop for stop in stops if stop >= schedule]
    return [*alone, rest] if rest else alone


@eqx.filter_jit
def snapshots(
    field: Field, contexts: Context, plan: FitPlan, key: PRNGKeyArray, stops: Int[Array, "s"]
) -> tuple[Field, FitInfo]:
    """As `fit_batch`, with the adapted leaves after each of ``stops`` steps: leading axes (signals, stops)."""

    def one(item: tuple[Any, Context]) -> tuple[Field, FitInfo]:
        number, context = item
        own = jax.random.fold_in(key, number)

        def reach(state: Any, stop: Any) -> tuple[Any, Field]:
            state = advance_fit(state, field, context, plan, own, jnp.float32(-1), stop)
            return state, split_adapted(finish_fit(state, field, context, plan)[0])[0]

        state, thetas = lax.scan(reach, start_fit(field, context, plan), stops)
        return thetas, finish_fit(state, field, context, plan)[1]

    return lax.map(one, (jnp.arange(contexts.values.shape[0]), contexts))
