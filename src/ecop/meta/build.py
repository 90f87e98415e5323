"""From a recipe to the objects that train it."""

import math

import jax
import jax.numpy as jnp
import numpy as np

from ecop.adapt.engine import Engine
from ecop.core.grids import GridSpec
from ecop.core.recipe import Recipe, check
from ecop.core.registry import FIELDS, SIGNALS
from ecop.data.loader import Batch
from ecop.fit.initialisation import field_sizes
from ecop.fit.settings import checked_learner
from ecop.meta.base import MetaLearner
from ecop.meta.outer import OuterLoop, adam
from ecop.signals.context import Context, Points, grid_points, leading_grid, observed, scattered_points, stack


def build_learner(recipe: Recipe, engine: Engine = Engine()) -> MetaLearner:
    """The meta-learner of a recipe.

    Raises:
        UnknownName: for a learner or a setting that does not exist.
        InvalidSetting: for a setting outside its range, or a head that training solves for and fits do not.
    """
    learner_class = checked_learner(recipe)
    head = recipe.learner.settings.get("head", "steps")
    solved = head != "least-squares" or recipe.fit.head == head
    check(solved, "learner.head", head, "fit.head = 'least-squares' beside it, since it is learned for such fits")
    return learner_class(**recipe.learner.settings, engine=engine)


def build_outer_loop(recipe: Recipe, engine: Engine = Engine()) -> OuterLoop:
    """Learner and optimiser; on a CPU one signal after another, elsewhere all of a batch at once."""
    signals = "scan" if jax.default_backend() == "cpu" else "vmap"
    return OuterLoop(build_learner(recipe, engine), adam(recipe.train), signals)


def blank_context(recipe: Recipe) -> Context:
    """The context of one signal of the recipe's size, all zeros: for what depends on shapes alone."""
    signal, point_axes = SIGNALS[recipe.signal], FIELDS[recipe.field.name].point_axes
    d_in, d_out = field_sizes(recipe)
    if signal.scattered:
        (points,) = recipe.data.size
        return Context(scattered_points(np.zeros((points, d_in), np.float32), point_axes), jnp.zeros((points, d_out)))
    grid = leading_grid(signal.grid_of(recipe.data.size, {}, recipe.data.grid), point_axes)
    return Context(grid_points(grid, signal.embed if point_axes is None else None), jnp.zeros((grid.size, d_out)))


def batch_context(batch: Batch, recipe: Recipe) -> Context:
    """A batch of signals of one shape as contexts, every array with a leading axis of signals; NaN has weight 0."""
    point_axes = FIELDS[recipe.field.name].point_axes
    count, *shape = batch.values.shape[:-1]
    values, weights = observed(batch.values.reshape(count, math.prod(shape[:point_axes]), -1), point_axes)
    return stack(
        [
            Context(points, jnp.asarray(values[number]), None if weights is None else jnp.asarray(weights[number]))
            for number, points in enumerate(_batch_points(batch, recipe, point_axes))
        ]
    )


def _batch_points(batch: Batch, recipe: Recipe, point_axes: int | None) -> list[Points]:
    """Where the samples of each signal lie."""
    if batch.coordinates is not None:
        return [scattered_points(coordinates, point_axes) for coordinates in batch.coordinates]
    assert batch.origin is not None and batch.spacing is not None, "on grids where not scattered"
    shape = batch.values.shape[1:-1]
    grids = [GridSpec(shape, *map(tuple, place)) for place in zip(batch.origin, batch.spacing, strict=True)]
    embed = SIGNALS[recipe.signal].embed if point_axes is None else None
    return [grid_points(leading_grid(grid, point_axes), embed) for grid in grids]
