"""The inner loop: K steps of adaptation, each on the points that the scorer ranks highest.

θ_{k+1} = θ_k − α ∇L(θ_k; C_high(θ_k)) (arXiv 2302.00617). What reverse-mode differentiation keeps of a step is θ_k and
the indices of the kept points, K·|θ| + 4·K·γM bytes in float32: the selection is not made again on the way back.
"""

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, Int, PRNGKeyArray, UInt

from ecop.adapt.engine import Engine, Errors, normaliser
from ecop.adapt.update import InnerUpdate, as_update
from ecop.core import trees
from ecop.core.recipe import check
from ecop.fields.base import Field, split_adapted
from ecop.pruning.base import Scorer
from ecop.pruning.full import Full
from ecop.pruning.sampler import Sampler
from ecop.pruning.select import common, highest, no_bits, runner_up
from ecop.signals.context import Context


class Pruning(eqx.Module):
    """Which points an inner step keeps.

    Attributes:
        scorer: ranks the points.
        keep: γ in (0, 1], the share that is kept.
        drop: q in [0, 1 − γ], the share with the highest scores that is passed over first: outliers, say.
        rescore_every: n ≥ 1: the points are chosen anew at every n-th step, and kept for those between.
    """

    scorer: Scorer
    keep: float = eqx.field(static=True)
    drop: float = eqx.field(static=True, default=0.0)
    rescore_every: int = eqx.field(static=True, default=1)

    def __check_init__(self):
        check(0 < self.keep <= 1, "keep", self.keep, "a share γ in (0, 1]")
        check(0 <= self.drop <= 1 - self.keep, "drop", self.drop, f"a share from 0 to 1 − γ = {1 - self.keep:g}")
        unbiased = isinstance(self.scorer, Sampler)
        check(self.drop == 0 or not unbiased, "drop", self.drop, "0 with a scorer whose points stand for all")
        check(self.rescore_every >= 1, "rescore_every", self.rescore_every, "a whole number ≥ 1")

    @property
    def active(self) -> bool:
        """Whether any point is left out."""
        return self.scorer.prunes and self.keep < 1


class Choice(NamedTuple):
    """The points that a step learns from.

    Attributes:
        kept: flat indices; ``None``: all points.
        bits: as a bit mask.
        importance: how much each counts, where they stand for all points; else ``None``.
        errors: of all points when they were chosen.
        overlap: share of them that the choice before held too.
    """

    kept: Int[Array, "n"] | None
    bits: UInt[Array, "words"] | None
    importance: Float[Array, "n"] | None
    errors: Errors | None
    overlap: Float[Array, ""]


class StepInfo(NamedTuple):
    """What an inner step saw, each (K,) after a rollout; for reading only.

    Attributes:
        loss: L(θ_k; C) on the full context before the step, or when points were scored last; on the kept points where
            nothing is scored.
        kept_error: the kept points' share of the full context's error, then; of points that stand for all, their
            estimate over it.
        entropy: of the errors as a distribution over the points, over log M: 1 when all points err alike.
        overlap: share of the kept points that the step before kept too.
    """

    loss: Float[Array, "*k"]
    kept_error: Float[Array, "*k"]
    entropy: Float[Array, "*k"]
    overlap: Float[Array, "*k"]


