"""The model card of an initialisation, from its own file and from what `bench.pretrained` measured."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bench.pretrained import table
from ecop.cli.train import changed_settings
from ecop.core import trees
from ecop.core.recipe import Recipe
from ecop.core.registry import SIGNALS
from ecop.fit.initialisation import Initialisation


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
    """

    name: str
    init: Initialisation
    result: Mapping[str, Any]
    result_name: str
    data_set: str
    sources: list[str]
    limits: str

    def markdown(self) -> str:
        """The whole card."""
        parts = (self._head(), self._reached(), self._training(), self._data(), f"## Limits\n\n{self.limits}")
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
        lines = list(table(self.result))
        return "\n".join(
            [
                "## What it reaches", "",
                f"{self.result['n']} signals that neither training nor validation saw, cut from their middle at "
                f"{'×'.join(map(str, self.init.recipe.data.size))}, {self.result['steps']} steps; mean ± standard "
                "deviation over signals.", "", *lines, "",
                *(f"- {line}" for line in self.result["comparisons"]), "",
                "± behind a gain is the 95 % interval of its mean. Learnit prunes nothing, so that there is nothing to "
                "scale by. Both runs are short, and each was made once: what they would reach at convergence is "
                f"another question. All numbers, by signal: `bench/results/{self.result_name}`.",
            ]
        )  # fmt: skip

    def _training(self) -> str:
        rows = {row["name"]: row for row in self.result["rows"] if row["trained"]}
        lines = ["| run | outer steps | signals seen | time |", "| --- | --- | --- | --- |"]
        for name, row in rows.items():
            trained = row["trained"]
            lines.append(
                f"| {name} | {trained['steps']} | {trained['signals_seen']} | {trained['seconds'] / 60:.1f} min |"
            )
        machine = self.result["machine"]
        return "\n".join(
            [
                "## How it was trained", "", *lines, "",
                f"Each on one core of a {machine['cores']}-core machine ({machine['processor']}), side by side, while "
                "both cores were used for other work too. The outer rate of each was the best of those that were "
                "tried for two minutes. Learnit's inner steps are as many as take the memory of the pruned ones: "
                "equal γ·K·M.", "",
                "```bash", *self._commands(rows), "```",
            ]
        )  # fmt: skip

    def _commands(self, rows: Mapping[str, Any]) -> Iterator[str]:
        yield f"ecop data {self.data_set}"
        for name, row in rows.items():
            trained = Recipe.from_dict(row["recipe"])
            changes = changed_settings(Recipe.named(trained.name), trained)
            wanted = " ".join(change.replace(" ", "") for change in changes)
            yield f"ecop train --data DATA --out runs/{name} --recipe {trained.name} --set {wanted}"
        baselines = " ".join(f"runs/{name}" for name in list(rows)[1:])
        yield f"python -m bench.pretrained --init {self.name} --baselines {baselines} --data DATA/test"

    def _data(self) -> str:
        credits = "\n".join(f"- {line}" for line in self.sources[2:] if line and "SHA-256" not in line)
        return "\n".join(
            ["## Data", "", f"`ecop data {self.data_set}`: {self.sources[0]}.", "", self.sources[1] + ".", "", credits]
        ).rstrip()
