"""The end of a fit in closed form: the last linear layer that is best for the features that the steps arrived at.

With H the features of all points, a column of ones behind them, W the points' weights and E what the field still
errs by, the correction D of the last layer minimises ‖W^½ (H D − E)‖² + ρ ‖D‖²:

    (Hᵀ W H + ρ I) D = Hᵀ W E.

The ridge pulls towards the layer that the steps left, not towards 0, so that the loss cannot rise but by rounding; it
is a fixed share of the trace, which float32 can factorise. The sums are taken over tiles.
"""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from ecop.adapt.engine import Engine, normaliser
from ecop.adapt.gradient import precisely
from ecop.adapt.tiles import tile_sum
from ecop.core import trees
from ecop.core.recipe import check
from ecop.fields.base import Field, LinearHead
from ecop.signals.context import Context

HEADS = ("steps", "least-squares")
"""Where a last layer comes from: as the steps left it, or in closed form."""

RIDGE = 1e-6
"""ρ, as a share of the trace of Hᵀ W H."""


def solved_head(field: tuple[Field, Field], context: Context, engine: Engine = Engine()) -> Field:
    """θ with its last layer replaced by the one of least squares on all points of the context.

    Args:
        field: (θ, the rest), see `ecop.fields.split_adapted`.
        context: the points.
        engine: its tile, and the precision of the features; the normal equations are always summed in float32 or
            better.

    Returns:
        θ with another last layer.

    Raises:
        InvalidSetting: for a field without a last linear layer that the inner loop adapts.

    Example:
        >>> from ecop.fields import Siren, split_adapted
        >>> from ecop.signals import point_context
        >>> field = Siren.create(jax.random.key(0), d_in=1, d_out=1, width=16, depth=3)
        >>> context = point_context(jnp.linspace(-1, 1, 20)[:, None], jnp.full((20, 1), 0.7))
        >>> solved = solved_head(split_adapted(field), context)
        >>> bool(Engine().loss((solved, split_adapted(field)[1]), context) < 1e-6)
        True
    """
    return _solve(field, context, engine)[0]


def loss_behind_head(
    field: tuple[Field, Field], context: Context, engine: Engine = Engine()
) -> tuple[Float[Array, ""], Field]:
    """The least loss that a last layer can bring about, ridge included, to be differentiated.

    With W the last layer, θ_h the rest of θ and N channels times the points' weight,

        min_W L(θ_h, W; C) + ρ ‖W − W_θ‖² / N,

    ρ as a constant. At the minimum its derivative with respect to W is 0, so that the one with respect to all else is
    that at a fixed W: the solve itself needs no derivative (the envelope theorem). The engine ``unrolled`` goes through
    it all the same. Learning features for a head in closed form: R2-D2, Bertinetto et al. 2019, arXiv 1805.08136.

    Args:
        field: (θ, the rest).
        context: the points.
        engine: how sums and derivatives are computed.

    Returns:
        The loss, and θ with the solved layer, through which no gradient flows.

    Raises:
        InvalidSetting: as `solved_head`.
    """
    own, points = (field, context) if engine.kind == "unrolled" else trees.stop_gradient((field, context))
    solved, ridge = _solve(own, points, engine)
    theta, moved = eqx.tree_at(_last, field[0], _last(solved)), trees.subtract(_last(solved), _last(field[0]))
    penalty = jax.lax.stop_gradient(ridge) * sum(jnp.sum(part**2) for part in moved)
    loss = engine.loss((theta, field[1]), context) + penalty / normaliser(context, None)
    return loss, eqx.tree_at(_last, field[0], _last(trees.stop_gradient(solved)))


def _solve(field: tuple[Field, Field], context: Context, engine: Engine) -> tuple[Field, Float[Array, ""]]:
    """θ with its solved layer, and ρ."""
    whole = check_head(eqx.combine(*field))
    gram, target = tile_sum(_normal_equations(whole, context, engine), None, context, engine.resolved_tile(whole))
    trace = jnp.trace(gram)
    ridge = jnp.where(trace > 0, RIDGE * trace, 1)  # where no point counts, nothing is corrected
    factor = jax.scipy.linalg.cho_factor(gram + ridge * jnp.eye(len(gram), dtype=gram.dtype))
    correction = jax.scipy.linalg.cho_solve(factor, target)
    last = whole.last_layer()
    theta = eqx.tree_at(_last, field[0], (last.weight + correction[:-1].T, last.bias + correction[-1]))
    return theta, ridge


def _last(theta: Any) -> Any:
    """The last layer's weights and biases."""
    return theta.last_layer().weight, theta.last_layer().bias


def check_head_name(setting: str, name: str) -> None:
    """Refuse what is no way to find a last layer; ``setting`` is where it stands.

    Raises:
        InvalidSetting: for a name that is not one of `HEADS`.
    """
    check(name in HEADS, setting, name, " or ".join(map(repr, HEADS)))


def check_head(field: Field) -> LinearHead:
    """The field, if its last layer can be had in closed form.

    Raises:
        InvalidSetting: if it cannot.
    """
    adapted = isinstance(field, LinearHead) and all(jax.tree.leaves(field.roles().adapted.last_layer()))
    check(adapted, "fit.head", "least-squares", "a field whose last layer is linear and adapted to each signal")
    assert isinstance(field, LinearHead)
    return field


def _normal_equations(whole: LinearHead, context: Context, engine: Engine):
    """The sums of one tile: Hᵀ W H and Hᵀ W E; a field of whole frames has a row for every pixel."""
    width, channels = whole.last_layer().weight.shape[::-1]

    def one(index: Int[Array, "t"]) -> tuple[Float[Array, "h1 h1"], Float[Array, "h1 d"]]:
        coords, values, weights = context.at(index)
        with precisely(engine.precision):
            features = whole.features(coords)
            error = values - whole.head(features)
        rows = features.reshape(-1, width)
        rows = jnp.concatenate([rows, jnp.ones_like(rows[:, :1])], -1)
        weights = jnp.repeat(weights, len(rows) // len(index))
        with precisely("float32"):
            weighted = rows.T * weights
            return weighted @ rows, weighted @ error.reshape(-1, channels)

    return one
