"""How long a person waits: `ecop fit` of one photo with nothing compiled yet, and again when it is."""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from bench import chart
from bench.benchmark import Benchmark, main

TINY = """
name = "tiny"
field = { name = "siren", width = 8, depth = 2 }
learner = { name = "ecop", inner_steps = 2 }
data = { size = [16, 16] }
fit = { steps = 2 }
"""


@dataclass(frozen=True, kw_only=True)
class Startup(Benchmark):
    """Seconds of whole commands, from the shell's point of view."""

    name: ClassVar[str] = "startup"

    init: str = "random:photo"
    """initialisation: what its parameters are does not matter for the time"""
    repeats: int = 3
    """warm runs; the median counts"""

    def measure(self) -> dict[str, Any]:
        """Help and version; a cold fit; warm fits."""
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            photo, init = prepare(folder, self.init, small=self.small)
            fit = ["fit", init, str(photo), "-o", str(folder / "photo.safetensors"), "-y", "--quiet"]
            seconds = {
                "version": median(["--version"], folder, self.repeats),
                "help": median(["--help"], folder, self.repeats),
                "fit_cold": timed(fit, folder),
                "fit_warm": median(fit, folder, self.repeats),
            }
        return {"seconds": seconds, "init": self.init}

    def in_words(self, result: dict[str, Any]) -> list[str]:
        """A line for each command."""
        return [f"{name:10} {seconds:7.2f} s" for name, seconds in result["seconds"].items()]

    def draw(self, result: dict[str, Any]) -> Any:
        """A bar for each command."""
        return chart.bars(result["seconds"], "seconds")


def prepare(folder: Path, init: str, *, small: bool) -> tuple[Path, str]:
    """A photo of scikit-image's as a file, and the initialisation to fit it from."""
    from PIL import Image
    from skimage import data

    photo = folder / "photo.jpg"
    Image.fromarray(data.astronaut()).save(photo, quality=95)
    if not small:
        return photo, init
    (folder / "tiny.toml").write_text(TINY)
    return photo, f"random:{folder / 'tiny.toml'}"


def median(arguments: list[str], folder: Path, repeats: int) -> float:
    """Median seconds of a command."""
    return statistics.median(timed(arguments, folder) for _ in range(repeats))


def timed(arguments: list[str], folder: Path) -> float:
    """Seconds of one run of ``ecop``, with a cache of its own in ``folder``."""
    settings = os.environ | {"ECOP_CACHE": str(folder / "cache"), "PYTHONDONTWRITEBYTECODE": ""}
    begun = time.perf_counter()
    command = [sys.executable, "-m", "ecop.cli.main", *arguments]
    subprocess.run(command, env=settings, check=True, capture_output=True)
    return time.perf_counter() - begun


if __name__ == "__main__":
    main(Startup)
