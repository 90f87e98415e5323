"""What training and fitting will need, before anything runs: memory from the compiled programs, time from rates.

The programs are compiled for the shapes alone (`jax.ShapeDtypeStruct`), so that planning a step for 1024×1024 points
needs none of their memory.
"""

import dataclasses
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import equinox as eqx
import jax
import jax.numpy as jnp

from ecop.adapt.engine import Engine
from ecop.adapt.update import Update
from ecop.core import trees
from ecop.core.memory import peak_resident
from ecop.core.recipe import Part, Recipe
from ecop.fields.base import Field, split_adapted
from ecop.fit.initialisation import Initialisation, create_recipe_field, field_sizes
from ecop.fit.loop import FitPlan, advance_fit, start_fit
from ecop.fit.settings import resolved_fit
from ecop.meta.base import MetaLearner
from ecop.meta.build import blank_context, build_learner, build_outer_loop
from ecop.meta.ecop import ECoP
from ecop.meta.fomaml import FirstOrderMAML
from ecop.meta.rates import Rates, measured_rates
from ecop.meta.reptile import Reptile
from ecop.signals.context import bucket, padded

Phase = Literal["train", "fit"]

LEARNIT_STEPS = 4
"""Inner steps of Learnit: as many point-steps as ECoP's 16 at γ = ¼."""


ADJOINT_UPDATES = 3
"""How many times an inner update's own work its way back takes."""


@dataclass(frozen=True)
class Cost:
    """What one outer step, or one fit, takes.

    Attributes:
        method: ``ecop``, ``learnit`` or ``unrolled``; or the recipe's learner, where it is another.
        phase: ``train``: one outer step. ``fit``: one signal.
        engine: how gradients are computed.
        shape: samples of a signal along each axis.
        batch: signals of the step.
        steps: inner steps K.
        keep: γ, the share of points that an inner step keeps; 1 where nothing is pruned.
        tile: points in a tile; ``None``: all at once.
        peak_bytes: temporaries, arguments and results of the compiled program.
        baseline_bytes: what the process takes without them: Python, its packages and the compiler; 0 where the
            program lies in another memory, a GPU's.
        seconds: estimated, without compilation.
    """

    method: str
    phase: Phase
    engine: str
    shape: tuple[int, ...]
    batch: int
    steps: int
    keep: float
    tile: int | None
    peak_bytes: int
    baseline_bytes: int
    seconds: float

    def document(self) -> dict[str, Any]:
        """As JSON values; inner steps are called K."""
        return {"K" if name == "steps" else name: value for name, value in dataclasses.asdict(self).items()}


def plan(
    recipe: Recipe,
    *,
    engine: Engine = Engine(),
    again: bool = False,
    progress: Callable[[str], None] | None = None,
) -> list[Cost]:
    """Costs of a recipe's training step and fit, and of what it is compared with.

    Args:
        recipe: says the shape (``data.size``, any number of axes), the batch, the field, the learner and the fit.
        engine: of all methods but ``unrolled``.
        again: time the passes anew.
        progress: called with a few words before each program.

    Returns:
        Two costs, of training and of fitting, for each method that `compared` names.
    """
    costs = []
    for method, own, how in compared(recipe, engine):
        for phase in ("train", "fit"):
            if progress is not None:
                progress(f"{method}, {phase}")
            costs.append(cost(method, own, how, phase, again=again and phase == "train"))
    return costs


def compared(recipe: Recipe, engine: Engine = Engine()) -> Iterator[tuple[str, Recipe, Engine]]:
    """The methods that a plan has rows for: (name, recipe, engine).

    ``ecop``: the recipe itself, or ECoP as it comes. ``learnit``: second-order MAML on the full context, K = 4.
    ``unrolled``: the same with ECoP's K by plain autodiff through the loop, as most programs do it.
    """
    name, inner_lr = recipe.learner.name, build_learner(recipe).inner_lr
    if name not in ("ecop", "maml"):
        yield name, recipe, engine
    ecop = recipe if name == "ecop" else _with_learner(recipe, "norm", "ecop", inner_lr=inner_lr)
    yield "ecop", ecop, engine
    learnit = recipe if name == "maml" else _with_learner(
        recipe, "none", "maml", inner_lr=inner_lr, inner_steps=LEARNIT_STEPS
    )  # fmt: skip
    yield "learnit", learnit, engine
    steps = build_learner(ecop).inner_steps
    plain = _with_learner(recipe, "none", "maml", inner_lr=inner_lr, inner_steps=steps)
    yield "unrolled", plain, Engine("unrolled")


def cost(method: str, recipe: Recipe, engine: Engine, phase: Phase, *, again: bool = False) -> Cost:
    """Compile one program for the recipe's shapes, and count its passes."""
    peak = program_bytes(recipe, engine, phase)
    field, learner = abstract_field(recipe), build_learner(recipe, engine)
    rates = measured_rates(field, *field_sizes(recipe), engine, again=again)
    if phase == "train":
        batch, steps, keep = recipe.data.batch, learner.inner_steps, share(learner.pruning)
    else:
        fit = fit_plan(field, recipe, engine)
        batch, steps, keep = 1, fit.steps, share(fit.pruning) if fit.scaling.compares else 1.0
    tile = engine.resolved_tile(field)
    time = seconds(phase, recipe, engine, field, rates)
    return Cost(method, phase, engine.kind, recipe.data.size, batch, steps, keep, tile, peak, baseline(), time)


