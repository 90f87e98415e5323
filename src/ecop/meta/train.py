"""Training: a visible loop over tested steps, with a log, validations, samples and checkpoints in a run folder."""

import dataclasses
import math
import signal as os_signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import numpy as np

from ecop.adapt.engine import Engine
from ecop.adapt.update import Update
from ecop.core.errors import BadInput, Diverged, InvalidSetting
from ecop.core.recipe import Recipe
from ecop.core.registry import SIGNALS
from ecop.data.folder import Item
from ecop.data.layouts import divided
from ecop.data.loader import Batch, Loader, fixed_signals
from ecop.fields.base import Field
from ecop.fit.initialisation import Initialisation, create_recipe_field, field_sizes
from ecop.fit.loop import fit_batch
from ecop.fit.render import View, render_strips
from ecop.fit.settings import described_learner, resolved_fit
from ecop.meta.base import Info
from ecop.meta.build import batch_context, build_outer_loop
from ecop.meta.outer import OuterLoop, State
from ecop.meta.warnings import Watch
from ecop.signals.base import Signal
from ecop.signals.context import Context
from ecop.signals.pictures import write_picture
from ecop.store.checkpoints import Checkpoints
from ecop.store.run_folder import RunFolder, describe_files

Report = Callable[[int, dict[str, Any]], None]
"""Called after every outer step with its number (from 1) and the numbers of that step."""


def train(
    recipe: Recipe | str | Path,
    data: str | Path,
    out: str | Path,
    *,
    resume: bool = False,
    overwrite: bool = False,
    start: Initialisation | None = None,
    engine: Engine = Engine(),
    report: Report | None = None,
    warn: Callable[[str], None] | None = None,
) -> Initialisation:
    """Meta-learn an initialisation from a folder of signals.

    Args:
        recipe: a recipe, its name, or the path of its TOML file.
        data: a folder of signals, read recursively.
        out: the run's folder: recipe, log, checkpoints, samples, ``best.safetensors`` and ``last.safetensors``.
        resume: go on with the run in ``out``, exactly as if it had never stopped.
        overwrite: replace a run in ``out``.
        start: begin from this initialisation instead of a random one; its field must be of the recipe's form.
        engine: how losses and gradients are computed; a run that is resumed keeps its own.
        report: called after every step.
        warn: called with plain sentences about what looks wrong; each once.

    Returns:
        The best initialisation in validation. Ctrl-C and SIGTERM save a checkpoint first, then raise
        ``KeyboardInterrupt``.

    Raises:
        BadInput: if the data cannot be read or is too little.
        Diverged: if the loss leaves the finite numbers.
        CannotWrite: if ``out`` cannot be written.
    """
    recipe = recipe if isinstance(recipe, Recipe) else Recipe.load(recipe)
    run, engine = _resumed(out, recipe) if resume else (None, engine)
    session = _Session.begin(recipe, data, engine, start)
    run = run or RunFolder.create(out, recipe, overwrite=overwrite)
    run.describe(**session.facts(engine))
    checkpoints = Checkpoints(run.checkpoints)
    state, best, seconds = session.state, -math.inf, 0.0
    if resume:
        state, best, seconds = _restored(checkpoints, state)
        run.rewind(int(state.step))
    watch = Watch(session.loop.learner.inner_lr, warn, run.read_metrics())
    step = _compiled(session.loop)
    limit = math.inf if recipe.train.minutes is None else 60 * recipe.train.minutes
    begun = time.perf_counter() - seconds
    with _stoppable() as stopped:
        batches = session.loader.batches(int(state.step))
        while int(state.step) < recipe.train.steps and seconds < limit:  # the time that decided on `last`, too
            state, info = step(batch_context(next(batches), recipe), state)
            number = int(state.step)
            numbers = _means(info)
            stop = stopped()  # asked once: what is written below belongs together
            _refuse_divergence(numbers, number, recipe)
            seconds = time.perf_counter() - begun
            last = number == recipe.train.steps or seconds >= limit
            if number % recipe.train.validate_every == 0 or last:
                numbers |= session.validate(state, run)
                best = session.keep(state, run, numbers, best, seconds)
            elif stop:  # at once, and without a validation that an uninterrupted run would not have had
                session.initialisation(state, {}, seconds).save(run.last)
            if number % recipe.train.log_every == 0 or "psnr" in numbers:
                run.log(number, seconds=round(seconds, 3), **numbers)
                watch(numbers)
            if number % recipe.train.checkpoint_every == 0 or last or stop:
                checkpoints.save(number, eqx.filter(state, eqx.is_array), {"best": _json(best), "seconds": seconds})
            if report is not None:
                report(number, numbers)
            if stop:
                raise KeyboardInterrupt
    return Initialisation.load(run.path)


