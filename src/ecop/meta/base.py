"""What every meta-learner offers: the meta-gradient of one signal. The outer loop around it is `ecop.meta.outer`."""

import abc
from typing import Any, ClassVar

import equinox as eqx
import jax
from jaxtyping import Array, Float, Int, PRNGKeyArray

from ecop.adapt.engine import Engine
from ecop.adapt.rollout import Pruning, StepInfo, rollout
from ecop.adapt.rule import UpdateRule
from ecop.adapt.start import Start, split_start
from ecop.adapt.update import Update
from ecop.core.recipe import check
from ecop.fields.base import Field, split_adapted
from ecop.fit.head import loss_behind_head
from ecop.pruning.naming import parse_scorer
from ecop.signals.context import Context

Info = dict[str, Float[Array, "..."]]
"""Numbers to log, by name: ``loss`` always, the others as the learner has them."""


class MetaLearner(eqx.Module):
    """Says in which direction one signal wants to move the initialisation.

    Attributes:
        engine: how losses and gradients are computed.
        inner_steps: K, inner steps of training.
        inner_lr: α, the inner rate.
        update: how a gradient moves θ in the inner loop.
        differentiates: whether the meta-gradient is taken through the inner loop, so that what the update has to learn
            gets one too.
    """

    differentiates: ClassVar[bool] = True

    engine: eqx.AbstractVar[Engine]
    inner_steps: eqx.AbstractVar[int]
    inner_lr: eqx.AbstractVar[float]
    update: eqx.AbstractVar[UpdateRule]

    def __check_init__(self):
        check(self.inner_steps >= 1, "inner_steps", self.inner_steps, "a whole number ≥ 1")
        check(self.inner_lr > 0, "inner_lr", self.inner_lr, "a rate above 0")

    @abc.abstractmethod
    def signal_gradient(
        self, field: Field | Start, context: Context, target: Context, key: PRNGKeyArray, step: Int[Array, ""]
    ) -> tuple[Field | Start, Info]:
        """The meta-gradient of one signal.

        Args:
            field: the initialisation; together with its update, where that has something to learn.
            context: the points that the inner loop learns from.
            target: the points that the outer loss is measured on; the same object as ``context`` unless disjoint.
            key: a random key of this signal and outer step.
            step: number of the outer step, from 0.

        Returns:
            A gradient for each learned leaf of ``field`` (``None`` for the others), and numbers to log.
        """

    @property
    @abc.abstractmethod
    def pruning(self) -> Pruning:
        """Which points an inner step keeps; at test time, what the gradient scaling compares with."""

    def inner_update(self, field: Field) -> Update:
        """The inner update of a field, before anything is learned of it."""
        return self.update.create(split_adapted(field)[0], self.inner_lr, self.inner_steps)

    def adapt(self, field: Field | Start, context: Context, key: PRNGKeyArray) -> tuple[Field, StepInfo]:
        """The inner loop: K steps at rate α, differentiable; the field at θ_K and what the steps saw."""
        field, update = (field.field, field.update) if isinstance(field, Start) else (field, self.inner_update(field))
        adapted, info, _ = rollout(
            field, context, pruning=self.pruning, update=update, steps=self.inner_steps, key=key, engine=self.engine
        )
        return adapted, info


class FullContextLearner(MetaLearner):
    """A learner whose inner loop learns from every point."""

    @property
    def pruning(self) -> Pruning:
        """Nothing is pruned."""
        return pruning_of("full", 1.0)


def pruning_of(scorer: str, keep: float, drop: float = 0.0, rescore_every: int = 1) -> Pruning:
    """A pruning from a scorer's text, see `ecop.pruning.parse_scorer`.

    Raises:
        UnknownName: for a scorer that is not registered.
        InvalidSetting: for a setting outside its range.
    """
    return Pruning(parse_scorer(scorer), float(keep), float(drop), rescore_every)


def step_means(info: StepInfo) -> Info:
    """The inner loop's diagnostics: the loss before the first step, and means over the steps."""
    return {
        "initial_loss": info.loss[0],
        "kept_error": info.kept_error.mean(),
        "entropy": info.entropy.mean(),
        "overlap": info.overlap[1:].mean() if info.overlap.shape[0] > 1 else info.overlap[0],
    }


def task_loss(engine: Engine, adapted: Field, target: Context, head: str) -> tuple[Float[Array, ""], Field]:
    """The loss of the adapted field, and the field that it is the loss of.

    Args:
        engine: how it is computed.
        adapted: the field at θ_K.
        target: the points.
        head: ``steps``: L(θ_K) as it is; ``least-squares``: behind the best last layer for its features, see
            `ecop.fit.head.loss_behind_head`; through that layer itself no gradient flows.
    """
    theta, rest = split_adapted(adapted)
    if head == "steps":
        return engine.loss((theta, rest), target), adapted
    loss, theta = loss_behind_head((theta, rest), target, engine)
    return loss, eqx.combine(theta, rest)


def value_and_gradient(loss: Any, field: Field | Start) -> tuple[tuple[Float[Array, ""], Any], Any]:
    """``loss(field) -> (value, aux)`` and its gradient with respect to the learned leaves alone."""
    learned, rest = split_start(field)
    return jax.value_and_grad(lambda part: loss(eqx.combine(part, rest)), has_aux=True)(learned)