def seconds(phase: Phase, recipe: Recipe, engine: Engine, field: Field, rates: Rates) -> float:
    """Of one outer step, or of the fit of one signal: its passes over points, and what inner updates do besides."""
    points = math.prod(recipe.data.size[: field.point_axes])
    if phase == "fit":
        fit = fit_plan(field, recipe, engine)
        return points * fit_seconds(fit, rates) + fit.steps * update_seconds(fit.update, field, rates)
    learner = build_learner(recipe, engine)
    back = 0 if isinstance(learner, FirstOrderMAML | Reptile) else ADJOINT_UPDATES
    updates = (1 + back) * learner.inner_steps * update_seconds(learner.inner_update(field), field, rates)
    return recipe.data.batch * (points * train_seconds(learner, rates) + updates)


def train_seconds(learner: MetaLearner, rates: Rates) -> float:
    """Of one point of one signal in an outer step; see the table of passes in the documentation of the engine."""
    kept = learner.inner_steps * share(learner.pruning)
    boot = 0.0
    if isinstance(learner, ECoP) and learner.bootstrap_weight > 0:
        boot = learner.bootstrap_steps / learner.bootstrap_every
    scored = -(-learner.inner_steps // learner.pruning.rescore_every) * learner.pruning.active + (boot > 0)
    scored += getattr(learner, "head", "steps") == "least-squares"
    adjoint = 0 if isinstance(learner, FirstOrderMAML | Reptile) else kept
    return scored * rates.score + (kept + boot + 1) * rates.gradient + adjoint * rates.adjoint


def fit_seconds(fit: FitPlan, rates: Rates) -> float:
    """Of one point: K times a score (where the scaling compares) and a gradient, the solved head, and the last loss."""
    scored = fit.pruning.active and fit.scaling.compares
    return fit.total * (scored * rates.score + rates.gradient) + (1 + (fit.head == "least-squares")) * rates.score


def update_seconds(update: Update, field: Field, rates: Rates) -> float:
    """Of what an inner update does besides its passes over points, at the speed of a forward pass's matrix products."""
    theta = split_adapted(field)[0]
    return update.operations(theta) / (2 * trees.size(theta)) * rates.score


def program_bytes(recipe: Recipe, engine: Engine, phase: Phase) -> int:
    """Temporaries, arguments and results of the compiled step or fit, by the compiled program's own account."""
    fn, arguments = (train_program if phase == "train" else fit_program)(recipe, engine)
    analysis = compile_abstract(fn, *arguments).memory_analysis()
    return int(
        analysis.temp_size_in_bytes + analysis.argument_size_in_bytes + analysis.output_size_in_bytes
        - analysis.alias_size_in_bytes
    )  # fmt: skip


def train_program(recipe: Recipe, engine: Engine) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    """The outer step, and the shapes of its arguments."""
    loop, field, batch = build_outer_loop(recipe, engine), abstract_field(recipe), recipe.data.batch
    state = eqx.filter_eval_shape(lambda: loop.init(_zeros(field), jax.random.key(0)))
    context = eqx.filter_eval_shape(lambda: jax.tree.map(lambda a: jnp.stack([a] * batch), blank_context(recipe)))
    return loop.step, (state, context)


def fit_program(recipe: Recipe, engine: Engine) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    """The loop of a fit, on a context padded as `ecop fit` pads it, and the shapes of its arguments."""
    field = abstract_field(recipe)
    fit = fit_plan(field, recipe, engine)

    def arguments():
        initial, context = _zeros(field), blank_context(recipe)
        if field.point_axes is None:
            context = padded(context, bucket(context.size))
        return start_fit(initial, context, fit), initial, context, jax.random.key(0)

    state, initial, context, key = eqx.filter_eval_shape(arguments)
    until, stop = jax.ShapeDtypeStruct((), jnp.float32), jax.ShapeDtypeStruct((), jnp.int32)
    return advance_fit, (state, initial, context, fit, key, until, stop)


def compile_abstract(fn: Callable[..., Any], *arguments: Any) -> Any:
    """``fn`` compiled for arguments whose arrays are shapes alone."""
    shapes, static = eqx.partition(arguments, lambda leaf: isinstance(leaf, jax.ShapeDtypeStruct) or eqx.is_array(leaf))

    def flat(shapes: Any) -> Any:
        return eqx.filter(fn(*eqx.combine(shapes, static)), eqx.is_array)

    return jax.jit(flat).lower(shapes).compile()


def abstract_field(recipe: Recipe) -> Field:
    """The recipe's field, with shapes for arrays."""
    return eqx.filter_eval_shape(lambda: create_recipe_field(recipe, jax.random.key(0)))


def fit_plan(field: Field, recipe: Recipe, engine: Engine) -> FitPlan:
    """How a signal is fitted under the recipe."""
    return Initialisation(field, recipe, resolved_fit(recipe), {}, {}).plan(engine=engine)


def baseline() -> int:
    """What the process has taken by now, where the programs share its memory."""
    return peak_resident() if jax.default_backend() == "cpu" else 0


def share(pruning: Any) -> float:
    """γ, or 1 where nothing is pruned."""
    return pruning.keep if pruning.active else 1.0


def _with_learner(recipe: Recipe, scaling: str, name: str, **settings: Any) -> Recipe:
    fit = dataclasses.replace(recipe.fit, scaling=scaling, scorer=None, keep=None)
    return dataclasses.replace(recipe, learner=Part(name, settings), fit=fit)


def _zeros(field: Field) -> Field:
    return jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), field)
