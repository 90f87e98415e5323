"""Contexts from batches: of scattered points, and what training takes for the shapes alone."""

import jax
import numpy as np
import pytest
import trimesh

from ecop.core.errors import InvalidSetting
from ecop.core.recipe import Recipe
from ecop.data import Batch, Item, Loader
from ecop.meta.build import batch_context, blank_context, build_learner
from ecop.signals import Shape, context_of


@pytest.fixture(scope="module")
def recipe():
    settings = {"data.size": [200], "data.reading": {"points": 900, "resolution": 8}}
    return Recipe.named("shape").with_settings(settings)


@pytest.fixture(scope="module")
def items(tmp_path_factory):
    folder = tmp_path_factory.mktemp("solids")
    for sides in (1, 2, 3):
        trimesh.creation.box((1, 2, sides)).export(folder / f"{sides}.stl")
    return [Item(path) for path in sorted(folder.iterdir())]


def test_scattered_points_keep_their_places_in_a_batch(recipe, items):
    """Every row of a batch is a point that reading the file gives, with its value."""
    read = [dict(_points(item.read(Shape, recipe.data.reading))) for item in items]
    batch = next(Loader(items, Shape, recipe.data, seed=0).batches())
    assert batch.origin is batch.spacing is None
    contexts = batch_context(batch, recipe)
    assert contexts.values.shape == (2, 200, 1)
    for number in range(2):
        coords, values, weights = jax.tree.map(lambda leaf, n=number: leaf[n], contexts).at(jax.numpy.arange(200))
        points = {
            place.tobytes(): value for place, value in zip(np.asarray(coords), np.asarray(values)[:, 0], strict=True)
        }
        assert len(points) == 200
        assert any(points.items() <= solid.items() for solid in read)
        assert (weights == 1).all()


def test_a_run_of_shapes_resumes_with_the_same_batches(recipe, items):
    whole = Loader(items, Shape, recipe.data, seed=3).batches()
    batches = [next(whole) for _ in range(5)]
    resumed = next(Loader(items, Shape, recipe.data, seed=3).batches(4))
    np.testing.assert_array_equal(resumed.values, batches[4].values)
    np.testing.assert_array_equal(resumed.coordinates, batches[4].coordinates)
    assert not np.array_equal(batches[0].coordinates[0], batches[0].coordinates[1])


def test_a_batch_is_its_signals_and_a_blank_context_has_their_form(recipe, items):
    signals = [item.read(Shape, recipe.data.reading).resized((200,)) for item in items[:2]]
    contexts = batch_context(Batch.of(signals, "centres"), recipe)
    for number, signal in enumerate(signals):
        one, own = jax.tree.map(lambda leaf, n=number: leaf[n], contexts), context_of(signal)
        for ours, theirs in zip(jax.tree.leaves(one), jax.tree.leaves(own), strict=True):
            np.testing.assert_array_equal(ours, theirs)
    blank = blank_context(recipe)
    forms = [[(leaf.shape, leaf.dtype) for leaf in jax.tree.leaves(c)] for c in (blank, context_of(signals[0]))]
    assert forms[0] == forms[1]


def test_padded_points_do_not_count(recipe, items):
    context = context_of(items[0].read(Shape, recipe.data.reading), pad_to=1024)
    assert (context.size, int(context.valid().sum())) == (1024, 900)


def test_a_field_of_whole_frames_needs_a_grid(recipe, items):
    signal = items[0].read(Shape, recipe.data.reading)
    with pytest.raises(InvalidSetting, match="one of points for scattered samples"):
        context_of(signal, point_axes=1)


def _points(shape):
    return [(place.tobytes(), value) for place, value in zip(shape.coordinates, shape.values[:, 0], strict=True)]


def test_a_head_is_learned_for_fits_that_solve_for_it(recipe):
    trained = recipe.with_settings({"learner.head": "least-squares", "fit.head": "least-squares"})
    assert build_learner(trained).head == "least-squares"
    with pytest.raises(InvalidSetting, match=r"learner.head.*fit.head = 'least-squares'"):
        build_learner(trained.with_settings({"fit.head": "steps"}))
    with pytest.raises(InvalidSetting, match=r"learner.head.*'steps' or 'least-squares'"):
        build_learner(recipe.with_settings({"learner.head": "ridge"}))
