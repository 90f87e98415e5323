"""Test-time gradient scaling: the full context's gradient, given the length that training's pruned gradient had.

Training steps on the points with the highest error, whose mean gradient is longer than that of all points; a step on
the full context at test time would be too short (arXiv 2302.00617, section on gradient scaling).
"""

import abc
from typing import ClassVar, NamedTuple

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from ecop.core.errors import InvalidSetting
from ecop.core.registry import SCALINGS


class Compared(NamedTuple):
    """The two gradients at θ_k that a scaling compares: on the kept points and on all.

    Attributes:
        kept_norm: ‖∇L(θ_k; C_high)‖₂.
        full_norm: ‖∇L(θ_k; C)‖₂.
        kept_loss: L(θ_k; C_high).
        full_loss: L(θ_k; C).
    """

    kept_norm: Float[Array, ""]
    full_norm: Float[Array, ""]
    kept_loss: Float[Array, ""]
    full_loss: Float[Array, ""]


class Scaling(eqx.Module):
    """The factor by which a test-time gradient on the full context is multiplied.

    Attributes:
        compares: whether the factor needs the kept points at all; without them a step costs a quarter less.
    """

    compares: ClassVar[bool] = True

    @abc.abstractmethod
    def factor(self, compared: Compared, step: Int[Array, ""]) -> Float[Array, ""]:
        """The factor at inner step ``step`` (from 0)."""


class Norm(Scaling):
    """‖∇L(θ_k; C_high)‖ / ‖∇L(θ_k; C)‖, the paper's; 0/0 is 1."""

    def factor(self, compared: Compared, step: Int[Array, ""]) -> Float[Array, ""]:
        """The ratio of the norms."""
        return ratio(compared.kept_norm, compared.full_norm)


class Unscaled(Scaling):
    """1: plain gradient descent on the full context."""

    compares: ClassVar[bool] = False

    def factor(self, compared: Compared, step: Int[Array, ""]) -> Float[Array, ""]:
        """One."""
        return jnp.ones_like(compared.full_loss)


class Warmup(Scaling):
    """The ratio of the norms for the first n steps, then 1."""

    steps: int = eqx.field(static=True, converter=int)

    def __check_init__(self):
        if self.steps < 0:
            raise ValueError("steps must be 0 or more")

    def factor(self, compared: Compared, step: Int[Array, ""]) -> Float[Array, ""]:
        """The ratio, or one."""
        return jnp.where(step < self.steps, ratio(compared.kept_norm, compared.full_norm), 1)


class LossRatio(Scaling):
    """sqrt(L(θ_k; C_high) / L(θ_k; C)): needs no gradient on the kept points."""

    def factor(self, compared: Compared, step: Int[Array, ""]) -> Float[Array, ""]:
        """The root of the ratio of the losses."""
        return jnp.sqrt(ratio(compared.kept_loss, compared.full_loss))


class Constant(Scaling):
    """The same factor c at every step."""

    compares: ClassVar[bool] = False
    value: float = eqx.field(static=True, converter=float)

    def __check_init__(self):
        if not 0 < self.value < float("inf"):
            raise ValueError("the factor must be above 0")

    def factor(self, compared: Compared, step: Int[Array, ""]) -> Float[Array, ""]:
        """c."""
        return jnp.full_like(compared.full_loss, self.value)


def ratio(kept: Float[Array, ""], full: Float[Array, ""]) -> Float[Array, ""]:
    """kept / full, where 0/0 is 1."""
    return jnp.where(full > 0, kept / jnp.where(full > 0, full, 1), 1)


def parse_scaling(text: str) -> Scaling:
    """A scaling from its name, with its argument behind a colon: ``norm``, ``none``, ``warmup:4``, ``constant:1.5``.

    Raises:
        UnknownName: for a name that is not registered.
        InvalidSetting: for an argument that is missing, superfluous or not a number.

    Example:
        >>> parse_scaling("constant:1.5").value
        1.5
    """
    name, colon, argument = text.partition(":")
    scaling = SCALINGS[name]
    try:
        return scaling(argument) if colon else scaling()
    except (TypeError, ValueError):
        expected = "a number behind the colon, as in warmup:4 or constant:1.5, and none for the others"
        raise InvalidSetting("scaling", text, expected) from None
