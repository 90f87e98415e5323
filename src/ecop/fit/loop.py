"""Test time: a signal becomes a field in a handful of steps, inside one compiled loop."""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jax import lax
from jaxtyping import Array, Float, Int, PRNGKeyArray

from ecop.adapt.engine import Engine, normaliser
from ecop.adapt.rollout import Pruning
from ecop.adapt.scaling import Compared, Scaling
from ecop.core import trees
from ecop.core.recipe import check
from ecop.fields.base import Field, split_adapted
from ecop.pruning.select import highest
from ecop.signals.context import Context


class FitPlan(eqx.Module):
    """How a signal is fitted.

    Attributes:
        pruning: the kept points that the scaling compares with; every step itself learns from all points.
        scaling: the factor on each step's gradient.
        steps: trained inner steps.
        lr: α, their rate.
        limit: steps in all, at least ``steps``: those behind the trained ones are Adam's.
        adam_lr: Adam's rate.
        engine: how losses and gradients are computed.
    """

    pruning: Pruning
    scaling: Scaling
    steps: int = eqx.field(static=True)
    lr: float = eqx.field(static=True)
    limit: int = eqx.field(static=True, default=0)
    adam_lr: float = eqx.field(static=True, default=1e-4)
    engine: Engine = eqx.field(static=True, default=Engine())

    def __check_init__(self):
        check(self.steps >= 0, "steps", self.steps, "a whole number ≥ 0")
        check(self.lr > 0, "lr", self.lr, "a rate above 0")
        check(self.adam_lr > 0, "adam_lr", self.adam_lr, "a rate above 0")

    @property
    def total(self) -> int:
        """Most steps that a fit may take."""
        return max(self.steps, self.limit)


class FitInfo(NamedTuple):
    """How a fit went.

    Attributes:
        mse: L(θ_k; C) before each step and after the last, (total + 1,); NaN behind the end.
        factor: the scaling's factor at each step, (total,); NaN behind the end.
        steps: steps taken.
    """

    mse: Float[Array, "..."]
    factor: Float[Array, "..."]
    steps: Int[Array, "..."]


class Stepped(NamedTuple):
    """The gradient of one step, and what it was made of.

    Attributes:
        gradient: the scaled gradient on the full context.
        loss: L(θ_k; C).
        factor: the scale.
        kept: indices of the points that the scaling compared with; ``None`` where it compares nothing.
    """

    gradient: Field
    loss: Float[Array, ""]
    factor: Float[Array, ""]
    kept: Int[Array, "n"] | None


def fit_context(
    field: Field, context: Context, plan: FitPlan, key: PRNGKeyArray, until_mse: Float[Array, ""] | float = -1.0
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
    theta, rest = split_adapted(field)
    adam = optax.adam(plan.adam_lr)
    total = plan.total
    nothing = jnp.full(total + 1, jnp.nan, context.values.dtype)

    def going(carry):
        _, _, step, done, _, _ = carry
        return (step < total) & ~done

    def body(carry):
        theta, moments, step, _, mse, factors = carry
        stepped = scaled_gradient((theta, rest), context, plan, jax.random.fold_in(key, step), step)
        done = stepped.loss <= until_mse
        moved, moments = lax.cond(
            step < plan.steps,
            lambda: (jax.tree.map(lambda p, g: p - plan.lr * g, theta, stepped.gradient), moments),
            lambda: _adam_step(adam, theta, moments, stepped),
        )
        theta = jax.tree.map(lambda new, old: jnp.where(done, old, new), moved, theta)
        mse, factors = mse.at[step].set(stepped.loss), factors.at[step].set(jnp.where(done, jnp.nan, stepped.factor))
        return theta, moments, step + jnp.where(done, 0, 1), done, mse, factors

    start = (theta, adam.init(theta), jnp.zeros((), jnp.int32), jnp.zeros((), bool), nothing, nothing[:-1])
    theta, _, step, _, mse, factors = lax.while_loop(going, body, start)
    mse = mse.at[step].set(plan.engine.loss((theta, rest), context))
    return eqx.combine(theta, rest), FitInfo(mse, factors, step)


def scaled_gradient(
    field: tuple[Field, Field], context: Context, plan: FitPlan, key: PRNGKeyArray, step: Int[Array, ""]
) -> Stepped:
    """The full context's gradient times the scaling's factor.

    Kept and remaining points are disjoint, so that the full gradient is their weighted mean: one scoring pass and the
    two gradients are 4 forward passes' worth of work.
    """
    if not (plan.pruning.active and plan.scaling.compares):
        gradient, loss = plan.engine.gradient(field, context)
        norm = trees.norm(gradient)
        factor = plan.scaling.factor(Compared(norm, norm, loss, loss), step)
        return Stepped(trees.scale(factor, gradient), loss, factor, None)
    scores, _ = plan.engine.scores(field, context, plan.pruning.scorer, key, step)
    kept, others = highest(scores, context, plan.pruning.keep)
    kept_gradient, kept_loss = plan.engine.gradient(field, context, kept)
    other_gradient, other_loss = plan.engine.gradient(field, context, others)
    share = normaliser(context, kept) / normaliser(context, None)
    gradient = trees.add(trees.scale(share, kept_gradient), trees.scale(1 - share, other_gradient))
    loss = share * kept_loss + (1 - share) * other_loss
    factor = plan.scaling.factor(Compared(trees.norm(kept_gradient), trees.norm(gradient), kept_loss, loss), step)
    return Stepped(trees.scale(factor, gradient), loss, factor, kept)


@eqx.filter_jit
def fit_batch(
    field: Field, contexts: Context, plan: FitPlan, key: PRNGKeyArray, until_mse: Float[Array, ""]
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
    stepped = scaled_gradient((theta, rest), context, plan, jax.random.fold_in(key, step), step)
    moved = jax.tree.map(lambda p, g: p - plan.lr * g, theta, stepped.gradient)
    return eqx.combine(moved, rest), stepped


def _adam_step(adam, theta, moments, stepped):
    """Adam scales by itself, so that it is given the plain gradient."""
    gradient = trees.scale(1 / jnp.where(stepped.factor > 0, stepped.factor, 1), stepped.gradient)
    updates, moments = adam.update(gradient, moments, theta)
    return optax.apply_updates(theta, updates), moments
