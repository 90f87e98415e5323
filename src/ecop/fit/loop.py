"""Test time: a signal becomes a field in a handful of steps, inside one compiled loop."""

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jax import lax
from jaxtyping import Array, ArrayLike, Bool, Float, Int, PRNGKeyArray

from ecop.adapt.engine import Engine, normaliser
from ecop.adapt.rollout import Pruning
from ecop.adapt.scaling import Compared, Scaling
from ecop.adapt.update import Update, as_update
from ecop.core import trees
from ecop.core.recipe import check
from ecop.fields.base import Field, split_adapted
from ecop.fit.head import check_head_name, solved_head
from ecop.pruning.select import highest
from ecop.signals.context import Context


class FitPlan(eqx.Module):
    """How a signal is fitted.

    Attributes:
        pruning: the kept points that the scaling compares with; every step itself learns from all points.
        scaling: the factor on each step's gradient.
        steps: trained inner steps.
        update: how a gradient moves θ in them; a number is the rate α of gradient descent.
        limit: steps in all, at least ``steps``: those behind the trained ones are Adam's.
        adam_lr: Adam's rate.
        head: ``least-squares``: behind the last step the last layer is solved for, see `ecop.fit.head`; ``steps``: not.
        engine: how losses and gradients are computed.
    """

    pruning: Pruning
    scaling: Scaling
    steps: int = eqx.field(static=True)
    update: Update = eqx.field(converter=as_update)
    limit: int = eqx.field(static=True, default=0)
    adam_lr: float = eqx.field(static=True, default=1e-4)
    head: str = eqx.field(static=True, default="steps")
    engine: Engine = eqx.field(static=True, default=Engine())

    def __check_init__(self):
        check(self.steps >= 0, "steps", self.steps, "a whole number ≥ 0")
        check(self.adam_lr > 0, "adam_lr", self.adam_lr, "a rate above 0")
        check_head_name("fit.head", self.head)

    @property
    def total(self) -> int:
        """Most steps that a fit may take."""
        return max(self.steps, self.limit)


class FitInfo(NamedTuple):
    """How a fit went.

    Attributes:
        mse: L(θ_k; C) before each step and at the end, behind a solved head, (total + 1,); NaN behind the end.
        factor: the scaling's factor at each step, (total,); NaN behind the end.
        steps: steps taken.
    """

    mse: Float[Array, "..."]
    factor: Float[Array, "..."]
    steps: Int[Array, "..."]


class Stepped(NamedTuple):
    """What one step needs, and what it was made of.

    Attributes:
        gradient: ∇L(θ_k; C), on the full context, not yet scaled.
        loss: L(θ_k; C).
        factor: the scaling's factor.
        kept: indices of the points that the scaling compared with; ``None`` where it compares nothing.
    """

    gradient: Field
    loss: Float[Array, ""]
    factor: Float[Array, ""]
    kept: Int[Array, "n"] | None


class FitState(eqx.Module):
    """A fit under way; every part of it is an array.

    Attributes:
        theta: the adapted leaves.
        moments: Adam's.
        step: steps taken.
        done: whether the loss has reached what was asked for.
        mse: as in `FitInfo`.
        factor: as in `FitInfo`.
    """

    theta: Field
    moments: optax.OptState
    step: Int[Array, ""]
    done: Bool[Array, ""]
    mse: Float[Array, "..."]
    factor: Float[Array, "..."]


def fit_context(
    field: Field, context: Context, plan: FitPlan, key: PRNGKeyArray, until_mse: Float[ArrayLike, ""] = -1.0
) -> tuple[Field, FitInfo]:
    """Fit a field to a signal.

    Args:
        field: the initialisation.
        context: the signal's points.
        plan: steps, rate and scaling.
        key: for scorers that draw.
        until_mse: stop before a step whose loss is at or below this; −1: never.

    Returns:
        The fitted field (its adapted leaves moved), and how it went.
    """
    state = start_fit(field, context, plan)
    state = advance_fit(state, field, context, plan, key, until_mse, plan.total)
    return finish_fit(state, field, context, plan)


def start_fit(field: Field, context: Context, plan: FitPlan) -> FitState:
    """The state before the first step."""
    theta, _ = split_adapted(field)
    nothing = jnp.full(plan.total + 1, jnp.nan, context.values.dtype)
    moments = _adam(plan).init(theta)
    return FitState(theta, moments, jnp.zeros((), jnp.int32), jnp.zeros((), bool), nothing, nothing[:-1])


