"""How near the engine comes to the machine's matrix products.

The rate of products of the field's own shapes is measured in turns with every kernel, and a kernel's fraction is
(its operations / its time) / that rate. One forward pass over M points is F = 2 · parameters · M operations. Counted
are: score F, gradient 3 F, Hessian-vector product 8 F, outer step K·(1 + γ·(3 + 8)) F + 3 L F + 3 F for each signal
(78 F at K = 16, γ = ¼, L = 5), fit K · 4 F. These are fixed: what is computed beyond them is not counted as work.
"""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import equinox as eqx
import jax
import jax.numpy as jnp

from bench import chart
from bench.benchmark import Benchmark, main
from bench.products import product_chain
from bench.timing import in_turns
from ecop.adapt import Engine
from ecop.adapt.scaling import Norm
from ecop.core import trees
from ecop.core.grids import regular_grid
from ecop.core.recipe import TrainSettings
from ecop.fields import Siren
from ecop.fields.base import split_adapted
from ecop.fit.loop import FitPlan, fit_context
from ecop.meta import ECoP, OuterLoop, adam, stack
from ecop.signals.context import AffineGrid, Context

BARS = {"gradient": 0.80, "hvp": 0.80, "meta_step_b1": 0.75, "meta_step_b4": 0.75}


@dataclass(frozen=True, kw_only=True)
class Roofline(Benchmark):
    """Fractions of this machine's matrix-product rate that the engine's kernels reach."""

    name: ClassVar[str] = "roofline"

    side: int = 178
    """points along each side of the signal"""
    width: int = 256
    """units of each hidden layer"""
    depth: int = 5
    """linear maps of the field"""
    steps: int = 16
    """inner steps K"""
    tile: int | None = None
    """points in a tile; the engine's choice by default"""
    signals: str | None = None
    """scan or vmap over the signals of a batch; as training does it on this device by default"""
    precision: Literal["float32", "tf32", "bf16"] = "float32"
    """of matrix products, the compared ones too"""
    rounds: int = 5
    """times that each kernel is measured"""

    def measure(self) -> dict[str, Any]:
        """Rates, fractions and seconds."""
        return measure_roofline(self.shrunk())

    def shrunk(self) -> "Roofline":
        """Itself, or with --small a form of it that takes seconds."""
        if not self.small:
            return self
        return dataclasses.replace(self, side=24, width=16, depth=3, steps=2, tile=128, rounds=2)

    def in_words(self, result: dict[str, Any]) -> list[str]:
        """A line for each kernel."""
        lines = [f"matrix products: {result['gemm_gflops']:.0f} GFLOP/s"]
        for name, fraction in result["fractions"].items():
            bar = f"   bar {BARS[name]:.2f}" if name in BARS else ""
            lines.append(f"{name:13} {fraction:.3f}   {result['seconds'][name]:.4f} s{bar}")
        return lines

    def draw(self, result: dict[str, Any]) -> Any:
        """Bars with the fractions, red where they should reach."""
        return chart.bars(result["fractions"], "fraction of the matrix-product rate", BARS)


def measure_roofline(settings: Roofline) -> dict[str, Any]:
    """The result of one setting."""
    engine = Engine(tile=settings.tile, precision=settings.precision)
    field = Siren.create(jax.random.key(0), d_in=2, d_out=3, width=settings.width, depth=settings.depth)
    points, tile = settings.side**2, engine.resolved_tile(split_adapted(field)[0])
    forward = 2.0 * trees.size(field) * points
    work = dict(zip(("score", "gradient", "hvp"), (forward, 3 * forward, 8 * forward), strict=True))
    learner = ECoP(inner_steps=settings.steps, engine=engine)
    step = forward * (
        learner.inner_steps * (1 + learner.keep * (3 + 8)) + 3 * learner.bootstrap_steps + 3
    )  # fmt: skip
    work |= {"meta_step_b1": step, "meta_step_b4": 4 * step, "fit": 4 * settings.steps * forward}
    repeats = max(1, round(2 * work["gradient"] / (6.0 * tile * settings.width**2)))
    chains = {f"products_{rows}": product_chain(rows, settings.width, n, settings.precision) for rows, n in
              ((tile, repeats), (points, max(1, repeats * tile // points)))}  # fmt: skip
    functions = {name: run for name, (run, _) in chains.items()}
    functions |= kernels(field, engine, settings, learner)
    seconds = in_turns(functions, settings.rounds)
    rates = {name: operations / seconds[name] for name, (_, operations) in chains.items()}
    best = max(rates.values())
    return {
        "gemm_gflops": best / 1e9,
        "fractions": {name: operations / seconds[name] / best for name, operations in work.items()},
        "seconds": {name: seconds[name] for name in work},
        "products_gflops": {name.removeprefix("products_"): rate / 1e9 for name, rate in rates.items()},
        "gflop": {name: operations / 1e9 for name, operations in work.items()},
        "settings": {"side": settings.side, "width": settings.width, "depth": settings.depth, "steps": settings.steps,
                     "tile": tile, "signals": signals_of(settings), "rounds": settings.rounds,
                     "precision": settings.precision},
    }  # fmt: skip


def kernels(field: Any, engine: Engine, settings: Roofline, learner: ECoP) -> dict[str, Callable[[], Any]]:
    """The measured functions, each compiled on its first call."""
    grid = AffineGrid.of(regular_grid((settings.side, settings.side)))
    values = jax.random.uniform(jax.random.key(1), (settings.side**2, 3))
    context, (theta, rest) = Context(grid, values), split_adapted(field)
    loop = OuterLoop(learner, adam(TrainSettings()), signals_of(settings))
    state, plan = (
        loop.init(field, jax.random.key(0)),
        FitPlan(learner.pruning, Norm(), settings.steps, 1e-2, engine=engine),
    )
    score = eqx.filter_jit(lambda t, c: engine.scores((t, rest), c, learner.pruning.scorer, jax.random.key(0), 0))
    gradient = eqx.filter_jit(lambda t, c: engine.gradient((t, rest), c))
    # The gradient itself is not returned, so that the compiler leaves it out: only the product with `t` is computed.
    hvp = eqx.filter_jit(lambda t, c: jax.vjp(lambda u: engine.gradient((u, rest), c)[0], t)[1](t))
    step, fit = eqx.filter_jit(loop.step), eqx.filter_jit(fit_context)
    one, four = stack([context]), stack([context] * 4)
    return {
        "score": lambda: score(theta, context), "gradient": lambda: gradient(theta, context),
        "hvp": lambda: hvp(theta, context), "meta_step_b1": lambda: arrays(step(state, one)),
        "meta_step_b4": lambda: arrays(step(state, four)),
        "fit": lambda: arrays(fit(field, context, plan, jax.random.key(0), jnp.asarray(-1.0))),
    }  # fmt: skip


def signals_of(settings: Roofline) -> Any:
    """How a batch is walked through."""
    return settings.signals or ("scan" if jax.default_backend() == "cpu" else "vmap")


def arrays(tree: Any) -> Any:
    """The arrays of a result, to wait for."""
    return eqx.filter(tree, eqx.is_array)


if __name__ == "__main__":
    main(Roofline)
