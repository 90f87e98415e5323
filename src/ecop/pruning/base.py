"""What every scorer offers: a number for each point, higher = keep."""

import abc
from typing import ClassVar

import equinox as eqx
from jaxtyping import Array, Float, Int, PRNGKeyArray

from ecop.fields.base import Field


class Scorer(eqx.Module):
    """Ranks the points of a context; the inner step then learns from the highest alone.

    Attributes:
        prunes: whether there is anything to rank; only `Full` has none.

    Example: a scorer of one's own, usable as ``scorer="l1"`` everywhere from then on.
        >>> import jax.numpy as jnp
        >>> from ecop.core.registry import SCORERS
        >>> class AbsoluteError(Scorer):
        ...     def score(self, field, residual, features, *, index, key, step):
        ...         return jnp.sum(jnp.abs(residual), -1)
        >>> SCORERS.register("l1", AbsoluteError)
    """

    prunes: ClassVar[bool] = True

    @abc.abstractmethod
    def score(
        self,
        field: Field,
        residual: Float[Array, "n d_out"],
        features: Float[Array, "n h"],
        *,
        index: Int[Array, "n"],
        key: PRNGKeyArray,
        step: Int[Array, ""],
    ) -> Float[Array, "n"]:
        """Scores of n points; called tile by tile, and what it does not use is not computed.

        Args:
            field: the field at this inner step.
            residual: prediction minus value.
            features: the last hidden layer.
            index: flat indices of the points in their context.
            key: a random key of this signal and inner step, the same for all its tiles.
            step: number of the inner step, from 0.

        Returns:
            Finite numbers; the result must not depend on how the points are cut into tiles.
        """
