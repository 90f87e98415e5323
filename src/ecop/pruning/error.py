"""Ranking by error: ECoP's score (EL2N, arXiv 2302.00617 version 1)."""

import jax.numpy as jnp

from ecop.pruning.base import Scorer


class Error(Scorer):
    """R_j = ‖f(x_j) − y_j‖²."""

    def score(self, field, residual, features, *, index, key, step):
        """Squared error over the channels."""
        return jnp.sum(residual**2, -1)
