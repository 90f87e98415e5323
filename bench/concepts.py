"""The pictures of the documentation's concept pages, measured on a photo that training never saw.

python -m bench.concepts --out docs/images
"""

import argparse
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure
from PIL import Image as Picture

from bench.overview import square
from ecop.adapt import Engine, Pruning, rollout
from ecop.cli.demo import HELD_OUT, photo_folder
from ecop.core.registry import SCORERS
from ecop.fields.base import Field, split_adapted
from ecop.fit.initialisation import Initialisation
from ecop.fit.loop import FitInfo, fit_context
from ecop.meta.plan import program_bytes
from ecop.signals.base import Signal
from ecop.signals.context import Context, context_of
from ecop.signals.figures import save, styled
from ecop.signals.image import Image

SHOWN = (0, 3, 15)
SCALINGS = ("norm", "loss", "warmup:4", "none")
SIDES = (64, 128, 178, 256, 512, 1024)


def main() -> None:
    """Draw the four pictures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("docs/images"))
    folder = parser.parse_args().out
    start = Initialisation.load("photo").with_fit(head="steps")  # what the steps do, not what is solved for behind them
    photo = square(Image.read(photo_folder() / HELD_OUT), start.recipe)
    context = context_of(photo, start.recipe.data.grid)
    save(pruning_figure(start, photo, context), folder / "concept-pruning.png")
    in_few_colours(folder / "concept-pruning.png")
    save(bootstrap_figure(start, context), folder / "concept-bootstrap.png")
    save(scaling_figure(start, context), folder / "concept-scaling.png")
    save(memory_figure(start), folder / "concept-memory.png")


def in_few_colours(path: Path) -> None:
    """Thousands of coloured points do not compress; with a palette of 256 colours they take a third."""
    Picture.open(path).convert("RGB").quantize(256).save(path, optimize=True)


def pruned_steps(
    start: Initialisation, field: Field, context: Context, scorer: str = "error", steps: int = 16
) -> tuple[Field, np.ndarray, np.ndarray]:
    """Training's inner loop: the field behind it, the full context's loss before each step, and the kept indices."""
    pruning = Pruning(SCORERS[scorer](), 0.25)
    run = eqx.filter_jit(rollout)
    key = jax.random.key(0)
    field, info, kept = run(field, context, pruning=pruning, update=start.plan().update, steps=steps, key=key)
    return field, np.asarray(info.loss), np.asarray(kept)


def pruning_figure(start: Initialisation, photo: Signal, context: Context) -> Figure:
    """The kept points: a row for each scorer, a column for each step."""
    scorers = {"error": "by error", "last_layer": "by the last layer", "random": "by chance"}
    with styled():
        figure = Figure(figsize=(6.2, 6.2), layout="constrained")
        axes = figure.subplots(len(scorers), len(SHOWN))
        for row, (scorer, name) in enumerate(scorers.items()):
            _, _, kept = pruned_steps(start, start.field, context, scorer)
            axes[row, 0].text(-0.06, 0.5, name, rotation=90, ha="right", va="center", transform=axes[row, 0].transAxes)
            for column, step in enumerate(SHOWN):
                mask = np.zeros(photo.shape, bool)
                mask.flat[kept[step]] = True
                axes[row, column].imshow(np.where(mask[..., None], photo.values, 1.0))
                axes[row, column].set_axis_off()
                axes[row, column].set_title(f"step {step + 1}" if row == 0 else "")
    return figure


def bootstrap_figure(start: Initialisation, context: Context) -> Figure:
    """PSNR on all points: sixteen pruned steps, then five to the target beside five more pruned ones."""
    adapted, before, _ = pruned_steps(start, start.field, context)
    further, more, _ = pruned_steps(start, adapted, context, steps=5)
    full = Pruning(SCORERS["full"](), 1.0)
    descend = eqx.filter_jit(rollout)
    boot, to_target, _ = descend(adapted, context, pruning=full, update=5e-2, steps=5, key=jax.random.key(0))
    with styled():
        figure = Figure(figsize=(6.2, 3.2), layout="constrained")
        axes = figure.subplots()
        axes.plot(range(17), decibels([*before, more[0]]), label="pruned steps to θ_K")
        axes.plot(
            range(16, 22), decibels([*to_target.loss, loss(boot, context)]), label="steps on all points to θ_boot"
        )
        axes.plot(
            range(16, 22), decibels([*more, loss(further, context)]), "--", color="0.6", label="pruned steps further"
        )
        axes.axvline(16, color="0.8", linewidth=1)
        axes.set_xlabel("step")
        axes.set_ylabel("PSNR on all points in dB")
        axes.legend()
    return figure


def scaling_figure(start: Initialisation, context: Context) -> Figure:
    """PSNR and factor over the steps of a fit, by scaling."""
    with styled():
        figure = Figure(figsize=(7.4, 3.2), layout="constrained")
        quality, factors = figure.subplots(1, 2)
        for scaling in SCALINGS:
            info: FitInfo = eqx.filter_jit(fit_context)(
                start.field, context, start.plan(scaling=scaling), jax.random.key(0)
            )[1]
            quality.plot(decibels(info.mse), label=scaling)
            factors.plot(range(1, len(info.factor) + 1), np.asarray(info.factor))
        quality.set(xlabel="steps", ylabel="PSNR in dB")
        quality.legend()
        factors.set(xlabel="step", ylabel="factor", ylim=(0, None))
    return figure


def memory_figure(start: Initialisation) -> Figure:
    """What the compiled outer step of one photo needs, against its points."""
    lines = {"this engine": (Engine(), SIDES), "plain autodiff": (Engine(kind="unrolled"), SIDES[:4])}
    with styled():
        figure = Figure(figsize=(6.2, 3.2), layout="constrained")
        axes = figure.subplots()
        for name, (engine, sides) in lines.items():
            needed = [step_bytes(start, side, engine) / 2**20 for side in sides]
            axes.plot([side**2 for side in sides], needed, "o-", label=name)
        axes.set(xscale="log", yscale="log", xlabel="points of a photo", ylabel="MiB of an outer step, K = 16")
        axes.legend()
    return figure


def step_bytes(start: Initialisation, side: int, engine: Engine) -> int:
    """Bytes of the compiled outer step of one photo."""
    recipe = start.recipe.with_settings({"data.size": [side, side], "data.batch": 1})
    return program_bytes(recipe, engine, "train")


def loss(field: Field, context: Context) -> float:
    """L on all points."""
    return float(jnp.asarray(Engine().loss(split_adapted(field), context)))


def decibels(losses: object) -> np.ndarray:
    """PSNR of losses."""
    return -10 * np.log10(np.asarray(losses, float))


if __name__ == "__main__":
    main()
