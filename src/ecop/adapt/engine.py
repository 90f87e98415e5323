"""Two ways to compute the same numbers: the low-memory engine, and plain autodiff, its oracle."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float, Int, PRNGKeyArray

from ecop.adapt.gradient import PRECISIONS, Precision, error_gradient, precisely, squared_error, summed_error
from ecop.adapt.tiles import SMALLEST_TILE, default_tile, tile_map
from ecop.core import trees
from ecop.core.recipe import check
from ecop.fields.base import Field
from ecop.pruning.base import Scorer
from ecop.signals.context import Context

Kind = Literal["exact-lowmem", "unrolled"]


class Errors(NamedTuple):
    """Sums over the weighted squared errors e_j of a context's points.

    Attributes:
        total: Σ e_j.
        logs: Σ e_j log e_j, where 0 log 0 is 0.
    """

    total: Float[Array, ""]
    logs: Float[Array, ""]

    def entropy(self) -> Float[Array, ""]:
        """−Σ p_j log p_j of the errors as a distribution, p_j = e_j / Σ e; 0 where there is no error."""
        total = jnp.where(self.total > 0, self.total, 1)
        return jnp.where(self.total > 0, jnp.log(total) - self.logs / total, 0)


@dataclass(frozen=True)
class Engine:
    """How losses and gradients of a field on a context are computed.

    Attributes:
        kind: ``exact-lowmem``: tiled, with the mixed-mode adjoint of `ecop.adapt.gradient`. ``unrolled``: all points
            at once and plain autodiff through every step, whose memory grows with points and steps. Both give the
            same numbers, to rounding.
        tile: points in a tile; ``None``: chosen by the field's width. ``unrolled`` has no tiles.
        precision: of matrix products, derivatives included: ``float32``; on GPUs also ``tf32`` and ``bf16``, which are
            faster. A CPU takes ``tf32`` for ``float32``, and rounds for ``bf16``, which is slower there. Products with
            coordinates are always float32.
    """

    kind: Kind = "exact-lowmem"
    tile: int | None = None
    precision: Precision = "float32"

    def __post_init__(self):
        check(self.kind in ("exact-lowmem", "unrolled"), "engine", self.kind, "'exact-lowmem' or 'unrolled'")
        check(self.tile is None or self.tile >= 1, "tile", self.tile, "a number of points ≥ 1")
        check(self.precision in PRECISIONS, "precision", self.precision, f"one of {', '.join(map(repr, PRECISIONS))}")

    def loss(
        self, field: tuple[Field, Field], context: Context, index: Int[Array, "n"] | None = None
    ) -> Float[Array, ""]:
        """L(θ; C): the weighted mean over points and channels of the squared error.

        Args:
            field: (θ, the rest), see `ecop.fields.split_adapted`.
            context: the points.
            index: flat indices of the points that count; ``None``: all.
        """
        operands = (*field, context)
        if self.kind == "unrolled":
            error = squared_error(operands, _all(index, context), self.precision)
        else:
            error = summed_error(operands, index, self.resolved_tile(eqx.combine(*field)), self.precision)
        return error / normaliser(context, index)

    def gradient(
        self,
        field: tuple[Field, Field],
        context: Context,
        index: Int[Array, "n"] | None = None,
        importance: Float[Array, "n"] | None = None,
    ) -> tuple[Field, Float[Array, ""]]:
        """(∇_θ L, L) on the points at ``index``; the gradient can be differentiated again, L is for reading only.

        Args:
            field: (θ, the rest).
            context: the points.
            index: flat indices of the points that count; ``None``: all.
            importance: how much each of those counts where they stand for all points: the sums are then over the
                weights of all.
        """
        if importance is not None and index is not None:
            return self._estimate(field, context, index, importance)
        operands = (*field, context)
        if self.kind == "unrolled":
            indices = _all(index, context)
            whole = lambda t: squared_error((t, *operands[1:]), indices, self.precision)  # noqa: E731
            error, gradient = eqx.filter_value_and_grad(whole)(field[0])
        else:
            gradient, error = error_gradient(operands, index, self.resolved_tile(eqx.combine(*field)), self.precision)
        norm = normaliser(context, index)
        return trees.scale(1 / norm, gradient), jax.lax.stop_gradient(error / norm)

    def _estimate(
        self, field: tuple[Field, Field], context: Context, index: Int[Array, "n"], importance: Float[Array, "n"]
    ) -> tuple[Field, Float[Array, ""]]:
        """The weights of all points, zeros for most, are made again on the way back rather than kept for every step."""

        @eqx.filter_checkpoint
        def weighted(field, context, index, importance):
            own = context.at(index)[2]
            own = own * jnp.where(own > 0, importance, 1)
            weights = jnp.zeros(context.size, own.dtype).at[index].set(own, mode="drop")
            kept = Context(context.points, context.values, weights, context.length)
            gradient, loss = self.gradient(field, kept, index)
            share = normaliser(kept, index) / normaliser(context, None)
            return trees.scale(share, gradient), jax.lax.stop_gradient(share * loss)

        return weighted(field, context, index, importance)

    def scores(
        self,
        field: tuple[Field, Field],
        context: Context,
        scorer: Scorer,
        key: PRNGKeyArray,
        step: Int[ArrayLike, ""],
    ) -> tuple[Float[Array, "m"], Errors]:
        """Every point's score, (rows,), and sums over the points' errors; no gradient flows through them."""
        whole = trees.stop_gradient(eqx.combine(*field))
        context = trees.stop_gradient(context)

        def one(index, new):
            coords, values, weights = context.at(index)
            with precisely(self.precision):
                features = whole.features(coords)
                residual = whole.head(features) - values
            score = scorer.score(whole, residual, features, index=index, key=key, step=jnp.asarray(step))
            error = jnp.where(new, weights, 0) * jnp.sum(residual**2, -1)
            logs = jnp.log(jnp.where(error > 0, error, 1))
            return score, Errors(jnp.sum(error), jnp.sum(error * logs))

        return tile_map(one, context, self.resolved_tile(whole))

    def resolved_tile(self, field: Field) -> int | None:
        """The tile that this field, with all its leaves, gets."""
        if self.kind == "unrolled":
            return None
        smallest = SMALLEST_TILE if field.point_axes is None else 1
        return self.tile or default_tile(field.width(), smallest=smallest)


def normaliser(context: Context, index: Int[Array, "n"] | None) -> Float[Array, ""]:
    """channels · Σ_j w_j over the points at ``index``; at least a tiny number, so that no point at all is loss 0."""
    channels = context.values.shape[-1]
    if context.plain:
        count = context.size if index is None else index.shape[0]
        return jnp.asarray(count * channels, context.values.dtype)
    total = jnp.sum(context.at(_all(index, context))[2])
    return channels * jnp.maximum(total, jnp.finfo(total.dtype).tiny)


def _all(index, context):
    return jnp.arange(context.size) if index is None else index
