"""Inner rates that the outer loop learns: α exp(ρ), with ρ from 0.

One rate for all, for each layer, or for each parameter (Meta-SGD, Li et al. 2017, arXiv 1707.09835), and if wanted for
each step (MAML++, Antoniou et al. 2019, arXiv 1810.09502). A rate is positive whatever is learned, and a step of
Adam changes it by a factor, however small it is.
"""

import dataclasses
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float, Int

from ecop.core.recipe import check
from ecop.fields.base import Field

SHARED_BY = ("none", "one", "layer", "parameter")
"""What has a rate of its own: nothing; all of θ; the weights and the biases of each layer; each parameter."""


class LearnedRates(eqx.Module):
    """α_k = α exp(ρ_k).

    Attributes:
        lr: α.
        logs: ρ: one array for all of θ, or one for each of its leaves; with ``per_step`` the first axis is the step.
        per_step: whether every step has its own; steps behind the last have the last one's.
    """

    lr: float
    logs: Float[Array, "..."] | Field
    per_step: bool = eqx.field(static=True)

    def at(self, step: Int[ArrayLike, ""]) -> Any:
        """The rates of one step: an array, or a pytree of arrays like θ."""

        def rate(log: Array) -> Array:
            own = log[jnp.minimum(step, len(log) - 1)] if self.per_step else log
            return self.lr * jnp.exp(own)

        return jax.tree.map(rate, self.logs)

    @property
    def schedule(self) -> int:
        """Steps that have rates of their own; 0 where all have the same."""
        return len(jax.tree.leaves(self.logs)[0]) if self.per_step else 0

    def over(self, steps: int) -> "LearnedRates":
        """The same schedule for fewer steps than it was learned for: spread over them, from its first to its last.

        A schedule learned for 16 steps begins with some that are too long to end with. Cut off after 8, a fit on faces
        reached 24.3 dB, with the spread schedule 32.6; with as many steps or more nothing changes.
        """
        if not 0 < steps < self.schedule:
            return self
        chosen = np.round(np.linspace(0, self.schedule - 1, steps)).astype(int)
        return dataclasses.replace(self, logs=jax.tree.map(lambda log: log[chosen], self.logs))


def learned_rates(theta: Field, lr: float, steps: int, rates: str, per_step: bool) -> LearnedRates | float:
    """Rates that all are α still; the number α itself where nothing is learned.

    Args:
        theta: the adapted leaves; only their shapes and types matter.
        lr: α.
        steps: K.
        rates: ``none``; ``one`` rate for all; one for each ``layer``'s weights and one for its biases, that is for each
            array of θ; or one for each ``parameter``.
        per_step: whether each of the K steps has its own.

    Raises:
        InvalidSetting: for another sharing, or rates of each step that are not learned.

    Example:
        >>> from ecop.fields import Siren
        >>> field = Siren.create(jax.random.key(0), d_in=1, d_out=1, width=4, depth=2)
        >>> rates = learned_rates(field, 1e-2, 16, "layer", per_step=True)
        >>> rates.logs.layers[0].weight.shape
        (16,)
    """
    check(rates in SHARED_BY, "learner.update.rates", rates, f"one of {', '.join(SHARED_BY)}")
    check(rates != "none" or not per_step, "learner.update.per_step", per_step, "learner.update.rates other than none")
    if rates == "none":
        return lr
    axis = (steps,) if per_step else ()
    if rates == "one":
        return LearnedRates(lr, jnp.zeros(axis, jax.tree.leaves(theta)[0].dtype), per_step)
    own = (lambda leaf: leaf.shape) if rates == "parameter" else (lambda leaf: ())
    return LearnedRates(lr, jax.tree.map(lambda leaf: jnp.zeros(axis + own(leaf), leaf.dtype), theta), per_step)
