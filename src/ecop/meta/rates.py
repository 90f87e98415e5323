"""How fast this machine scores, differentiates and differentiates twice: measured once, then remembered.

An outer step is a sum of passes over points, each of a known kind; a few tiles of each kind, timed, say how long any
step will take. The rates lie in ``rates.json`` in the cache folder, by device, versions, field and engine.
"""

import time
from collections.abc import Callable
from importlib.metadata import version
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax

from ecop.adapt.engine import Engine
from ecop.core import trees
from ecop.core.cache import remembered
from ecop.core.grids import regular_grid
from ecop.core.machine import cores, processor
from ecop.fields.base import Field, split_adapted
from ecop.pruning.error import Error
from ecop.signals.context import AffineGrid, Context

ROUNDS = 5
"""Each pass is timed that often, in turns with the others; the fastest counts, since all else can only slow it."""

TILES = 8
"""Tiles of a timed pass."""

UNTILED_POINTS = 8192
"""Points of a timed pass of the engine without tiles: more than a cache holds, as in its real use."""


class Rates(NamedTuple):
    """Seconds for one point of one pass.

    Attributes:
        score: one forward pass, with the scores of the points.
        gradient: ∇L.
        adjoint: what differentiating through ∇L costs on the way back: a Hessian-vector product.
    """

    score: float
    gradient: float
    adjoint: float


def measured_rates(field: Field, d_in: int, d_out: int, engine: Engine = Engine(), *, again: bool = False) -> Rates:
    """The rates of a field of this form on this machine.

    Args:
        field: gives the form; its parameters do not matter and may be abstract.
        d_in: coordinates of a point.
        d_out: values of a point.
        engine: tiled, or all points at once.
        again: measure even if the rates are known.
    """
    key = described(field, d_in, d_out, engine)
    return Rates(*remembered("rates.json", key, lambda: list(measure(field, d_in, d_out, engine)), again=again))


def measure(field: Field, d_in: int, d_out: int, engine: Engine = Engine()) -> Rates:
    """Time the three passes in turns; the fastest of each."""
    tile = engine.resolved_tile(field)
    points = TILES * tile if tile is not None else UNTILED_POINTS if field.point_axes is None else TILES
    theta, rest, context = ordinary_inputs(field, d_in, d_out, points)
    passes = _passes(engine, theta, rest)
    for run in passes:
        jax.block_until_ready(run(theta, context))  # compiles
    seconds: list[list[float]] = [[], [], []]
    for _ in range(ROUNDS):
        for run, own in zip(passes, seconds, strict=True):
            begun = time.perf_counter()
            jax.block_until_ready(run(theta, context))
            own.append(time.perf_counter() - begun)
    score, gradient, both = (min(own) / points for own in seconds)
    return Rates(score, gradient, max(both - gradient, gradient))


def _passes(engine: Engine, theta: Any, rest: Any) -> tuple[Callable[..., Any], ...]:
    """Scores; the gradient; the gradient and its derivative."""

    @eqx.filter_jit
    def score(theta, context):
        return engine.scores((theta, rest), context, Error(), jax.random.key(0), jnp.asarray(0))

    @eqx.filter_jit
    def gradient(theta, context):
        return engine.gradient((theta, rest), context)

    @eqx.filter_jit
    def both(theta, context):
        value, pull = jax.vjp(lambda t: engine.gradient((t, rest), context)[0], theta)
        return pull(lax.stop_gradient(value))

    return score, gradient, both


def ordinary_inputs(field: Field, d_in: int, d_out: int, points: int) -> tuple[Any, Any, Context]:
    """Parameters and points with nothing special about them: sines of the counting numbers."""

    def numbers(leaf: Any) -> Any:
        if not hasattr(leaf, "shape"):
            return leaf
        return 0.02 * jnp.sin(jnp.arange(leaf.size, dtype=jnp.float32)).reshape(leaf.shape).astype(leaf.dtype)

    concrete = trees.with_leaves(field, lambda _, leaf: numbers(leaf))
    grid = AffineGrid.of(regular_grid((points,) + (1,) * (d_in - 1)))
    return *split_adapted(concrete), Context(grid, jnp.full((points, d_out), 0.5))


def described(field: Field, d_in: int, d_out: int, engine: Engine, what: str = "") -> str:
    """All that a measured time depends on: device, versions, field and engine, and ``what`` else."""
    device = jax.devices()[0]
    name = f"{processor()} × {cores()}" if device.platform == "cpu" else device.device_kind
    settings = ",".join(f"{name}={value}" for name, value in sorted(field.settings().items()))
    return "; ".join(
        (
            name, f"jax {jax.__version__}", f"ecop {version('ecop')}",
            f"{type(field).__name__}({settings}) {d_in}→{d_out}", engine.kind,
            f"tile {engine.resolved_tile(field)}", engine.precision, *([what] if what else []),
        )
    )  # fmt: skip
