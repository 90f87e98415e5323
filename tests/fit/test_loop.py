"""The compiled loop of a fit, against the equations written out, in float64."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from ecop.adapt import Engine, Pruning, parse_scaling
from ecop.core import trees
from ecop.core.errors import InvalidSetting
from ecop.fields import split_adapted
from ecop.fit.loop import (
    FitPlan,
    advance_fit,
    compare_gradients,
    fit_batch,
    fit_context,
    fit_step,
    start_fit,
)
from ecop.meta import stack
from ecop.pruning import Error, kept_count
from ecop.signals.context import padded, point_context

pytestmark = pytest.mark.usefixtures("float64")
PLAN = FitPlan(Pruning(Error(), 0.25), parse_scaling("norm"), steps=4, update=0.01, engine=Engine(tile=8))
NEVER, KEY = jnp.asarray(-1.0), jax.random.key(0)


def loss_on(theta, rest, coords, values, weights):
    errors = jnp.mean((eqx.combine(theta, rest)(coords) - values) ** 2, -1)
    return jnp.sum(weights * errors) / jnp.sum(weights)


def direct(field, context, points, step):
    """The full gradient, and each scaling's factor, from the points that count, sorted by their error."""
    theta, rest = split_adapted(field)
    weights = np.ones(points) if context.weights is None else np.asarray(context.weights[:points])
    counted = np.flatnonzero(weights)
    data = context.points.coords[counted], context.values[counted], jnp.asarray(weights[counted])
    errors = jnp.sum((field(data[0]) - data[1]) ** 2, -1)
    best = jnp.argsort(-errors)[: kept_count(len(counted), PLAN.pruning.keep)]
    full_loss, full = eqx.filter_value_and_grad(loss_on)(theta, rest, *data)
    kept_loss, kept = eqx.filter_value_and_grad(loss_on)(theta, rest, *(part[best] for part in data))
    ratio = trees.norm(kept) / trees.norm(full)
    factors = {
        "norm": ratio, "none": 1.0, "warmup:2": ratio if step < 2 else 1.0, "loss": (kept_loss / full_loss) ** 0.5,
        "constant:1.7": 1.7,
    }  # fmt: skip
    return full, full_loss, factors


@pytest.mark.parametrize("ragged", [False, True])
@pytest.mark.parametrize("scaling", ["norm", "none", "warmup:2", "loss", "constant:1.7"])
def test_gradient_and_factor(scaling, ragged, small_field, scattered, assert_same):
    field, context, step = small_field(), scattered(ragged=ragged), 1 if ragged else 2
    plan = dataclasses.replace(PLAN, scaling=parse_scaling(scaling))
    ours = eqx.filter_jit(compare_gradients)(split_adapted(field), context, plan, KEY, jnp.asarray(step))
    full, loss, factors = direct(field, context, 30, step)
    np.testing.assert_allclose(ours.factor, factors[scaling], rtol=1e-10)
    np.testing.assert_allclose(ours.loss, loss, rtol=1e-10)
    assert_same(ours.gradient, full)
    assert factors["norm"] > 1
    assert factors["loss"] > 1


def test_every_step_of_a_fit(small_field, scattered, assert_same):
    """`fit_batch`, `fit_step` and plain gradient descent with the factor take the same steps."""
    field, context = small_field(), scattered()
    fitted, info = fit_batch(field, stack([context]), PLAN, KEY, NEVER)
    by_step, by_hand = field, field
    for step in range(PLAN.steps):
        by_step, stepped = fit_step(by_step, context, PLAN, jax.random.fold_in(KEY, 0), jnp.asarray(step))
        gradient, loss, factors = direct(by_hand, context, 30, step)
        by_hand = trees.subtract(by_hand, trees.scale(0.01 * factors["norm"], gradient))
        np.testing.assert_allclose([info.mse[0, step], stepped.loss], loss, rtol=1e-9)
        np.testing.assert_allclose([info.factor[0, step], stepped.factor], factors["norm"], rtol=1e-9)
        assert stepped.kept.shape == (7,)
    assert_same(by_step, by_hand)
    assert_same(fitted, jax.tree.map(lambda leaf: leaf[None], by_hand))
    assert info.steps[0] == PLAN.steps
    assert info.mse[0, -1] < info.mse[0, 0]


