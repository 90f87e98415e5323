"""The rate of plain matrix products: what the engine's kernels are compared with."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from ecop.adapt.gradient import Precision, precisely


def product_chain(
    rows: int, width: int, repeats: int, precision: Precision = "float32"
) -> tuple[Callable[[], Any], float]:
    """The three products of a hidden layer's forward and backward pass, one after another, ``repeats`` times.

    h W, (h W) Wᵀ and hᵀ (h W) for h of (rows, width): each result is needed, and W is a rotation, so that no number
    grows.

    Returns:
        A function that computes them, and the operations that it does.
    """
    start = jax.random.normal(jax.random.key(0), (rows, width))
    rotation = jnp.linalg.qr(jax.random.normal(jax.random.key(1), (width, width)))[0]

    @jax.jit
    def chain(hidden, weight):
        def body(_, carry):
            hidden, total = carry
            with precisely(precision):
                forward = hidden @ weight
                return forward @ weight.T, total + hidden.T @ forward

        return lax.fori_loop(0, repeats, body, (hidden, jnp.zeros((width, width))))

    return lambda: chain(start, rotation), 3 * repeats * 2.0 * rows * width * width
