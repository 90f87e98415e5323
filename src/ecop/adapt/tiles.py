"""Sums and maps over the points of a context, a tile at a time, so that memory does not depend on how many there are.

The points are named by their flat indices: an index array, or ``None`` for all points of the context.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Int

from ecop.core import trees

TILE_BYTES = 2**20
"""Bytes of one layer's activations that make a good tile: they stay in a core's cache on a CPU."""


def default_tile(width: int, platform: str | None = None) -> int:
    """Points in one tile for a hidden layer of ``width`` units on this kind of device."""
    budget = TILE_BYTES if (platform or jax.default_backend()) == "cpu" else 64 * TILE_BYTES
    return max(128, budget // (4 * width))


def tile_sum(fn: Callable[[Int[Array, "t"]], Any], index: Int[Array, "n"] | None, rows: int, tile: int | None) -> Any:
    """Σ fn(indices of a tile) over the tiles.

    Args:
        fn: takes the flat indices of a tile's points, gives a pytree of arrays; points whose index is ``rows`` must
            contribute nothing.
        index: flat indices; ``None``: 0…rows − 1.
        rows: rows of the context.
        tile: points in a tile; ``None``: all at once.
    """
    count = rows if index is None else index.shape[0]
    if tile is None or count <= tile:
        return fn(jnp.arange(rows) if index is None else index)
    tiles = -(-count // tile)
    shape = jax.eval_shape(fn, jax.ShapeDtypeStruct((tile,), jnp.int32))
    zero = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), shape)
    taken = _tile_indices(index, rows, tile, tiles)
    return lax.scan(lambda total, i: (trees.add(total, fn(taken(i))), None), zero, jnp.arange(tiles))[0]


def tile_map(fn: Callable[[Int[Array, "t"]], Any], rows: int, tile: int | None) -> Any:
    """The results of fn, each (t, …), for all rows of the context, joined to (rows, …)."""
    if tile is None or rows <= tile:
        return fn(jnp.arange(rows))
    tiles = -(-rows // tile)
    parts = lax.map(lambda i: fn(_tile_indices(None, rows, tile, tiles)(i)), jnp.arange(tiles))
    return jax.tree.map(lambda part: part.reshape((-1, *part.shape[2:]))[:rows], parts)


def _tile_indices(index, rows, tile, tiles):
    if index is None:
        return lambda i: i * tile + jnp.arange(tile)
    padded = jnp.pad(index, (0, tiles * tile - index.shape[0]), constant_values=rows).reshape(tiles, tile)
    return lambda i: padded[i]
