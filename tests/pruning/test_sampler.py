"""Draws, caps and cached scores: what is kept, and that the draw's estimate is right on average."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ecop.adapt import Engine, Pruning, rollout
from ecop.adapt.rollout import choose
from ecop.core.errors import InvalidSetting, UnknownName
from ecop.core.registry import SCORERS
from ecop.fields import split_adapted
from ecop.meta import ECoP
from ecop.pruning import Error, Importance, Random, Soft, highest, parse_scorer, scorer_text
from ecop.pruning.select import no_bits
from ecop.signals.context import padded, point_context


def kept_of(scorer, field, context, key=0, **settings):
    return rollout(
        field, context, pruning=Pruning(scorer, 0.25, **settings), update=1e-2, steps=4, key=jax.random.key(key),
        engine=Engine("unrolled"),
    )  # fmt: skip


@pytest.mark.parametrize("ragged", [False, True])
def test_the_draws_estimate_is_unbiased(ragged, small_field, scattered):
    """Of the sum of any numbers of the points: within four standard errors over 4000 draws; all points get drawn."""
    field, context = small_field(), scattered(12, ragged=ragged)
    numbers = jnp.asarray(np.random.default_rng(1).uniform(size=context.size), jnp.float32)
    pruning = Pruning(Importance(), 0.4)

    def one(key):
        choice = choose(split_adapted(field), context, pruning, no_bits(context.size), key, 0, Engine("unrolled"))
        inside = choice.kept < context.size
        weights = jnp.where(inside, choice.importance, 0)
        return jnp.sum(weights * numbers.at[choice.kept].get(mode="fill", fill_value=0)), choice.kept

    estimates, kept = jax.jit(jax.vmap(one))(jax.random.split(jax.random.key(0), 4000))
    truth = float(jnp.sum(jnp.where(context.valid(), numbers, 0)))
    assert abs(estimates.mean() - truth) < 4 * estimates.std() / 4000**0.5
    counted = set(np.flatnonzero(context.valid()))
    assert set(np.unique(kept)) - {context.size} == counted


def test_a_gradient_of_a_draw_is_weighted(small_field, scattered, assert_same):
    """By hand: Σ w_i ∇e_i over all points' number, and no more than the kept points are looked at."""
    with jax.enable_x64(True):
        field, context = small_field(), scattered(12)
        index, importance = jnp.asarray([1, 4, 7]), jnp.asarray([2.0, 3.5, 1.25])
        ours, loss = Engine(tile=2).gradient(split_adapted(field), context, index, importance)
        coords, values = context.points.coords[index], context.values[index]

        def estimate(field):
            return jnp.sum(importance * jnp.mean((field(coords) - values) ** 2, -1)) / 12

        value, gradient = jax.value_and_grad(estimate)(field)
        assert_same(ours, gradient)
        np.testing.assert_allclose(loss, value, rtol=1e-12)


def test_temperature(small_field, scattered):
    """At 0 the highest errors; hot, what chance says; warm draws follow the errors."""
    field, context = small_field(), scattered(400)
    cold, best, hot, again = (
        np.asarray(kept_of(scorer, field, context, key)[2][0])
        for scorer, key in ((Soft(0.0), 0), (Error(), 0), (Soft(1e6), 0), (Soft(1e6), 1))
    )
    np.testing.assert_array_equal(cold, best)
    assert len(set(hot) & set(again)) < 60
    _, warm, _ = kept_of(Soft(1.0), field, context)
    _, random, _ = kept_of(Random(), field, context)
    _, sharp, _ = kept_of(Error(), field, context)
    assert random.kept_error[0] < warm.kept_error[0] < sharp.kept_error[0]


def test_a_cap_passes_over_the_highest(small_field, scattered):
    """Corrupted points are left out; those behind them are kept, in a padded context too."""
    clean = scattered(40)
    values = clean.values.at[jnp.asarray([3, 17])].set(40.0)
    context = point_context(clean.points.coords, values)
    for own in (context, padded(context, 50)):
        kept = np.asarray(kept_of(Error(), small_field(), own, drop=0.05)[2][0])
        errors = np.sum((np.asarray(small_field()(clean.points.coords)) - np.asarray(values)) ** 2, -1)
        expected = np.sort(np.argsort(-errors, kind="stable")[2:12])
        np.testing.assert_array_equal(kept[:10], expected)


@pytest.mark.parametrize("keep", [0.03, 0.3, 0.5])
@pytest.mark.parametrize("drop", [0.01, 0.1, 0.5])
def test_kept_and_others_with_a_cap_are_all_points(keep, drop):
    scores = jnp.asarray(np.random.default_rng(0).integers(0, 5, 37).astype(np.float32))
    context = point_context(jnp.zeros((37, 1)), jnp.zeros((37, 1)))
    kept, rest, _ = highest(scores, context, keep, drop)
    np.testing.assert_array_equal(np.sort(np.concatenate([kept, rest])), np.arange(37))
    passed = int(drop * 37)
    order = np.argsort(-np.asarray(scores), kind="stable")
    np.testing.assert_array_equal(kept, np.sort(order[passed : passed + len(kept)]))


def test_scores_cached_for_two_steps(small_field, scattered, assert_same):
    """Steps in pairs keep the same points; the meta-gradient is exact in float64, with a cap beside it."""
    with jax.enable_x64(True):
        field, context = small_field(), scattered()
        _, info, kept = kept_of(Error(), field, context, rescore_every=2)
        np.testing.assert_array_equal(kept[0], kept[1])
        np.testing.assert_array_equal(kept[2], kept[3])
        assert info.loss[0] == info.loss[1] > info.loss[2]
        gradients = [
            jax.jit(ECoP(inner_steps=3, keep=0.3, drop=0.1, rescore_every=2, bootstrap_steps=0, engine=engine)
                    .signal_gradient)(field, context, context, jax.random.key(0), jnp.asarray(0))[0]
            for engine in (Engine(tile=7), Engine("unrolled"))
        ]  # fmt: skip
        assert_same(*gradients)


@pytest.mark.parametrize("text", [*SCORERS.names(), "soft:0.5"])
def test_texts(text):
    assert parse_scorer(scorer_text(parse_scorer(text))) == parse_scorer(text)


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"scorer": "soft:cold"}, InvalidSetting, "number behind the colon"),
        ({"scorer": "soft:-1"}, InvalidSetting, "temperature"),
        ({"scorer": "error:2"}, InvalidSetting, "nothing where it takes none"),
        ({"scorer": "sofd:2"}, UnknownName, "did you mean 'soft'"),
        ({"drop": 0.8}, InvalidSetting, "1 − γ = 0.75"),
        ({"drop": 0.1, "scorer": "importance"}, InvalidSetting, "stand for all"),
        ({"rescore_every": 0}, InvalidSetting, "rescore_every"),
    ],
)
def test_bad_settings_are_named(settings, error, message):
    with pytest.raises(error, match=message):
        ECoP(**settings)
