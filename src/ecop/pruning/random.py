"""Keeping points at random: the baseline that any ranking has to beat."""

import jax

from ecop.pruning.base import Scorer


class Random(Scorer):
    """R_j ~ U(0, 1), drawn anew at every inner step, the same for a point however the points are tiled."""

    def score(self, field, residual, features, *, index, key, step):
        """One draw a point, from its own key."""
        return jax.vmap(lambda i: jax.random.uniform(jax.random.fold_in(key, i), dtype=residual.dtype))(index)
