"""Selection against numpy's sort."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ecop.pruning import highest, highest_mask, kept_count
from ecop.signals.context import Context, StoredPoints, padded

M = 37
KINDS = {
    "normal": lambda rng: rng.normal(size=M),
    "ties": lambda rng: rng.integers(-2, 3, M).astype(float),
    "zeros of both signs": lambda rng: rng.choice([0.0, -0.0], M),
    "all equal": lambda rng: np.full(M, -3.5),
    "extremes": lambda rng: rng.choice([-np.inf, np.inf, 1e-45, -1e-45, 5e-324, 3e38, -3e38, 0.0], M),
}


def sorted_mask(scores, count):
    """The first ``count`` of a stable descending sort."""
    chosen = np.zeros(len(scores), bool)
    chosen[np.argsort(-scores, kind="stable")[:count]] = True
    return chosen


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", KINDS)
def test_mask_is_that_of_a_stable_sort(kind, dtype):
    scores = KINDS[kind](np.random.default_rng(0)).astype(dtype)
    # XLA on a CPU may flush what is below the smallest normal number; so must the expectation
    scores = np.where(np.abs(scores) < np.finfo(dtype).tiny, 0, scores).astype(dtype)
    with jax.enable_x64(dtype == np.float64):
        for count in (1, 2, 9, 18, M - 1, M):
            ours = jax.jit(highest_mask)(jnp.asarray(scores), jnp.asarray(count))
            np.testing.assert_array_equal(ours, sorted_mask(scores, count))


@settings(max_examples=60, deadline=None)
@given(arrays(np.float32, M, elements=st.floats(-1e6, 1e6, width=32, allow_subnormal=False)), st.integers(1, M))
def test_any_finite_scores(scores, count):
    ours = jax.jit(highest_mask)(jnp.asarray(scores), jnp.asarray(count))
    np.testing.assert_array_equal(ours, sorted_mask(scores, count))


def test_half_precision_and_without_compilation():
    scores = np.random.default_rng(0).normal(size=M).astype(np.float16)
    with jax.disable_jit():
        ours = highest_mask(jnp.asarray(scores), jnp.asarray(9))
    np.testing.assert_array_equal(ours, sorted_mask(scores, 9))


@given(st.integers(1, 10**6), st.integers(1, 1000))
def test_kept_count_is_the_floor_and_at_least_one(points, thousandths):
    assert kept_count(points, thousandths / 1000) == max(1, points * thousandths // 1000)


def context_of(rows, weights=None):
    return Context(StoredPoints(jnp.zeros((rows, 1))), jnp.zeros((rows, 1)), weights)


@pytest.mark.parametrize("keep", [0.05, 0.25, 1 / 3, 0.5, 0.99])
def test_kept_and_remaining_points_are_all_points(keep):
    scores = jnp.asarray(np.random.default_rng(0).normal(size=M))
    kept, rest = highest(scores, context_of(M), keep)
    np.testing.assert_array_equal(np.sort(np.concatenate([kept, rest])), np.arange(M))
    np.testing.assert_array_equal(kept, np.flatnonzero(sorted_mask(np.asarray(scores), kept_count(M, keep))))


@pytest.mark.parametrize("keep", [0.25, 0.5, 0.29])
def test_padding_and_masks_leave_the_choice_among_the_points_that_count(keep):
    rng = np.random.default_rng(1)
    weights = rng.choice([0.0, 1.0, 2.5], M)
    scores = rng.normal(size=M)
    counted = np.flatnonzero(weights)
    expected = counted[sorted_mask(scores[counted], kept_count(len(counted), keep))]
    context = padded(context_of(M, jnp.asarray(weights)), M + 11)
    kept, rest = highest(jnp.asarray(np.pad(scores, (0, 11), constant_values=1e9)), context, keep)
    np.testing.assert_array_equal(kept[: len(expected)], expected)
    np.testing.assert_array_equal(kept[len(expected) :], M + 11)
    remaining = np.setdiff1d(counted, expected)
    np.testing.assert_array_equal(rest[: len(remaining)], remaining)
    np.testing.assert_array_equal(rest[len(remaining) :], M + 11)


def test_padding_changes_no_count():
    """The count that is known only at run time is the one that is known beforehand, for every number of points."""
    rows, keeps = 600, (0.01, 0.1, 0.25, 0.29, 1 / 3, 0.5, 0.57, 0.7, 0.9, 0.999)
    context = padded(context_of(rows), rows + 1)

    @jax.jit
    def counts(length):
        own = Context(context.points, context.values, None, length)
        return jnp.stack([jnp.sum(highest(jnp.zeros(rows + 1), own, keep)[0] < length) for keep in keeps])

    for length in range(1, rows + 1, 7):
        np.testing.assert_array_equal(counts(jnp.asarray(length)), [kept_count(length, keep) for keep in keeps])


def test_one_point():
    kept, rest = highest(jnp.zeros(1), context_of(1), 0.1)
    np.testing.assert_array_equal(kept, [0])
    np.testing.assert_array_equal(rest, [1])
