"""The outer loop: one step of Adam on the initialisation, from the mean meta-gradient of a batch of signals.

Where the inner update has something to learn (rates), Adam moves that, too, with moments and a clip of its own.
"""

from typing import Any, Literal, cast

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jax import lax
from jaxtyping import Array, Int, PRNGKeyArray

from ecop.adapt.start import Start, learned_part, split_start
from ecop.adapt.update import Update
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
        update: the inner update, where it has arrays that are learned; else ``None``.
        update_optimiser: Adam's moments of those.
    """

    field: Field
    optimiser: optax.OptState
    step: Int[Array, ""]
    key: PRNGKeyArray
    update: Update | None = None
    update_optimiser: optax.OptState | None = None

    @property
    def start(self) -> Field | Start:
        """What the meta-gradient is taken with respect to."""
        return self.field if self.update is None else Start(self.field, self.update)


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

    def init(self, field: Field, key: PRNGKeyArray, update: Update | None = None) -> State:
        """The state before the first step, in arrays of its own, so that a step may be given them for good.

        Args:
            field: θ_0.
            key: the run's random key.
            update: the learner's inner update, with what was learned of it before; by default with nothing learned.

        Raises:
            InvalidSetting: for an update with something to learn and a learner that cannot learn it.
        """
        field = jax.tree.map(jnp.copy, field)
        state = State(field, self._moments(split_learned(field)[0]), jnp.zeros((), jnp.int32), key)
        update = self.learner.inner_update(field) if update is None else update
        learned = learned_part(update)
        if not jax.tree.leaves(learned):
            return state
        expected = (
            "an update without learned rates, or a learner that differentiates through its inner loop (ecop, maml)"
        )
        check(self.learner.differentiates, "learner.update", self.learner.update.name, expected)
        own = jax.tree.map(lambda leaf: jnp.copy(leaf) if eqx.is_array(leaf) else leaf, update)
        return State(field, state.optimiser, state.step, key, own, self._moments(learned))

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
        own, of_update = (gradient.field, gradient.update) if isinstance(gradient, Start) else (gradient, None)
        learned, rest = split_learned(state.field)
        learned, optimiser = self._moved(learned, own, state.optimiser)
        info = {**info, "gradient_norm": trees.norm(own)}
        update, moments = state.update, state.update_optimiser
        if update is not None:  # apart from the field, so that neither's length decides where the other's is clipped
            learned_update, moments = self._moved(
                learned_part(update), of_update, moments, self.learner.update.outer_factor
            )
            update = eqx.combine(learned_update, update)
            info = {**info, "update_gradient_norm": trees.norm(of_update)}
        return State(eqx.combine(learned, rest), optimiser, state.step + 1, state.key, update, moments), info

    def _moments(self, learned: Any) -> optax.OptState:
        return self.optimiser.init(cast(optax.Params, learned))  # Optax's types know no modules

    def _moved(self, learned: Any, gradient: Any, moments: Any, factor: float = 1.0) -> tuple[Any, optax.OptState]:
        """Arrays after a step of the optimiser, which is ``factor`` times as long as its own."""
        updates, moments = self.optimiser.update(gradient, moments, learned)
        updates = updates if factor == 1 else trees.scale(factor, updates)
        return optax.apply_updates(learned, updates), moments

    def gradient(self, state: State, context: Context, target: Context | None = None) -> tuple[Field | Start, Info]:
        """The mean meta-gradient of a batch, and numbers to log."""
        key = jax.random.fold_in(state.key, state.step)
        batch, start = context.values.shape[0], state.start

        def one(number, pair):
            own, aim = (pair, pair) if target is None else pair
            return self.learner.signal_gradient(start, own, aim, jax.random.fold_in(key, number), state.step)

        pairs = context if target is None else (context, target)
        if self.signals == "vmap":
            gradients, info = eqx.filter_vmap(one)(jnp.arange(batch), pairs)
            return jax.tree.map(lambda g: g.mean(0), gradients), info

        def body(total, item):
            gradient, info = one(*item)
            return trees.add(total, gradient), info

        zero = trees.zeros_like(split_start(start)[0])
        total, info = lax.scan(body, zero, (jnp.arange(batch), pairs))
        return trees.scale(1 / batch, total), info


def adam(settings: TrainSettings) -> optax.GradientTransformation:
    """Adam behind a clip of the global norm; the rate is constant, or falls along a cosine to ``final_lr``."""
    lr = settings.lr
    if settings.final_lr is not None:
        lr = optax.cosine_decay_schedule(settings.lr, settings.steps, settings.final_lr / settings.lr)
    return optax.chain(optax.clip_by_global_norm(settings.clip), optax.adam(lr))
