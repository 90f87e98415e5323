"""Steps along orthogonalised gradients of the hidden matrices (as Muon's, Jordan et al. 2024).

A gradient's singular values differ by orders of magnitude, so that descent moves a matrix along a few directions. The
nearest matrix with singular values of 1 moves along all of them alike. Here the step keeps the gradient's own norm,

    G ↦ ‖G‖ · O / ‖O‖,   O ≈ U Vᵀ for G = U S Vᵀ,

so that a rate, and the gradient scaling at test time, mean what they do without.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float, Int

from ecop.adapt.gradient import precisely
from ecop.adapt.learned_rates import learned_rates
from ecop.adapt.update import AtRate, Rate, at_rate
from ecop.core import trees
from ecop.core.recipe import check
from ecop.fields.base import Field

COEFFICIENTS = (3.4445, -4.7750, 2.0315)
"""Muon's: singular values from about 1/1000 reach 0.7 to 1.2 in five iterations."""

SMALLEST = 8
"""A matrix with fewer rows or columns belongs to the coordinates or the values, not to a hidden layer."""


class Orthogonal(AtRate):
    """θ − α ‖G‖ O / ‖O‖ for each hidden matrix, θ − α g for all else.

    A hidden matrix is one with at least 8 rows and 8 columns.

    Attributes:
        lr: α, as in `ecop.adapt.update.GradientDescent`.
        iterations: of Newton and Schulz.
    """

    lr: Rate
    iterations: int = eqx.field(static=True)

    @classmethod
    def create(
        cls,
        theta: Field,
        *,
        lr: float,
        steps: int,
        rates: str = "none",
        per_step: bool = False,
        iterations: int = 5,
    ) -> "Orthogonal":
        """Orthogonalised steps at α, of which a factor may be learned.

        Args:
            theta: the adapted leaves.
            lr: α.
            steps: K.
            rates: what has a learned rate of its own, see `ecop.adapt.learned_rates.learned_rates`.
            per_step: whether every step has its own.
            iterations: of Newton and Schulz; 0 gives the gradient itself.

        Raises:
            InvalidSetting: for a setting outside its range.
        """
        check(iterations >= 0, "learner.update.iterations", iterations, "a whole number ≥ 0")
        return cls(learned_rates(theta, lr, steps, rates, per_step), iterations)

    def change(self, gradient: Field, step: Int[ArrayLike, ""], factor: Float[ArrayLike, ""] = 1.0) -> Field:
        """factor · α · direction, matrix by matrix."""

        def direction(leaf: Array) -> Array:
            return orthogonalised(leaf, self.iterations) if _hidden(leaf.shape) else leaf

        return at_rate(self.lr, jax.tree.map(direction, gradient), step, factor)

    def operations(self, theta: Field) -> float:
        """Three matrix products for each hidden matrix and iteration: 30 n³ for n × n and five iterations."""
        sizes = (sorted(leaf.shape) for leaf in jax.tree.leaves(theta) if _hidden(leaf.shape))
        return float(self.iterations * sum(4 * rows**2 * columns + 2 * rows**3 for rows, columns in sizes))


def _hidden(shape: tuple[int, ...]) -> bool:
    return len(shape) == 2 and min(shape) >= SMALLEST


def orthogonalised(matrix: Float[Array, "n m"], iterations: int) -> Float[Array, "n m"]:
    """A matrix with nearly equal singular values, the singular vectors and the norm of the given one; 0 for 0.

    X ↦ a X + (b X Xᵀ + c (X Xᵀ)²) X from X = G / ‖G‖ (Newton and Schulz), on the side with fewer rows.

    Example:
        >>> matrix = jnp.diag(jnp.asarray([3.0, 0.4]))
        >>> [f"{value:.1f}" for value in jnp.diagonal(orthogonalised(matrix, 5))]
        ['2.2', '2.1']
    """
    a, b, c = COEFFICIENTS
    norm = trees.norm(matrix)
    x = matrix / jnp.where(norm > 0, norm, 1)
    wide = x if x.shape[0] <= x.shape[1] else x.T
    with precisely("float32"):
        for _ in range(iterations):
            gram = wide @ wide.T
            wide = a * wide + (b * gram + c * gram @ gram) @ wide
    x = wide if x.shape[0] <= x.shape[1] else wide.T
    length = trees.norm(x)
    return (norm / jnp.where(length > 0, length, 1)) * x
