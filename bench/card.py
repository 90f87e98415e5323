"""The model card of an initialisation, from its own file and from what `bench.pretrained` measured."""

import re
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bench.pretrained import table
from ecop.cli.train import changed_settings
from ecop.core import trees
from ecop.core.recipe import Recipe
from ecop.core.registry import SIGNALS
from ecop.fit.initialisation import Initialisation

SIGNALS_MEASURED = (
    "{n} signals that neither training nor validation saw, cut from their middle at {size}, {steps} steps; mean ± "
    "standard deviation over signals."
)
CAUTION = (
    "± behind a gain is the 95 % interval of its mean. Learnit prunes nothing, so that there is nothing to scale by. "
    "These are short runs, each made once: what they would reach at convergence is another question. All numbers, by "
    "signal: `bench/results/{result}`."
)
HOW_TRAINED = (
    "Each on one core ({processor}) of a machine that was used for other work too; the best in validation "
    "was kept. `{name}-before`, the plain method, and Learnit were trained side by side for the same time; Learnit's "
    "inner steps are as many as take the memory of the pruned ones: equal γ·K·M. "
)
WENT_ON = (
    "`{name}` went on from `{name}-before` with learned inner rates, and ends a fit with a solved last layer: it has "
    "had more training than the others, and is what ships, not what compares the methods. That is `ecop experiment "
    "beyond`, at equal work."
)
BEGAN_ANEW = (
    "`{name}` was trained from random parameters, too, in about the same time, with learned inner rates, and ends a "
    "fit with a solved last layer."
)


@dataclass(frozen=True)
class Card:
    """What a card is made of.

    Attributes:
        name: under which the initialisation ships.
        init: the initialisation.
        result: the document of `bench.pretrained`; its first row is this initialisation's.
        result_name: the file that keeps it.
        data_set: the name that ``ecop data`` knows.
        sources: lines of the data set's SOURCES.txt; the first says what it is, the second its licence.
        limits: what it is not good for.
        earlier: what went before the runs of the table, if anything.
    """

    name: str
    init: Initialisation
    result: Mapping[str, Any]
    result_name: str
    data_set: str
    sources: list[str]
    limits: str
    earlier: str = ""

    def markdown(self) -> str:
        """The whole card."""
        parts = (
            self._head(),
            self._reached(),
            self._training(),
            self._data(),
            "\n".join(["## Limits", "", *fill(self.limits)]),
        )
        return "\n\n".join(parts) + "\n"

    def _head(self) -> str:
        recipe, licence = self.init.recipe, self.sources[1].removeprefix("Licence: ")
        settings, learner = recipe.field.settings, recipe.learner.settings
        size = f"{settings['depth']}×{settings['width']}, w0 = {settings['w0']:g}"
        suffix = SIGNALS[recipe.signal].preferred_suffix
        return "\n".join(
            [
                "---", "library: ecop", f"name: {self.name}", f"modality: {recipe.signal}",
                f"method: ECoP (arXiv 2302.00617), points ranked by {learner['scorer']}",
                f"field: {recipe.field.name.upper()} {size}, {trees.size(self.init.field)} parameters",
                f"licence: Apache-2.0 for the weights; what they were learned from: {licence}", "---", "",
                f"# {self.name}", "", f"{recipe.about.partition(':')[0]}. {recipe.fit.steps} gradient steps.", "",
                "```bash", f"ecop fit {self.name} signal{suffix} -o signal.safetensors", "```",
            ]
        )  # fmt: skip

    def _reached(self) -> str:
        size = "×".join(map(str, self.init.recipe.data.size))
        signals = SIGNALS_MEASURED.format(n=self.result["n"], size=size, steps=self.result["steps"])
        gains = [f"- {line}" for line in self.result["comparisons"]]
        caution = fill(CAUTION.format(result=self.result_name))
        return "\n".join(["## What it reaches", "", *fill(signals), "", *table(self.result), "", *gains, "", *caution])

    def _training(self) -> str:
        rows = {row["name"]: row for row in self.result["rows"] if row["trained"]}
        lines = ["| run | outer steps | signals seen | time until its best validation |", "| --- | --- | --- | --- |"]
        for name, row in rows.items():
            trained = row["trained"]
            minutes = f"{trained['seconds'] / 60:.1f} min"
            lines.append(f"| {name} | {trained['steps']} | {trained['signals_seen']} | {minutes} |")
        begun = WENT_ON if rows[self.name]["trained"].get("parent") else BEGAN_ANEW
        how = " ".join([HOW_TRAINED + begun, self.earlier]).format(name=self.name, **self.result["machine"])
        return "\n".join(
            ["## How it was trained", "", *lines, "", *fill(how), "", "```bash", *self._commands(rows), "```"]
        )

    def _commands(self, rows: Mapping[str, Any]) -> Iterator[str]:
        yield f"ecop data {self.data_set}"
        before = f"{self.name}-before"
        for name, row in sorted(rows.items(), key=lambda one: one[0] != before):  # others go on from it
            trained = Recipe.from_dict(row["recipe"])
            changes = changed_settings(Recipe.named(trained.name), trained)
            begun = (
                f" --init runs/{before}/best.safetensors" if name == self.name and row["trained"].get("parent") else ""
            )
            wanted = " ".join(rounded(change.replace(" ", "")) for change in changes)
            yield f"ecop train --data DATA --out runs/{name} --recipe {trained.name}{begun} --set {wanted}"
        baselines = " ".join(f"runs/{name}" for name in list(rows)[1:])
        every = f" --every {self.result['every']}" if self.result.get("every", 1) > 1 else ""
        yield f"python -m bench.pretrained --init {self.name} --baselines {baselines} --data DATA/test{every}"

    def _data(self) -> str:
        credits = "\n".join(f"- {line}" for line in self.sources[2:] if line and "SHA-256" not in line)
        return "\n".join(
            [
                "## Data",
                "",
                *fill(f"`ecop data {self.data_set}`: {self.sources[0]}."),
                "",
                self.sources[1] + ".",
                "",
                credits,
            ]
        ).rstrip()


def fill(paragraph: str) -> list[str]:
    """Lines of at most 120 characters."""
    return textwrap.wrap(paragraph, 120, break_long_words=False, break_on_hyphens=False)


def rounded(change: str) -> str:
    """``KEY=VALUE`` without the digits that binary fractions add.

    Example:
        >>> rounded("train.minutes=15.600000000000001")
        'train.minutes=15.6'
    """
    return re.sub(r"\d+\.\d{6,}", lambda number: f"{float(number[0]):g}", change)
