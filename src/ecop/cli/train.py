"""``ecop train``: an initialisation from a folder of signals."""

import shlex
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from tyro.conf import UseAppendAction

from ecop.cli import units
from ecop.cli.command import Command, Overwrite, option, parse_settings
from ecop.cli.terminal import Terminal
from ecop.cli.training_bar import TrainingBar
from ecop.core.errors import BadUsage
from ecop.core.memory import parse_bytes

if TYPE_CHECKING:
    import numpy as np

    from ecop.adapt.engine import Engine
    from ecop.core.recipe import Recipe
    from ecop.fit.initialisation import Initialisation


@dataclass(frozen=True, kw_only=True)
class Train(Command):
    """Meta-learn an initialisation from a folder of signals.

    The run's folder holds the recipe, a log, samples, checkpoints, and best.safetensors and last.safetensors, which
    every other verb takes. Ctrl-C stops it in good order, and --resume goes on exactly where it stopped. Files are
    divided into training, validation and test as the recipe says; test files are never looked at.
    """

    examples: ClassVar[str] = """
        ecop train --data photos/ --out runs/mine --recipe quick
        ecop train --data photos/ --out runs/mine --recipe mine.toml --set learner.keep=0.5 train.lr=1e-4 --minutes 30
        ecop train --data photos/ --out runs/mine --resume --steps 20000
        ecop train --data faces/ --out runs/faces --recipe photo --init photo
    """

    data: Annotated[Path, option("DIR")]
    """folder of signals, read with its subfolders"""
    out: Annotated[Path, option("RUN", "-o")]
    """folder of the run"""
    recipe: Annotated[str | None, option("FILE.toml|NAME")] = None
    """recipe: a file, or the name of one that ships (see ecop list); quick by default, with --resume the run's own"""
    set: Annotated[UseAppendAction[tuple[tuple[str, ...], ...]], option("KEY=VALUE")] = ()
    """settings that replace the recipe's, e.g. learner.keep=0.5 data.size=[64,64]"""
    steps: Annotated[int | None, option("N")] = None
    """outer steps; short for --set train.steps=N"""
    minutes: Annotated[float | None, option("M")] = None
    """stop after that time; short for --set train.minutes=M"""
    seed: Annotated[int | None, option("N")] = None
    """short for --set train.seed=N"""
    init: Annotated[str | None, option("INIT")] = None
    """begin from this initialisation instead of a random one"""
    memory: Annotated[str | None, option("SIZE")] = None
    """stay within this, the process included, e.g. 8GiB: by smaller tiles, then a smaller batch, γ and K"""
    engine: Annotated[Literal["auto", "exact-lowmem", "unrolled"], option()] = "exact-lowmem"
    """how gradients are computed: in tiles and little memory; by plain autodiff; or auto: the faster one that fits"""
    tile: Annotated[str, option("N|auto")] = "default"
    """points in a tile: a number; auto: measured on this machine; default: by the field's width"""
    precision: Annotated[Literal["float32", "tf32", "bf16"], option()] = "float32"
    """of matrix products; tf32 and bf16 are faster on GPUs"""
    resume: Annotated[bool, option()] = False
    """go on with the run in --out"""
    tensorboard: Annotated[bool, option()] = False
    """write TensorBoard events into the run, too"""
    no_picture: Annotated[bool, option()] = False
    """no small picture of the last samples in the terminal"""
    overwrite: Overwrite = False
    """replace the run in --out"""

    def run(self, terminal: Terminal) -> int:
        """Train, showing how it goes."""
        if self.resume and (self.overwrite or self.init):
            raise BadUsage("train", "--resume goes on with a run; leave out -y and --init")
        chosen = self.memory, self.engine, self.tile, self.precision
        if self.resume and chosen != (None, "exact-lowmem", "default", "float32"):
            own = "--memory, --engine, --tile and --precision"
            raise BadUsage("train", f"--resume takes the run's own engine and settings; leave out {own}")
        tile = parse_tile(self.tile)
        recipe = self._recipe()
        from ecop.cli.runtime import prepare_jax

        prepare_jax()
        from ecop.fit.initialisation import Initialisation
        from ecop.meta.train import train

        start = None if self.init is None else Initialisation.load(self.init)
        recipe, engine = self._engine(recipe, tile, terminal)
        with (
            events(self.out / "events", self.tensorboard) as log,
            terminal.progress("compiling", recipe.train.steps) as advance,
        ):
            bar = TrainingBar(recipe, advance)

            def report(step: int, numbers: dict[str, Any]) -> None:
                bar(step, numbers)
                log(step, numbers)

            try:
                best = train(
                    recipe, self.data, self.out, resume=self.resume, overwrite=self.overwrite, start=start,
                    engine=engine, report=report, warn=terminal.warn,
                )  # fmt: skip
            except KeyboardInterrupt:
                raise KeyboardInterrupt(self._how_to_go_on(bar.step)) from None
        self._finish(best, bar.step, terminal)
        if not self.no_picture:
            terminal.picture(lambda: last_samples(self.out))
        return 0

    def _engine(
        self, recipe: "Recipe", tile: "int | Literal['auto'] | None", terminal: Terminal
    ) -> "tuple[Recipe, Engine]":
        """The engine, and with --memory the recipe that fits; a run that is resumed takes its own."""
        from ecop.adapt.engine import Engine

        if self.resume:
            return recipe, Engine()
        from ecop.meta.budget import plan_for_budget
        from ecop.meta.tuning import choose_engine

        memory = None if self.memory is None else parse_bytes(self.memory)
        engine = choose_engine(recipe, kind=self.engine, tile=tile, precision=self.precision, memory=memory)
        if self.engine == "auto" or tile == "auto":
            tiles = "" if engine.tile is None else f", tiles of {engine.tile} points"
            terminal.say(f"engine {engine.kind}{tiles}")
        if memory is None or (self.engine == "auto" and engine.kind == "unrolled"):  # which was chosen because it fits
            return recipe, engine
        fitting, engine = plan_for_budget(recipe, memory, engine=engine)
        if changes := changed_settings(recipe, fitting):
            terminal.warn(f"to stay within {self.memory}: {' '.join(changes)}")
        return fitting, engine

    def _recipe(self) -> "Recipe":
        from ecop.core.recipe import Recipe
        from ecop.store.run_folder import RunFolder

        if not self.resume:
            recipe = Recipe.load(self.recipe or "quick")
        elif self.recipe is None:
            recipe = RunFolder.open(self.out).recipe
        else:
            raise BadUsage("train", "--resume takes the run's own recipe; leave out --recipe")
        short = {"train.steps": self.steps, "train.minutes": self.minutes, "train.seed": self.seed}
        changes = parse_settings("train", "--set", (text for group in self.set for text in group))
        return recipe.with_settings(changes | {name: value for name, value in short.items() if value is not None})

    def _how_to_go_on(self, step: int) -> str:
        if step == 0:
            return "interrupted before the first step"
        again = shlex.join(["ecop", "train", "--data", str(self.data), "--out", str(self.out), "--resume"])
        return f"stopped at step {step}; go on with: {again}"

    def _finish(self, best: "Initialisation", step: int, terminal: Terminal) -> None:
        path, psnr = self.out / "best.safetensors", best.metrics["validation_psnr"]
        seconds = best.provenance["seconds"]
        terminal.say(f"{path}: validation PSNR {units.decibels(psnr)} after {best.provenance['steps']} of {step} steps")
        terminal.document(
            {"out": str(self.out), "best": str(path), "steps": step, "validation_psnr": psnr, "seconds": seconds,
             "best_step": best.provenance["steps"]}
        )  # fmt: skip


