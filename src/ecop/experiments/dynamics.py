"""What a fit does, step by step: which points would be kept, and at which scale the reconstruction has got it right.

The paper says that the global structure comes at once and detail later. Here that is measured: the error's spectrum
after each step, how much of the kept points stays from step to step, and how many of them lie on edges.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ecop.core.errors import InvalidSetting
from ecop.core.registry import SIGNALS
from ecop.experiments import compare
from ecop.experiments.compare import Place, Report, Run
from ecop.experiments.corpora import held_out, source
from ecop.experiments.study import Arm, Scale, Study
from ecop.fit.initialisation import Initialisation
from ecop.fit.loop import FitPlan, fit_step
from ecop.fit.render import View, render_strips
from ecop.signals.base import Signal
from ecop.signals.context import context_of

BANDS = 4
"""Bands of the spectrum, an octave each, the last one up to the highest frequency."""

EDGES = 0.1
"""Share of the points that are called edges: those of the largest gradient."""

DRAWN = (0, 1, 2, 4, 8, 16)
"""Steps of which a picture is shown, as far as a fit goes."""


@dataclass(frozen=True)
class Steps:
    """One arm on one corpus, looked at after every step.

    Attributes:
        study: it belongs to; ``options`` may say how many signals are looked at, and how many are drawn.
        scale: at which it runs.
        corpus: name of the corpus; its signals must have two axes.
        arm: what is trained.
        seed: as a `Run`'s; pictures are kept of the first alone.
    """

    study: Study
    scale: Scale
    corpus: str
    arm: Arm
    seed: int = 0

    @property
    def name(self) -> str:
        """Of its file."""
        return self._run.name

    @property
    def _run(self) -> Run:
        return Run(self.study, self.scale, self.corpus, self.arm, self.seed)

    def identity(self) -> Any:
        """All that decides its result."""
        return [self._run.identity(), dict(self.study.options), self.study.headline, BANDS, EDGES]

    def __call__(self, place: Place, report: Report) -> dict[str, Any]:
        """Train, unless it is done already, and fit step by step."""
        corpus, recipe = self.scale.corpus(self.corpus), self._run.recipe()
        if SIGNALS[recipe.signal].dimensions != 2:
            raise InvalidSetting("corpora", self.corpus, "signals with two axes, since spectra and edges are of those")
        folder = source(corpus, place.data)
        initialisation, _ = self._run.initialisation(recipe, folder, place, report)
        signals = held_out(folder, recipe, corpus, self.study.part)
        count, drawn = self.study.options["signals"], self.study.options["drawn"] if self.seed == 0 else 0
        plan = initialisation.plan(self.study.headline, self.study.scalings_of(self.arm)[0])
        each = []
        for number, signal in enumerate(signals.targets[:count]):
            report(f"{self.name}: looking at every step", number, count)
            each.append(watched(initialisation, signal, plan, keep_pictures=number < drawn))
        return {
            "corpus": self.corpus, "arm": self.arm.name, "seed": self.seed, "files": list(signals.names[:count]),
            "signals": each,
        }  # fmt: skip


def runs(study: Study, scale: Scale) -> Iterator[Steps]:
    """The pieces of a study of this kind, the first seed of everything first."""
    for run in compare.runs(study, scale):
        yield Steps(study, scale, run.corpus, run.arm, run.seed)


def watched(initialisation: Initialisation, signal: Signal, plan: FitPlan, *, keep_pictures: bool) -> dict[str, Any]:
    """One fit, looked at before the first step and after every one.

    Returns:
        Lists with an entry for each step: ``psnr``; ``bands``, the share of the signal's power in each octave that the
        reconstruction still misses; where points would be kept, ``overlap`` with those of the step before, and
        ``edges``, the share of the kept ones that lie on edges; with ``keep_pictures``, by the number of the step, the
        reconstructions and the kept points of those that are drawn.
    """
    convention = initialisation.recipe.data.grid
    context, grid = context_of(signal, convention), signal.grid(convention)
    field, key = initialisation.field, jax.random.key(0)
    view = View(grid, type(signal).embed)
    edge = edges(signal.values)
    found: dict[str, Any] = {"psnr": [], "bands": [], "overlap": [], "edges": [], "pictures": {}, "kept": {}}
    before: np.ndarray | None = None
    for step in range(plan.steps + 1):
        values = np.clip(np.concatenate(list(render_strips(field, view, grid))), 0, 1)
        found["psnr"].append(signal.metrics(type(signal).assemble(values, signal.about))["psnr"])
        found["bands"].append(missed(signal.values, values))
        drawn = keep_pictures and step in DRAWN
        if drawn:
            found["pictures"][str(step)] = np.round(255 * values).astype(int)
        if step == plan.steps:
            break
        field, stepped = fit_step(field, context, plan, key, jnp.asarray(step))
        if stepped.kept is None:
            continue
        kept = np.zeros(context.size, bool)
        kept[np.asarray(stepped.kept)] = True
        found["edges"].append(float(edge.reshape(-1)[kept].mean()))
        if before is not None:
            found["overlap"].append(float((kept & before).sum() / kept.sum()))
        if drawn:
            found["kept"][str(step)] = kept.reshape(signal.shape).astype(int)
        before = kept
    return found


def missed(values: np.ndarray, reconstruction: np.ndarray) -> list[float]:
    """Power of the error in each octave of spatial frequency, over the signal's own there; the mean value left out.

    Args:
        values: (height, width, channels).
        reconstruction: likewise.

    Example:
        >>> wave = np.sin(2 * np.pi * np.arange(32) / 32)[None, :, None].repeat(32, 0)
        >>> [round(share, 3) for share in missed(wave, 0 * wave)][:1]
        [1.0]
    """
    frequencies = np.hypot(*np.meshgrid(*(np.fft.fftfreq(n) for n in values.shape[:2]), indexing="ij"))
    own, error = ((np.abs(np.fft.fft2(x, axes=(0, 1))) ** 2).sum(-1) for x in (values, values - reconstruction))
    upper = 0.5 ** np.arange(BANDS, 0, -1)  # … 1/8, 1/4, 1/2 cycles a sample
    lower = np.concatenate([[0.0], upper[:-1]])
    shares = []
    for low, high in zip(lower, [*upper[:-1], np.inf], strict=True):
        inside = (frequencies > low) & (frequencies <= high)
        shares.append(float(error[inside].sum() / max(own[inside].sum(), 1e-12)))
    return shares


def edges(values: np.ndarray) -> np.ndarray:
    """Which points have the largest gradient, `EDGES` of all: (height, width) of booleans."""
    from skimage.filters import sobel

    strength = sobel(np.nan_to_num(values).mean(-1))
    return strength >= np.quantile(strength, 1 - EDGES)


def means(documents: Sequence[Mapping[str, Any]], name: str) -> np.ndarray:
    """The mean over seeds and signals of one of `watched`'s lists."""
    return np.mean(_each(documents, name), (0, 1))


def spreads(documents: Sequence[Mapping[str, Any]], name: str) -> np.ndarray | None:
    """The standard deviation over seeds of the means over signals; ``None`` for one seed."""
    return np.std(_each(documents, name).mean(1), 0, ddof=1) if len(documents) > 1 else None


def medians(documents: Sequence[Mapping[str, Any]], name: str) -> np.ndarray:
    """The median over seeds and signals: shares of a smooth signal's little detail would rule the mean."""
    return np.median(_each(documents, name), (0, 1))


def _each(documents: Sequence[Mapping[str, Any]], name: str) -> np.ndarray:
    """One of `watched`'s lists: (seeds, signals, steps …)."""
    return np.array([[one[name] for one in document["signals"]] for document in documents])
