"""From a recipe to the objects that train it."""

import jax
import jax.numpy as jnp
import numpy as np

from ecop.adapt.engine import Engine
from ecop.core.grids import regular_grid
from ecop.core.recipe import Recipe
from ecop.fit.settings import checked_learner
from ecop.meta.base import MetaLearner
from ecop.meta.outer import OuterLoop, adam
from ecop.signals.context import AffineGrid, Context, stack


def build_learner(recipe: Recipe, engine: Engine = Engine()) -> MetaLearner:
    """The meta-learner of a recipe.

    Raises:
        UnknownName: for a learner or a setting that does not exist.
        InvalidSetting: for a setting outside its range.
    """
    learner_class = checked_learner(recipe)
    return learner_class(**recipe.learner.settings, engine=engine)


def build_outer_loop(recipe: Recipe, engine: Engine = Engine()) -> OuterLoop:
    """Learner and optimiser; on a CPU one signal after another, elsewhere all of a batch at once."""
    signals = "scan" if jax.default_backend() == "cpu" else "vmap"
    return OuterLoop(build_learner(recipe, engine), adam(recipe.train), signals)


def batch_context(values: np.ndarray, recipe: Recipe) -> Context:
    """A batch of signals of one shape as contexts: (B, *size, channels) values in [0, 1]."""
    batch, *size, channels = values.shape
    points = AffineGrid.of(regular_grid(tuple(size), recipe.data.grid))
    return stack([Context(points, jnp.asarray(signal)) for signal in values.reshape(batch, -1, channels)])
