"""Put a trained run into the package: float16, with the data's sources and what it was compared with in its file.

python -m bench.ship runs/photo --stages runs/photo-64 --data FOLDER --result bench/results/pretrained-DATE.json
"""

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path

import tyro

import ecop
from ecop.fit.initialisation import Initialisation

PACKAGE = Path(ecop.__file__).parent / "pretrained"


@dataclass(frozen=True, kw_only=True)
class Ship:
    """Write ``src/ecop/pretrained/NAME.safetensors``."""

    run: tyro.conf.Positional[Path]
    """the run, or a file of an initialisation"""
    name: str = "photo"
    """under which it ships"""
    stages: tuple[Path, ...] = ()
    """runs that it was trained in before, first to last"""
    data: Path
    """folder of the data set, whose SOURCES.txt names licences and authors"""
    result: Path
    """what bench.pretrained measured; its first row is this initialisation's"""

    def write(self) -> Path:
        """Join what is known, and save."""
        init = Initialisation.load(self.run)
        stages = [stage(Initialisation.load(path)) for path in self.stages]
        measured = json.loads(self.result.read_text())["rows"][0]
        provenance = {
            **{key: value for key, value in init.provenance.items() if key != "sha256"},
            "stages": stages,
            "total_seconds": round(sum(one["seconds"] for one in stages) + init.provenance["seconds"], 1),
            "sources": [line for line in (self.data / "SOURCES.txt").read_text().splitlines() if ": " in line],
        }
        metrics = {**init.metrics, "held_out": {**measured["mean"], "n": measured["n"], "steps": measured["steps"]}}
        path = PACKAGE / f"{self.name}.safetensors"
        dataclasses.replace(init, provenance=provenance, metrics=metrics).save(path, "float16")
        return path


def stage(init: Initialisation) -> dict[str, object]:
    """What an earlier stage of the training did."""
    return {
        "recipe": init.recipe.to_dict(), "steps": init.provenance["steps"], "seconds": init.provenance["seconds"],
        "validation_psnr": init.metrics.get("validation_psnr"),
    }  # fmt: skip


if __name__ == "__main__":
    print(tyro.cli(Ship).write())
