"""Reptile (Nichol et al. 2018, arXiv 1803.02999): move the initialisation towards where the inner loop ends."""

from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Int, PRNGKeyArray

from ecop.adapt.engine import Engine
from ecop.adapt.rule import UpdateRule
from ecop.adapt.start import Start
from ecop.core import trees
from ecop.fields.base import Field, split_adapted
from ecop.meta.base import FullContextLearner, Info, step_means
from ecop.signals.context import Context


class Reptile(FullContextLearner):
    """(θ_0 − θ_K) / α as the gradient; leaves that the inner loop does not move stay as they are.

    Attributes:
        inner_steps: K.
        inner_lr: α.
        update: how a gradient moves θ in the inner loop.
        engine: how losses and gradients are computed.
    """

    differentiates: ClassVar[bool] = False

    inner_steps: int = eqx.field(static=True, default=16)
    inner_lr: float = eqx.field(static=True, default=1e-2)
    update: UpdateRule = eqx.field(static=True, default=UpdateRule(), converter=UpdateRule.of)
    engine: Engine = eqx.field(static=True, default=Engine())

    def signal_gradient(
        self, field: Field | Start, context: Context, target: Context, key: PRNGKeyArray, step: Int[Array, ""]
    ) -> tuple[Field | Start, Info]:
        """The way back from θ_K to θ_0, over the rate."""
        adapted, steps = self.adapt(trees.stop_gradient(field), context, key)
        loss = self.engine.loss(split_adapted(adapted), target)
        assert isinstance(field, Field), "what cannot be learned is refused before"
        roles = field.roles()
        gradient = jax.tree.map(
            lambda start, end, moved: (start - end) / self.inner_lr if moved else jnp.zeros_like(start),
            field, adapted, roles.adapted,
        )  # fmt: skip
        return eqx.filter(gradient, roles.learned), {"loss": loss, "task_loss": loss, **step_means(steps)}
