"""The outer loop: one step of Adam on the initialisation, from the mean meta-gradient of a batch of signals."""

from typing import Literal, cast

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jax import lax
from jaxtyping import Array, Int, PRNGKeyArray

from ecop.core import trees
from ecop.core.recipe import TrainSettings, check
from ecop.fields.base import Field, split_learned
from ecop.meta.base import Info, MetaLearner
from ecop.signals.context import Context


class State(eqx.Module):
    """All that training changes; save it and a run goes on to the bit.

    Attributes:
        field: the initialisation θ_0.
        optimiser: Adam's moments.
        step: outer steps done.
        key: the run's random key; step and signal numbers are folded in, so it never changes.
    """

    field: Field
    optimiser: optax.OptState
    step: Int[Array, ""]
    key: PRNGKeyArray


class OuterLoop(eqx.Module):
    """A meta-learner, an optimiser, and how a batch is walked through.

    Attributes:
        learner: gives each signal's meta-gradient.
        optimiser: turns their mean into an update.
        signals: ``scan``: one signal after another, in the memory of one; ``vmap``: all at once.
    """

    learner: MetaLearner
    optimiser: optax.GradientTransformation = eqx.field(static=True)
    signals: Literal["scan", "vmap"] = eqx.field(static=True, default="scan")

    def __check_init__(self):
        check(self.signals in ("scan", "vmap"), "signals", self.signals, "'scan' or 'vmap'")

    def init(self, field: Field, key: PRNGKeyArray) -> State:
        """The state before the first step, in arrays of its own, so that a step may be given them for good."""
        field = jax.tree.map(jnp.copy, field)
        learned = cast(optax.Params, split_learned(field)[0])
        return State(field, self.optimiser.init(learned), jnp.zeros((), jnp.int32), key)

    def step(self, state: State, context: Context, target: Context | None = None) -> tuple[State, Info]:
        """One outer step.

        Args:
            state: where training stands.
            context: B signals, every array with a leading axis of B.
            target: likewise, what the outer loss is measured on; the contexts by default.

        Returns:
            The next state; numbers to log, (B,) each, beside ``gradient_norm``, ().
        """
        gradient, info = self.gradient(state, context, target)
        learned, rest = split_learned(state.field)
        learned, gradient = cast(optax.Params, learned), cast(optax.Updates, gradient)  # Optax's types know no modules
        updates, optimiser = self.optimiser.update(gradient, state.optimiser, learned)
        field = cast(Field, eqx.combine(optax.apply_updates(learned, updates), rest))
        info = {**info, "gradient_norm": trees.norm(gradient)}
        return State(field, optimiser, state.step + 1, state.key), info

    def gradient(self, state: State, context: Context, target: Context | None = None) -> tuple[Field, Info]:
        """The mean meta-gradient of a batch, and numbers to log."""
        key = jax.random.fold_in(state.key, state.step)
        batch = context.values.shape[0]

        def one(number, pair):
            own, aim = (pair, pair) if target is None else pair
            return self.learner.signal_gradient(state.field, own, aim, jax.random.fold_in(key, number), state.step)

        pairs = context if target is None else (context, target)
        if self.signals == "vmap":
            gradients, info = eqx.filter_vmap(one)(jnp.arange(batch), pairs)
            return jax.tree.map(lambda g: g.mean(0), gradients), info

        def body(total, item):
            gradient, info = one(*item)
            return trees.add(total, gradient), info

        zero = trees.zeros_like(split_learned(state.field)[0])
        total, info = lax.scan(body, zero, (jnp.arange(batch), pairs))
        return trees.scale(1 / batch, total), info


def adam(settings: TrainSettings) -> optax.GradientTransformation:
    """Adam behind a clip of the global norm; the rate is constant, or falls along a cosine to ``final_lr``."""
    lr = settings.lr
    if settings.final_lr is not None:
        lr = optax.cosine_decay_schedule(settings.lr, settings.steps, settings.final_lr / settings.lr)
    return optax.chain(optax.clip_by_global_norm(settings.clip), optax.adam(lr))
