"""Scores with random noise in them, so that the highest of them are a draw."""

import abc

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray

from ecop.core.recipe import check
from ecop.pruning.base import Scorer


class Sampler(Scorer):
    """A scorer whose kept points stand for all of them: each counts by one over the probability that it is kept.

    The weighted mean of the kept gradients over all points is then, on average over the draws, the gradient on all.
    """

    @abc.abstractmethod
    def importance(
        self, scores: Float[Array, "n"], bound: Float[Array, ""], *, index: Int[Array, "n"], key: PRNGKeyArray
    ) -> Float[Array, "n"]:
        """How much each kept point counts.

        Args:
            scores: of the kept points.
            bound: the highest score that is not kept; −∞ where all are.
            index: flat indices of the kept points.
            key: the one that `score` was given.
        """


class Importance(Sampler):
    """A draw without replacement in proportion to the norm of each point's last-layer gradient, made unbiased.

    The n highest of log p_j + G_j, G_j Gumbel noise, are such a draw (Gumbel-top-k, Kool et al. 2019, arXiv
    1903.06059). Given the highest score κ that is not kept, a point is kept with probability
    1 − exp(−exp(log p_j − κ)), and one over it is its weight (priority sampling, Duffield et al. 2007).
    """

    def score(self, field, residual, features, *, index, key, step):
        """The logarithm of the norm, and noise."""
        return logarithm(field.head_gradient_norm(residual, features)) + gumbel(index, key, residual.dtype)

    def importance(self, scores, bound, *, index, key):
        """1 / (1 − exp(−exp(log p − κ)))."""
        return -1 / jnp.expm1(-jnp.exp(scores - gumbel(index, key, scores.dtype) - bound))


class Soft(Scorer):
    """log ‖f(x_j) − y_j‖² + T G_j: the highest errors for T = 0, any points for a large T.

    For T = 1 a draw without replacement in proportion to the error. As a name ``soft:0.5`` for T = 0.5.

    Attributes:
        temperature: T ≥ 0.
    """

    temperature: float = eqx.field(static=True, default=1.0, converter=float)

    def __check_init__(self):
        check(0 <= self.temperature < float("inf"), "temperature", self.temperature, "a number ≥ 0")

    def score(self, field, residual, features, *, index, key, step):
        """The logarithm of the squared error, and noise."""
        return logarithm(jnp.sum(residual**2, -1)) + self.temperature * gumbel(index, key, residual.dtype)


def logarithm(numbers: Float[Array, "n"]) -> Float[Array, "n"]:
    """log, finite for 0."""
    return jnp.log(jnp.maximum(numbers, jnp.finfo(numbers.dtype).tiny))


def gumbel(index: Int[Array, "n"], key: PRNGKeyArray, dtype: jnp.dtype) -> Float[Array, "n"]:
    """A draw a point from its own key: the same however the points are tiled."""
    return jax.vmap(lambda i: jax.random.gumbel(jax.random.fold_in(key, i), dtype=dtype))(index)