def _compiled(loop: OuterLoop) -> Callable[[Context, State], tuple[State, Info]]:
    """The outer step as one program, in which the next state takes the place of the last."""
    return eqx.filter_jit(lambda context, state: loop.step(state, context), donate="all-except-first")


@dataclasses.dataclass(frozen=True)
class _Session:
    """What one call of `train` works with and does not change."""

    recipe: Recipe
    loop: Any
    state: State
    loader: Loader
    validation: list[Signal]
    files: dict[str, Any]
    parent: dict[str, Any]

    @classmethod
    def begin(cls, recipe: Recipe, data: str | Path, engine: Engine, start: Initialisation | None) -> "_Session":
        field_sizes(recipe)  # refuses a size of other axes before any file is cut by it
        loop = build_outer_loop(recipe, engine)
        signal_class = SIGNALS[recipe.signal]
        root = Path(data)
        split = divided(root, signal_class, recipe.data)
        chosen = (split.validation or split.train)[: recipe.train.validation_signals]
        validation = list(fixed_signals(chosen, signal_class, recipe.data))
        loader = Loader(split.train, signal_class, recipe.data, recipe.train.seed)
        field_key, run_key = jax.random.split(jax.random.key(recipe.train.seed))
        field = create_recipe_field(recipe, field_key) if start is None else _like(start.field, recipe, field_key)
        Initialisation(field, recipe, resolved_fit(recipe)).plan()  # refuses now what the first validation would
        parent = {} if start is None else {"name": start.name, "sha256": start.provenance.get("sha256", "")}
        files = {part: describe_items(root, items) for part, items in vars(split).items() if items}
        state = loop.init(field, run_key, None if start is None else learned_before(start, recipe))
        return cls(recipe, loop, state, loader, validation, files, parent)

    def facts(self, engine: Engine) -> dict[str, Any]:
        """What the run is described by, beside its recipe."""
        return {
            "device": jax.devices()[0].device_kind, "platform": jax.default_backend(), "engine": engine.kind,
            "tile": engine.resolved_tile(self.state.field), "precision": engine.precision,
            "signals": self.loop.signals, "data": self.files, "parent": self.parent,
        }  # fmt: skip

    def initialisation(self, state: State, metrics: dict[str, Any], seconds: float) -> Initialisation:
        """The field with all that its file says."""
        step = int(state.step)
        provenance = {
            "data": self.files, "steps": step, "seconds": round(seconds, 1), "parent": self.parent,
            "signals_seen": step * self.recipe.data.batch, "version": version("ecop"),
        }  # fmt: skip
        return Initialisation(
            state.field, self.recipe, resolved_fit(self.recipe), provenance, metrics, update=state.update
        )

    def validate(self, state: State, run: RunFolder) -> dict[str, float]:
        """Fit the validation signals as at test time; writes the first ones beside their originals."""
        plan = self.initialisation(state, {}, 0.0).plan()
        contexts = batch_context(Batch.of(self.validation, self.recipe.data.grid), self.recipe)
        theta, info = fit_batch(state.field, contexts, plan, jax.random.key(0), np.float32(-1))
        mse = np.maximum(np.asarray(info.mse)[:, -1], 1e-12)
        numbers = {"psnr": float(np.mean(-10 * np.log10(mse)))}
        if plan.scaling.compares and plan.pruning.active:
            numbers["ratio"] = float(np.max(np.asarray(info.factor)))
        _write_samples(self, state.field, theta, run, int(state.step))
        return numbers

    def keep(self, state: State, run: RunFolder, numbers: dict[str, Any], best: float, seconds: float) -> float:
        """Write the last initialisation, and the best one if this is it; returns the best PSNR so far."""
        current = self.initialisation(state, {"validation_psnr": numbers["psnr"]}, seconds)
        current.save(run.last)
        if numbers["psnr"] > best:
            current.save(run.best)
        return max(best, numbers["psnr"])


