"""How long a large fit will take, from one step on a part of its points."""

import math
import time
from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp

from ecop.core.grids import regular_grid
from ecop.fit.loop import FitPlan, fit_step
from ecop.signals.context import AffineGrid, Context

if TYPE_CHECKING:
    from ecop.fit.initialisation import Initialisation
    from ecop.signals.base import Signal

SAMPLE = 16_384
"""Points of the step that is timed."""


def estimate_seconds(initialisation: "Initialisation", signal: "Signal", plan: FitPlan) -> float:
    """Seconds of ``plan.total`` steps on all points of a signal, without the compilation.

    The work of a step is proportional to the points; the values do not matter for it.
    """
    recipe = initialisation.recipe
    grid = regular_grid((SAMPLE,) + (1,) * (len(signal.shape) - 1), recipe.data.grid)
    context = Context(AffineGrid.of(grid), jnp.zeros((SAMPLE, recipe.data.channels), jnp.float32))
    key, step = jax.random.key(0), jnp.asarray(0)
    jax.block_until_ready(fit_step(initialisation.field, context, plan, key, step))
    begun = time.perf_counter()
    jax.block_until_ready(fit_step(initialisation.field, context, plan, key, step))
    return (time.perf_counter() - begun) * plan.total * math.prod(signal.shape) / SAMPLE
