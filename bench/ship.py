"""Put a trained run into the package: float16, with the data's sources and what it reached in its file, and its card.

python -m bench.ship runs/audio --name audio --data-set speech --result bench/results/pretrained-audio-DATE.json
"""

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path

import tyro

import ecop
from bench.card import Card
from ecop.data.fetch import DATASETS
from ecop.fit.initialisation import Initialisation

PACKAGE = Path(ecop.__file__).parent / "pretrained"


@dataclass(frozen=True, kw_only=True)
class Ship:
    """Write ``src/ecop/pretrained/NAME.safetensors`` and ``NAME.md``."""

    run: tyro.conf.Positional[Path]
    """the run, or a file of an initialisation"""
    name: str
    """under which it ships"""
    data_set: str
    """what it was trained on, by the name that ``ecop data`` knows"""
    result: Path
    """what bench.pretrained measured; its first row is this initialisation's"""
    limits: str
    """what it is not good for, for the card"""
    earlier: str = ""
    """what went before the run, such as a first stage, for the card"""

    def write(self) -> Path:
        """Join what is known, and save."""
        init = Initialisation.load(self.run)
        sources = (DATASETS[self.data_set].path / "SOURCES.txt").read_text().splitlines()
        result = json.loads(self.result.read_text())
        measured = result["rows"][0]
        provenance = {
            **{key: value for key, value in init.provenance.items() if key != "sha256"},
            "sources": [line for line in sources if ": " in line],
        }
        metrics = {**init.metrics, "held_out": {**measured["mean"], "n": measured["n"], "steps": measured["steps"]}}
        path = PACKAGE / f"{self.name}.safetensors"
        shipped = dataclasses.replace(init, provenance=provenance, metrics=metrics)
        shipped.save(path, "float16")
        card = Card(self.name, shipped, result, self.result.name, self.data_set, sources, self.limits, self.earlier)
        path.with_suffix(".md").write_text(card.markdown())
        return path


if __name__ == "__main__":
    print(tyro.cli(Ship).write())