def _write_samples(session: _Session, field: Field, theta: Field, run: RunFolder, step: int, most: int = 4) -> None:
    """A picture of the first signals, each above what its fit made of it."""
    signal_class, convention = SIGNALS[session.recipe.signal], session.recipe.data.grid
    rows = []
    for number, original in enumerate(session.validation[:most]):
        fitted = eqx.combine(jax.tree.map(lambda leaf, n=number: leaf[n], theta), field)
        grid = original.grid(convention)
        values = np.concatenate(list(render_strips(fitted, View(grid, signal_class.embed), grid)))
        reconstruction = signal_class.assemble(values, original.about, "sample")
        rows.append(np.concatenate([original.picture(), reconstruction.picture()], axis=0))
    write_picture(run.samples / f"{step:07d}.png", np.concatenate(rows, axis=1))


def describe_items(root: Path, items: Sequence[Item]) -> dict[str, Any]:
    """The files that the signals lie in, and the number of signals where it is another."""
    files = list(dict.fromkeys(item.path for item in items))
    return describe_files(root, files) | ({"signals": len(items)} if len(items) > len(files) else {})


def _like(field: Field, recipe: Recipe, key: Any) -> Field:
    """``field`` if it has the recipe's form."""
    expected = eqx.filter_eval_shape(lambda: create_recipe_field(recipe, key))
    if not eqx.tree_equal(jax.tree.map(lambda a: a.shape, field), jax.tree.map(lambda a: a.shape, expected)):
        raise InvalidSetting("init", type(field).__name__, "an initialisation of the recipe's field, width and depth")
    return field


def _resumed(out: str | Path, recipe: Recipe) -> tuple[RunFolder, Engine]:
    """A run to go on with, and the engine that it was begun with: another tile would round differently.

    It may go on for longer; nothing else of its recipe may change, or it would be another run.
    """
    run = RunFolder.open(out)
    longer = dataclasses.replace(
        run.recipe,
        train=dataclasses.replace(run.recipe.train, steps=recipe.train.steps, minutes=recipe.train.minutes),
    )
    if longer != recipe:
        raise BadInput(run.path, "the recipe is not the one that the run was begun with", "leave it out to go on")
    before = run.description()
    run.lengthen(recipe)
    return run, Engine(before["engine"], before["tile"], before.get("precision", "float32"))


def learned_before(start: Initialisation, recipe: Recipe) -> Update | None:
    """What a start has learned of its inner update, if the recipe learns the same; else training begins from α."""
    old, new = described_learner(start.recipe), described_learner(recipe)
    same = (old.update.name, old.update.settings, old.inner_steps) == (
        new.update.name,
        new.update.settings,
        new.inner_steps,
    )
    return dataclasses.replace(start, recipe=recipe, settings=resolved_fit(recipe)).inner_update() if same else None


def _restored(checkpoints: Checkpoints, state: State) -> tuple[State, float, float]:
    arrays, static = eqx.partition(state, eqx.is_array)
    checkpoint = checkpoints.restore(arrays)
    best = checkpoint.notes["best"]
    return eqx.combine(checkpoint.state, static), -math.inf if best is None else best, checkpoint.notes["seconds"]


def _means(info: dict[str, Any]) -> dict[str, float]:
    return {name: float(np.mean(np.asarray(value))) for name, value in info.items()}


def _refuse_divergence(numbers: dict[str, float], step: int, recipe: Recipe) -> None:
    if not math.isfinite(numbers["loss"]) or not math.isfinite(numbers["gradient_norm"]):
        raise Diverged(
            f"training diverged at step {step} (loss {numbers['loss']}): lower train.lr (now {recipe.train.lr:g}) "
            "or learner.inner_lr; the last checkpoint and initialisation are from before"
        )


def _json(value: float) -> float | None:
    return value if math.isfinite(value) else None


@contextmanager
def _stoppable() -> Iterator[Callable[[], bool]]:
    """Ctrl-C and SIGTERM set a flag that the loop reads behind each step, so that it can end in good order."""
    caught: list[int] = []
    names: Sequence[Any] = (os_signal.SIGINT, os_signal.SIGTERM)

    def note(number: int, frame: Any) -> None:
        if caught:  # asked twice: at once
            raise KeyboardInterrupt
        caught.append(number)

    try:
        before = {name: os_signal.signal(name, note) for name in names}
    except ValueError:  # not in the main thread: the caller's business
        yield lambda: False
        return
    try:
        yield lambda: bool(caught)
    finally:
        for name, handler in before.items():
            os_signal.signal(name, handler)
