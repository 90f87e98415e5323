"""Sums and maps over the points of a context, a tile at a time, so that memory does not depend on how many there are.

The points are named by their flat indices: an index array, or ``None`` for all points of the context.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Int

from ecop.core import trees
from ecop.signals.context import Context

TILE_BYTES = 2**20
"""Bytes of one layer's activations that make a good tile: they stay in a core's cache on a CPU."""


SMALLEST_TILE = 128
"""Points, where a point is one sample; where it is a whole frame, one is enough."""


def default_tile(width: int, platform: str | None = None, smallest: int = SMALLEST_TILE) -> int:
    """Points in one tile for a hidden layer of ``width`` units on this kind of device."""
    budget = TILE_BYTES if (platform or jax.default_backend()) == "cpu" else 64 * TILE_BYTES
    return max(smallest, budget // (4 * width))


def tile_sum(
    fn: Callable[[Int[Array, "t"]], Any], index: Int[Array, "n"] | None, context: Context, tile: int | None
) -> Any:
    """Σ fn(indices of a tile) over the tiles.

    Args:
        fn: takes the flat indices of a tile's points, gives a pytree of arrays; an index of a row that does not count
            must contribute nothing.
        index: flat indices; ``None``: all rows. Tiles of padding behind the last point are skipped.
        context: whose points are meant.
        tile: points in a tile; ``None``: all at once.
    """
    rows = context.size
    count = rows if index is None else index.shape[0]
    if tile is None or count <= tile:
        return fn(jnp.arange(rows) if index is None else index)
    taken = _tile_indices(index, rows, tile)
    shape = jax.eval_shape(fn, jax.ShapeDtypeStruct((tile,), jnp.int32))
    zero = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), shape)
    tiles = _tiles_in_use(index, context, tile, count)
    return _repeat(tiles, lambda i, total: trees.add(total, fn(taken(i))), zero)


def tile_map(
    fn: Callable[[Int[Array, "t"], Bool[Array, "t"]], tuple[Any, Any]], context: Context, tile: int | None
) -> tuple[Any, Any]:
    """Results for every row of the context, and sums over them, in one pass.

    Args:
        fn: takes the flat indices of a tile's points, and which of them no tile before had; gives results, each
            (t, …), and sums over those that are new.
        context: whose points are meant.
        tile: points in a tile; ``None``: all at once.

    Returns:
        The results joined to (rows, …), zeros behind the last tile that holds a point, and the sums.
    """
    rows = context.size
    if tile is None or rows <= tile:
        return fn(jnp.arange(rows), jnp.ones(rows, bool))
    one, summed = jax.eval_shape(fn, jax.ShapeDtypeStruct((tile,), jnp.int32), jax.ShapeDtypeStruct((tile,), bool))
    joined = jax.tree.map(lambda leaf: jnp.zeros((rows, *leaf.shape[1:]), leaf.dtype), one)
    total = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), summed)

    def body(i, carry):
        joined, total = carry
        start, place = _tile(i, tile, rows)
        results, sums = fn(place, place >= i * tile)
        joined = jax.tree.map(lambda a, t: lax.dynamic_update_slice_in_dim(a, t, start, 0), joined, results)
        return joined, trees.add(total, sums)

    return _repeat(_tiles_in_use(None, context, tile, rows), body, (joined, total))


def _repeat(times, body, start):
    """`lax.fori_loop`, but never as a scan: around a scan, JAX would compute all tiles' points once and keep them."""
    return lax.while_loop(lambda c: c[0] < times, lambda c: (c[0] + 1, body(*c)), (jnp.zeros((), jnp.int32), start))[1]


def _tiles_in_use(index, context, tile, count):
    """How many tiles hold a point: a Python number, or one known at run time where the context is padded."""
    if context.length is None:
        return -(-count // tile)
    used = context.length if index is None else jnp.max(jnp.where(index < context.size, jnp.arange(1, count + 1), 0))
    return (used + tile - 1) // tile


def _tile_indices(index, rows, tile):
    """Indices of tile i; where it repeats a point of the tile before, an index of no point."""
    count = rows if index is None else index.shape[0]

    def taken(i):
        start, place = _tile(i, tile, count)
        own = place if index is None else lax.dynamic_slice_in_dim(index, start, tile)
        return jnp.where(place >= i * tile, own, rows)

    return taken


def _tile(i, tile, count):
    """Where tile i begins, and its places: the last one ends with the points, so that no array has to be padded."""
    start = jnp.minimum(i * tile, count - tile)
    return start, start + jnp.arange(tile)
