"""What a shipped initialisation reaches on held-out signals, beside baselines and random initialisation.

    python -m bench.pretrained --init photo --baselines runs/learnit-photo --data FOLDER

Every signal is cut from its middle at the recipe's size and fitted in as many steps as the recipe says, with the
gradient scaled and not, and with the last layer as the steps leave it and solved for; the metrics are the modality's,
of the clipped reconstruction. The table of a model card is this command's output.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from matplotlib.figure import Figure

from bench.benchmark import Benchmark, main
from bench.chart import bars
from ecop.cli.units import metric, metric_name
from ecop.fit.evaluate import Evaluation, evaluate
from ecop.fit.head import HEADS
from ecop.fit.initialisation import Initialisation


@dataclass(frozen=True, kw_only=True)
class Pretrained(Benchmark):
    """Fit held-out signals from an initialisation, its baselines, and random parameters."""

    name: ClassVar[str] = "pretrained"

    init: str = "photo"
    """the initialisation: a shipped name, a file or a run"""
    baselines: tuple[str, ...] = ()
    """others to compare with, e.g. a run of Learnit"""
    data: Path = Path("data")
    """folder of held-out signals"""
    every: int = 1
    """only every n-th of them"""

    def measure(self) -> dict[str, Any]:
        """A row for each initialisation and scaling."""
        own = Initialisation.load(self.init).settings.head
        rows = [
            row(start.with_fit(head=head), scaling, self)
            for head in sorted(HEADS, key=lambda head: head != own)  # the shipped one as it is comes first
            for start in self.starts()
            for scaling in (scalings(start) if head == own else scalings(start)[:1])
        ]
        return {
            "subject": rows[0]["name"], "rows": rows, "steps": rows[0]["steps"], "n": rows[0]["n"], "every": self.every,
            "comparisons": [beaten(rows[0], other) for other in rows[1:]],
        }  # fmt: skip

    def starts(self) -> Iterator[Initialisation]:
        """What is compared, the shipped one first."""
        shipped = Initialisation.load(self.init)
        yield shipped
        for baseline in self.baselines:
            yield Initialisation.load(baseline)
        yield Initialisation.random(shipped.recipe, shipped.settings)

    def draw(self, result: dict[str, Any]) -> Figure:
        """Mean PSNR of each row."""
        return bars({label(r): r["mean"]["psnr"] for r in result["rows"]}, "PSNR (dB)")

    def in_words(self, result: dict[str, Any]) -> list[str]:
        """The table in Markdown, and how often the shipped one is better than each of the others."""
        summary = f"{result['n']} signals, {result['steps']} steps, mean ± standard deviation over signals"
        return [*table(result), summary, *result["comparisons"]]


def scalings(start: Initialisation) -> tuple[str, ...]:
    """With and without; without only where nothing is pruned, since there is nothing to scale by."""
    return ("norm", "none") if start.plan().pruning.active else ("none",)


def row(start: Initialisation, scaling: str, benchmark: Pretrained) -> dict[str, Any]:
    """One line of the table, with every signal's numbers."""
    found: Evaluation = evaluate(
        start, benchmark.data, steps=1 if benchmark.small else None, scaling=scaling, every=benchmark.every
    )
    return {
        "name": start.name, "learner": "–" if start.name == "random" else start.recipe.learner.name,
        "scaling": scaling, "head": start.settings.head, "steps": found.steps, "n": len(found.files),
        "mean": found.mean, "std": found.std, "files": list(found.files), "trained": dict(start.provenance),
        "recipe": start.recipe.to_dict(),
    }  # fmt: skip


def label(one: Mapping[str, Any]) -> str:
    """A row's name."""
    return f"{one['name']}, {one['scaling']}" + (", head" if solved(one) else "")


def solved(one: Mapping[str, Any]) -> bool:
    """Whether a row's last layer was solved for."""
    return one.get("head") == "least-squares"


def table(result: Mapping[str, Any]) -> Iterator[str]:
    """The rows in Markdown, with every metric of the modality."""
    metrics = list(result["rows"][0]["mean"])
    titles = ["initialisation", "learner", "gradient scaling", "last layer", *(metric_name(name) for name in metrics)]
    yield f"| {' | '.join(titles)} |"
    yield "| --- " * len(titles) + "|"
    for one in result["rows"]:
        numbers = (f"{metric(name, one['mean'][name])} ± {metric(name, one['std'][name])}" for name in metrics)
        head = "solved for" if solved(one) else "as stepped"
        yield f"| {' | '.join([one['name'], one['learner'], one['scaling'], head, *numbers])} |"


def beaten(own: dict[str, Any], other: dict[str, Any]) -> str:
    """On how many signals one row has the higher PSNR, and by how much: the mean and its 95 % interval."""
    pairs = zip(own["files"], other["files"], strict=True)
    gains = np.array([mine["psnr"] - theirs["psnr"] for mine, theirs in pairs])
    spread = 1.96 * gains.std(ddof=1) / np.sqrt(len(gains)) if len(gains) > 1 else np.nan
    first, second = (label(one) for one in (own, other))
    better = f"better on {np.sum(gains > 0)} of {len(gains)}"
    return f"{first} against {second}: {better}, by {gains.mean():+.2f} ± {spread:.2f} dB"


if __name__ == "__main__":
    main(Pretrained)
