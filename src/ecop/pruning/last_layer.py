"""Ranking by the norm of the last layer's gradient: GradNCP's score (arXiv 2302.00617)."""

from ecop.pruning.base import Scorer


class LastLayer(Scorer):
    """R_j = ‖∇_head ℓ_j‖; ‖f(x_j) − y_j‖ · sqrt(1 + ‖h(x_j)‖²) where the head is linear."""

    def score(self, field, residual, features, *, index, key, step):
        """The field's own factorised norm."""
        return field.head_gradient_norm(residual, features)
