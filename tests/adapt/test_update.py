"""Inner updates by name: their equations, and their meta-gradient against plain autodiff in float64."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ecop.adapt import Engine, GradientDescent, Orthogonal, Start, UpdateRule
from ecop.adapt.orthogonal import orthogonalised
from ecop.core import trees
from ecop.core.errors import InvalidSetting, UnknownName
from ecop.core.registry import UPDATES
from ecop.fields import split_adapted
from ecop.meta import ECoP

pytestmark = pytest.mark.usefixtures("float64")
K = 3
PLAIN = Engine("unrolled")


def learner_of(engine=PLAIN, **update):
    return ECoP(inner_steps=K, inner_lr=0.05, keep=0.4, bootstrap_steps=0, update=update, engine=engine)


def start_of(learner, field):
    """A start whose rates are no longer α."""
    update, rng = learner.inner_update(field), np.random.default_rng(0)
    return Start(field, jax.tree.map(lambda a: a + rng.normal(0, 0.5, a.shape) if eqx.is_array(a) else a, update))


@eqx.filter_jit
def meta_gradient(learner, start, context, target):
    return learner.signal_gradient(start, context, target, jax.random.key(3), jnp.asarray(0))


@pytest.mark.parametrize(
    "update",
    [
        {"rates": "one", "per_step": True}, {"rates": "parameter"},
        {"name": "orthogonal", "rates": "layer", "per_step": True},
    ],
    ids=str,
)  # fmt: skip
def test_the_meta_gradient_of_field_and_rates_is_exact(update, small_field, scattered, assert_same):
    """On masked, weighted, padded points in tiles of 7; every rate gets a gradient."""
    context, target = scattered(ragged=True), scattered(20, seed=1, ragged=True)
    start = start_of(learner_of(**update), small_field())
    ours, _ = meta_gradient(learner_of(Engine(tile=7), **update), start, context, target)
    theirs, _ = meta_gradient(learner_of(**update), start, context, target)
    assert_same(ours.field, theirs.field)
    assert_same(ours.update, theirs.update)
    rates = jax.tree.leaves(ours.update)
    assert sum(leaf.size for leaf in rates) == trees.size(eqx.filter(start.update, eqx.is_array))
    assert all(jnp.any(leaf != 0) for leaf in rates)


def test_the_gradient_of_a_rate_against_differences(small_field, scattered):
    learner, context = learner_of(Engine(tile=7), rates="layer", per_step=True), scattered()
    start = start_of(learner, small_field())
    logs = lambda s: s.update.lr.logs.layers[1].weight  # noqa: E731

    @eqx.filter_jit
    def loss(start):
        return learner.engine.loss(split_adapted(learner.adapt(start, context, jax.random.key(3))[0]), context)

    slope = logs(eqx.filter_jit(eqx.filter_grad(loss))(start))
    for step in range(K):
        ends = [loss(eqx.tree_at(logs, start, logs(start).at[step].add(sign * 1e-6))) for sign in (1, -1)]
        np.testing.assert_allclose((ends[0] - ends[1]) / 2e-6, slope[step], rtol=1e-5)


def test_rates_that_have_learned_nothing_are_the_plain_rate(small_field, scattered, assert_same):
    field, context = small_field(), scattered()
    learner = learner_of(Engine(tile=7), rates="layer")
    plain, ours = (
        eqx.filter_jit(lambda f, c, own=own: own.adapt(f, c, jax.random.key(0))[0])(field, context)
        for own in (learner_of(Engine(tile=7)), learner)
    )
    assert_same(ours, plain, rtol=1e-14)


def test_what_a_step_changes_by_hand(small_field):
    """α exp(ρ) · factor · g, with the rates of the last trained step behind it."""
    theta = split_adapted(small_field())[0]
    update = GradientDescent.create(theta, lr=0.1, steps=2, rates="layer", per_step=True)
    ramp = lambda leaf: jnp.asarray([0.0, 0.7]) + leaf.shape[0]  # noqa: E731
    update = eqx.tree_at(lambda u: u.lr.logs, update, jax.tree.map(lambda leaf: ramp(leaf) / 10, update.lr.logs))
    for step, log in [(0, 0.2), (1, 0.27), (9, 0.27)]:
        change = update.change(theta, jnp.asarray(step), 1.5)
        expected = 1.5 * 0.1 * np.exp(log) * np.asarray(theta.layers[1].weight)
        np.testing.assert_allclose(change.layers[1].weight, expected, rtol=1e-12)


@pytest.mark.parametrize("rates", ["one", "layer", "parameter"])
@pytest.mark.parametrize(("steps", "shown"), [(1, [0]), (2, [0, 4]), (3, [0, 2, 4]), (5, range(5)), (9, range(5))])
def test_a_schedule_is_spread_over_fewer_steps(small_field, rates, steps, shown):
    """From its first step to its last; a fit of more steps goes on with the last one's, as before."""
    theta = split_adapted(small_field())[0]
    update = GradientDescent.create(theta, lr=0.1, steps=5, rates=rates, per_step=True)
    numbered = lambda log: log + jnp.arange(5.0).reshape(-1, *[1] * (log.ndim - 1))  # noqa: E731
    update = eqx.tree_at(lambda u: u.lr.logs, update, jax.tree.map(numbered, update.lr.logs))
    spread = update.over(steps)
    assert update.schedule == 5
    for before, after in zip(jax.tree.leaves(update.lr.logs), jax.tree.leaves(spread.lr.logs), strict=True):
        np.testing.assert_array_equal(after, before[np.asarray(shown)])


