"""``ecop plan``: memory and time of training and fitting, before anything runs."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from tyro.conf import UseAppendAction

from ecop.cli import units
from ecop.cli.command import Command, option, parse_settings
from ecop.cli.terminal import Terminal
from ecop.cli.train import changed_settings
from ecop.core.errors import BadUsage
from ecop.core.memory import parse_bytes

if TYPE_CHECKING:
    from ecop.adapt.engine import Engine
    from ecop.core.recipe import Recipe
    from ecop.meta.plan import Cost


@dataclass(frozen=True, kw_only=True)
class Plan(Command):
    """Say what training and fitting will take on this machine: memory and time, before anything runs.

    One row each for the recipe's ECoP, for Learnit (K = 4) and for plain second-order autodiff. Memory is what the
    compiled programs say of themselves; beside it stands what the process takes anyway. Files that training keeps
    decoded come on top, at most ECOP_DECODED_BYTES. Time follows from passes timed once on this machine.
    """

    examples: ClassVar[str] = """
        ecop plan --recipe photo
        ecop plan --recipe photo --shape 1024x1024 --batch 4
        ecop plan --recipe photo --shape 1024x1024 --memory 1GiB
        ecop plan --recipe mine.toml --shape 256x256x32 --json
    """

    recipe: Annotated[str, option("FILE.toml|NAME")] = "quick"
    """recipe: a file, or the name of one that ships (see ecop list)"""
    shape: Annotated[str | None, option("HxW")] = None
    """samples of a signal along each axis, any number of axes; the recipe's data.size by default"""
    batch: Annotated[int | None, option("N")] = None
    """signals in an outer step; the recipe's data.batch by default"""
    memory: Annotated[str | None, option("SIZE")] = None
    """propose tile, batch, K and γ that stay within this, the process included, e.g. 8GiB"""
    set: Annotated[UseAppendAction[tuple[tuple[str, ...], ...]], option("KEY=VALUE")] = ()
    """settings that replace the recipe's, e.g. learner.keep=0.5"""
    again: Annotated[bool, option()] = False
    """time this machine anew instead of using what was measured before"""

    def run(self, terminal: Terminal) -> int:
        """Compile the programs and print what they need."""
        memory = None if self.memory is None else parse_bytes(self.memory)
        wanted = self._recipe()
        from ecop.cli.runtime import prepare_jax

        prepare_jax()
        from ecop.adapt.engine import Engine
        from ecop.meta.budget import plan_for_budget
        from ecop.meta.plan import plan

        recipe, engine = wanted, Engine()
        with terminal.progress("compiling") as advance:
            if memory is not None:
                recipe, engine = plan_for_budget(wanted, memory)
            costs = plan(recipe, engine=engine, again=self.again, progress=lambda what: advance(0, note=what))
        terminal.table(as_table(costs, memory))
        for sentence in in_words(costs, wanted, recipe, engine, memory):
            terminal.say(sentence)
        terminal.document([cost.document() for cost in costs])
        return 0

    def _recipe(self) -> "Recipe":
        from ecop.core.recipe import Recipe

        changes = parse_settings("plan", "--set", (text for group in self.set for text in group))
        if self.shape is not None:
            changes["data.size"] = list(parse_shape(self.shape))
        if self.batch is not None:
            changes["data.batch"] = self.batch
        return Recipe.load(self.recipe).with_settings(changes)


def parse_shape(text: str) -> tuple[int, ...]:
    """Sizes along the axes, as in ``1024x1024``.

    Raises:
        BadUsage: for anything else.

    Example:
        >>> parse_shape("256x256x32")
        (256, 256, 32)
    """
    if not re.fullmatch(r"\d+([x×]\d+)*", text):
        raise BadUsage("plan", f"--shape {text!r} is not sizes such as 1024x1024")
    return tuple(int(part) for part in re.split("[x×]", text))


def as_table(costs: "list[Cost]", memory: int | None) -> Any:
    """A row for each program."""
    from rich.table import Table

    headings = ["method", "phase", "points", "batch", "K", "γ", "tile", "memory", "time"]
    table = Table(*headings, *([] if memory is None else ["fits"]), box=None, padding=(0, 2, 0, 0))
    for cost in costs:
        row = [
            cost.method, cost.phase, units.shape(cost.shape), str(cost.batch), str(cost.steps), f"{cost.keep:g}",
            "–" if cost.tile is None else str(cost.tile), units.size(cost.peak_bytes), units.duration(cost.seconds),
        ]  # fmt: skip
        if memory is not None:
            row.append("yes" if cost.peak_bytes + cost.baseline_bytes <= memory else "no")
        table.add_row(*row)
    return table


def in_words(
    costs: "list[Cost]", wanted: "Recipe", proposed: "Recipe", engine: "Engine", memory: int | None
) -> list[str]:
    """What stands beside the table."""
    sentences = []
    if process := max(cost.baseline_bytes for cost in costs):
        sentences.append(f"The process itself, with the compiler, takes {units.size(process)} more.")
    if memory is not None:
        changes = changed_settings(wanted, proposed)
        same = "the recipe as it is" if not changes else "--set " + " ".join(changes)
        sentences.append(f"Within {units.size(memory)}: {same}, in tiles of {engine.tile} points.")
    return sentences