def advance_fit(
    state: FitState,
    field: Field,
    context: Context,
    plan: FitPlan,
    key: PRNGKeyArray,
    until_mse: Float[ArrayLike, ""],
    stop: Int[ArrayLike, ""],
) -> FitState:
    """Go on until step ``stop`` (at most the plan's last), or until the loss is reached."""
    _, rest = split_adapted(field)

    def body(state: FitState) -> FitState:
        theta, step = state.theta, state.step
        stepped = compare_gradients((theta, rest), context, plan, jax.random.fold_in(key, step), step)
        done = stepped.loss <= until_mse
        new_theta, moments = lax.cond(
            step < plan.steps,
            lambda: (moved(theta, stepped, plan, step), state.moments),
            lambda: _adam_step(plan, theta, state.moments, stepped.gradient),
        )
        return FitState(
            theta=jax.tree.map(lambda new, old: jnp.where(done, old, new), new_theta, theta),
            moments=moments,
            step=step + jnp.where(done, 0, 1),
            done=done,
            mse=state.mse.at[step].set(stepped.loss),
            factor=state.factor.at[step].set(jnp.where(done, jnp.nan, stepped.factor)),
        )

    stop = jnp.minimum(stop, plan.total)
    return lax.while_loop(lambda state: (state.step < stop) & ~state.done, body, state)


def finish_fit(state: FitState, field: Field, context: Context, plan: FitPlan) -> tuple[Field, FitInfo]:
    """The fitted field, with its head solved for where the plan says so, and its loss."""
    theta, (_, rest) = state.theta, split_adapted(field)
    if plan.head == "least-squares":
        theta = solved_head((theta, rest), context, plan.engine)
    mse = state.mse.at[state.step].set(plan.engine.loss((theta, rest), context))
    return eqx.combine(theta, rest), FitInfo(mse, state.factor, state.step)


def compare_gradients(
    field: tuple[Field, Field], context: Context, plan: FitPlan, key: PRNGKeyArray, step: Int[Array, ""]
) -> Stepped:
    """The full context's gradient and the scaling's factor for it.

    Kept and remaining points are disjoint, so that the full gradient is their weighted mean: one scoring pass and the
    two gradients are 4 forward passes' worth of work.
    """
    if not (plan.pruning.active and plan.scaling.compares):
        gradient, loss = plan.engine.gradient(field, context)
        norm = trees.norm(gradient)
        factor = plan.scaling.factor(Compared(norm, norm, loss, loss), step)
        return Stepped(gradient, loss, factor, None)
    scores, _ = plan.engine.scores(field, context, plan.pruning.scorer, key, step)
    kept, others, _ = highest(scores, context, plan.pruning.keep, plan.pruning.drop)
    kept_gradient, kept_loss = plan.engine.gradient(field, context, kept)
    other_gradient, other_loss = plan.engine.gradient(field, context, others)
    share = normaliser(context, kept) / normaliser(context, None)
    gradient = trees.add(trees.scale(share, kept_gradient), trees.scale(1 - share, other_gradient))
    loss = share * kept_loss + (1 - share) * other_loss
    factor = plan.scaling.factor(Compared(trees.norm(kept_gradient), trees.norm(gradient), kept_loss, loss), step)
    return Stepped(gradient, loss, factor, kept)


@eqx.filter_jit
def fit_batch(
    field: Field, contexts: Context, plan: FitPlan, key: PRNGKeyArray, until_mse: Float[ArrayLike, ""]
) -> tuple[Field, FitInfo]:
    """`fit_context` for B signals, one after another in the memory of one; every result has a leading axis of B.

    ``field`` is one initialisation for all. Every signal draws from its own key.
    """

    def one(item):
        number, context = item
        fitted, info = fit_context(field, context, plan, jax.random.fold_in(key, number), until_mse)
        return split_adapted(fitted)[0], info

    theta, info = lax.map(one, (jnp.arange(contexts.values.shape[0]), contexts))
    return theta, info


@eqx.filter_jit
def fit_step(
    field: Field, context: Context, plan: FitPlan, key: PRNGKeyArray, step: Int[Array, ""]
) -> tuple[Field, Stepped]:
    """One trained step by itself, for those who want to look at every one: the next field, and what it was made of.

    `fit_context` takes the same steps; ``key`` is the fit's.
    """
    theta, rest = split_adapted(field)
    stepped = compare_gradients((theta, rest), context, plan, jax.random.fold_in(key, step), step)
    return eqx.combine(moved(theta, stepped, plan, step), rest), stepped


def moved(theta: Field, stepped: Stepped, plan: FitPlan, step: Int[Array, ""]) -> Field:
    """θ_k − factor · change(∇L), which is θ_k − α · factor · ∇L for gradient descent."""
    return trees.subtract(theta, plan.update.change(stepped.gradient, step, stepped.factor))


def _adam(plan: FitPlan) -> Any:
    # optax's own types for parameters do not admit a module
    return optax.adam(plan.adam_lr)


def _adam_step(plan, theta, moments, gradient):
    """Adam scales by itself, so that the factor is left out."""
    updates, moments = _adam(plan).update(gradient, moments, theta)
    return optax.apply_updates(theta, updates), moments
