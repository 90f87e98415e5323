"""A recipe that fits into a given memory: the same one if it does, else the nearest to it that does."""

import dataclasses
import itertools
import math
from collections.abc import Iterator
from typing import NamedTuple

import jax

from ecop.adapt.engine import Engine
from ecop.adapt.start import learned_part
from ecop.core import trees
from ecop.core.errors import TooLarge
from ecop.core.recipe import Recipe, check
from ecop.fields.base import split_adapted
from ecop.meta.build import build_learner, build_outer_loop
from ecop.meta.plan import abstract_field, baseline, program_bytes, share
from ecop.pruning.select import kept_count
from ecop.signals.context import bucket

SMALLEST_TILE = 128
SMALLEST_SHARE = 1 / 32
POINT_BYTES = 4 + 3 / 8
"""For each point while an inner step chooses: its score, and a bit in this step's mask, the last one's and a copy."""
TILE_BUFFERS = 6
"""Arrays of one layer's activations that a Hessian-vector product holds at a time, for each layer."""
MOST_PROGRAMS = 6
"""Programs that are compiled before a search is given up."""


class Choice(NamedTuple):
    """What a budget may change, the harmless first.

    Attributes:
        tile: points in a tile; the numbers do not depend on it.
        batch: signals in an outer step.
        keep: γ, the share of kept points.
        steps: K, inner steps.
    """

    tile: int
    batch: int
    keep: float
    steps: int


def plan_for_budget(
    recipe: Recipe, memory: int, *, engine: Engine = Engine(), process: int | None = None
) -> tuple[Recipe, Engine]:
    """The recipe and the engine with which an outer step and a fit stay within a memory.

    Smaller tiles are tried first, since they change no number; then, as little as will do, smaller batches, smaller γ
    and fewer inner steps. What is returned has been compiled and its memory read from the compiled programs.

    Args:
        recipe: what is wanted.
        memory: bytes in all.
        engine: its tile is the largest that is tried.
        process: bytes that the process takes without the programs; measured by default.

    Raises:
        TooLarge: if nothing fits.
        InvalidSetting: for an engine without tiles, whose memory cannot be chosen.

    Example:
        >>> recipe = Recipe.named("quick").with_settings({"field.width": 16, "data.size": [32, 32]})
        >>> fitting, engine = plan_for_budget(recipe, 2**30, process=0)
        >>> fitting == recipe
        True
    """
    check(engine.kind == "exact-lowmem", "engine", engine.kind, "'exact-lowmem': a budget chooses its tile")
    search = _Search(recipe, engine, memory, process)
    for choice in _choices(search.start):
        if search.hopeless(choice):
            continue
        found = search.attempt(choice)
        if found is not None:
            return found
        if search.compiled == MOST_PROGRAMS:
            break
    least = max(memory + 1, search.estimate(list(_choices(search.start))[-1]))
    sizes = "×".join(map(str, recipe.data.size))
    raise TooLarge(
        f"the memory of a training step on {sizes} points, the process included,", f"about {least / 2**20:.1f} MiB",
        f"{memory / 2**20:.1f} MiB", "allow more memory, or lower data.size or field.width",
    )  # fmt: skip


class _Search:
    """Compiles what the formula does not rule out; every compiled program corrects the formula.

    Attributes:
        compiled: choices that were compiled, each an outer step and a fit.
    """

    def __init__(self, recipe: Recipe, engine: Engine, memory: int, process: int | None):
        self.engine, self.start = engine, _start(recipe, engine)
        self.recipe, self.memory, self.process = recipe, memory, process
        self.compiled, self._correction = 0, 0

    def estimate(self, choice: Choice) -> int:
        """Bytes in all, by the formula, corrected by what was compiled last."""
        expected = expected_bytes(self.recipe, choice) + self._correction
        return max(expected, least_bytes(self.recipe, choice)) + self._process()

    def hopeless(self, choice: Choice) -> bool:
        """Whether it is not worth compiling; the first always is."""
        return self.compiled > 0 and self.estimate(choice) > self.memory

    def attempt(self, choice: Choice) -> tuple[Recipe, Engine] | None:
        """Recipe and engine of the choice, if their programs fit."""
        own, engine = _apply(self.recipe, self.start, choice, self.engine)
        needed = max(program_bytes(own, engine, "train"), program_bytes(own, engine, "fit"))
        self.compiled += 1
        self._correction = needed - expected_bytes(self.recipe, choice)
        return (own, engine) if needed + self._process() <= self.memory else None

    def _process(self) -> int:
        return baseline() if self.process is None else self.process


