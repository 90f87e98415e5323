"""A field's values on any grid, a strip at a time, so that the work needs no more memory for a large picture."""

import math
from collections.abc import Iterator

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ecop.core.grids import Convention, GridSpec
from ecop.fields.base import Field
from ecop.fit.blocks import Blocks, sample_grid

CHUNK = 16_384
"""Points evaluated at once."""


@eqx.filter_jit
def evaluate(field: Field, coords: Float[Array, "n d_in"]) -> Float[Array, "n d_out"]:
    """The field's values at n coordinates."""
    return field(coords)


def render_strips(field: Field, grid: GridSpec) -> Iterator[np.ndarray]:
    """The field's values on a grid, strip by strip along its first axis.

    Args:
        field: a fitted field.
        grid: where to evaluate.

    Yields:
        (rows, *grid.shape[1:], d_out) arrays that together make up the grid.
    """
    for strip in strips(grid):
        axes = strip.axes()
        yield evaluate_axes(field, axes)


def render_block_strips(
    fields: Field, blocks: Blocks, grid: GridSpec, source: GridSpec, convention: Convention
) -> Iterator[np.ndarray]:
    """The same for a signal that was fitted block by block: where blocks overlap, their weighted mean.

    Args:
        fields: the blocks' fields, every leaf with a leading axis of blocks, on the host.
        blocks: how the signal was cut.
        grid: where to evaluate.
        source: the grid of the signal that was fitted.
        convention: of the blocks' own grids.

    Yields:
        As `render_strips`.
    """
    for strip in strips(sample_grid(grid, source)):
        total, weights = None, np.zeros((*strip.shape, 1), np.float32)
        for number in range(len(blocks.starts)):
            slices, axes = blocks.local(strip, number, convention)
            if not all(len(axis) for axis in axes):
                continue
            field = jax.tree.map(lambda leaf, n=number: leaf[n], fields)
            weight = blocks.weights(strip, number, slices)[..., None].astype(np.float32)
            values = evaluate_axes(field, axes)
            if total is None:
                total = np.zeros((*strip.shape, values.shape[-1]), np.float32)
            total[tuple(slices)] += weight * values
            weights[tuple(slices)] += weight
        assert total is not None, "blocks cover the whole signal"
        yield total / weights


def strips(grid: GridSpec, points: int = 16 * CHUNK) -> Iterator[GridSpec]:
    """Cut a grid along its first axis into pieces of about ``points`` points."""
    rows = max(1, points // max(1, math.prod(grid.shape[1:])))
    rest = len(grid.shape) - 1
    for start in range(0, grid.shape[0], rows):
        yield grid.block((start, *(0,) * rest), (min(rows, grid.shape[0] - start), *grid.shape[1:]))


def evaluate_axes(field: Field, axes: list[np.ndarray]) -> np.ndarray:
    """The field's values on the product of axes, (len(axes[0]), …, d_out), in chunks of one compiled size."""
    shape = tuple(len(axis) for axis in axes)
    coords = np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, len(axes))
    dtype = next(leaf.dtype for leaf in jax.tree.leaves(field) if eqx.is_inexact_array(leaf) or hasattr(leaf, "dtype"))
    parts = []
    for start in range(0, len(coords), CHUNK):
        part = coords[start : start + CHUNK]
        padded = np.pad(part, ((0, CHUNK - len(part)), (0, 0))).astype(dtype)
        parts.append(np.asarray(evaluate(field, jnp.asarray(padded)))[: len(part)])
    return np.concatenate(parts).reshape(*shape, -1)
