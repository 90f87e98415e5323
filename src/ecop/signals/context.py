"""A signal on the device: coordinates computed from indices, values, and which points count."""

import abc
import math
from collections.abc import Callable, Sequence
from typing import Any, Self

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Bool, Float, Int

from ecop.core.errors import InvalidSetting
from ecop.core.grids import Convention, GridSpec
from ecop.core.recipe import check
from ecop.signals.base import Signal


class Points(eqx.Module):
    """Coordinates by flat index, stored or computed."""

    @abc.abstractmethod
    def at(self, index: Int[Array, "n"]) -> Float[Array, "n d_in"]:
        """Coordinates of the points with these flat indices."""

    @abc.abstractmethod
    def padded(self, rows: int) -> Self:
        """The same points, answering for flat indices up to ``rows`` (with any finite coordinate)."""


class StoredPoints(Points):
    """Coordinates that lie in memory."""

    coords: Float[Array, "m d_in"]

    def at(self, index: Int[Array, "n"]) -> Float[Array, "n d_in"]:
        """Coordinates of the points with these flat indices."""
        return self.coords[index]

    def padded(self, rows: int) -> Self:
        """Padded with the origin."""
        return type(self)(jnp.pad(self.coords, ((0, rows - self.coords.shape[0]), (0, 0))))


class AffineGrid(Points):
    """A regular grid: nothing is stored but its shape, origin and spacing.

    All three are arrays, so that grids of different shapes share one compiled program.
    """

    shape: Int[Array, "d_in"]
    origin: Float[Array, "d_in"]
    spacing: Float[Array, "d_in"]

    @classmethod
    def of(cls, grid: GridSpec) -> Self:
        """The grid on the device.

        Raises:
            InvalidSetting: for more points than a 32-bit index can name; cut such a signal into blocks, each a
                grid of its own (`GridSpec.block`).
        """
        if grid.size >= 2**31:
            raise InvalidSetting(
                "shape", grid.shape, "fewer than 2^31 points in one context; cut the signal into blocks"
            )
        return cls(jnp.asarray(grid.shape, jnp.int32), jnp.asarray(grid.origin), jnp.asarray(grid.spacing))

    def at(self, index: Int[Array, "n"]) -> Float[Array, "n d_in"]:
        """Coordinates of the points with these flat, row-major indices."""
        positions, rest = [], index
        for axis in range(self.shape.shape[0] - 1, -1, -1):
            positions.append(rest % self.shape[axis])
            rest = rest // self.shape[axis]
        position = jnp.stack(positions[::-1], -1).astype(self.origin.dtype)
        return self.origin + position * self.spacing

    def padded(self, rows: int) -> Self:
        """The grid itself: it goes on past its end."""
        return self


class MappedGrid(Points):
    """A regular grid whose positions are not the coordinates themselves, such as longitudes on a sphere."""

    grid: AffineGrid
    embed: Callable[[Any], Any] = eqx.field(static=True)

    def at(self, index: Int[Array, "n"]) -> Float[Array, "n d_in"]:
        """Coordinates of the points with these flat, row-major indices."""
        return self.embed(self.grid.at(index))

    def padded(self, rows: int) -> Self:
        """The grid itself: it goes on past its end."""
        return self


class Context(eqx.Module):
    """The points of one signal: C = {(x_j, y_j)}, j = 1…M.

    Attributes:
        points: where they are.
        values: what was observed there, scaled to [0, 1].
        weights: how much each point counts in every loss, 0 for a missing one; ``None``: all 1.
        length: the number of leading rows that are points, the others being padding; ``None``: all.
    """

    points: Points
    values: Float[Array, "m d_out"]
    weights: Float[Array, "m"] | None = None
    length: Int[Array, ""] | None = None

    @property
    def size(self) -> int:
        """Number of rows, padding included."""
        return self.values.shape[0]

    @property
    def plain(self) -> bool:
        """Whether every row is a point of weight 1."""
        return self.weights is None and self.length is None

    def at(self, index: Int[Array, "n"]) -> tuple[Float[Array, "n d_in"], Float[Array, "n d_out"], Float[Array, "n"]]:
        """Coordinates, values and weights at flat indices; an index outside [0, M) has weight 0."""
        end = self.size if self.length is None else self.length
        inside = (index >= 0) & (index < end)
        index = jnp.where(inside, index, 0)
        values = self.values[index]
        weights = inside.astype(values.dtype)
        if self.weights is not None:
            weights = weights * self.weights[index]
        return self.points.at(index), values, weights

    def valid(self) -> Bool[Array, "m"]:
        """Which rows count at all."""
        rows = jnp.arange(self.size)
        inside = rows < (self.size if self.length is None else self.length)
        return inside if self.weights is None else inside & (self.weights > 0)


