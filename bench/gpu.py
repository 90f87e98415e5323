"""The roofline on a GPU, for each way to multiply matrices there, with the PSNR that the way costs."""

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

import jax

from bench import chart
from bench.benchmark import Benchmark, main
from bench.precision import fitted_psnr
from bench.roofline import Roofline, measure_roofline
from ecop.adapt import Engine

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
            fits = fitted_psnr("random:quick" if self.small else self.init, Engine(precision=name), self.small)
            psnr = sum(fits.values()) / len(fits)
            for tile in self.tiles[:1] if self.small else self.tiles:
                for signals in ("scan", "vmap"):
                    shrunk = Roofline(small=self.small).shrunk()
                    settings = replace(shrunk, tile=tile, signals=signals, precision=name)
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


if __name__ == "__main__":
    main(Gpu)
