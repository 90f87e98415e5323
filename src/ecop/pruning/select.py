"""Choosing the points that an inner step learns from.

The n-th highest score is found bit by bit, from the highest (a radix selection: one pass over M integers a bit), three
times faster here than a top-k and, unlike it, as fast for n = M/4 as for n = 1. It takes an n that is only known at
run time, so that padded contexts of different lengths share one program.
"""

import math

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float, Int

from ecop.signals.context import Context


def kept_count(points: int, keep: float) -> int:
    """⌊γM⌋, at least 1; a product that is whole but for rounding counts as whole.

    Example:
        >>> kept_count(100, 0.29), kept_count(3, 0.1)
        (29, 1)
    """
    return max(1, math.floor(points * keep * (1 + 1e-9)))


def highest(scores: Float[Array, "m"], context: Context, keep: float) -> tuple[Int[Array, "n"], Int[Array, "rest"]]:
    """Flat indices of the ⌊γM⌋ points with the highest scores, and of all others.

    Args:
        scores: one per row of the context; rows that do not count may hold anything.
        context: says which rows count; M is the number of those.
        keep: γ in (0, 1].

    Returns:
        Kept and remaining indices, each ascending; of equal scores the first are kept. Both have the static size that
        a context without padding needs; entries behind the last are ``rows``, an index of weight 0.
    """
    rows = context.size
    most = kept_count(rows, keep)
    if context.plain:
        kept = highest_mask(scores, jnp.asarray(most))
        rest = ~kept
    else:
        valid = context.valid()
        # float32 is exact to one point in 10^7 here, which is all that a run-time count needs
        count = jnp.maximum(1, jnp.floor(jnp.sum(valid) * (keep * (1 + 1e-7))).astype(jnp.int32))
        kept = highest_mask(jnp.where(valid, scores, -jnp.inf), count) & valid
        rest = ~kept & valid
    return (
        jnp.nonzero(kept, size=most, fill_value=rows)[0],
        jnp.nonzero(rest, size=max(1, rows - most), fill_value=rows)[0],
    )


def highest_mask(scores: Float[Array, "m"], count: Int[Array, ""]) -> Bool[Array, "m"]:
    """True at the ``count`` highest scores (at least 1, at most m), the first ones where scores are equal."""
    ordered = _ordered_bits(scores)
    one = jnp.ones((), ordered.dtype)
    bits = ordered.dtype.itemsize * 8

    def narrow(i, threshold):
        candidate = threshold | (one << jnp.asarray(bits - 1 - i, ordered.dtype))
        return jnp.where(jnp.sum(ordered >= candidate) >= count, candidate, threshold)

    threshold = lax.fori_loop(0, bits, narrow, jnp.zeros((), ordered.dtype))
    above, equal = ordered > threshold, ordered == threshold
    return above | (equal & (jnp.cumsum(equal) <= count - jnp.sum(above)))


def _ordered_bits(scores):
    """Unsigned integers in the order of the floats: the sign bit flipped, negative numbers reversed."""
    unsigned = jnp.uint64 if scores.dtype == jnp.float64 else jnp.uint32
    scores = scores.astype(jnp.float64 if scores.dtype == jnp.float64 else jnp.float32)
    bits = lax.bitcast_convert_type(jnp.where(scores == 0, 0, scores), unsigned)  # −0 and 0 are equal
    sign = jnp.asarray(1, unsigned) << (unsigned(0).dtype.itemsize * 8 - 1)
    return jnp.where(bits & sign == 0, bits | sign, ~bits)
