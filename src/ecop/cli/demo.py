"""``ecop demo``: the whole of it in a few minutes, on photos that come with scikit-image."""

import json
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from ecop.cli import units
from ecop.cli.command import Command, option
from ecop.cli.outputs import check_writable
from ecop.cli.terminal import Terminal
from ecop.core.errors import BadInput, CannotWrite

if TYPE_CHECKING:
    from ecop.fit.fitted import Fitted
    from ecop.fit.initialisation import Initialisation
    from ecop.signals.base import Signal

TRAINED_ON = (
    "astronaut.png", "brick.png", "camera.png", "coffee.png", "coins.png", "grass.png", "gravel.png",
    "hubble_deep_field.jpg", "ihc.png", "moon.png", "motorcycle_left.png", "retina.jpg", "rocket.jpg",
)  # fmt: skip
HELD_OUT = "chelsea.png"
TRAINED, RANDOM, SHIPPED = "trained here", "random", "shipped"


@dataclass(frozen=True, kw_only=True)
class Demo(Command):
    """Train for two minutes on real photos, fit one that was never seen, and draw what happened.

    Nothing is downloaded. The folder holds pictures (reconstruction.png, kept_points.png, error_map.png, psnr.png), the
    fitted field, the training run with its initialisation, and all numbers in summary.json. An earlier demo in the same
    folder is replaced.
    """

    examples: ClassVar[str] = """
        ecop demo
        ecop demo --out /tmp/demo --minutes 10
    """

    out: Annotated[Path, option("DIR", "-o")] = Path("demo")
    """folder to write"""
    minutes: Annotated[float, option("M")] = 2.0
    """how long to train at most"""
    steps: Annotated[int | None, option("N")] = None
    """how many steps to train at most; by default the recipe's"""
    seed: Annotated[int, option("N")] = 0
    """of the training and of the random initialisation"""

    def run(self, terminal: Terminal) -> int:
        """Train, fit, draw."""
        photos = photo_folder()
        self._check_folder()
        from ecop.cli.runtime import prepare_jax

        prepare_jax()
        trained = self._train(photos, terminal)
        signal = held_out_signal(photos / HELD_OUT, trained)
        starts = self._starts(trained, terminal)
        fits = {name: start.fit(signal, trained.settings.steps, native=True) for name, start in starts.items()}
        path = self.out / "chelsea.safetensors"
        fits[TRAINED].save(path)
        summary = summarise(fits, trained)
        pictures = self._draw(signal, fits, trained)
        (self.out / "summary.json").write_text(json.dumps(summary, indent=2, allow_nan=False) + "\n")
        terminal.say("PSNR in dB before each step and after the last, by initialisation")
        terminal.table(psnr_table({name: fit.psnr_curve for name, fit in fits.items()}))
        terminal.say(
            f"{HELD_OUT}, never trained on, at {units.shape(signal.shape)}: PSNR "
            + ", ".join(f"{units.decibels(fit.metrics['psnr'])} from {name}" for name, fit in fits.items())
        )
        terminal.say(f"field: {path} ({units.size(path.stat().st_size)}); initialisation: {self.out / 'run'}")
        terminal.say(f"pictures: {', '.join(str(picture) for picture in pictures)}")
        terminal.say("next, a photo of your own: make view, or ecop view")
        terminal.document({"out": str(self.out), **summary})
        return 0

    def _check_folder(self) -> None:
        """Refuse a folder with anything in it but an earlier demo."""
        check_writable(self.out / "summary.json", overwrite=True)
        ours = (self.out / "summary.json").is_file() or (self.out / "run" / "recipe.toml").is_file()
        if self.out.is_dir() and any(self.out.iterdir()) and not ours:
            raise CannotWrite(
                self.out, "there are files in it that are not a demo's", "choose another folder with --out"
            )

    def _train(self, photos: Path, terminal: Terminal) -> "Initialisation":
        from ecop.cli.training_bar import TrainingBar
        from ecop.core.recipe import Recipe
        from ecop.meta.train import train

        recipe = Recipe.named("quick").with_settings(
            {"train.minutes": self.minutes, "train.seed": self.seed, "data.test": 0.0}
        )
        if self.steps is not None:
            recipe = recipe.with_settings({"train.steps": self.steps})
        terminal.note(
            f"training on {len(TRAINED_ON)} photos of scikit-image, patches of {units.shape(recipe.data.size)}, "
            f"at most {units.duration(60 * self.minutes)}"
        )
        with tempfile.TemporaryDirectory() as folder, terminal.progress("compiling", recipe.train.steps) as advance:
            data = Path(folder, "photos")
            data.mkdir()
            for name in TRAINED_ON:
                shutil.copyfile(photos / name, data / name)
            bar = TrainingBar(recipe, advance)
            trained = train(recipe, data, self.out / "run", overwrite=True, report=bar, warn=terminal.warn)
        terminal.note(
            f"trained {bar.step} steps in {units.duration(bar.seconds)}, "
            f"validation PSNR {units.decibels(trained.metrics['validation_psnr'])}"
        )
        return trained

    def _starts(self, trained: "Initialisation", terminal: Terminal) -> dict[str, "Initialisation"]:
        from ecop.fit.finding import shipped_initialisations
        from ecop.fit.initialisation import Initialisation

        starts = {TRAINED: trained, RANDOM: Initialisation.random(trained.recipe, trained.settings, self.seed + 1)}
        if "photo" in shipped_initialisations():
            starts[SHIPPED] = Initialisation.load("photo")
        else:
            terminal.note("no initialisation ships with this version, so that its column is left out")
        return starts

    def _draw(self, signal: "Signal", fits: Mapping[str, "Fitted"], trained: "Initialisation") -> list[Path]:
        from ecop.fit.prepared import prepare
        from ecop.plots.evaluations import draw_steps
        from ecop.plots.inner_steps import inner_steps
        from ecop.plots.pictures import error_maps, kept_points, pictures, size_for
        from ecop.plots.style import new_figure, save_plot

        rendered = {name: fit.render().values for name, fit in fits.items()}
        titles = {name: f"{name}, {units.decibels(fit.metrics['psnr'])}" for name, fit in fits.items()}
        steps, count = fits[TRAINED].steps, len(fits)
        masks = inner_steps(trained, prepare(trained, signal, native=True)).kept
        shown = {"original": signal.values, **{titles[name]: values for name, values in rendered.items()}}
        errors = {titles[name]: abs(values - signal.values).mean(-1) for name, values in rendered.items()}
        curves = {name: {"psnr": list(fit.psnr_curve)} for name, fit in fits.items()}
        title = f"{HELD_OUT} after {steps} steps, by initialisation"
        drawings: dict[str, tuple[tuple[float, float], Callable[[Any], Any]]] = {
            "reconstruction.png": (size_for(count + 1, count + 1, signal.shape), lambda f: pictures(f, shown, title)),
            "kept_points.png": (size_for(steps, 4, signal.shape), lambda f: kept_points(f, signal.values, masks)),
            "error_map.png": (size_for(count, count, signal.shape), lambda f: error_maps(f, errors)),
            "psnr.png": ((4.5, 3.0), lambda f: draw_steps(f, curves)),
        }
        for name, (size, draw) in drawings.items():
            figure = new_figure(*size)
            draw(figure)
            save_plot(figure, self.out / name)
        return [self.out / name for name in drawings]


