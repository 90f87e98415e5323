"""The meta-gradient against central differences of the outer loss, in float64."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ecop.adapt import Engine, descend, rollout
from ecop.core import trees
from ecop.fields.base import split_adapted
from ecop.meta import ECoP

pytestmark = pytest.mark.usefixtures("float64")
LEARNER = ECoP(inner_steps=3, inner_lr=0.02, keep=0.3, bootstrap_steps=2, bootstrap_weight=3.0, engine=Engine(tile=8))


@eqx.filter_jit
def adapted(field, context):
    return rollout(
        field, context, pruning=LEARNER.pruning, update=LEARNER.inner_lr, steps=LEARNER.inner_steps,
        key=jax.random.key(0), engine=LEARNER.engine,
    )[0]  # fmt: skip


def test_second_order_gradient_with_a_fixed_target(small_field, scattered):
    """The bootstrapped target is a constant to the gradient, hence it is one here: computed once, at the middle."""
    field, context = small_field(), scattered(29)
    engine, key = LEARNER.engine, jax.random.key(0)
    gradient, _ = eqx.filter_jit(LEARNER.signal_gradient)(field, context, context, key, jnp.asarray(0))
    target = descend(
        adapted(field, context), context, update=LEARNER.bootstrap_lr, steps=LEARNER.bootstrap_steps, engine=engine
    )

    @jax.jit
    def outer_loss(end):
        distance = trees.norm(trees.subtract(end, target))
        return engine.loss(split_adapted(end), context) + LEARNER.bootstrap_weight * distance

    rng, step = np.random.default_rng(0), 1e-6
    for _ in range(4):
        direction = jax.tree.map(lambda leaf: jnp.asarray(rng.normal(size=leaf.shape)), field)
        ends = [adapted(trees.add(field, trees.scale(sign * step, direction)), context) for sign in (1, -1)]
        difference = (outer_loss(ends[0]) - outer_loss(ends[1])) / (2 * step)
        slope = sum(jnp.vdot(g, d) for g, d in zip(*map(jax.tree.leaves, (gradient, direction)), strict=True))
        np.testing.assert_allclose(difference, slope, rtol=1e-6)
