"""A fit one step at a time, for those who want to look at every one: what the field is there, and what it kept."""

import dataclasses
import math
import time
from collections.abc import Iterator
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from ecop.core.errors import Diverged
from ecop.fields.base import Field, split_adapted
from ecop.fit.fit import as_stored, assembled, judged
from ecop.fit.fitted import Fitted
from ecop.fit.head import solved_head
from ecop.fit.initialisation import Initialisation
from ecop.fit.loop import FitPlan, fit_step
from ecop.fit.prepared import Prepared
from ecop.signals.context import Context


class Watched(NamedTuple):
    """A fit after some of its steps.

    Attributes:
        fitted: the signal as it is then; its metrics are those of the last step alone, and empty before.
        kept: (*shape) truth values, with the signal's own shape: the points with the highest scores, which the next
            step compares with; ``None`` where the scaling compares nothing.
    """

    fitted: Fitted
    kept: np.ndarray | None


def watch_fit(initialisation: Initialisation, prepared: Prepared, plan: FitPlan, seed: int = 0) -> Iterator[Watched]:
    """The trained steps that `Initialisation.fit` takes, one by one.

    Args:
        initialisation: θ_0.
        prepared: the signal (`prepare`).
        plan: steps, rate and scaling; Adam's steps behind them are not taken.
        seed: for scorers that draw.

    Yields:
        The initialisation itself, and what each step makes of it: ``plan.steps`` + 1 in all.

    Raises:
        Diverged: if the loss leaves the finite numbers.

    Example:
        >>> import ecop
        >>> from skimage import data
        >>> from ecop.fit.prepared import prepare
        >>> from ecop.signals import Image
        >>> start = ecop.load("photo")
        >>> ready = prepare(start, Image.assemble(data.astronaut()[::16, ::16] / 255, about={}))
        >>> watched = list(watch_fit(start, ready, start.plan(steps=2)))
        >>> [one.fitted.steps for one in watched], float(watched[0].kept.mean())
        ([0, 1, 2], 0.25)
    """
    begun, curve = time.perf_counter(), ()
    pieces = prepared.pieces
    contexts = [prepared.context(piece, initialisation.field) for piece in pieces]
    keys = [jax.random.fold_in(jax.random.key(seed), number) for number in range(len(pieces))]
    fields = [initialisation.field] * len(pieces)
    for step in range(plan.steps + 1):
        if step == plan.steps and plan.head == "least-squares":
            fields = [_solved(field, context, plan) for field, context in zip(fields, contexts, strict=True)]
        taken = [
            fit_step(field, context, plan, key, jnp.asarray(step))
            for field, context, key in zip(fields, contexts, keys, strict=True)
        ]
        loss = float(np.mean([stepped.loss for _, stepped in taken]))
        if not math.isfinite(loss):
            raise Diverged(f"the fit diverged (loss {loss} after {step} steps); try the scaling 'none' or fewer steps")
        curve = (*curve, -10 * math.log10(max(loss, 1e-12)))
        stored = [as_stored(field, "float32") for field in fields]
        fitted = assembled(initialisation, prepared, plan, stored, curve)
        fitted = dataclasses.replace(fitted, seconds=time.perf_counter() - begun)
        kept = [stepped.kept for _, stepped in taken]
        if step == plan.steps:
            fitted = judged(fitted, prepared.signal)
        yield Watched(fitted, None if kept[0] is None else _marked(prepared, kept, initialisation.field))
        fields = [field for field, _ in taken]


@eqx.filter_jit
def _solved(field: Field, context: Context, plan: FitPlan) -> Field:
    """The field with its last layer solved for, as at the end of a fit."""
    theta, rest = split_adapted(field)
    return eqx.combine(solved_head((theta, rest), context, plan.engine), rest)


def _marked(prepared: Prepared, kept: list, field: Field) -> np.ndarray:
    """Which samples of the signal are kept by any of its blocks."""
    shape, blocks = prepared.signal.shape, prepared.blocks
    marks = np.zeros(shape, bool)
    starts, size = ([(0,) * len(shape)], shape) if blocks is None else (blocks.starts, blocks.shape)
    for start, indices in zip(starts, kept, strict=True):
        points = size[: field.point_axes]
        own = np.zeros(math.prod(points), bool)
        chosen = np.asarray(indices)
        own[chosen[(chosen >= 0) & (chosen < own.size)]] = True
        own = own.reshape(*points, *(1,) * (len(size) - len(points)))
        marks[tuple(slice(first, first + count) for first, count in zip(start, size, strict=True))] |= own
    return marks
