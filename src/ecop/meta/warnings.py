"""What can go wrong in training, seen in the numbers, with the setting to change."""

from collections.abc import Mapping
from typing import Any


def warnings(numbers: Mapping[str, Any], inner_lr: float) -> list[str]:
    """Plain sentences for what looks wrong in one logged step.

    Args:
        numbers: means over the batch of a learner's info.
        inner_lr: the learner's inner rate, named in the advice.

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
