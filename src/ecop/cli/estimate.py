"""How long a large fit will take, from one step on a part of its points."""

import math
import time
from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp

from ecop.fit.initialisation import field_sizes
from ecop.fit.loop import FitPlan, fit_step
from ecop.signals.context import point_context

if TYPE_CHECKING:
    from ecop.fit.initialisation import Initialisation
    from ecop.signals.base import Signal

SAMPLE = 16_384
"""Points of the step that is timed."""


def estimate_seconds(initialisation: "Initialisation", signal: "Signal", plan: FitPlan) -> float:
    """Seconds of ``plan.total`` steps on all points of a signal, without the compilation.

    The work of a step is proportional to the points; the values do not matter for it.
    """
    points = sample_points(initialisation, signal)
    d_in, d_out = field_sizes(initialisation.recipe)
    context = point_context(jnp.zeros((points, d_in)), jnp.zeros((points, d_out)))
    key, step = jax.random.key(0), jnp.asarray(0)
    jax.block_until_ready(fit_step(initialisation.field, context, plan, key, step))
    begun = time.perf_counter()
    jax.block_until_ready(fit_step(initialisation.field, context, plan, key, step))
    axes = initialisation.field.point_axes
    return (time.perf_counter() - begun) * plan.total * math.prod(signal.shape[:axes]) / points


def sample_points(initialisation: "Initialisation", signal: "Signal") -> int:
    """Points of the step that is timed: whole frames count as many."""
    axes = initialisation.field.point_axes
    return SAMPLE if axes is None else max(1, SAMPLE // math.prod(signal.shape[axes:]))
