"""The rate of plain matrix products: what the engine's kernels are compared with."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax


def product_chain(rows: int, width: int, repeats: int, dtype: Any = jnp.float32) -> tuple[Callable[[], Any], float]:
    """The three products of a hidden layer's forward and backward pass, one after another, ``repeats`` times.

    h W, (h W) Wᵀ and hᵀ (h W) for h of (rows, width): each result is needed, and W is a rotation, so that no number
    grows.

    Returns:
        A function that computes them, and the operations that it does.
    """
    start = jax.random.normal(jax.random.key(0), (rows, width), dtype)
    rotation = jnp.linalg.qr(jax.random.normal(jax.random.key(1), (width, width)))[0].astype(dtype)

    @jax.jit
    def chain(hidden, weight):
        def body(_, carry):
            hidden, total = carry
            forward = hidden @ weight
            return forward @ weight.T, total + hidden.T @ forward

        return lax.fori_loop(0, repeats, body, (hidden, jnp.zeros((width, width), dtype)))

    return lambda: chain(start, rotation), 3 * repeats * 2.0 * rows * width * width
