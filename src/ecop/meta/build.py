"""From a recipe to the objects that train it."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ecop.adapt.engine import Engine
from ecop.core.errors import InvalidSetting, UnknownName
from ecop.core.grids import regular_grid
from ecop.core.recipe import FitSettings, Recipe
from ecop.core.registry import LEARNERS
from ecop.meta.base import MetaLearner
from ecop.meta.outer import OuterLoop, adam
from ecop.signals.context import AffineGrid, Context


def build_learner(recipe: Recipe, engine: Engine = Engine()) -> MetaLearner:
    """The meta-learner of a recipe.

    Raises:
        UnknownName: for a learner or a setting that does not exist.
        InvalidSetting: for a setting outside its range.
    """
    learner_class = LEARNERS[recipe.learner.name]
    known = tuple(name for name in learner_class.__dataclass_fields__ if name != "engine")
    for name, value in recipe.learner.settings.items():
        if name not in known:
            raise UnknownName(f"setting of the learner {recipe.learner.name!r}", name, known)
        _check_kind(f"learner.{name}", value, learner_class.__dataclass_fields__[name].default)
    return learner_class(**recipe.learner.settings, engine=engine)


def build_outer_loop(recipe: Recipe, engine: Engine = Engine()) -> OuterLoop:
    """Learner and optimiser; on a CPU one signal after another, elsewhere all of a batch at once."""
    signals = "scan" if jax.default_backend() == "cpu" else "vmap"
    return OuterLoop(build_learner(recipe, engine), adam(recipe.train), signals)


def resolved_fit(recipe: Recipe) -> FitSettings:
    """The test-time settings with what the learner decides filled in."""
    learner, own = build_learner(recipe), recipe.fit
    settings = recipe.learner.settings
    return FitSettings(
        steps=own.steps,
        scaling=own.scaling,
        lr=own.lr if own.lr is not None else learner.inner_lr,
        scorer=own.scorer or settings.get("scorer", getattr(learner, "scorer", "full")),
        keep=own.keep if own.keep is not None else learner.pruning.keep,
    )


def batch_context(values: np.ndarray, recipe: Recipe) -> Context:
    """A batch of signals of one shape as contexts: (B, *size, channels) values in [0, 1]."""
    batch, *size, channels = values.shape
    grid = AffineGrid.of(regular_grid(tuple(size), recipe.data.grid))
    points = jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, (batch, *leaf.shape)), grid)
    return Context(points, jnp.asarray(values).reshape(batch, -1, channels))


def _check_kind(name: str, value: Any, default: Any) -> None:
    kinds = (int, float) if isinstance(default, float) else type(default)
    if not isinstance(value, kinds) or (isinstance(value, bool) and not isinstance(default, bool)):
        expected = "a number" if isinstance(default, float) else f"a value of type {type(default).__name__}"
        raise InvalidSetting(name, value, expected)
