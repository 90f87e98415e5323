"""Pictures of text, drawn here from a seed: the paper's data set *Text*, after that of Learnit.

Letters and digits in several fonts, sizes and colours, anywhere on a plain ground. The fonts are those that Matplotlib
brings, so that a seed gives the same words on every machine; give others where a system's own are wanted.
"""

import string
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from ecop.data.dataset import Dataset

CHARACTERS = string.ascii_letters + string.digits
COUNTS = {"train": 4000, "validation": 500, "test": 500}
SIZE = (178, 178)
WORDS, LENGTHS, POINTS = (4, 11), (1, 9), (10, 64)  # each from the first number up to, without, the second
FAMILIES = ("DejaVu", "STIXGeneral")  # the others that Matplotlib brings lack letters


def own_fonts() -> list[Path]:
    """The font files with all letters that come with Matplotlib, by name."""
    import matplotlib

    folder = Path(matplotlib.get_data_path(), "fonts", "ttf")
    return sorted(
        path for path in folder.glob("*.ttf") if path.name.startswith(FAMILIES) and "Display" not in path.name
    )


def text_picture(generator: np.random.Generator, fonts: Sequence[Path], size: tuple[int, int] = SIZE) -> Pillow.Image:
    """One picture.

    Args:
        generator: decides all that is random; the same state gives the same picture.
        fonts: TrueType or OpenType files to choose from.
        size: height and width in pixels.

    Returns:
        An RGB picture of four to ten words of one to eight letters and digits each. A word may run over the edge.

    Example:
        >>> text_picture(np.random.default_rng(0), own_fonts(), (32, 48)).size
        (48, 32)
    """
    height, width = size
    picture = Pillow.new("RGB", (width, height), _colour(generator))
    draw = ImageDraw.Draw(picture)
    for _ in range(generator.integers(*WORDS)):
        word = "".join(generator.choice(list(CHARACTERS), generator.integers(*LENGTHS)))
        path = fonts[int(generator.integers(len(fonts)))]
        font = ImageFont.truetype(path, int(generator.integers(*POINTS)), layout_engine=ImageFont.Layout.BASIC)
        place = (
            int(generator.integers(-width // 8, 3 * width // 4)),
            int(generator.integers(-height // 8, 3 * height // 4)),
        )
        draw.text(place, word, fill=_colour(generator), font=font)
    return picture


def write_text_pictures(folder: Path, counts: dict[str, int], fonts: Sequence[Path], seed: int = 0) -> None:
    """Draw a folder of pictures for each split, as PNG files.

    Every picture has its own seed: fewer pictures of a split are the first ones of more.
    """
    for number, (split, count) in enumerate(counts.items()):
        (folder / split).mkdir(parents=True)
        for index in range(count):
            picture = text_picture(np.random.default_rng([seed, number, index]), fonts)
            picture.save(folder / split / f"{index:05d}.png")


def _colour(generator: np.random.Generator) -> tuple[int, ...]:
    return tuple(int(level) for level in generator.integers(0, 256, 3))


def _build_text(archives: list[Path], folder: Path) -> None:
    write_text_pictures(folder, COUNTS, own_fonts())


TEXT = (
    Dataset(
        "text",
        f"{COUNTS['train']}, {COUNTS['validation']} and {COUNTS['test']} pictures of words, "
        f"{SIZE[0]}×{SIZE[1]}, drawn on this machine",
        "none: they are drawn here, with the fonts that come with Matplotlib (DejaVu and STIX)",
        (),
        _build_text,
    ),
)  # fmt: skip
