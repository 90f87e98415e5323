"""The inner loop: K steps of adaptation, each on the points that the scorer ranks highest.

θ_{k+1} = θ_k − α ∇L(θ_k; C_high(θ_k)) (arXiv 2302.00617). What reverse-mode differentiation keeps of a step is θ_k and
the indices of the kept points, K·|θ| + 4·K·γM bytes in float32: the selection is not made again on the way back.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, Int, PRNGKeyArray, UInt

from ecop.adapt.engine import Engine, normaliser
from ecop.adapt.update import InnerUpdate, as_update
from ecop.core import trees
from ecop.core.recipe import check
from ecop.fields.base import Field, split_adapted
from ecop.pruning.base import Scorer
from ecop.pruning.full import Full
from ecop.pruning.select import common, highest, no_bits
from ecop.signals.context import Context


class Pruning(eqx.Module):
    """Which points an inner step keeps.

    Attributes:
        scorer: ranks the points.
        keep: γ in (0, 1], the share that is kept.
    """

    scorer: Scorer
    keep: float = eqx.field(static=True)

    def __check_init__(self):
        check(0 < self.keep <= 1, "keep", self.keep, "a share γ in (0, 1]")

    @property
    def active(self) -> bool:
        """Whether any point is left out."""
        return self.scorer.prunes and self.keep < 1


class StepInfo(NamedTuple):
    """What an inner step saw, each (K,) after a rollout; for reading only.

    Attributes:
        loss: L(θ_k; C) on the full context before the step; on the kept points where nothing is scored.
        kept_error: the kept points' share of the full context's error.
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

    def body(carry, step):
        theta, state, before = carry
        own_key = jax.random.fold_in(key, step)
        index, kept, info = choose((theta, rest), context, pruning, before, own_key, step, engine)
        gradient, kept_loss = engine.gradient((theta, rest), context, index)
        # The update's own residuals are recomputed on the way back, so that only θ_k and the gradient are kept.
        theta, state = eqx.filter_checkpoint(update)(theta, state, gradient, step)
        return (theta, state, kept), (info(kept_loss), index)

    start = (theta, update.init(theta), no_bits(context.size) if pruning.active else None)
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
) -> tuple[Int[Array, "n"] | None, UInt[Array, "words"] | None, Callable[[Float[Array, ""]], StepInfo]]:
    """The points that this step keeps (indices, and as bits), and what is to know once their loss is known.

    ``before`` are the points that the step before kept; ``None`` where nothing is pruned.
    """
    if before is None:
        one = jnp.ones((), context.values.dtype)
        return None, None, lambda kept_loss: StepInfo(kept_loss, one, jnp.nan * one, one)
    scores, errors = engine.scores(field, context, pruning.scorer, key, step)
    index, _, bits = highest(scores, context, pruning.keep)
    points = context.size if context.plain else jnp.sum(context.valid())

    def info(kept_loss: Float[Array, ""]) -> StepInfo:
        kept_error = kept_loss * normaliser(context, index)
        return lax.stop_gradient(
            StepInfo(
                loss=errors.total / normaliser(context, None),
                kept_error=kept_error / jnp.maximum(errors.total, jnp.finfo(errors.total.dtype).tiny),
                entropy=errors.entropy() / jnp.log(jnp.maximum(2, points)),
                overlap=common(bits, before) / jnp.maximum(1, common(bits, bits)),
            )
        )

    return index, bits, info
