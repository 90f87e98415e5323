"""A multilayer perceptron on random Fourier features (Tancik et al. 2020, arXiv 2006.10739)."""

from typing import Any, Self

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from ecop.core.products import product
from ecop.core.sine import sincos
from ecop.fields.base import Affine, LinearHead, Roles, affine_gradient_norm, mask_like, require_positive


class Fourier(LinearHead):
    """x ↦ MLP(sin 2πBx, cos 2πBx) with ReLU units, B fixed with entries N(0, σ²).

    Attributes:
        matrix: B, (frequencies, d_in); neither adapted nor learned.
        layers: the linear maps, first to last.
        output_offset: added to the prediction.

    Example:
        >>> import jax
        >>> field = Fourier.create(jax.random.key(0), d_in=2, d_out=3, width=32, depth=3, frequencies=16)
        >>> field(jax.numpy.zeros((7, 2))).shape
        (7, 3)
    """

    matrix: Float[Array, "frequencies d_in"]
    layers: tuple[Affine, ...]
    sigma: float = eqx.field(static=True)
    output_offset: float = eqx.field(static=True)

    @classmethod
    def create(
        cls,
        key: PRNGKeyArray,
        *,
        d_in: int,
        d_out: int,
        width: int = 256,
        depth: int = 5,
        frequencies: int = 128,
        sigma: float = 10.0,
        output_offset: float = 0.5,
    ) -> Self:
        """He-uniform weights, U(−√(6/n), √(6/n)), small biases; the head U(−√(1/n), √(1/n)).

        Args:
            key: a JAX random key.
            d_in: coordinates of a point.
            d_out: values of a point.
            width: units of each hidden layer.
            depth: linear maps, the head included; at least 2.
            frequencies: rows of B.
            sigma: standard deviation of B's entries, in cycles per unit of coordinate.
            output_offset: added to the prediction.

        Raises:
            InvalidSetting: for a setting of 0 or less, or a depth below 2.
        """
        require_positive(width=width, frequencies=frequencies, sigma=sigma, **{"depth - 1": depth - 1})
        matrix_key, *keys = jax.random.split(key, depth + 1)
        matrix = sigma * jax.random.normal(matrix_key, (frequencies, d_in))
        sizes = [2 * frequencies] + [width] * (depth - 1) + [d_out]
        bounds = [(6 / n) ** 0.5 for n in sizes[:-2]] + [(1 / sizes[-2]) ** 0.5]
        layers = tuple(map(Affine.uniform, keys, sizes[:-1], sizes[1:], bounds))
        layers = tuple(Affine(layer.weight, 0.1 * layer.bias) for layer in layers)
        return cls(matrix, layers, float(sigma), float(output_offset))

    def features(self, coords: Float[Array, "n d_in"]) -> Float[Array, "n h"]:
        """The last hidden layer."""
        hidden = jnp.concatenate(sincos((2 * jnp.pi) * product(coords, self.matrix)), -1)
        for layer in self.layers[:-1]:
            hidden = jax.nn.relu(layer(hidden))
        return hidden

    def head(self, features: Float[Array, "n h"]) -> Float[Array, "n d_out"]:
        """The linear layer and the offset."""
        return self.layers[-1](features) + self.output_offset

    def head_gradient_norm(self, residual: Float[Array, "n d_out"], features: Float[Array, "n h"]) -> Float[Array, "n"]:
        """Exact, see `affine_gradient_norm`."""
        return affine_gradient_norm(residual, features)

    def last_layer(self) -> Affine:
        """The head without its offset."""
        return self.layers[-1]

    def width(self) -> int:
        """Of the features or of a hidden layer, whichever has more."""
        return max(2 * self.matrix.shape[-2], self.layers[0].weight.shape[-2])

    def roles(self) -> Roles:
        """Every leaf is adapted and learned but the matrix, which is neither."""
        mask = eqx.tree_at(lambda field: field.matrix, mask_like(self, True), False)
        return Roles(mask, mask)

    def settings(self) -> dict[str, Any]:
        """``width``, ``depth``, ``frequencies``, ``sigma`` and ``output_offset``."""
        return {
            "width": self.layers[0].weight.shape[-2],
            "depth": len(self.layers),
            "frequencies": self.matrix.shape[-2],
            "sigma": self.sigma,
            "output_offset": self.output_offset,
        }
