"""ECoP and GradNCP: context-pruned meta-learning with a bootstrapped correction (arXiv 2302.00617)."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray

from ecop.adapt.engine import Engine
from ecop.adapt.rollout import Pruning, descend
from ecop.adapt.rule import UpdateRule
from ecop.adapt.start import Start
from ecop.core import trees
from ecop.core.recipe import check
from ecop.fields.base import Field, split_adapted
from ecop.fit.head import check_head_name
from ecop.meta.base import Info, MetaLearner, pruning_of, step_means, task_loss, value_and_gradient
from ecop.signals.context import Context


class ECoP(MetaLearner):
    """Minimises L(θ_K; C) + λ ‖θ_K − sg(θ_boot)‖₂, second order, over pruned inner loops.

    θ_K is reached from θ_0 by K steps on the kept points, θ_boot from θ_K (gradient stopped) by L steps on all. With
    ``scorer="error"`` this is ECoP, with ``"last_layer"`` GradNCP, with ``"random"`` their baseline. With
    ``head="least-squares"`` both terms are those of θ_K with the best last layer for its features, as a fit ends.

    Attributes:
        inner_steps: K.
        inner_lr: α.
        update: how a gradient moves θ in the inner loop.
        keep: γ, the share of points kept.
        scorer: name of the scorer, with its argument behind a colon where it has one.
        drop: q, the share of points with the highest scores that is passed over first.
        rescore_every: the points are chosen anew at every n-th inner step.
        bootstrap_steps: L; 0: no bootstrap term.
        bootstrap_lr: α_boot.
        bootstrap_weight: λ; 0: no bootstrap term.
        bootstrap_every: the term is part of every n-th outer step.
        head: how the last layer is found that the outer loss is measured with, ``steps`` or ``least-squares``.
        engine: how losses and gradients are computed.
    """

    inner_steps: int = eqx.field(static=True, default=16)
    inner_lr: float = eqx.field(static=True, default=1e-2)
    update: UpdateRule = eqx.field(static=True, default=UpdateRule(), converter=UpdateRule.of)
    keep: float = eqx.field(static=True, default=0.25)
    scorer: str = eqx.field(static=True, default="error")
    drop: float = eqx.field(static=True, default=0.0)
    rescore_every: int = eqx.field(static=True, default=1)
    bootstrap_steps: int = eqx.field(static=True, default=5)
    bootstrap_lr: float = eqx.field(static=True, default=5e-2)
    bootstrap_weight: float = eqx.field(static=True, default=100.0)
    bootstrap_every: int = eqx.field(static=True, default=1)
    head: str = eqx.field(static=True, default="steps")
    engine: Engine = eqx.field(static=True, default=Engine())

    def __check_init__(self):
        _ = self.pruning  # which checks its own settings
        check(self.bootstrap_steps >= 0, "bootstrap_steps", self.bootstrap_steps, "a whole number ≥ 0")
        check(self.bootstrap_lr > 0, "bootstrap_lr", self.bootstrap_lr, "a rate above 0")
        check(self.bootstrap_weight >= 0, "bootstrap_weight", self.bootstrap_weight, "a weight ≥ 0")
        check(self.bootstrap_every >= 1, "bootstrap_every", self.bootstrap_every, "a whole number ≥ 1")
        check_head_name("learner.head", self.head)

    @property
    def pruning(self) -> Pruning:
        """The scorer, γ, and how the points are chosen."""
        return pruning_of(self.scorer, self.keep, self.drop, self.rescore_every)

    def signal_gradient(
        self, field: Field | Start, context: Context, target: Context, key: PRNGKeyArray, step: Int[Array, ""]
    ) -> tuple[Field | Start, Info]:
        """The second-order meta-gradient of the outer loss."""
        (_, info), gradient = value_and_gradient(lambda f: self.loss(f, context, target, key, step), field)
        return gradient, info

    def loss(
        self, field: Field | Start, context: Context, target: Context, key: PRNGKeyArray, step: Int[Array, ""]
    ) -> tuple[Float[Array, ""], Info]:
        """The outer loss of one signal, and numbers to log."""
        adapted, steps = self.adapt(field, context, key)
        own_loss, adapted = task_loss(self.engine, adapted, target, self.head)
        info = {"task_loss": own_loss, **step_means(steps)}
        if self.bootstrap_steps == 0 or self.bootstrap_weight == 0:
            return own_loss, {"loss": own_loss, **info}
        distance, target_loss = jax.lax.cond(
            step % self.bootstrap_every == 0,
            lambda: self.bootstrap(adapted, context, target),
            lambda: (jnp.zeros_like(own_loss), jnp.full_like(own_loss, jnp.nan)),
        )
        loss = own_loss + self.bootstrap_weight * distance
        return loss, {"loss": loss, "distance": distance, "target_loss": target_loss, **info}

    def bootstrap(self, adapted: Field, context: Context, target: Context) -> tuple[Float[Array, ""], Float[Array, ""]]:
        """‖θ_K − sg(θ_boot)‖₂ over all adapted parameters together, and L(θ_boot) on the target."""
        boot = descend(
            adapted, context, update=self.bootstrap_lr, steps=self.bootstrap_steps, engine=self.engine
        )  # fmt: skip
        theta, boot_theta = split_adapted(adapted), split_adapted(trees.stop_gradient(boot))
        distance = trees.norm(trees.subtract(theta[0], boot_theta[0]))
        return distance, jax.lax.stop_gradient(self.engine.loss(boot_theta, target))
