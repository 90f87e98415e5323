"""How a gradient moves θ inside the inner loop: any pure function, differentiated by plain autodiff."""

import abc
from typing import Any

import equinox as eqx
import jax
from jaxtyping import Array, Float, Int, PyTree

from ecop.fields.base import Field


class InnerUpdate(eqx.Module):
    """θ, state, gradient → θ, state. Array leaves (rates, say) may themselves be differentiated and learned."""

    @abc.abstractmethod
    def init(self, theta: Field) -> PyTree[Any]:
        """The state before the first step."""

    @abc.abstractmethod
    def __call__(
        self, theta: Field, state: PyTree[Any], gradient: Field, step: Int[Array, ""]
    ) -> tuple[Field, PyTree[Any]]:
        """One step."""


class GradientDescent(InnerUpdate):
    """θ − α g.

    Attributes:
        lr: α, one number, or a pytree of arrays like θ with a rate for each leaf or element (Meta-SGD).
    """

    lr: Float[Array, ""] | float | Field

    def init(self, theta: Field) -> PyTree[Any]:
        """No state."""
        return ()

    def __call__(
        self, theta: Field, state: PyTree[Any], gradient: Field, step: Int[Array, ""]
    ) -> tuple[Field, PyTree[Any]]:
        """One step of gradient descent."""
        if isinstance(self.lr, Field):
            return jax.tree.map(lambda p, a, g: p - a * g, theta, self.lr, gradient), state
        return jax.tree.map(lambda p, g: p - self.lr * g, theta, gradient), state