def test_a_fit_in_two_parts_is_the_same_fit(small_field, scattered):
    field, context = small_field(), scattered()
    plan = dataclasses.replace(PLAN, limit=6)

    @eqx.filter_jit
    def run(state, stop):
        return advance_fit(state, field, context, plan, KEY, NEVER, stop)

    start = start_fit(field, context, plan)
    whole, halves = run(start, jnp.asarray(99)), run(run(start, jnp.asarray(3)), jnp.asarray(6))
    assert whole.step == halves.step == 6
    for a, b in zip(jax.tree.leaves(whole), jax.tree.leaves(halves), strict=True):
        np.testing.assert_array_equal(a, b)


def test_padded_signals_of_different_lengths_in_one_batch(small_field, scattered, assert_same):
    """Each fits as it does alone and unpadded."""
    field, signals = small_field(), [scattered(points, seed=points) for points in (30, 21, 8)]
    together, info = fit_batch(field, stack([padded(signal, 35) for signal in signals]), PLAN, KEY, NEVER)
    for number, signal in enumerate(signals):
        alone, own = fit_batch(field, stack([signal]), PLAN, KEY, NEVER)
        assert_same(jax.tree.map(lambda leaf: leaf[number], together), jax.tree.map(lambda leaf: leaf[0], alone))
        np.testing.assert_allclose(info.mse[number], own.mse[0], rtol=1e-9)
        np.testing.assert_allclose(info.factor[number], own.factor[0], rtol=1e-9)


def test_it_stops_early_and_goes_on_with_adam(small_field, scattered):
    """Past the trained steps Adam lowers the loss; a fit that is to reach a loss stops where it is reached."""
    field, signals = small_field(), stack([scattered(seed=1), scattered(seed=2)])
    plan = dataclasses.replace(PLAN, limit=60, adam_lr=1e-2)
    _, free = fit_batch(field, signals, plan, KEY, NEVER)
    np.testing.assert_array_equal(free.steps, [60, 60])
    assert jnp.all(free.mse[:, 60] < 0.7 * free.mse[:, 4])
    for at in (2, 30):
        target = free.mse[0, at]
        fitted, info = fit_batch(field, signals, plan, KEY, target)
        reached = jnp.argmax(free.mse <= target, 1)
        missed = ~jnp.any(free.mse <= target, 1)
        np.testing.assert_array_equal(info.steps, jnp.where(missed, 60, reached))
        steps = int(info.steps[0])
        np.testing.assert_allclose(info.mse[0, : steps + 1], free.mse[0, : steps + 1], rtol=1e-9)
        assert jnp.all(jnp.isnan(info.mse[0, steps + 1 :]))
        assert jnp.all(jnp.isnan(info.factor[0, steps:]))
        end = eqx.combine(jax.tree.map(lambda leaf: leaf[0], fitted), split_adapted(field)[1])
        context = scattered(seed=1)
        np.testing.assert_allclose(jnp.mean((end(context.points.coords) - context.values) ** 2), info.mse[0, steps])


def test_adam_is_given_the_plain_gradient(small_field, scattered, assert_same):
    field, context = small_field(), scattered()
    plan = dataclasses.replace(PLAN, steps=0, limit=3, adam_lr=1e-3)
    ours, info = fit_batch(field, stack([context]), plan, KEY, NEVER)
    adam = optax.adam(1e-3)
    theta, state = field, adam.init(field)
    for step in range(3):
        updates, state = adam.update(direct(theta, context, 30, step)[0], state, theta)
        theta = optax.apply_updates(theta, updates)
    assert_same(ours, jax.tree.map(lambda leaf: leaf[None], theta), rtol=1e-8)
    assert info.mse.shape == (1, 4)


def test_a_field_that_is_exact_already(small_field, scattered):
    """Gradients of 0: the factor is 1, the field stays, NaN nowhere; and no step where the loss is reached."""
    field = small_field()
    field = eqx.tree_at(lambda f: f.layers[-1], field, jax.tree.map(jnp.zeros_like, field.layers[-1]))
    context = point_context(scattered().points.coords, jnp.full((30, 3), 0.5))
    fitted, info = eqx.filter_jit(fit_context)(field, context, PLAN, KEY, NEVER)
    np.testing.assert_array_equal(info.factor, 1)
    np.testing.assert_array_equal(info.mse, 0)
    np.testing.assert_array_equal(fitted.layers[0].weight, field.layers[0].weight)
    _, stopped = eqx.filter_jit(fit_context)(field, context, PLAN, KEY, jnp.asarray(0.0))
    assert stopped.steps == 0


@pytest.mark.parametrize(
    ("change", "name"), [({"steps": -1}, "steps"), ({"update": 0.0}, "lr"), ({"adam_lr": -1.0}, "adam_lr")]
)
def test_bad_settings_are_named(change, name):
    with pytest.raises(InvalidSetting, match=name):
        dataclasses.replace(PLAN, **change)
