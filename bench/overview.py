"""The picture at the top of the README: what each step keeps, and what the field looks like, on a photo never seen.

python -m bench.overview --out docs/images/overview.png
"""

import argparse
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure
from PIL import Image as Picture

from ecop.cli.demo import HELD_OUT, photo_folder
from ecop.core.recipe import Recipe
from ecop.fields.base import Field
from ecop.fit.initialisation import Initialisation
from ecop.fit.loop import fit_context, fit_step
from ecop.fit.render import View, evaluate_axes
from ecop.metrics.psnr import psnr
from ecop.signals.base import Signal
from ecop.signals.context import context_of
from ecop.signals.figures import save, styled
from ecop.signals.image import Image

SHOWN = (0, 1, 2, 4, 8, 16)


def main() -> None:
    """Fit step by step, draw, save."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--init", default="photo")
    parser.add_argument("--out", type=Path, default=Path("docs/images/overview.png"))
    arguments = parser.parse_args()
    start = Initialisation.load(arguments.init)
    chance = Initialisation.random(start.recipe, start.settings)
    photo = square(Image.read(photo_folder() / HELD_OUT), start.recipe)
    save(drawing(photo, steps(start, photo), steps(chance, photo)), arguments.out)
    for_a_screen(arguments.out)


def for_a_screen(path: Path) -> None:
    """At three quarters of the size that print wants: half the bytes."""
    picture = Picture.open(path).convert("RGB")
    picture.resize((3 * picture.width // 4, 3 * picture.height // 4), Picture.Resampling.LANCZOS).save(
        path, optimize=True
    )


def square(photo: Signal, recipe: Recipe) -> Signal:
    """The middle of the photo at the recipe's size."""
    side = min(photo.shape)
    begin = tuple((n - side) // 2 for n in photo.shape)
    return photo.block(begin, (side, side)).resized(recipe.data.size)


def steps(start: Initialisation, photo: Signal) -> list[tuple[np.ndarray, np.ndarray | None]]:
    """Before each step and after the last: the picture, and which points the step keeps."""
    plan, convention = start.plan(scaling="norm"), start.recipe.data.grid
    context = context_of(photo, convention)
    field, seen = start.field, []
    for step in range(plan.steps + 1):
        values = np.clip(picture(field, photo, start), 0, 1)
        field, stepped = fit_step(field, context, plan, jax.random.key(0), jnp.asarray(step))
        mask = np.zeros(photo.shape, bool)
        mask.flat[np.asarray(stepped.kept)] = True
        seen.append((values, mask if step < plan.steps else None))
    fitted, _ = fit_context(start.field, context, plan, jax.random.key(0))  # with the head solved for behind the steps
    seen[-1] = (np.clip(picture(fitted, photo, start), 0, 1), None)
    return seen


def picture(field: Field, photo: Signal, start: Initialisation) -> np.ndarray:
    """What the field shows at the photo's own pixels."""
    grid = photo.grid(start.recipe.data.grid)
    return evaluate_axes(field, grid.axes(), View(grid, photo.embed))


def drawing(
    photo: Signal,
    seen: list[tuple[np.ndarray, np.ndarray | None]],
    chance: list[tuple[np.ndarray, np.ndarray | None]],
) -> Figure:
    """Three rows: from random parameters, from the initialisation, and the points that its steps keep."""
    with styled():
        figure = Figure(figsize=(1.55 * (len(SHOWN) + 1), 5.2), layout="constrained")
        axes = figure.subplots(3, len(SHOWN) + 1)
        for axis in axes.ravel():
            axis.set_axis_off()
        for column, step in enumerate(SHOWN):
            for row, run in enumerate((chance, seen)):
                axes[row, column].imshow(run[step][0])
                axes[row, column].set_title(f"{psnr(photo.values, run[step][0]):.1f} dB", fontsize=9)
            mask = seen[step][1]
            if mask is not None:
                axes[2, column].imshow(np.where(mask[..., None], photo.values, 1.0))
                axes[2, column].set_title(f"kept at step {step + 1}", fontsize=9)
        for column, step in enumerate(SHOWN):
            steps_done = "start" if step == 0 else f"{step} step{'s' if step > 1 else ''}"
            axes[0, column].set_title(f"{steps_done}\n" + axes[0, column].get_title(), fontsize=9)
        axes[1, -1].imshow(photo.values)
        axes[1, -1].set_title("the photo", fontsize=9)
        for row, name in enumerate(("from random parameters", "from the initialisation", "a quarter of the points")):
            axes[row, 0].text(-0.08, 0.5, name, rotation=90, ha="right", va="center", transform=axes[row, 0].transAxes)
    return figure


if __name__ == "__main__":
    main()
