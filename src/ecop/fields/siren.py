"""SIREN: a multilayer perceptron of sines (Sitzmann et al. 2020, arXiv 2006.09661)."""

from typing import Any, Self

import equinox as eqx
import jax
from jaxtyping import Array, Float, PRNGKeyArray

from ecop.core.sine import sine
from ecop.fields.base import Affine, LinearHead, Roles, affine_gradient_norm, mask_like, require_positive


class Siren(LinearHead):
    """h ↦ sin(w0 (W h + b)) for all but the last layer, which is linear plus ``output_offset``.

    "5 layers" are 5 linear maps: 4 sine layers and the head; 198 915 parameters for 2 → 256 → … → 3.

    Attributes:
        layers: the linear maps, first to last.
        w0: frequency of the sines.
        output_offset: added to the prediction, so that values in [0, 1] are centred.

    Example:
        >>> import jax
        >>> field = Siren.create(jax.random.key(0), d_in=2, d_out=3, width=32, depth=3)
        >>> field(jax.numpy.zeros((7, 2))).shape
        (7, 3)
    """

    layers: tuple[Affine, ...]
    w0: float = eqx.field(static=True)
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
        w0: float = 30.0,
        output_offset: float = 0.5,
    ) -> Self:
        """SIREN's initialisation: the first layer U(−1/d, 1/d), the rest U(−√(6/n)/w0, √(6/n)/w0), biases likewise.

        Args:
            key: a JAX random key.
            d_in: coordinates of a point.
            d_out: values of a point.
            width: units of each hidden layer.
            depth: linear maps, the head included; at least 2.
            w0: frequency of the sines.
            output_offset: added to the prediction.

        Raises:
            InvalidSetting: for a width below 1, a depth below 2 or a w0 of 0 or less.
        """
        require_positive(width=width, w0=w0, **{"depth - 1": depth - 1})
        sizes = [d_in] + [width] * (depth - 1) + [d_out]
        bounds = [1 / d_in] + [(6 / n) ** 0.5 / w0 for n in sizes[1:-1]]
        keys = jax.random.split(key, depth)
        layers = tuple(map(Affine.uniform, keys, sizes[:-1], sizes[1:], bounds))
        return cls(layers, float(w0), float(output_offset))

    def features(self, coords: Float[Array, "n d_in"]) -> Float[Array, "n h"]:
        """The last sine layer."""
        hidden = coords
        for layer in self.layers[:-1]:
            hidden = sine(self.w0 * layer(hidden))
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
        """Units of a hidden layer."""
        return self.layers[0].weight.shape[-2]

    def roles(self) -> Roles:
        """Every leaf is adapted and learned."""
        return Roles(mask_like(self, True), mask_like(self, True))

    def settings(self) -> dict[str, Any]:
        """``width``, ``depth``, ``w0`` and ``output_offset``."""
        depth = len(self.layers)
        return {"width": self.width(), "depth": depth, "w0": self.w0, "output_offset": self.output_offset}
