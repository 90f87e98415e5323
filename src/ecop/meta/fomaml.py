"""First-order MAML (Finn et al. 2017, arXiv 1703.03400, section 5.2): the gradient at θ_K, as if it were θ_0's."""

from typing import ClassVar

import equinox as eqx
from jaxtyping import Array, Int, PRNGKeyArray

from ecop.adapt.engine import Engine
from ecop.adapt.rule import UpdateRule
from ecop.adapt.start import Start
from ecop.core import trees
from ecop.fields.base import Field, split_adapted
from ecop.meta.base import FullContextLearner, Info, step_means, value_and_gradient
from ecop.signals.context import Context


class FirstOrderMAML(FullContextLearner):
    """∇L(θ_K; C), without the derivative of the inner loop.

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
        """The gradient of the loss where the inner loop ends."""
        adapted, steps = self.adapt(trees.stop_gradient(field), context, key)

        def loss(end: Field):
            value = self.engine.loss(split_adapted(end), target)
            return value, {"loss": value, "task_loss": value, **step_means(steps)}

        (_, info), gradient = value_and_gradient(loss, adapted)
        return gradient, info
