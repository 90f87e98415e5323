"""How training goes, in one line: speed, loss, PSNR and the time left."""

import math
import time
from typing import TYPE_CHECKING, Any

from ecop.cli import units
from ecop.cli.terminal import Advance

if TYPE_CHECKING:
    from ecop.core.recipe import Recipe


class TrainingBar:
    """Turns the numbers of each step into a progress bar; the first step, which compiles, does not count as speed.

    Attributes:
        step: the last one that was reported; 0 before the first.
    """

    def __init__(self, recipe: "Recipe", advance: Advance):
        self.step = 0
        self._recipe, self._advance = recipe, advance
        self._validation: float | None = None
        self._begun = time.perf_counter()
        self._first: tuple[int, float] | None = None

    def __call__(self, step: int, numbers: dict[str, Any]) -> None:
        """Show a step's numbers."""
        self.step = step
        now = time.perf_counter()
        self._first = self._first or (step, now)
        self._validation = numbers.get("psnr", self._validation)
        speed = (step - self._first[0]) / max(now - self._first[1], 1e-9)
        self._advance(
            step, total=self._total(step, now, speed), description="training", note=self._note(numbers, speed)
        )

    @property
    def seconds(self) -> float:
        """Since the bar was made."""
        return time.perf_counter() - self._begun

    def _total(self, step: int, now: float, speed: float) -> float:
        """Steps in all; fewer than the recipe's where its minutes end first."""
        steps, minutes = self._recipe.train.steps, self._recipe.train.minutes
        if minutes is None or speed == 0:
            return steps
        return min(steps, step + max(0.0, 60 * minutes - (now - self._begun)) * speed)

    def _note(self, numbers: dict[str, Any], speed: float) -> str:
        parts = [f"step {self.step}"]
        if speed:
            parts.append(f"{speed:.3g} steps/s, {speed * self._recipe.data.batch:.3g} signals/s")
        parts.append(f"loss {numbers['loss']:.3g}")
        if task := numbers.get("task_loss"):
            parts.append(f"PSNR {units.decibels(-10 * math.log10(task))}")
        if self._validation is not None:
            parts.append(f"validation {units.decibels(self._validation)}")
        return " · ".join(parts)