def _start(recipe: Recipe, engine: Engine) -> Choice:
    learner = build_learner(recipe)
    tile = engine.resolved_tile(abstract_field(recipe)) or SMALLEST_TILE
    return Choice(tile, recipe.data.batch, share(learner.pruning), learner.inner_steps)


def _choices(start: Choice) -> Iterator[Choice]:
    """By the harm that they do: a halved batch counts 1, a halved γ 2, halved steps 3; of equal ones, large tiles."""
    keeps = _halves(start.keep, SMALLEST_SHARE) if start.keep < 1 else [start.keep]
    steps = [max(1, round(n)) for n in _halves(start.steps, 1)]
    batches = [max(1, round(n)) for n in _halves(start.batch, 1)]
    tiles = [max(1, round(n)) for n in _halves(start.tile, min(start.tile, SMALLEST_TILE))]

    def harm(choice: Choice) -> tuple[float, int]:
        halved = [math.log2(a / b) for a, b in zip(start[1:], choice[1:], strict=True)]
        return sum(weight * times for weight, times in zip((1, 2, 3), halved, strict=True)), -choice.tile

    yield from sorted((Choice(*c) for c in itertools.product(tiles, batches, keeps, steps)), key=harm)


def _halves(value: float, smallest: float) -> list[float]:
    """``value`` and its halves down to ``smallest``."""
    values = [value]
    while values[-1] / 2 >= smallest:
        values.append(values[-1] / 2)
    return values


def _apply(recipe: Recipe, start: Choice, choice: Choice, engine: Engine) -> tuple[Recipe, Engine]:
    """Only what differs is set, so that a recipe that fits stays as it was written."""
    changes = {}
    if choice.batch != start.batch:
        changes["data.batch"] = choice.batch
    if choice.keep != start.keep:
        changes["learner.keep"] = choice.keep
    if choice.steps != start.steps:
        changes["learner.inner_steps"] = choice.steps
    return recipe.with_settings(changes) if changes else recipe, dataclasses.replace(engine, tile=choice.tile)


def expected_bytes(recipe: Recipe, choice: Choice) -> int:
    """The formula of the engine's memory, in bytes: good for differences between choices."""
    field, points = abstract_field(recipe), math.prod(recipe.data.size)
    widths = sum(leaf.shape[-2] for leaf in jax.tree.leaves(field) if len(leaf.shape) == 2)
    tile = TILE_BUFFERS * 4 * widths * min(choice.tile, bucket(points))  # a fit is padded
    choosing = round(POINT_BYTES * points) + 4 * kept_count(points, choice.keep) if choice.keep < 1 else 0
    values = 4 * points * recipe.data.channels
    return least_bytes(recipe, choice) + _signals(recipe, choice) * (max(tile, choosing) + values)


def least_bytes(recipe: Recipe, choice: Choice) -> int:
    """What no program does without: the inner steps' fields and selections, and the signals."""
    field = abstract_field(recipe)
    parameters = 4 * trees.size(split_adapted(field)[0])
    if jax.tree.leaves(learned_part(build_learner(recipe).inner_update(field))):
        parameters *= 2  # the inner gradients, which the rates' own gradient needs
    points = math.prod(recipe.data.size)
    selection = 4 * kept_count(points, choice.keep) if choice.keep < 1 else 0
    steps = choice.steps * (parameters + selection)
    return _signals(recipe, choice) * steps + 4 * points * recipe.data.channels * choice.batch


def _signals(recipe: Recipe, choice: Choice) -> int:
    """Signals that are worked on at a time."""
    return choice.batch if build_outer_loop(recipe).signals == "vmap" else 1