def last_samples(run: Path) -> "np.ndarray":
    """The last picture of validation signals, each above what its fit made of it."""
    from ecop.signals.image import Image

    return Image.read(max((run / "samples").glob("*.png"))).picture()


def parse_tile(text: str) -> "int | Literal['auto'] | None":
    """Points in a tile, ``auto``, or ``None`` for the default.

    Raises:
        BadUsage: for anything else.

    Example:
        >>> parse_tile("512"), parse_tile("auto"), parse_tile("default")
        (512, 'auto', None)
    """
    if text == "default":
        return None
    if text == "auto":
        return "auto"
    if not text.isdecimal() or int(text) < 1:
        raise BadUsage("train", f"--tile {text!r} is neither a number of points ≥ 1, nor 'auto', nor 'default'")
    return int(text)


def changed_settings(before: "Recipe", after: "Recipe") -> list[str]:
    """What is different, as ``KEY=VALUE``; a learner's update that is left out is plain descent.

    Example:
        >>> from ecop.core.recipe import Recipe
        >>> plain = Recipe()
        >>> learned = plain.with_settings({"data.batch": 2, "learner.update.rates": "layer"})
        >>> changed_settings(plain, learned), changed_settings(learned, plain)
        (['learner.update.rates=layer', 'data.batch=2'], ['learner.update.name=descent', 'data.batch=8'])
    """
    old, new = before.to_dict(), after.to_dict()
    if "update" in old["learner"]:
        new["learner"].setdefault("update", {"name": "descent"})
    return [
        f"{part}.{change}" for part in new if isinstance(new[part], dict)
        for change in _changed(old[part], new[part])
    ]  # fmt: skip


def _changed(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    for name, value in new.items():
        if isinstance(value, Mapping):
            yield from (f"{name}.{change}" for change in _changed(old.get(name, {}), value))
        elif value != old.get(name):
            yield f"{name}={value}"


@contextmanager
def events(folder: Path, wanted: bool) -> Iterator[Callable[[int, dict[str, Any]], None]]:
    """A function that writes numbers as TensorBoard events, or does nothing.

    Raises:
        MissingExtra: if they are wanted and tensorboardX is not installed.
    """
    if not wanted:
        yield lambda step, numbers: None
        return
    from ecop.store.tensorboard import TensorBoardEvents

    with TensorBoardEvents(folder) as writer:
        yield lambda step, numbers: writer.log(step, **numbers)
