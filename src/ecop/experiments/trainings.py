"""Training an arm, once: what one study has trained, another takes, and what was interrupted goes on."""

import dataclasses
import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ecop.core.recipe import FitSettings, Recipe
from ecop.fit.initialisation import Initialisation
from ecop.meta.build import build_learner
from ecop.meta.plan import share, train_seconds
from ecop.meta.rates import Rates
from ecop.meta.train import train
from ecop.store.run_folder import RunFolder

WORK = Rates(score=1, gradient=3, adjoint=8)
"""Forward passes that each pass counts for; ``docs/engine.md`` has the table."""


@dataclass(frozen=True)
class Training:
    """A recipe, the folder that it learns from, and where its results are kept.

    Attributes:
        recipe: with the outer steps to train.
        data: folder of signals.
        shelf: folder in which every training has its own.
    """

    recipe: Recipe
    data: Path
    shelf: Path

    @property
    def folder(self) -> Path:
        """Named after what decides the result, but for the number of steps: a longer run goes on from a shorter."""
        tree = decisive(self._of_length(1))
        tree.pop("fit", None)
        digest = hashlib.sha256(json.dumps([tree, self.data.name], sort_keys=True).encode()).hexdigest()[:12]
        return self.shelf / f"{self.data.name}-{self.recipe.learner.name}-{digest}"

    @property
    def path(self) -> Path:
        """The initialisation after the recipe's steps."""
        return self.folder / f"after-{self.recipe.train.steps}.safetensors"

    def run(self, report: Callable[[int, dict[str, Any]], None] | None = None) -> Initialisation:
        """The initialisation after the last step: found, gone on with, or trained.

        The last one, not the best in validation: an arm must not win by having been looked at more often.
        """
        if not self.path.is_file():
            steps, folder = self.recipe.train.steps, self.folder / "run"
            resume = 0 < self._done() <= steps
            # What decides is the same, as the folder's name says; the recipe may be written down in other words by now.
            begun = dataclasses.replace(self, recipe=RunFolder.open(folder).recipe) if resume else self
            train(begun._of_length(steps), self.data, folder, report=report, resume=resume, overwrite=True)
            shutil.copyfile(self.folder / "run" / "last.safetensors", self.path)
        return Initialisation.load(self.path)

    def seconds(self) -> float:
        """What the outer steps took, in all sessions."""
        return float(Initialisation.load(self.path).provenance["seconds"])

    def _done(self) -> int:
        """Steps of the run's last checkpoint; 0 if there is none."""
        folder = self.folder / "run"
        if not (folder / "recipe.toml").is_file():
            return 0
        steps = [int(path.name) for path in RunFolder.open(folder).checkpoints.glob("*") if path.name.isdecimal()]
        return max(steps, default=0)

    def _of_length(self, steps: int) -> Recipe:
        """The recipe with so many outer steps; how fits go has no part in a training, but for the head it is for."""
        train = dataclasses.replace(self.recipe.train, steps=steps)
        head = self.recipe.learner.settings.get("head", FitSettings.head)
        return dataclasses.replace(self.recipe, train=train, fit=FitSettings(head=head))


def decisive(recipe: Recipe) -> dict[str, Any]:
    """What decides a recipe's results: its tree without names, and without what is as it is by default.

    A setting that a later version adds therefore changes nothing, as long as its default is what was before.
    """
    tree, usual = recipe.to_dict(), Recipe().to_dict()
    update = tree["learner"].get("update", {})
    if update.get("name") == "descent":
        del update["name"]
    if not update:
        tree["learner"].pop("update", None)
    kept: dict[str, Any] = {"signal": recipe.signal, "field": tree["field"], "learner": tree["learner"]}
    for part in ("data", "train", "fit"):
        kept[part] = {name: value for name, value in tree[part].items() if value != usual[part].get(name)}
    return kept


def counted_work(recipe: Recipe) -> float:
    """Forward passes over all points that one signal's part of an outer step amounts to.

    Example:
        >>> counted_work(Recipe.named("photo")), counted_work(Recipe.named("learnit-photo"))
        (79.0, 47.0)
    """
    return train_seconds(build_learner(recipe), WORK)


def point_steps(recipe: Recipe) -> float:
    """γ·K: the passes over a signal's points that plain autodiff through the loop would have to store."""
    learner = build_learner(recipe)
    return learner.inner_steps * share(learner.pruning)
