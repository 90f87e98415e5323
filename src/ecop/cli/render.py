"""``ecop render``: a fitted field becomes a file of its kind, of any size."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

from tyro.conf import Positional

from ecop.cli import units
from ecop.cli.command import Command, Overwrite, option
from ecop.cli.outputs import check_writable
from ecop.cli.terminal import Terminal
from ecop.core.errors import InvalidSetting


@dataclass(frozen=True, kw_only=True)
class Render(Command):
    """Draw a fitted field at any size, or a part of it, as a picture, sound, video or whatever was fitted.

    Without --shape and --scale it has the size that was fitted. The limit on the size of a render is raised by
    ECOP_MAX_RENDER_PIXELS.
    """

    examples: ClassVar[str] = """
        ecop render cat.safetensors -o cat.png
        ecop render cat.safetensors -o big.png --scale 4
        ecop render cat.safetensors -o eye.png --region 0.4,0.3,0.6,0.5 --shape 512x512
    """

    field: Annotated[Positional[Path], option("FIELD")]
    """file of a fitted signal"""
    out: Annotated[Path, option("FILE", "-o")]
    """the file to write; its suffix names the format"""
    shape: Annotated[str | None, option("HxW")] = None
    """height and width in pixels, or samples along each axis"""
    scale: Annotated[float | None, option("F")] = None
    """instead of --shape, a factor on the fitted size"""
    region: Annotated[str | None, option("X0,Y0,X1,Y1")] = None
    """the part to draw, as fractions of width and height from the top left; T0,T1 of a sound"""
    overwrite: Overwrite = False
    """replace the file if it exists"""

    def run(self, terminal: Terminal) -> int:
        """Draw it."""
        shape = None if self.shape is None else parse_shape(self.shape)
        region = None if self.region is None else parse_region(self.region)
        check_writable(self.out, overwrite=self.overwrite)
        from ecop.cli.runtime import prepare_jax

        prepare_jax()
        from ecop.fit.fitted import Fitted

        fitted = Fitted.load(self.field)
        begun = time.perf_counter()
        with terminal.progress(f"drawing {self.out.name}") as advance:
            drawn = fitted.render_to(
                self.out, shape, scale=self.scale, region=region,
                progress=lambda done, total: advance(done, total=total),
            )  # fmt: skip
        seconds = time.perf_counter() - begun
        nbytes = self.out.stat().st_size
        terminal.say(
            f"{self.field} → {self.out}: {units.shape(drawn)}, {units.duration(seconds)}, {units.size(nbytes)}"
        )
        terminal.document(
            {
                "file": str(self.field),
                "out": str(self.out),
                "shape": drawn,
                "seconds": round(seconds, 3),
                "bytes": nbytes,
            }
        )
        return 0


def parse_shape(text: str) -> tuple[int, ...]:
    """Sizes along the axes.

    Raises:
        InvalidSetting: unless they are whole numbers above 0 with an x between them.

    Example:
        >>> parse_shape("480x640")
        (480, 640)
    """
    try:
        sizes = tuple(int(part) for part in text.lower().replace("×", "x").split("x"))
    except ValueError:
        sizes = ()
    if not sizes or min(sizes) < 1:
        raise InvalidSetting("--shape", text, "whole numbers above 0 such as 480x640 (height x width)")
    return sizes


def parse_region(text: str) -> tuple[float, ...]:
    """A part of the extent: its start along every axis, the last axis first, then its end.

    Raises:
        InvalidSetting: unless it is such as x0,y0,x1,y1 with 0 ≤ x0 < x1 ≤ 1, and y likewise.

    Example:
        >>> parse_region("0,0.5,1,1"), parse_region("0.25,0.5")
        ((0.0, 0.5, 1.0, 1.0), (0.25, 0.5))
    """
    try:
        numbers = tuple(float(part) for part in text.split(","))
    except ValueError:
        numbers = ()
    axes, odd = divmod(len(numbers), 2)
    if odd or not axes or not all(0 <= a < b <= 1 for a, b in zip(numbers[:axes], numbers[axes:], strict=True)):
        raise InvalidSetting("--region", text, "fractions such as x0,y0,x1,y1 with 0 ≤ x0 < x1 ≤ 1 and 0 ≤ y0 < y1 ≤ 1")
    return numbers
