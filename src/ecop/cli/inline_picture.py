"""A small picture among the lines of a terminal, by whichever way of drawing the terminal knows.

The terminal is never asked: only the environment says what it is. A question would have to wait for an answer that not
every terminal gives, and would take keys that a person has typed ahead.
"""

import base64
import io
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from PIL import Image

from ecop.core.errors import UnknownName

if TYPE_CHECKING:
    from ecop.fit.fitted import Fitted, Region

Way = Literal["kitty", "iterm", "sixel", "blocks"]

VARIABLE = "ECOP_PICTURE"
"""A way of drawing, for a terminal that is not known here, or ``off``."""

KITTY = ("xterm-kitty", "xterm-ghostty")
SIXEL = ("foot", "mlterm", "yaft", "contour")
"""Beginnings of ``TERM``."""

MULTIPLEXERS = ("screen", "tmux")
"""Terminals within terminals: what is behind them may be another tomorrow."""

ROWS, COLUMNS = 16, 64
"""Most lines and letters of a picture."""

SAMPLES = 2**18
"""Most samples that are rendered for a picture."""

FINEST = 8.0
"""Most samples of a part of a signal for each that was fitted, along every axis."""

CELL = (16, 8)
"""Pixels of a letter, down and across, where the terminal scales nothing itself; twice that where it does."""

CHUNK = 4096
"""Letters of a part of a picture that kitty takes at once."""

COLOURS = 128
"""Of a Sixel picture."""


def way_to_draw(environment: Mapping[str, str], *, is_terminal: bool) -> Way | None:
    """How pictures are drawn, if at all.

    Args:
        environment: of the process.
        is_terminal: whether a person's terminal reads what is written.

    Returns:
        kitty's protocol, iTerm2's, Sixel, or half blocks in 24 bits of colour; ``None``: not at all.

    Raises:
        UnknownName: if ``ECOP_PICTURE`` names none of these.

    Example:
        >>> way_to_draw({"TERM": "xterm-kitty"}, is_terminal=True)
        'kitty'
    """
    term, program = environment.get("TERM", ""), environment.get("TERM_PROGRAM", "")
    if not is_terminal or "NO_COLOR" in environment or term in ("", "dumb"):
        return None
    if wanted := environment.get(VARIABLE):
        if wanted not in (*get_args(Way), "off"):
            raise UnknownName(f"way to draw ({VARIABLE})", wanted, (*get_args(Way), "off"))
        return None if wanted == "off" else wanted  # pyright: ignore[reportReturnType] # checked above
    blocks = "blocks" if environment.get("COLORTERM") in ("truecolor", "24bit") else None
    if "TMUX" in environment or "STY" in environment or term.startswith(MULTIPLEXERS):
        return blocks
    if "KITTY_WINDOW_ID" in environment or term in KITTY or program in ("ghostty", "WezTerm"):
        return "kitty"
    if program in ("iTerm.app", "mintty") or environment.get("LC_TERMINAL") == "iTerm2":
        return "iterm"
    return "sixel" if term.startswith(SIXEL) else blocks


def drawn(picture: np.ndarray, way: Way, width: int) -> str:
    """What to write for a picture to appear, its last line ended.

    Args:
        picture: (height, width, 3) in [0, 1].
        way: how.
        width: letters of a line of the terminal.
    """
    columns, rows = cells(picture.shape[:2], width)
    image = Image.fromarray((np.clip(picture, 0, 1) * 255).round().astype(np.uint8))
    return {"kitty": _kitty, "iterm": _iterm, "sixel": _sixel, "blocks": _blocks}[way](image, columns, rows) + "\n"


def thumbnail(fitted: "Fitted", region: "Region | None" = None) -> np.ndarray:
    """A fitted signal, or a part of it, as a person looks at it, from no more samples than a small picture needs.

    Returns:
        (height, width, 3) in [0, 1].
    """
    samples = math.prod(fitted.target_grid(None, None, region).shape)
    scale = (SAMPLES / samples) ** (1 / len(fitted.shape))
    finest = 1.0 if region is None else FINEST
    return fitted.render(scale=min(scale, finest), region=region).picture()


