"""The gradient of a context's error, with an exact derivative that needs no more memory than the gradient itself.

Let S(θ; C) = Σ_j w_j ‖f_θ(x_j) − y_j‖². Reverse-mode differentiation of an inner step needs, for a direction v, the
derivative of ⟨v, ∇_θ S⟩ with respect to θ and to everything else, z. Since second derivatives commute,

    ∇_(θ,z) ⟨v, ∇_θ S⟩ = d/dε ∇_(θ,z) S(θ + εv, z),

a forward derivative (`jax.jvp`) of the gradient (mixed-mode differentiation, MixFlow-MG, arXiv 2505.00793). Nothing of
the forward pass has to be kept, and like the gradient it is a sum over points, done tile by tile. The same rule gives
the part of the leaves that the inner loop does not move, and of the points' coordinates, values and weights.
"""

from contextlib import AbstractContextManager
from typing import Any, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from ecop.adapt.tiles import tile_sum
from ecop.core import trees
from ecop.core.recipe import check
from ecop.fields.base import Field
from ecop.signals.context import Context

Operands = tuple[Field, Field, Context]
"""θ (the adapted leaves), the rest of the field, and the context."""

Precision = Literal["float32", "tf32", "bf16"]
"""Of the factors of matrix products; sums, sines and all else keep the arrays' own."""

PRECISIONS: dict[Precision, str] = {"float32": "float32", "tf32": "tensorfloat32", "bf16": "bfloat16"}


def precisely(precision: Precision) -> AbstractContextManager[None]:
    """Matrix products that are traced within have this precision, and so have their derivatives.

    Raises:
        InvalidSetting: for a precision that does not exist.
    """
    check(precision in PRECISIONS, "precision", precision, f"one of {', '.join(map(repr, PRECISIONS))}")
    return jax.default_matmul_precision(PRECISIONS[precision])


def squared_error(operands: Operands, index: Int[Array, "t"], precision: Precision = "float32") -> Float[Array, ""]:
    """S over the points at ``index``: Σ_j w_j ‖f(x_j) − y_j‖²."""
    theta, rest, context = operands
    coords, values, weights = context.at(index)
    with precisely(precision):
        prediction = eqx.combine(theta, rest)(coords)
    return jnp.sum(weights * jnp.sum((prediction - values) ** 2, -1))


@eqx.filter_custom_vjp
def error_gradient(
    operands: Operands, index: Int[Array, "n"] | None, tile: int, precision: Precision
) -> tuple[Field, Float[Array, ""]]:
    """(∇_θ S, S), summed over tiles; the derivative of the gradient is the mixed-mode one, S is for reading only.

    Args:
        operands: what may be differentiated.
        index: flat indices of the points; ``None``: all.
        tile: points in a tile.
        precision: of the matrix products.
    """

    def one(indices):
        theta, rest, context = operands
        error = lambda t: squared_error((t, rest, context), indices, precision)  # noqa: E731
        value, gradient = eqx.filter_value_and_grad(error)(theta)
        return gradient, value

    return tile_sum(one, index, operands[2], tile)


@error_gradient.def_fwd
def _error_gradient_fwd(perturbed, operands, index, tile, precision):
    return error_gradient(operands, index, tile, precision), None


@error_gradient.def_bwd
def _error_gradient_bwd(residuals, cotangents, perturbed, operands, index, tile, precision):
    direction, value_cotangent = cotangents
    if value_cotangent is not None:
        raise NotImplementedError("differentiate summed_error instead of the value beside the gradient")
    wanted = (jax.tree.map(eqx.is_inexact_array, operands[0]), *perturbed[1:])
    moved, fixed = eqx.partition(operands, wanted)
    tangents = jax.tree.map(jnp.zeros_like, moved)
    tangents = (
        jax.tree.map(lambda v, t: t if v is None else v, direction, tangents[0], is_leaf=_is_none),
        *tangents[1:],
    )

    def one(indices):
        def gradient(part):
            return jax.grad(lambda p: squared_error(eqx.combine(p, fixed), indices, precision))(part)

        return jax.jvp(gradient, (moved,), (tangents,))[1]

    return tile_sum(one, index, operands[2], tile)


@eqx.filter_custom_vjp
def summed_error(
    operands: Operands, index: Int[Array, "n"] | None, tile: int, precision: Precision
) -> Float[Array, ""]:
    """S, summed over tiles; its gradient is taken in the same pass, when there is one to take."""
    return tile_sum(lambda indices: squared_error(operands, indices, precision), index, operands[2], tile)


@summed_error.def_fwd
def _summed_error_fwd(perturbed, operands, index, tile, precision):
    moved, fixed = eqx.partition(operands, perturbed)

    def one(indices):
        return jax.value_and_grad(lambda part: squared_error(eqx.combine(part, fixed), indices, precision))(moved)

    return tile_sum(one, index, operands[2], tile)


@summed_error.def_bwd
def _summed_error_bwd(gradient, cotangent, perturbed, operands, index, tile, precision):
    return trees.scale(cotangent, gradient)


def _is_none(leaf: Any) -> bool:
    return leaf is None
