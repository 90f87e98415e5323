"""What can go wrong in training, seen in the numbers, with the setting to change."""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from statistics import median
from typing import Any

FIRST, LAST = 20, 10
"""Outer steps whose gradients are compared: those at the beginning, and those that were last."""


class Watch:
    """Looks at what is logged, and says what looks wrong, each thing once."""

    def __init__(
        self, inner_lr: float, warn: Callable[[str], None] | None = None, logged: Iterable[Mapping[str, Any]] = ()
    ):
        """``warn`` is called with the sentences; ``logged`` are the entries of a run that goes on."""
        norms = (entry.get("gradient_norm") for entry in logged)
        self._growth = GradientGrowth(norm for norm in norms if norm is not None)
        self._inner_lr, self._warn, self._said = inner_lr, warn, set[str]()

    def __call__(self, numbers: Mapping[str, Any]) -> None:
        """Look at one more entry."""
        growth = self._growth.after(numbers["gradient_norm"])
        for sentence in warnings(numbers, self._inner_lr, growth):
            kind = sentence.split("(")[0]
            if self._warn is not None and kind not in self._said:
                self._said.add(kind)
                self._warn(sentence)


class GradientGrowth:
    """How long the meta-gradient is beside what it was at first.

    Where the inner loop becomes chaotic, its derivative grows by orders of magnitude. Clipped, it is a direction that
    means nothing, and training wanders; the loss in training may show little of it.
    """

    def __init__(self, norms: Iterable[float] = ()):
        """``norms``: of the steps that were taken already."""
        self._first: list[float] = []
        self._last: deque[float] = deque(maxlen=LAST)
        for norm in norms:
            self.after(norm)

    def after(self, norm: float) -> float:
        """With one step more: the median of the last norms over that of the first; 1 as long as they are the same."""
        if len(self._first) < FIRST:
            self._first.append(norm)
            return 1.0
        self._last.append(norm)
        usual = median(self._first)
        return median(self._last) / usual if len(self._last) == LAST and usual > 0 else 1.0


def warnings(numbers: Mapping[str, Any], inner_lr: float, growth: float = 1.0) -> list[str]:
    """Plain sentences for what looks wrong in one logged step.

    Args:
        numbers: means over the batch of a learner's info.
        inner_lr: the learner's inner rate, named in the advice.
        growth: of the meta-gradient's length, see `GradientGrowth`.

    Returns:
        No sentence where all is well.
    """
    found = []
    task, initial = numbers.get("task_loss"), numbers.get("initial_loss")
    if task is not None and initial is not None and task > initial:
        found.append(
            f"the inner loop makes the loss worse ({initial:.3g} → {task:.3g}): "
            f"lower learner.inner_lr (now {inner_lr:g})"
        )
    target = numbers.get("target_loss")
    if target is not None and task is not None and target > task:
        found.append(
            f"the bootstrapped target is worse than what it corrects ({target:.3g} > {task:.3g}): "
            "lower learner.bootstrap_lr"
        )
    if growth > 100:
        found.append(
            f"the meta-gradient has become longer ({growth:.0e} times): the inner loop is unstable, and training "
            "wanders; begin anew, or from best.safetensors, with a lower train.lr"
        )
    if numbers.get("overlap", 0) > 0.995 and numbers.get("kept_error", 1) < 1:
        found.append(
            "every step keeps the same points (the kept set has frozen): raise learner.inner_lr or learner.keep"
        )
    if numbers.get("ratio", 1) > 100:
        found.append(
            f"the gradient ratio of the validation fits runs away ({numbers['ratio']:.3g}): "
            "use fit.scaling=none or a larger learner.keep"
        )
    return found