def cells(shape: tuple[int, int], width: int) -> tuple[int, int]:
    """Letters across and lines down that a picture takes in its proportions; a letter is twice as high as wide.

    Example:
        >>> cells((100, 100), 80), cells((100, 400), 80), cells((100, 400), 20)
        ((32, 16), (64, 8), (20, 2))
    """
    high, wide = shape
    columns = max(1, min(COLUMNS, width, round(2 * ROWS * wide / high)))
    return columns, max(1, min(ROWS, round(columns * high / wide / 2)))


def _png(image: Image.Image, columns: int, rows: int) -> str:
    """No larger than it will be seen, as a PNG file in base64."""
    small = image.copy()
    small.thumbnail((2 * CELL[1] * columns, 2 * CELL[0] * rows))
    stream = io.BytesIO()
    small.save(stream, "PNG")
    return base64.b64encode(stream.getvalue()).decode()


def _kitty(image: Image.Image, columns: int, rows: int) -> str:
    """https://sw.kovidgoyal.net/kitty/graphics-protocol, without an answer (``q=2``)."""
    content = _png(image, columns, rows)
    parts = [content[start : start + CHUNK] for start in range(0, len(content), CHUNK)]
    keys = [f"a=T,f=100,q=2,c={columns},r={rows},"] + [""] * (len(parts) - 1)
    more = [1] * (len(parts) - 1) + [0]
    return "".join(f"\x1b_G{key}m={m};{part}\x1b\\" for key, m, part in zip(keys, more, parts, strict=True))


def _iterm(image: Image.Image, columns: int, rows: int) -> str:
    """https://iterm2.com/documentation-images.html."""
    return f"\x1b]1337;File=inline=1;width={columns};height={rows}:{_png(image, columns, rows)}\a"


def _sixel(image: Image.Image, columns: int, rows: int) -> str:
    """DEC's graphics: bands of six pixels, and in each a line of bits for every colour (VT340)."""
    small = image.resize((CELL[1] * columns, CELL[0] * rows)).quantize(COLOURS)
    index, colours = np.asarray(small), np.array(small.getpalette()).reshape(-1, 3)
    parts = [f'\x1bP0;1;0q"1;1;{index.shape[1]};{index.shape[0]}']
    parts += [f"#{n};2;{r};{g};{b}" for n, (r, g, b) in enumerate((colours / 2.55).round().astype(int).tolist())]
    for top in range(0, len(index), 6):
        band = index[top : top + 6]
        weights = (1 << np.arange(len(band)))[:, None]
        parts += [f"#{n}{_runs(((band == n) * weights).sum(axis=0))}$" for n in np.unique(band)]
        parts.append("-")
    return "".join(parts) + "\x1b\\"


def _runs(bits: np.ndarray) -> str:
    """A letter for each pixel, ``!`` and their number before equal ones."""
    starts = np.flatnonzero(np.diff(bits, prepend=-1))
    counts = np.diff(starts, append=len(bits))
    pairs = zip(bits[starts].tolist(), counts.tolist(), strict=True)
    return "".join(f"!{count}{chr(63 + bit)}" if count > 3 else chr(63 + bit) * count for bit, count in pairs)


def _blocks(image: Image.Image, columns: int, rows: int) -> str:
    """Two pixels a letter: the upper half block in one colour on the other."""
    pixels: Any = np.asarray(image.resize((columns, 2 * rows), Image.Resampling.BOX)).reshape(rows, 2, columns, 3)
    lines = [
        "".join(
            f"\x1b[38;2;{r};{g};{b};48;2;{R};{G};{B}m▀"
            for (r, g, b), (R, G, B) in zip(upper.tolist(), lower.tolist(), strict=True)
        )
        for upper, lower in pixels
    ]
    return "\n".join(f"{line}\x1b[0m" for line in lines)
