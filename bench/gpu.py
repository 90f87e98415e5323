"""The roofline on a GPU, for each way to multiply matrices there, with the PSNR that the way costs."""

import contextlib
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

import jax
import jax.numpy as jnp

from bench import chart
from bench.benchmark import Benchmark, main
from bench.roofline import Roofline, measure_roofline
from ecop.adapt import Engine
from ecop.core.grids import regular_grid
from ecop.fit.initialisation import Initialisation
from ecop.fit.loop import fit_batch
from ecop.meta import stack
from ecop.signals.context import AffineGrid, Context

PRECISIONS = {"float32": "float32", "tf32": "tensorfloat32", "bf16": "bfloat16"}
TILES = (4096, 16_384, 65_536)


@dataclass(frozen=True, kw_only=True)
class Gpu(Benchmark):
    """Fractions and PSNR in float32, TF32 and bf16, for a few tiles, with signals in turn and all at once."""

    name: ClassVar[str] = "gpu"

    init: str = "random:photo"
    """initialisation of the fit whose PSNR is compared; give a trained one for a PSNR that means something"""
    precisions: tuple[Literal["float32", "tf32", "bf16"], ...] = ("float32", "tf32", "bf16")
    """how matrices are multiplied"""
    tiles: tuple[int, ...] = TILES
    """points in a tile"""
    anywhere: bool = False
    """run even if there is no GPU, on what there is"""

    def measure(self) -> dict[str, Any]:
        """A row for each precision, tile and order of the signals."""
        if jax.default_backend() != "gpu" and not self.anywhere:
            return {"rows": [], "note": "no GPU on this machine (or JAX without CUDA): nothing was measured"}
        rows = []
        for name in self.precisions:
            with precision(PRECISIONS[name]):
                psnr = fitted_psnr("random:quick" if self.small else self.init, self.small)
                for tile in self.tiles[:1] if self.small else self.tiles:
                    for signals in ("scan", "vmap"):
                        settings = replace(Roofline(small=self.small).shrunk(), tile=tile, signals=signals)
                        rows.append({"precision": name, "tile": tile, "signals": signals, "psnr": psnr}
                                    | measure_roofline(settings))  # fmt: skip
        return {"rows": rows, "note": f"on {jax.devices()[0].device_kind}"}

    def in_words(self, result: dict[str, Any]) -> list[str]:
        """The note, and a line for each row."""
        return [result["note"]] + [
            f"{row['precision']:8} tile {row['tile']:6} {row['signals']}  products {row['gemm_gflops']:9.0f} GFLOP/s  "
            + "  ".join(f"{name} {fraction:.2f}" for name, fraction in row["fractions"].items())
            + f"  step of 4 {row['seconds']['meta_step_b4']:.3f} s  PSNR {row['psnr']:.2f} dB"
            for row in result["rows"]
        ]

    def draw(self, result: dict[str, Any]) -> Any:
        """Seconds of an outer step with four signals."""
        return chart.bars(
            {f"{r['precision']} {r['tile']} {r['signals']}": r["seconds"]["meta_step_b4"] for r in result["rows"]}
            or {"no GPU": 0.0},
            "seconds of an outer step with four signals",
        )


@contextlib.contextmanager
def precision(name: str) -> Any:
    """Matrix products as ``name`` says, for all programs compiled within."""
    before = jax.config.jax_default_matmul_precision
    jax.config.update("jax_default_matmul_precision", name)
    jax.clear_caches()
    try:
        yield
    finally:
        jax.config.update("jax_default_matmul_precision", before)
        jax.clear_caches()


def fitted_psnr(init: str, small: bool) -> float:
    """Mean PSNR in dB of two photos of scikit-image's, cut from their middle, after the initialisation's steps."""
    from skimage import data

    initialisation = Initialisation.load(init)
    side = 16 if small else initialisation.recipe.data.size[0]
    grid = AffineGrid.of(regular_grid((side, side), initialisation.recipe.data.grid))
    photos = (data.astronaut()[:512, :512], data.chelsea()[:300, 80:380])
    contexts = stack([Context(grid, jnp.asarray(_middle(photo, side)).reshape(-1, 3)) for photo in photos])
    plan = initialisation.plan(engine=Engine())
    _, info = fit_batch(initialisation.field, contexts, plan, jax.random.key(0), jnp.asarray(-1.0, jnp.float32))
    return float(jnp.mean(-10 * jnp.log10(info.mse[:, -1])))


def _middle(photo: Any, side: int) -> Any:
    from skimage.transform import resize

    return resize(photo, (side, side), anti_aliasing=True).astype("float32")


if __name__ == "__main__":
    main(Gpu)
