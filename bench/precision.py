"""PSNR that coarser matrix products cost at test time, on photos that come with scikit-image.

A CPU has neither TF32 nor bf16 products in JAX: TF32 is float32 there, and for bf16 both factors are rounded first. The
PSNR is then a GPU's, to rounding, while the time says nothing; ``bench.gpu`` has times.
"""

import dataclasses
from dataclasses import dataclass
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from bench import chart
from bench.benchmark import Benchmark, main
from ecop.adapt import Engine
from ecop.adapt.gradient import PRECISIONS
from ecop.core.grids import regular_grid
from ecop.fit.initialisation import Initialisation
from ecop.fit.loop import fit_batch
from ecop.meta import stack
from ecop.signals.context import AffineGrid, Context

PHOTOS = {"astronaut": (slice(0, 512), slice(0, 512)), "chelsea": (slice(0, 300), slice(80, 380)),
          "coffee": (slice(0, 400), slice(100, 500)), "rocket": (slice(0, 427), slice(106, 533))}  # fmt: skip
"""Photos of scikit-image's, with the square that is cut."""


@dataclass(frozen=True, kw_only=True)
class PrecisionLoss(Benchmark):
    """Mean PSNR of fits in float32, TF32 and bf16, from one initialisation."""

    name: ClassVar[str] = "precision"

    init: str = "photo"
    """initialisation"""

    def measure(self) -> dict[str, Any]:
        """A row for each precision, with the PSNR of each photo."""
        rows = []
        for name in PRECISIONS:
            psnr = fitted_psnr("random:quick" if self.small else self.init, Engine(precision=name), self.small)
            mean = sum(psnr.values()) / len(psnr)
            lost = rows[0]["psnr"] - mean if rows else 0.0
            rows.append({"precision": name, "psnr": mean, "lost": lost, "photos": psnr})
        device = jax.default_backend()
        note = "on a CPU: tf32 is float32, and bf16 rounds both factors of each product" if device == "cpu" else device
        return {"rows": rows, "init": self.init, "note": note}

    def in_words(self, result: dict[str, Any]) -> list[str]:
        """The note, and a line for each precision."""
        return [result["note"]] + [
            f"{row['precision']:8} {row['psnr']:6.2f} dB   {row['lost']:5.2f} dB lost" for row in result["rows"]
        ]

    def draw(self, result: dict[str, Any]) -> Any:
        """A bar for each precision."""
        return chart.bars({row["precision"]: row["psnr"] for row in result["rows"]}, "PSNR in dB")


def fitted_psnr(init: str, engine: Engine, small: bool = False) -> dict[str, float]:
    """PSNR in dB of each photo after the initialisation's own steps, at its own size."""
    initialisation = Initialisation.load(init)
    side = 16 if small else initialisation.recipe.data.size[0]
    grid = AffineGrid.of(regular_grid((side, side), initialisation.recipe.data.grid))
    contexts = stack([Context(grid, jnp.asarray(photo(name, side)).reshape(-1, 3)) for name in PHOTOS])
    plan = dataclasses.replace(initialisation.plan(), engine=engine)
    _, info = fit_batch(initialisation.field, contexts, plan, jax.random.key(0), jnp.asarray(-1.0, jnp.float32))
    return dict(zip(PHOTOS, (-10 * jnp.log10(info.mse[:, -1])).tolist(), strict=True))


def photo(name: str, side: int) -> Any:
    """A photo as (side, side, 3) values in [0, 1]."""
    from skimage import data
    from skimage.transform import resize

    return resize(getattr(data, name)()[PHOTOS[name]], (side, side), anti_aliasing=True).astype("float32")


if __name__ == "__main__":
    main(PrecisionLoss)
