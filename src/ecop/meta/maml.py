"""Second-order MAML on the full context (Finn et al. 2017, arXiv 1703.03400); for neural fields: Learnit."""

import equinox as eqx
from jaxtyping import Array, Float, Int, PRNGKeyArray

from ecop.adapt.engine import Engine
from ecop.adapt.rule import UpdateRule
from ecop.adapt.start import Start
from ecop.fields.base import Field
from ecop.fit.head import check_head_name
from ecop.meta.base import FullContextLearner, Info, step_means, task_loss, value_and_gradient
from ecop.signals.context import Context


class MAML(FullContextLearner):
    """Minimises L(θ_K; C), differentiating through all K full-context steps (Learnit: Tancik et al. 2021).

    Attributes:
        inner_steps: K.
        inner_lr: α.
        update: how a gradient moves θ in the inner loop.
        head: how the last layer is found that the outer loss is measured with, ``steps`` or ``least-squares``.
        engine: how losses and gradients are computed.
    """

    inner_steps: int = eqx.field(static=True, default=4)
    inner_lr: float = eqx.field(static=True, default=1e-2)
    update: UpdateRule = eqx.field(static=True, default=UpdateRule(), converter=UpdateRule.of)
    head: str = eqx.field(static=True, default="steps")
    engine: Engine = eqx.field(static=True, default=Engine())

    def __check_init__(self):
        check_head_name("learner.head", self.head)

    def signal_gradient(
        self, field: Field | Start, context: Context, target: Context, key: PRNGKeyArray, step: Int[Array, ""]
    ) -> tuple[Field | Start, Info]:
        """The second-order meta-gradient."""
        (_, info), gradient = value_and_gradient(lambda f: self.loss(f, context, target, key), field)
        return gradient, info

    def loss(
        self, field: Field | Start, context: Context, target: Context, key: PRNGKeyArray
    ) -> tuple[Float[Array, ""], Info]:
        """L(θ_K; C), and numbers to log."""
        adapted, steps = self.adapt(field, context, key)
        loss, _ = task_loss(self.engine, adapted, target, self.head)
        return loss, {"loss": loss, "task_loss": loss, **step_means(steps)}
