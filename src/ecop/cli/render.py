"""``ecop render``: a fitted field becomes a file of its kind, of any size."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

from tyro.conf import Positional

from ecop.cli import units
from ecop.cli.command import Command, Overwrite, Precise, option
from ecop.cli.inline_picture import thumbnail
from ecop.cli.outputs import check_writable
from ecop.cli.terminal import Terminal
from ecop.core.errors import InvalidSetting


@dataclass(frozen=True, kw_only=True)
class Render(Command):
    """Draw a fitted field at any size, or a part of it, as a picture, sound, video or whatever was fitted.

    Without --shape and --scale it has the size that was fitted. The limit on the size of a render is raised by
    ECOP_MAX_RENDER_PIXELS. A sound lasts as long at any number of samples: its rate follows.
    """

    examples: ClassVar[str] = """
        ecop render cat.safetensors -o cat.png
        ecop render cat.safetensors -o big.png --scale 4
        ecop render cat.safetensors -o eye.png --region 0.4,0.3,0.6,0.5 --shape 512x512
        ecop render clip.safetensors -o clip.wav --scale 3
        ecop render clip.safetensors -o start.png --region 0,0.25
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
    precision: Precise = "float32"
    """of matrix products; tf32 and bf16 are faster on GPUs"""
    no_picture: Annotated[bool, option()] = False
    """no small picture of the result in the terminal"""
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
        with terminal.progress(f"drawing {self.out.name}", unit="rows") as advance:
            drawn = fitted.render_to(
                self.out, shape, scale=self.scale, region=region, precision=self.precision,
                progress=lambda done, total: advance(done, total=total),
            )  # fmt: skip
        seconds = time.perf_counter() - begun
        nbytes = self.out.stat().st_size
        terminal.say(
            f"{self.field} → {self.out}: {units.shape(drawn)}, {units.duration(seconds)}, {units.size(nbytes)}"
        )
        if not self.no_picture:
            terminal.picture(lambda: thumbnail(fitted, region))
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
    """A part of the extent: the lower corner, then the upper one.

    Raises:
        InvalidSetting: unless they are as many starts as ends, with 0 ≤ start < end ≤ 1.

    Example:
        >>> parse_region("0,0.5,1,1"), parse_region("0.25,0.5")
        ((0.0, 0.5, 1.0, 1.0), (0.25, 0.5))
    """
    try:
        corners = tuple(float(part) for part in text.split(","))
    except ValueError:
        corners = ()
    pairs = list(zip(corners[: len(corners) // 2], corners[len(corners) // 2 :], strict=False))
    if not corners or len(corners) % 2 or not all(0 <= start < end <= 1 for start, end in pairs):
        expected = "fractions x0,y0,x1,y1 (t0,t1 of a sound) with 0 ≤ x0 < x1 ≤ 1 and 0 ≤ y0 < y1 ≤ 1"
        raise InvalidSetting("--region", text, expected)
    return corners