def test_what_has_no_schedule_is_the_same_for_any_number_of_steps(small_field):
    theta = split_adapted(small_field())[0]
    for update in (GradientDescent(0.1), GradientDescent.create(theta, lr=0.1, steps=5, rates="layer")):
        assert update.schedule == 0
        assert eqx.tree_equal(update.over(2), update)


@pytest.mark.parametrize("shape", [(16, 16), (8, 20), (20, 8)])
def test_orthogonalised_against_the_singular_value_decomposition(shape):
    """The singular vectors and the norm are kept; values that differed by 30 differ by less than 2."""
    left, _, right = np.linalg.svd(np.random.default_rng(0).normal(size=shape), full_matrices=False)
    matrix = (left * np.geomspace(1, 30, min(shape))) @ right
    found = np.asarray(orthogonalised(jnp.asarray(matrix), 5))
    inner = left.T @ found @ right.T
    np.testing.assert_allclose(inner, np.diag(np.diag(inner)), atol=1e-9)
    np.testing.assert_allclose(np.linalg.norm(found), np.linalg.norm(matrix), rtol=1e-12)
    assert np.diag(inner).max() < 2 * np.diag(inner).min()
    np.testing.assert_allclose(orthogonalised(jnp.asarray(matrix), 0), matrix, rtol=1e-12)


def test_no_gradient_is_no_step_and_no_nan():
    zero = jnp.zeros((8, 9))
    value, pull = jax.vjp(lambda g: orthogonalised(g, 5), zero)
    assert not jnp.any(value)
    assert jnp.all(jnp.isfinite(pull(jnp.ones((8, 9)))[0]))


def test_only_hidden_matrices_are_orthogonalised(small_field):
    """Of 2 → 8 → 8 → 3 the middle one; and the length of the step is the gradient's times α."""
    theta = split_adapted(small_field())[0]
    plain, ours = (cls.create(theta, lr=0.1, steps=1).change(theta, 0) for cls in (GradientDescent, Orthogonal))
    for number in (0, 2):
        np.testing.assert_array_equal(ours.layers[number].weight, plain.layers[number].weight)
    np.testing.assert_array_equal(ours.layers[1].bias, plain.layers[1].bias)
    middle = ours.layers[1].weight, plain.layers[1].weight
    np.testing.assert_allclose(*map(jnp.linalg.norm, middle), rtol=1e-12)
    assert not np.allclose(*middle)


@pytest.mark.parametrize("name", UPDATES.names())
def test_a_registered_update(name, small_field):
    """Made by its name; its change is proportional to the factor, and has the structure of θ."""
    theta = split_adapted(small_field("fourier"))[0]
    update = UpdateRule.of({"name": name}).create(theta, 0.1, 4)
    once, twice = (update.change(theta, jnp.asarray(1), factor) for factor in (1.0, 2.0))
    assert jax.tree.structure(once) == jax.tree.structure(theta)
    np.testing.assert_allclose(*(jax.tree.leaves(tree)[2] for tree in (trees.scale(2, once), twice)), rtol=1e-12)


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"name": "decsent"}, UnknownName, "did you mean 'descent'"),
        ({"rate": "layer"}, UnknownName, "setting of the update 'descent'.*did you mean 'rates'"),
        ({"outer_factor": -1.0}, InvalidSetting, "outer_factor"),
        ("orthogonal", InvalidSetting, "learner.update.name=orthogonal"),
        ({"rates": "layers"}, InvalidSetting, "one of none, one, layer, parameter"),
        ({"per_step": True}, InvalidSetting, "rates other than none"),
        ({"name": "orthogonal", "iterations": -1}, InvalidSetting, "iterations"),
    ],
)
def test_bad_settings_are_named(given, error, message, small_field):
    with pytest.raises(error, match=message):
        UpdateRule.of(given).create(split_adapted(small_field())[0], 0.1, 4)
