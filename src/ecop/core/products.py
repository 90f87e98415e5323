"""Matrix products of a field's layers, in the precision that JAX is set to.

``jax.default_matmul_precision`` says how products are computed: ``float32``, ``tensorfloat32`` (10 bits behind the
point) or ``bfloat16`` (7 bits). A CPU ignores it and multiplies in float32. Here bfloat16 means the same numbers on
every device: on a CPU both factors are rounded first, which costs time and shows what the precision costs in PSNR.
"""

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

SHORT = 16
"""A product of fewer terms than this is always in full precision."""


def product(x: Float[Array, "n in"], weight: Float[Array, "out in"]) -> Float[Array, "n out"]:
    """x Wᵀ; where x has few columns, in full precision whatever is set.

    Few columns are coordinates: seven bits tell only 256 positions along an axis apart, and such a product is cheap.

    Example:
        >>> x = jnp.full((1, 32), 1 + 2**-10)
        >>> with jax.default_matmul_precision("bfloat16"):
        ...     print(product(x, x), product(x[:, :2], x[:, :2]).round(4))
        [[32.]] [[2.0039]]
    """
    if x.shape[-1] < SHORT:
        return jnp.matmul(x, weight.T, precision=lax.Precision.HIGHEST)
    precision = jax.config.jax_default_matmul_precision  # pyright: ignore[reportAttributeAccessIssue]  (made at run time)
    if precision == "bfloat16" and jax.default_backend() == "cpu":
        x, weight = (lax.reduce_precision(factor, exponent_bits=8, mantissa_bits=7) for factor in (x, weight))
    return x @ weight.T
