"""Selection against numpy's sort."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ecop.pruning import highest, kept_count
from ecop.pruning.select import common, no_bits, run_time_count
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


def context_of(rows, weights=None):
    return Context(StoredPoints(jnp.zeros((rows, 1))), jnp.zeros((rows, 1)), weights)


@functools.partial(jax.jit, static_argnums=1)
def chosen(scores, keep):
    return highest(scores, context_of(scores.shape[0]), keep)


def kept_mask(scores, count):
    """The choice as a mask, from the indices; the bits must say the same."""
    kept, rest, bits = chosen(jnp.asarray(scores), count / len(scores))
    assert len(kept) == count
    mask = np.zeros(len(scores), bool)
    mask[kept] = True
    words = np.asarray(bits).view(np.uint8)
    np.testing.assert_array_equal(np.unpackbits(words, bitorder="little")[: len(scores)], mask)
    np.testing.assert_array_equal(rest[: len(scores) - count], np.flatnonzero(~mask))
    return mask


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", KINDS)
def test_mask_is_that_of_a_stable_sort(kind, dtype):
    scores = KINDS[kind](np.random.default_rng(0)).astype(dtype)
    with jax.enable_x64(dtype == np.float64):
        for count in (1, 2, 9, 18, M - 1, M):
            np.testing.assert_array_equal(kept_mask(scores, count), sorted_mask(scores, count))


@settings(max_examples=60, deadline=None)
@given(arrays(np.float32, M, elements=st.floats(-1e6, 1e6, width=32)), st.sampled_from([1, 9, 30, M]))
def test_any_finite_scores(scores, count):
    np.testing.assert_array_equal(kept_mask(scores, count), sorted_mask(scores, count))


@pytest.mark.parametrize("points", [1000, 1024, 1025, 16_384, 40_000])
def test_more_points_than_are_looked_at_at_a_time(points):
    """Chunks that do and do not divide the points, with many equal scores."""
    scores = np.random.default_rng(0).integers(0, 5, points).astype(np.float32)
    for count in (1, points // 4, points):
        np.testing.assert_array_equal(kept_mask(scores, count), sorted_mask(scores, count))


def test_half_precision_and_without_compilation():
    scores = np.random.default_rng(0).normal(size=M).astype(np.float16)
    with jax.disable_jit():
        np.testing.assert_array_equal(kept_mask(scores, 9), sorted_mask(scores, 9))


def test_common_points_of_two_selections():
    rng, points = np.random.default_rng(0), 3000
    a, b = (highest(jnp.asarray(rng.normal(size=points)), context_of(points), 0.3) for _ in range(2))
    assert common(a.bits, b.bits) == len(np.intersect1d(a.kept, b.kept))
    assert common(a.bits, a.bits) == 900
    assert common(a.bits, no_bits(points)) == 0


@given(st.integers(1, 10**6), st.integers(1, 1000))
def test_kept_count_is_the_floor_and_at_least_one(points, thousandths):
    assert kept_count(points, thousandths / 1000) == max(1, points * thousandths // 1000)


@pytest.mark.parametrize("keep", [0.05, 0.25, 1 / 3, 0.5, 0.99])
def test_kept_and_remaining_points_are_all_points(keep):
    scores = jnp.asarray(np.random.default_rng(0).normal(size=M))
    kept, rest, _ = highest(scores, context_of(M), keep)
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
    kept, rest, _ = highest(jnp.asarray(np.pad(scores, (0, 11), constant_values=1e9)), context, keep)
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


@settings(max_examples=30)
@given(st.integers(1, 2**31 - 1), st.integers(1, 997), st.integers(1, 997))
@example(29, 29, 100)
@example(2**31 - 1, 996, 997)
def test_counts_are_exact_in_whole_numbers(points, numerator, denominator):
    """For γ = p/q, of which float64 has only a neighbour, and as many points as an index can name."""
    numerator = min(numerator, denominator)
    expected = max(1, points * numerator // denominator)
    assert kept_count(points, numerator / denominator) == expected
    assert run_time_count(jnp.asarray(points, jnp.int32), numerator / denominator) == expected


def test_one_point():
    kept, rest, _ = highest(jnp.zeros(1), context_of(1), 0.1)
    np.testing.assert_array_equal(kept, [0])
    np.testing.assert_array_equal(rest, [1])
