"""From the documents of a study's runs to means, and to paired differences with their intervals."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np

Verdict = Literal["holds", "fails", "open"]


class Cell(NamedTuple):
    """What is held fixed where arms are compared.

    Attributes:
        trained: the corpus that was trained on.
        fitted: the corpus whose signals were fitted.
        corruption: share of corrupted points.
    """

    trained: str
    fitted: str
    corruption: float

    def __str__(self) -> str:
        arrow = "" if self.trained == self.fitted else f" → {self.fitted}"
        corrupted = f", {100 * self.corruption:g} % noise" if self.corruption else ""
        return f"{self.trained}{arrow}{corrupted}"


class Summary(NamedTuple):
    """A number of one arm.

    Attributes:
        mean: over signals, then over seeds.
        spread: standard deviation of the seeds' means; ``None`` for one seed.
        seeds: how many.
        signals: of each seed.
    """

    mean: float
    spread: float | None
    seeds: int
    signals: int


class Gain(NamedTuple):
    """How much better one arm is than another on the same signals.

    Attributes:
        mean: over signals, of the mean over seeds.
        half: half the width of the 95 % interval of the mean over signals (Student's t).
        low: the least mean of a seed.
        high: the largest mean of a seed.
        seeds: that both arms have.
        signals: of each seed; windows of one file (``FILE@NUMBER``) count as one, by their mean.
    """

    mean: float
    half: float
    low: float
    high: float
    seeds: int
    signals: int

    @property
    def verdict(self) -> Verdict:
        """Whether the interval excludes zero, and every seed agrees with it."""
        if self.mean - self.half > 0 and self.low > 0:
            return "holds"
        return "fails" if self.mean + self.half < 0 and self.high < 0 else "open"

    def __str__(self) -> str:
        return f"{self.mean:+.2f} ± {self.half:.2f}"


class Table:
    """The numbers of a study: for each cell, arm, scaling and seed an array (signals, steps) for each metric.

    Args:
        documents: of the runs of a ``compare`` study.
    """

    def __init__(self, documents: Iterable[Mapping[str, Any]]):
        self.documents = list(documents)
        self._arrays: dict[tuple[Cell, str, str], dict[int, dict[str, np.ndarray]]] = {}
        self._names: dict[Cell, list[str]] = {}
        self.steps: tuple[int, ...] = ()
        for document in self.documents:
            for found in document["evaluations"]:
                self.steps = tuple(found["steps"])
                cell = Cell(document["corpus"], found["corpus"], document["corruption"])
                own = self._arrays.setdefault((cell, document["arm"], found["scaling"]), {})
                own[document["seed"]] = _arrays(found["signals"])
                self._names[cell] = [one["file"] for one in found["signals"]]

    def cells(self) -> list[Cell]:
        """All cells, in the order of the runs."""
        return list(dict.fromkeys(cell for cell, _, _ in self._arrays))

    def scalings(self, cell: Cell, arm: str) -> list[str]:
        """Scalings that an arm was evaluated with."""
        return [scaling for own, name, scaling in self._arrays if (own, name) == (cell, arm)]

    def metrics(self, cell: Cell) -> list[str]:
        """Metrics of a cell's signals, PSNR first."""
        names = next(next(iter(seeds.values())) for (own, _, _), seeds in self._arrays.items() if own == cell)
        return sorted(names, key=lambda name: name != "psnr")

    def summary(self, cell: Cell, arm: str, scaling: str, steps: int, metric: str = "psnr") -> Summary | None:
        """A number of one arm; ``None`` where it was not run."""
        seeds = self._arrays.get((cell, arm, scaling))
        if not seeds:
            return None
        place = self.steps.index(steps)
        means = [float(np.mean(arrays[metric][:, place])) for arrays in seeds.values()]
        spread = float(np.std(means, ddof=1)) if len(means) > 1 else None
        return Summary(float(np.mean(means)), spread, len(means), len(next(iter(seeds.values()))[metric]))

    def gain(self, cell: Cell, better: tuple[str, str], worse: tuple[str, str], steps: int) -> Gain | None:
        """PSNR of one arm and scaling less that of another, in dB; ``None`` where either was not run."""
        first, second = (self._arrays.get((cell, *which)) for which in (better, worse))
        seeds = sorted(set(first or ()) & set(second or ()))
        if first is None or second is None or not seeds:
            return None
        place = self.steps.index(steps)
        each = np.array([first[s]["psnr"][:, place] - second[s]["psnr"][:, place] for s in seeds])
        signals = _by_file(each.mean(0), self._names[cell])
        return Gain(float(signals.mean()), half_interval(signals), float(each.mean(1).min()),
                    float(each.mean(1).max()), len(seeds), len(signals))  # fmt: skip

    def short_of_best(self, cell: Cell, which: Sequence[tuple[str, str]], steps: int) -> dict[str, Gain]:
        """By arm, what the best arm has over it, of those arms and scalings that were run; the best's own is zero."""
        means = {pair: found.mean for pair in which if (found := self.summary(cell, *pair, steps))}
        best = max(means, key=lambda pair: means[pair])
        return {pair[0]: gain for pair in means if (gain := self.gain(cell, best, pair, steps))}


def half_interval(values: Sequence[float] | np.ndarray) -> float:
    """Half the width of the 95 % interval of a mean, by Student's t; infinite for fewer than two values.

    Example:
        >>> round(half_interval([1.0, 2.0, 3.0]), 3)
        2.484
    """
    from scipy.stats import t

    if len(values) < 2:
        return float("inf")
    return float(t.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / np.sqrt(len(values)))


def _by_file(values: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """The mean over the windows of each file, which are too much alike to count as so many signals."""
    files = [name.partition("@")[0] for name in names]
    return np.array([values[[own == file for own in files]].mean() for file in dict.fromkeys(files)])


def _arrays(signals: Sequence[Mapping[str, Any]]) -> dict[str, np.ndarray]:
    """(signals, steps) of each metric; what was not finite is NaN, but for an infinite PSNR, which no field reaches."""
    names = [name for name in signals[0] if name != "file"]
    return {name: np.array([[np.nan if v is None else v for v in one[name]] for one in signals]) for name in names}