def photo_folder() -> Path:
    """Where scikit-image keeps its photos.

    Raises:
        BadInput: if one of those that the demo needs is not there.
    """
    folder = Path(str(resources.files("skimage"))) / "data"
    for name in (*TRAINED_ON, HELD_OUT):
        if not (folder / name).is_file():
            raise BadInput(
                folder / name, "not in this version of scikit-image", "install the version in constraints.txt"
            )
    return folder


def held_out_signal(path: Path, initialisation: "Initialisation") -> "Signal":
    """The photo with as many points as the patches of the training."""
    from ecop.core.registry import SIGNALS
    from ecop.fit.prepared import comparable_shape

    data = initialisation.recipe.data
    signal = SIGNALS[initialisation.recipe.signal].read(path).with_channels(data.channels)
    return signal.resized(comparable_shape(signal.shape, data.size, signal.elastic))


def summarise(fits: Mapping[str, "Fitted"], trained: "Initialisation") -> dict[str, Any]:
    """All numbers of the demo, as JSON values."""
    return {
        "held_out": HELD_OUT, "trained_on": list(TRAINED_ON), "shape": list(fits[TRAINED].shape),
        "recipe": trained.recipe.to_dict(), "trained_steps": trained.provenance["steps"],
        "trained_seconds": trained.provenance["seconds"], "validation_psnr": trained.metrics["validation_psnr"],
        "fits": {
            name: {**fit.metrics, "steps": fit.steps, "seconds": round(fit.seconds, 3), "psnr_curve": fit.psnr_curve}
            for name, fit in fits.items()
        },
    }  # fmt: skip


def psnr_table(curves: Mapping[str, tuple[float, ...]]) -> Any:
    """PSNR before each step and after the last, a column for each initialisation."""
    from rich.table import Table

    table = Table("step", box=None, padding=(0, 2, 0, 0))
    for name in curves:
        table.add_column(name, justify="right")
    for step, values in enumerate(zip(*curves.values(), strict=True)):
        table.add_row(str(step), *(f"{value:.2f}" for value in values))
    return table
