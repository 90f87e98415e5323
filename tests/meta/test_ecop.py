"""ECoP's own settings, and its corners: exact fields, tiny contexts, no bootstrap."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ecop.adapt import Engine, rollout
from ecop.core.errors import InvalidSetting, UnknownName
from ecop.core.registry import SCORERS
from ecop.meta import ECoP
from ecop.pruning import Scorer
from ecop.signals.context import Context, StoredPoints, point_context

LEARNER = ECoP(inner_steps=3, keep=0.3, bootstrap_steps=2, engine=Engine(tile=8))


@eqx.filter_jit
def gradient_of(learner, field, context, step=0):
    return learner.signal_gradient(field, context, context, jax.random.key(0), jnp.asarray(step))


def assert_finite(gradient, info, but=()):
    assert all(jnp.all(jnp.isfinite(leaf)) for leaf in jax.tree.leaves(gradient))
    assert all(jnp.isfinite(value) for name, value in info.items() if name not in but), info


@pytest.mark.parametrize("kind", ["exact-lowmem", "unrolled"])
def test_a_field_that_is_exact_already(kind, small_field, scattered):
    """Distance 0, gradient 0, and NaN nowhere."""
    field = small_field()
    field = eqx.tree_at(lambda f: f.layers[-1], field, jax.tree.map(jnp.zeros_like, field.layers[-1]))
    context = point_context(scattered().points.coords, jnp.full((30, 3), 0.5))
    learner = dataclasses.replace(LEARNER, engine=Engine(kind, 8 if kind == "exact-lowmem" else None))
    gradient, info = gradient_of(learner, field, context)
    assert_finite(gradient, info)
    assert info["loss"] == 0
    assert info["distance"] == 0
    assert not any(jnp.any(leaf) for leaf in jax.tree.leaves(gradient))


@pytest.mark.parametrize("change", [{"bootstrap_steps": 0}, {"bootstrap_weight": 0.0}])
def test_without_bootstrap_the_outer_loss_is_the_task_loss(change, small_field, scattered):
    gradient, info = gradient_of(dataclasses.replace(LEARNER, **change), small_field(), scattered())
    assert_finite(gradient, info)
    assert info["loss"] == info["task_loss"]
    assert "distance" not in info


def test_bootstrap_every_other_step(small_field, scattered, assert_same):
    """Outer steps 0 and 2 have the term, steps 1 and 3 are those of L = 0."""
    field, context = small_field(), scattered()
    learner = dataclasses.replace(LEARNER, bootstrap_every=2)
    every, none = gradient_of(LEARNER, field, context)[0], dataclasses.replace(LEARNER, bootstrap_steps=0)
    without = gradient_of(none, field, context)[0]
    for step, expected in [(0, every), (1, without), (2, every), (3, without)]:
        gradient, info = gradient_of(learner, field, context, jnp.asarray(step))
        assert_same(gradient, expected, rtol=1e-4)
        assert (info["distance"] > 0) == (step % 2 == 0)


@pytest.mark.parametrize(
    ("points", "keep", "ragged"), [(30, 1e-6, False), (1, 0.5, False), (1, 0.5, True), (30, 1.0, False)]
)
def test_tiny_contexts_and_tiny_or_whole_shares(points, keep, ragged, small_field, scattered):
    context = scattered(points, ragged=ragged)
    learner = dataclasses.replace(LEARNER, keep=keep)
    gradient, info = gradient_of(learner, small_field(), context)
    unscored = ("kept_error", "entropy", "overlap") if keep == 1 else ()
    assert_finite(gradient, info, but=unscored)
    assert float(info["loss"]) > 0


def test_a_context_in_which_no_point_counts(small_field):
    context = Context(StoredPoints(jnp.zeros((9, 2))), jnp.ones((9, 3)), jnp.zeros(9))
    gradient, info = gradient_of(LEARNER, small_field(), context)
    assert_finite(gradient, info)
    assert info["loss"] == 0


def test_float32_fields_stay_float32_where_float64_is_enabled(small_field, scattered):
    with jax.enable_x64(True):
        gradient, info = gradient_of(LEARNER, small_field(dtype=jnp.float32), scattered(dtype=jnp.float32))
    assert {leaf.dtype for leaf in jax.tree.leaves(gradient)} == {jnp.dtype(jnp.float32)}
    assert info["loss"].dtype == jnp.float32


def test_diagnostics(small_field, scattered):
    """The kept points' share of the error is above γ; the errors' entropy is below that of equal ones."""
    _, info = gradient_of(LEARNER, small_field(), scattered())
    assert 0.3 < info["kept_error"] < 1
    assert 0 < info["entropy"] < 1
    assert 0 < info["overlap"] <= 1


def test_a_scorer_of_ones_own(small_field, scattered):
    """Registered at run time, it is used by its name, and ranks as it says."""

    class FirstChannel(Scorer):
        def score(self, field, residual, features, *, index, key, step):
            return residual[:, 0] ** 2

    SCORERS.register("first-channel", FirstChannel)
    field, context = small_field(), scattered()
    learner = dataclasses.replace(LEARNER, scorer="first-channel")
    _, _, kept = rollout(field, context, pruning=learner.pruning, update=1e-2, steps=1, key=jax.random.key(0))
    residual = field(context.points.coords) - context.values
    np.testing.assert_array_equal(kept[0], np.sort(np.argsort(-jnp.abs(residual[:, 0]))[:9]))
    loss, _ = eqx.filter_jit(learner.loss)(field, context, context, jax.random.key(0), jnp.asarray(0))
    assert jnp.isfinite(loss)


@pytest.mark.parametrize(
    ("setting", "value"),
    [("keep", 0.0), ("keep", 1.5), ("bootstrap_steps", -1), ("bootstrap_lr", 0.0), ("bootstrap_weight", -1.0),
     ("bootstrap_every", 0)],
)  # fmt: skip
def test_bad_settings_are_named(setting, value):
    with pytest.raises(InvalidSetting, match=f"{setting} = {value}"):
        ECoP(**{setting: value})


def test_an_unknown_scorer_is_refused_with_the_nearest():
    with pytest.raises(UnknownName, match=r"'lastlayer' \(did you mean 'last_layer'\?\).*error, full"):
        ECoP(scorer="lastlayer")
