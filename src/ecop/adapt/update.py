"""How a gradient moves θ inside the inner loop: any pure function, differentiated by plain autodiff."""

import abc
import dataclasses
from typing import Any, Self

import equinox as eqx
import jax
from jaxtyping import Array, ArrayLike, Float, Int, PyTree

from ecop.adapt.learned_rates import LearnedRates, learned_rates
from ecop.core import trees
from ecop.core.recipe import check
from ecop.fields.base import Field

Rate = Float[ArrayLike, ""] | Field | LearnedRates
"""α: one number, or one for each leaf or element of θ; or what is learned of it, step by step."""


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


class Update(InnerUpdate):
    """An inner update that recipes know by name (``learner.update``): θ − change(gradient, step), without a state.

    Its array leaves are learned together with θ_0, stored with it, and used again at test time.
    """

    @classmethod
    @abc.abstractmethod
    def create(cls, theta: Field, *args: Any, lr: float, steps: int, **settings: Any) -> Self:
        """The update before anything is learned.

        Args:
            theta: the adapted leaves; only their shapes and types matter.
            *args: nothing; see `ecop.fields.Field.create`.
            lr: α.
            steps: K, inner steps of training; a fit may take more.
            **settings: the class's own.
        """

    @abc.abstractmethod
    def change(self, gradient: Field, step: Int[ArrayLike, ""], factor: Float[ArrayLike, ""] = 1.0) -> Field:
        """What is subtracted from θ_k.

        Args:
            gradient: ∇L(θ_k), with the structure of θ.
            step: k, from 0.
            factor: on the step's length: at test time the gradient scaling's.
        """

    @property
    def schedule(self) -> int:
        """Inner steps that differ from one another by what was learned; 0 where all are the same."""
        return 0

    def over(self, steps: int) -> Self:
        """The update for a fit of so many steps, which may be fewer than it was learned for."""
        return self

    def operations(self, theta: Field) -> float:
        """Floating-point operations of one step that do not depend on the number of points, for planning."""
        return 0.0

    def init(self, theta: Field) -> PyTree[Any]:
        """No state."""
        return ()

    def __call__(
        self, theta: Field, state: PyTree[Any], gradient: Field, step: Int[Array, ""]
    ) -> tuple[Field, PyTree[Any]]:
        """One step."""
        return trees.subtract(theta, self.change(gradient, step)), state


class AtRate(Update):
    """An update whose steps have a rate.

    Attributes:
        lr: α, one number, or a pytree of arrays like θ with a rate for each leaf or element (Meta-SGD), or learned.
    """

    lr: eqx.AbstractVar[Rate]

    @property
    def schedule(self) -> int:
        """The learned rates'."""
        return self.lr.schedule if isinstance(self.lr, LearnedRates) else 0

    def over(self, steps: int) -> Self:
        """With the rates' schedule spread over fewer steps, see `ecop.adapt.learned_rates.LearnedRates.over`."""
        return dataclasses.replace(self, lr=self.lr.over(steps)) if isinstance(self.lr, LearnedRates) else self


class GradientDescent(AtRate):
    """θ − α g.

    Attributes:
        lr: α, see `AtRate`.
    """

    lr: Rate

    @classmethod
    def create(
        cls, theta: Field, *, lr: float, steps: int, rates: str = "none", per_step: bool = False
    ) -> "GradientDescent":
        """Descent at α, of which a factor may be learned.

        Args:
            theta: the adapted leaves.
            lr: α.
            steps: K.
            rates: what has a learned rate of its own, see `ecop.adapt.learned_rates.learned_rates`.
            per_step: whether every step has its own.
        """
        return cls(learned_rates(theta, lr, steps, rates, per_step))

    def change(self, gradient: Field, step: Int[ArrayLike, ""], factor: Float[ArrayLike, ""] = 1.0) -> Field:
        """factor · α · g."""
        return at_rate(self.lr, gradient, step, factor)


def at_rate(rate: Rate, direction: Field, step: Int[ArrayLike, ""], factor: Float[ArrayLike, ""]) -> Field:
    """factor · α_k · direction."""
    alpha = rate.at(step) if isinstance(rate, LearnedRates) else rate
    if isinstance(alpha, Field):
        return jax.tree.map(lambda a, d: factor * a * d, alpha, direction)
    return trees.scale(factor * alpha, direction)


def as_update(update: Update | float) -> Update:
    """An update as it is; a number stands for gradient descent at that rate.

    Raises:
        InvalidSetting: for a rate of 0 or less.
    """
    if isinstance(update, Update):
        return update
    check(update > 0, "lr", update, "a rate above 0")
    return GradientDescent(update)
