"""Engine and tile by what they take on this machine: measured once, then remembered in ``tuning.json`` in the cache.

Another tile, or plain autodiff, rounds differently, so that two machines that measure differently would not train the
same numbers from one seed. Hence nothing here is a default: it is asked for (``auto``), and a run stores what came
out, which it keeps when it is resumed.
"""

import dataclasses
import functools
import time
from collections.abc import Callable
from typing import Any, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from ecop.adapt.engine import Engine, Kind
from ecop.adapt.gradient import Precision
from ecop.core import machine
from ecop.core.cache import remembered
from ecop.core.recipe import Recipe, check
from ecop.fit.initialisation import field_sizes
from ecop.meta.plan import abstract_field, baseline, compile_abstract, program_bytes, train_program
from ecop.meta.rates import described, ordinary_inputs

FACTORS = (0.5, 1.0, 2.0)
"""Tiles that are tried, as multiples of the default."""
ROUNDS = 3
"""Each tile is timed that often, in turns; the fastest counts, since all else can only slow it."""
GAIN = 0.95
"""Another tile than the default must take less than this share of the default's time."""
ROOM = 0.7
"""Share of the machine's memory that plain autodiff may take."""


def choose_engine(
    recipe: Recipe,
    *,
    kind: Kind | Literal["auto"] = "exact-lowmem",
    tile: int | Literal["auto"] | None = None,
    precision: Precision = "float32",
    memory: int | None = None,
) -> Engine:
    """The engine for a recipe on this machine, with nothing left open.

    Args:
        recipe: says field, shape and inner loop.
        kind: ``auto``: plain autodiff where an outer step of one signal fits into the memory and was measured to
            take less time, else the low-memory engine.
        tile: points in a tile; ``auto``: measured, see `tuned_tile`; ``None``: the default for the field's width.
        precision: of matrix products.
        memory: bytes that plain autodiff may take, the process included; 0.7 of the machine's by default.

    Raises:
        InvalidSetting: for a kind, tile or precision that does not exist.

    Example:
        >>> choose_engine(Recipe.named("quick"), tile=256)
        Engine(kind='exact-lowmem', tile=256, precision='float32')
    """
    check(kind in ("auto", "exact-lowmem", "unrolled"), "engine", kind, "'auto', 'exact-lowmem' or 'unrolled'")
    plain = Engine("unrolled", precision=precision)
    if kind == "unrolled":
        return plain
    tiled = Engine(precision=precision)
    tiled = dataclasses.replace(tiled, tile=tuned_tile(recipe, tiled) if tile == "auto" else tile)
    if kind == "exact-lowmem":
        return tiled
    needed = program_bytes(recipe, plain, "train") + baseline()
    if needed > (ROOM * device_memory() if memory is None else memory):
        return tiled
    return min((tiled, plain), key=lambda engine: step_seconds(recipe, engine))


def tuned_tile(recipe: Recipe, engine: Engine = Engine()) -> int:
    """The tile in which a gradient and its derivative take least; the default unless another gains 5 %.

    Half and twice the default are tried, on four times as many points as it has: a second or two, once.
    """
    field = abstract_field(recipe)
    default = dataclasses.replace(engine, tile=None).resolved_tile(field)
    assert default is not None  # it has tiles
    engines = [dataclasses.replace(engine, tile=max(1, round(factor * default))) for factor in FACTORS]

    def measured() -> int:
        theta, rest, context = ordinary_inputs(field, *field_sizes(recipe), 4 * default)
        runs = [functools.partial(_twice_differentiated(own, rest), theta, context) for own in engines]
        seconds = fastest(runs)
        usual, best = seconds[FACTORS.index(1.0)], min(seconds)
        tile = engines[seconds.index(best)].tile if best < GAIN * usual else default
        return tile or default

    return remembered("tuning.json", described(field, *field_sizes(recipe), engine, "tile"), measured)


def step_seconds(recipe: Recipe, engine: Engine) -> float:
    """Seconds of an outer step of one signal, run twice behind its compilation."""
    one = recipe.with_settings({"data.batch": 1})

    def measured() -> float:
        step, shapes = train_program(one, engine)
        program, given = compile_abstract(step, *shapes), jax.tree.map(_numbers, shapes)
        return fastest([lambda: program(given)], rounds=2)[0]

    settings = f"{one.learner.name} {sorted(one.learner.settings.items())} {one.data.size}"
    return remembered("tuning.json", described(abstract_field(one), *field_sizes(one), engine, settings), measured)


def fastest(runs: list[Callable[[], Any]], rounds: int = ROUNDS) -> list[float]:
    """Least seconds of each, in turns, behind a first call of each."""
    for run in runs:
        jax.block_until_ready(run())
    seconds: list[list[float]] = [[] for _ in runs]
    for _ in range(rounds):
        for run, own in zip(runs, seconds, strict=True):
            begun = time.perf_counter()
            jax.block_until_ready(run())
            own.append(time.perf_counter() - begun)
    return [min(own) for own in seconds]


def device_memory() -> int:
    """Bytes that programs can have: the device's own memory where it has one, else the machine's."""
    known = jax.devices()[0].memory_stats() or {}
    return known.get("bytes_limit", machine.memory())


def _twice_differentiated(engine: Engine, rest: Any) -> Callable[..., Any]:
    """The gradient, and its product with the Hessian: nine tenths of an inner step and its way back."""

    @eqx.filter_jit
    def both(theta, context):
        value, pull = jax.vjp(lambda t: engine.gradient((t, rest), context)[0], theta)
        return pull(lax.stop_gradient(value))

    return both


def _numbers(leaf: Any) -> Any:
    """Ordinary numbers for a shape; whole ones stay 1, keys are keys."""
    if not isinstance(leaf, jax.ShapeDtypeStruct):
        return leaf
    if jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key):
        return jax.random.key(0)
    if np.issubdtype(leaf.dtype, np.integer):
        return jnp.ones(leaf.shape, leaf.dtype)
    numbers = np.random.default_rng(0).normal(0, 0.02, leaf.shape)
    return jnp.asarray(numbers, leaf.dtype)