def context_of(
    signal: Signal, convention: Convention = "centres", pad_to: int | None = None, point_axes: int | None = None
) -> Context:
    """The context of a signal, on its grid or at its scattered points; points whose value is NaN get weight 0.

    Args:
        signal: values in [0, 1], NaN where missing.
        convention: where the samples of a grid lie.
        pad_to: rows to pad to, so that signals of different sizes share one compiled program.
        point_axes: leading axes that make a point (`Field.point_axes`); its value is all that lies behind them.

    Raises:
        InvalidSetting: if ``pad_to`` is smaller than the signal, points of several samples lack some of them, or a
            field of whole frames meets scattered points.
    """
    size = math.prod(signal.shape[:point_axes])
    rows = size if pad_to is None else pad_to
    check(rows >= size, "pad_to", pad_to, f"at least the {size} points of the signal")
    # On the host, since every shape that JAX sees would be compiled for.
    room = ((0, rows - size), (0, 0))
    values, weights = observed(np.pad(signal.values.reshape(size, -1), room), point_axes)
    if signal.coordinates is None:
        grid = leading_grid(signal.grid(convention), point_axes)
        points = grid_points(grid, signal.embed if point_axes is None else None)
    else:
        points = scattered_points(np.pad(signal.coordinates, room), point_axes)
    return Context(
        points,
        jnp.asarray(values),
        None if weights is None else jnp.asarray(weights),
        None if pad_to is None else jnp.asarray(size, jnp.int32),
    )


def leading_grid(grid: GridSpec, point_axes: int | None) -> GridSpec:
    """The grid of the leading axes that make a point; ``None``: the grid itself."""
    return GridSpec(grid.shape[:point_axes], grid.origin[:point_axes], grid.spacing[:point_axes])


def grid_points(grid: GridSpec, embed: Callable[[Any], Any] | None) -> Points:
    """A grid's points on the device."""
    points = AffineGrid.of(grid)
    return points if embed is None else MappedGrid(points, embed)


def scattered_points(coordinates: ArrayLike, point_axes: int | None) -> StoredPoints:
    """Scattered points on the device, (m, d_in).

    Raises:
        InvalidSetting: for a field of whole frames.
    """
    check(point_axes is None, "field", "one of whole frames", "one of points for scattered samples")
    return StoredPoints(jnp.asarray(coordinates))


def observed(values: np.ndarray, point_axes: int | None = None) -> tuple[np.ndarray, np.ndarray | None]:
    """Values with 0 for what is missing (NaN), and a weight of 0 for points that lack any; ``None`` if none does.

    Args:
        values: (…, d_out).
        point_axes: of the field; a point of many samples cannot be left out for one of them.

    Raises:
        InvalidSetting: for points of many samples of which some are missing.
    """
    missing = np.asarray(np.isnan(values).any(axis=-1))
    if not missing.any():
        return values, None
    lacking = missing & ~np.isnan(values).all(axis=-1)
    check(point_axes is None or not lacking.any(), "values", "some missing in a frame",
          "frames that are there or not, for a field that predicts whole frames")  # fmt: skip
    return np.where(missing[..., None], 0, values), (~missing).astype(values.dtype)


def padded(context: Context, rows: int) -> Context:
    """The same context with ``rows`` rows, those behind its own marked as padding."""
    extra = rows - context.size
    check(extra >= 0, "rows", rows, f"at least the {context.size} rows of the context")

    def pad(array: Array) -> Array:
        return jnp.pad(array, ((0, extra),) + ((0, 0),) * (array.ndim - 1))

    length = jnp.asarray(context.size if context.length is None else context.length, jnp.int32)
    weights = None if context.weights is None else pad(context.weights)
    return Context(context.points.padded(rows), pad(context.values), weights, length)


def stack(contexts: Sequence[Context]) -> Context:
    """A batch: every array with a leading axis of as many entries as there are contexts.

    Contexts of different sizes are padded to the bucket of the largest, and given weights where another has them.
    """
    rows = max(context.size for context in contexts)
    if any(context.size != rows or context.length is not None for context in contexts):
        contexts = [padded(context, bucket(rows)) for context in contexts]
    if any(context.weights is not None for context in contexts):
        contexts = [_weighted(context) for context in contexts]
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *contexts)


def _weighted(context: Context) -> Context:
    if context.weights is not None:
        return context
    weights = jnp.ones(context.size, context.values.dtype)
    return Context(context.points, context.values, weights, context.length)


def point_context(coords: ArrayLike, values: ArrayLike, weights: ArrayLike | None = None) -> Context:
    """A context of scattered points: (M, d_in) coordinates and (M, d_out) values."""
    stored = StoredPoints(jnp.asarray(coords))
    return Context(stored, jnp.asarray(values), None if weights is None else jnp.asarray(weights))


def bucket(size: int, smallest: int = 1024) -> int:
    """The number of rows to pad ``size`` points to, 2^k or 3·2^k, so that few programs serve all sizes.

    At most a third of the rows are padding, and all sizes between 10⁴ and 10⁶ points fall into 15 buckets.

    Example:
        >>> bucket(1000), bucket(1500), bucket(31684)
        (1024, 1536, 32768)
    """
    rows = smallest
    while rows < size:
        rows = rows * 3 // 2 if rows & (rows - 1) == 0 else rows // 3 * 4
    return rows
