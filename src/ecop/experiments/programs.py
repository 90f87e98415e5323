"""One outer step or fit by name and shape: planned, or run in a process of its own."""

import json
import subprocess
import sys
from typing import Any

from ecop.adapt.engine import Engine, Kind
from ecop.core.recipe import Recipe
from ecop.meta.plan import Cost, cost

METHODS: dict[str, tuple[str, dict[str, Any], Kind]] = {
    "ecop": ("ecop", {}, "exact-lowmem"),
    "learnit-k4": ("maml", {"learner.inner_steps": 4}, "exact-lowmem"),
    "learnit-k16": ("maml", {"learner.inner_steps": 16}, "exact-lowmem"),
    "unrolled-ecop": ("ecop", {}, "unrolled"),
    "unrolled-k4": ("maml", {"learner.inner_steps": 4}, "unrolled"),
    "unrolled-k16": ("maml", {"learner.inner_steps": 16}, "unrolled"),
}
"""Name: learner, settings, engine. ``unrolled`` is plain autodiff through the loop."""

KINDS = {1: "audio", 2: "image", 3: "video"}
"""A modality for a number of axes."""


def recipe_of(method: str, shape: tuple[int, ...], **settings: Any) -> tuple[Recipe, Engine]:
    """The recipe of the photo initialisation with another learner, shape and plain steps, and its engine.

    Settings have ``__`` for the dot in their names.
    """
    learner, own, engine = METHODS[method]
    changes = {"learner.name": learner} if learner != "ecop" else {"learner.update.name": "descent"}
    changes |= own | {"fit.head": "steps", "signal": KINDS[len(shape)], "data.size": list(shape)}
    changes |= {name.replace("__", "."): value for name, value in settings.items()}
    return Recipe.load("photo").with_settings(changes), Engine(engine)


def planned(method: str, shape: tuple[int, ...], **settings: Any) -> Cost:
    """What the planner says of an outer step."""
    recipe, engine = recipe_of(method, shape, **settings)
    return cost(method, recipe, engine, "train")


def run_alone(module: str, arguments: dict[str, Any], timeout: float) -> dict[str, Any] | None:
    """Run ``python -m module`` with its arguments as JSON; its last line is a JSON object. ``None``: out of time."""
    command = [sys.executable, "-m", module, json.dumps(arguments)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)
    except subprocess.TimeoutExpired:
        return None
    if done.returncode:
        raise RuntimeError(f"{module} failed:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])
