"""How good an initialisation is: every signal of a folder fitted as at test time, and what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ecop.adapt.gradient import Precision
from ecop.core.registry import SIGNALS
from ecop.data.folder import Item, find_files, items_of
from ecop.data.layouts import divided
from ecop.data.loader import fixed_signals
from ecop.fit.batches import fit_alike
from ecop.fit.fit import judged
from ecop.fit.initialisation import Initialisation, Progress
from ecop.fit.prepared import prepare
from ecop.signals.base import Measure, Signal

Part = Literal["all", "train", "validation", "test"]


@dataclass(frozen=True)
class Evaluation:
    """What the fits of many signals reached.

    Attributes:
        files: for each signal its ``file`` (below the folder, with forward slashes; a part of a file is named behind
            a ``#``), the metrics of its modality on the clipped reconstruction, and ``psnr_curve``, the unclipped
            PSNR in dB before each step and after the last.
        steps: inner steps of every fit.
    """

    files: tuple[dict[str, Any], ...]
    steps: int

    @property
    def mean(self) -> dict[str, float]:
        """Mean of each metric over the signals: the PSNR of a set is the mean of dB."""
        return {name: float(np.mean([file[name] for file in self.files])) for name in self.names}

    @property
    def std(self) -> dict[str, float]:
        """Standard deviation of each metric over the signals."""
        with np.errstate(invalid="ignore"):  # a perfect signal has an infinite PSNR, and then there is no spread
            return {name: float(np.std([file[name] for file in self.files])) for name in self.names}

    @property
    def names(self) -> list[str]:
        """Metrics that every signal has."""
        return [name for name in self.files[0] if all(isinstance(file.get(name), float) for file in self.files)]


def evaluate(
    initialisation: Initialisation,
    folder: str | Path,
    *,
    steps: int | None = None,
    scaling: str | None = None,
    part: Part = "all",
    every: int = 1,
    seed: int = 0,
    progress: Progress | None = None,
    precision: Precision = "float32",
    measures: Mapping[str, Measure] | None = None,
) -> Evaluation:
    """Fit every signal of a folder, cut from its middle at the recipe's size, with one compiled program.

    Small signals of one shape that follow each other are fitted in one call, up to 16 of them.

    Args:
        initialisation: what to fit from.
        folder: a folder of signals, read recursively.
        steps: inner steps; the initialisation's by default.
        scaling: the initialisation's by default.
        part: only this split, as the recipe divides the folder.
        every: only every n-th signal, for a look at a large folder.
        seed: for scorers that draw.
        progress: called with the signals done, all signals, and the mean PSNR of those that are done.
        precision: of the fits' matrix products; metrics are those of a render in float32.
        measures: further metrics by name.

    Raises:
        BadInput: if the folder cannot be read, a file is damaged, or the split is empty.
        UnknownName: for a scaling that does not exist.

    Example:
        >>> import tempfile, ecop
        >>> from skimage import data
        >>> from ecop.signals import Image
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     Image.assemble(data.coffee() / 255, {}).write(f"{folder}/coffee.png")
        ...     evaluation = evaluate(ecop.load("photo"), folder, steps=1)
        >>> len(evaluation.files), list(evaluation.mean)
        (1, ['psnr', 'ssim', 'ms_ssim'])
    """
    recipe = initialisation.recipe
    signal_class = SIGNALS[recipe.signal]
    items = _chosen(folder, signal_class, initialisation, part)[::every]
    plan = initialisation.fit_plan(steps, scaling, precision=precision)
    signals = (prepare(initialisation, signal) for signal in fixed_signals(items, signal_class, recipe.data))
    results: list[dict[str, Any]] = []
    for item, (ready, unjudged) in zip(items, fit_alike(initialisation, signals, plan, seed), strict=True):
        fitted = judged(unjudged, ready.signal, measures)
        results.append({"file": item.name(Path(folder)), **fitted.metrics, "psnr_curve": list(fitted.psnr_curve)})
        if progress is not None:
            progress(len(results), len(items), float(np.mean([result["psnr"] for result in results])))
    return Evaluation(tuple(results), plan.steps)


def _chosen(folder: str | Path, signal_class: type[Signal], initialisation: Initialisation, part: Part) -> list[Item]:
    data = initialisation.recipe.data
    if part == "all":
        return items_of(find_files(folder, signal_class), signal_class, data.reading)
    return getattr(divided(folder, signal_class, data, part), part)
