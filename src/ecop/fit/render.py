"""A field's values on any grid, a strip at a time, so that the work needs no more memory for a large picture."""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ecop.adapt.gradient import Precision, precisely
from ecop.core.grids import GridSpec
from ecop.fields.base import Field
from ecop.fit.blocks import Blocks, sample_grid

CHUNK = 16_384
"""Points evaluated at once."""


class View(NamedTuple):
    """How positions on a signal's grid reach a field.

    Attributes:
        own: the grid that the field was fitted on.
        embed: from positions to coordinates (`Signal.embed`).
        precision: of matrix products, see `ecop.adapt.engine.Engine`.
    """

    own: GridSpec
    embed: Callable[[Any], Any] | None
    precision: Precision = "float32"


@eqx.filter_jit
def evaluate(field: Field, coords: Float[Array, "n d_in"], precision: Precision = "float32") -> Float[Array, "n d_out"]:
    """The field's values at n coordinates."""
    with precisely(precision):
        return field(coords)


def render_strips(field: Field, view: View, grid: GridSpec) -> Iterator[np.ndarray]:
    """The field's values on a grid, strip by strip along its first axis.

    Args:
        field: a fitted field.
        view: how it was fitted.
        grid: where to evaluate.

    Yields:
        (rows, *grid.shape[1:], channels) arrays that together make up the grid.
    """
    for strip in strips(grid):
        yield evaluate_axes(field, strip.axes(), view)


def render_block_strips(
    fields: Field, blocks: Blocks, views: Sequence[View], whole: View, grid: GridSpec
) -> Iterator[np.ndarray]:
    """The same for a signal that was fitted block by block: where blocks overlap, their weighted mean.

    Args:
        fields: the blocks' fields, every leaf with a leading axis of blocks, on the host.
        blocks: how the signal was cut.
        views: of each block.
        whole: of the signal.
        grid: where to evaluate.

    Yields:
        As `render_strips`.
    """
    for strip in strips(sample_grid(grid, whole.own)):
        total, weights = None, np.zeros((*strip.shape, 1), np.float32)
        for number, view in enumerate(views):
            slices, axes = blocks.local(strip, number, view.own)
            if not all(len(axis) for axis in axes):
                continue
            field = jax.tree.map(lambda leaf, n=number: leaf[n], fields)
            weight = blocks.weights(strip, number, slices)[..., None].astype(np.float32)
            values = evaluate_axes(field, axes, view)
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


def evaluate_axes(field: Field, axes: list[np.ndarray], view: View) -> np.ndarray:
    """The field's values on the product of axes, (len(axes[0]), …, channels), in chunks of one compiled size.

    A field of whole frames knows its frames' own samples only; between them they are interpolated linearly.
    """
    leading = axes[: field.point_axes]
    frame = view.own.shape[len(leading) :]
    shape = tuple(len(axis) for axis in leading)
    positions = np.stack(np.meshgrid(*leading, indexing="ij"), -1).reshape(-1, len(leading))
    coords = positions if view.embed is None or frame else np.asarray(view.embed(positions))
    values = evaluate_points(field, coords, max(1, CHUNK // math.prod(frame)), view.precision)
    values = values.reshape(*shape, *frame, -1)
    for axis in range(len(leading), len(axes)):
        values = _interpolated(values, axis, (axes[axis] - view.own.origin[axis]) / (view.own.spacing[axis] or 1.0))
    return values


def evaluate_points(
    field: Field, coords: np.ndarray, chunk: int = CHUNK, precision: Precision = "float32"
) -> np.ndarray:
    """The field's values at (n, d_in) coordinates, (n, d_out), in chunks of one compiled size."""
    dtype = next(leaf.dtype for leaf in jax.tree.leaves(field) if eqx.is_inexact_array(leaf) or hasattr(leaf, "dtype"))
    parts = []
    for start in range(0, len(coords), chunk):
        part = coords[start : start + chunk]
        padded = np.pad(part, ((0, chunk - len(part)), (0, 0))).astype(dtype)
        parts.append(np.asarray(evaluate(field, jnp.asarray(padded), precision))[: len(part)])
    return np.concatenate(parts)


def _interpolated(values: np.ndarray, axis: int, positions: np.ndarray) -> np.ndarray:
    """Values at positions between the samples of an axis; beyond its ends, the end's."""
    last = values.shape[axis] - 1
    positions = np.clip(positions, 0, last)
    below = np.minimum(positions.astype(int), max(0, last - 1))
    share = (positions - below).astype(values.dtype).reshape(-1, *(1,) * (values.ndim - axis - 1))
    lower, upper = np.take(values, below, axis), np.take(values, np.minimum(below + 1, last), axis)
    return lower + share * (upper - lower)