def rollout(
    field: Field,
    context: Context,
    *,
    pruning: Pruning,
    update: InnerUpdate | float,
    steps: int,
    key: PRNGKeyArray,
    engine: Engine = Engine(),
) -> tuple[Field, StepInfo, Int[Array, "k n"] | None]:
    """Adapt a field to a signal, differentiably.

    Args:
        field: the initialisation; only its adapted leaves move.
        context: the signal's points.
        pruning: which of them each step keeps, chosen anew at every step; no gradient flows through the choice.
        update: the inner update, or the rate α of gradient descent.
        steps: K ≥ 1.
        key: for scorers that draw.
        engine: low memory, or plain autodiff.

    Returns:
        The adapted field, what the steps saw, and the kept indices of each step (``None`` where all are kept).

    Raises:
        InvalidSetting: for K < 1 or γ outside (0, 1].

    Example:
        >>> from ecop.fields import Siren
        >>> from ecop.pruning import Error
        >>> from ecop.signals import point_context
        >>> field = Siren.create(jax.random.key(0), d_in=1, d_out=1, width=16, depth=3)
        >>> context = point_context(jnp.linspace(-1, 1, 20)[:, None], jnp.full((20, 1), 0.7))
        >>> adapted, info, kept = rollout(
        ...     field, context, pruning=Pruning(Error(), 0.25), update=1e-2, steps=3, key=jax.random.key(1)
        ... )
        >>> kept.shape, bool(info.loss[2] < info.loss[0])
        ((3, 5), True)
    """
    check(steps >= 1, "inner_steps", steps, "a whole number ≥ 1")
    update = update if isinstance(update, InnerUpdate) else as_update(update)
    theta, rest = split_adapted(field)
    cached = pruning.active and pruning.rescore_every > 1

    def body(carry, step):
        theta, state, before = carry
        own_key = jax.random.fold_in(key, step)
        bits = before.bits if cached else before
        new = lambda: choose((theta, rest), context, pruning, bits, own_key, step, engine)  # noqa: E731
        choice = lax.cond(step % pruning.rescore_every == 0, new, lambda: before) if cached else new()
        gradient, kept_loss = engine.gradient((theta, rest), context, choice.kept, choice.importance)
        # The update's own residuals are recomputed on the way back, so that only θ_k and the gradient are kept.
        theta, state = eqx.filter_checkpoint(update)(theta, state, gradient, step)
        return (theta, state, choice if cached else choice.bits), (saw(choice, kept_loss, context), choice.kept)

    nothing = no_bits(context.size) if pruning.active else None
    if cached:
        step = jnp.zeros((), jnp.int32)
        first = lambda: choose((theta, rest), context, pruning, nothing, key, step, engine)  # noqa: E731
        nothing = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), eqx.filter_eval_shape(first))
    start = (theta, update.init(theta), nothing)
    (theta, _, _), (info, index) = lax.scan(body, start, jnp.arange(steps))
    return eqx.combine(theta, rest), info, index


def descend(
    field: Field, context: Context, *, update: InnerUpdate | float, steps: int, engine: Engine = Engine()
) -> Field:
    """``steps`` steps on the full context, through which no gradient flows: the way to the bootstrapped target."""
    field = trees.stop_gradient(field)
    if steps == 0:
        return field
    pruning = Pruning(Full(), 1.0)
    adapted, _, _ = rollout(
        field, context, pruning=pruning, update=update, steps=steps, key=jax.random.key(0), engine=engine
    )
    return adapted


def choose(
    field: tuple[Field, Field],
    context: Context,
    pruning: Pruning,
    before: UInt[Array, "words"] | None,
    key: PRNGKeyArray,
    step: Any,
    engine: Engine,
) -> Choice:
    """The points that a step keeps; through the choice no gradient flows.

    ``before`` are the points that the step before kept; ``None`` where nothing is pruned.
    """
    if before is None:
        return Choice(None, None, None, None, jnp.ones((), context.values.dtype))
    scores, errors = engine.scores(field, context, pruning.scorer, key, step)
    selection = highest(scores, context, pruning.keep, pruning.drop)
    index, bits, importance = selection.kept, selection.bits, None
    if isinstance(pruning.scorer, Sampler):
        kept = scores.at[index].get(mode="clip")
        importance = pruning.scorer.importance(kept, runner_up(scores, selection), index=index, key=key)
    overlap = common(bits, before) / jnp.maximum(1, common(bits, bits))
    return lax.stop_gradient(Choice(index, bits, importance, errors, overlap))


def saw(choice: Choice, kept_loss: Float[Array, ""], context: Context) -> StepInfo:
    """What is to know of a step once the loss on its points is known."""
    if choice.errors is None:
        one = jnp.ones((), context.values.dtype)
        return StepInfo(kept_loss, one, jnp.nan * one, one)
    total, stands_for = choice.errors.total, choice.kept if choice.importance is None else None
    points = context.size if context.plain else jnp.sum(context.valid())
    return lax.stop_gradient(
        StepInfo(
            loss=total / normaliser(context, None),
            kept_error=kept_loss * normaliser(context, stands_for) / jnp.maximum(total, jnp.finfo(total.dtype).tiny),
            entropy=choice.errors.entropy() / jnp.log(jnp.maximum(2, points)),
            overlap=choice.overlap,
        )
    )
