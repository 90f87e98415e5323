"""A fit that is kept step by step, so that a page can go back and forth in it."""

import dataclasses
from collections.abc import Iterator

import numpy as np

from ecop.core.errors import BadUsage, TooLarge
from ecop.fit.fitted import Fitted
from ecop.fit.initialisation import Initialisation
from ecop.fit.prepared import prepare
from ecop.fit.render import evaluate_points
from ecop.fit.watching import Watched, watch_fit
from ecop.signals.base import Signal

MOST_NUMBERS = 2**27
"""Parameters that are kept of all steps together: 512 MiB."""


@dataclasses.dataclass(frozen=True)
class Settings:
    """What a visitor may change; ``None`` leaves it as the initialisation has it."""

    steps: int | None = None
    keep: float | None = None
    scorer: str | None = None
    scaling: str | None = None


@dataclasses.dataclass(eq=False)
class Fit:
    """A fit, done or under way.

    Attributes:
        title: what it was fitted from.
        watched: the initialisation and what each step made of it, as far as it is.
        total: how many steps there will be.
        signal: what is fitted, resampled as the fit takes it; ``None`` for a field that came as a file.
    """

    title: str
    watched: list[Watched]
    total: int
    signal: Signal | None = None

    @property
    def last(self) -> Fitted:
        """What the last step so far made."""
        return self.watched[-1].fitted

    @property
    def done(self) -> bool:
        """Whether all steps are taken."""
        return len(self.watched) == self.total + 1

    def at(self, step: int) -> Watched:
        """The fit after some steps, or after the last one so far."""
        return self.watched[min(step, len(self.watched) - 1)]

    def error(self, step: int) -> np.ndarray:
        """(*shape) absolute errors after some steps, the mean of a sample's values, on the clipped reconstruction.

        Raises:
            BadUsage: for a field that came as a file, of which the signal is not known.
        """
        if self.signal is None:
            raise BadUsage("view", "a field's file does not hold the signal: there is no error to show")
        fitted = self.at(step).fitted
        if self.signal.coordinates is None:
            values = fitted.render().values
        else:  # at its points alone, without the render that metrics look at
            values = np.clip(evaluate_points(fitted.field, self.signal.coordinates), 0, 1)
        return np.abs(values - self.signal.values).mean(axis=-1)


def opened(fitted: Fitted, title: str) -> Fit:
    """A field that came as a file: only its end is known."""
    return Fit(title, [Watched(fitted, None)], 0)


def start_fit(
    initialisation: Initialisation, title: str, signal: Signal, settings: Settings
) -> tuple[Fit, Iterator[Fit]]:
    """Get ready to fit a signal.

    Returns:
        The fit, and an iterator that takes its steps one after another, the same fit each time.

    Raises:
        EcopError: as `Initialisation.fit`.
        TooLarge: for more parameters in all steps than are kept.
    """
    changed = {"keep": settings.keep, "scorer": settings.scorer}
    own = {name: value for name, value in changed.items() if value is not None}
    start = dataclasses.replace(initialisation, settings=dataclasses.replace(initialisation.settings, **own))
    plan = start.plan(settings.steps, settings.scaling)
    prepared = prepare(start, signal)
    parameters = sum(leaf.size for leaf in _leaves(start))
    fields = 1 if prepared.blocks is None else len(prepared.blocks.starts)
    if parameters * fields * (plan.steps + 1) > MOST_NUMBERS:
        what = f"{signal.source} in {fields} blocks, all {plan.steps} steps"
        size = f"{parameters * fields * (plan.steps + 1)} parameters"
        raise TooLarge(what, size, f"{MOST_NUMBERS} parameters", "take fewer steps, or use 'ecop fit'")
    fit = Fit(title, [], plan.steps, prepared.signal)

    def steps() -> Iterator[Fit]:
        for watched in watch_fit(start, prepared, plan):
            fit.watched.append(watched)
            yield fit

    return fit, steps()


def _leaves(initialisation: Initialisation) -> list[np.ndarray]:
    from ecop.fit.tensors import to_tensors

    return list(to_tensors(initialisation.field).values())
