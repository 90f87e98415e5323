"""A folder of numbered pictures as one video."""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ecop.core.errors import BadInput
from ecop.signals.image import Image
from ecop.signals.image_reading import read_pixels
from ecop.signals.image_writing import quantised
from ecop.signals.video_reading import USUAL_RATE, Cut

NUMBERED = re.compile(r"(?P<prefix>.*?)(?P<number>\d+)(?P<suffix>\.\w+)")


def is_sequence(names: Sequence[str], videos: Sequence[str]) -> bool:
    """Whether names are those of one numbered sequence of pictures, other files and no videos beside it.

    Example:
        >>> is_sequence(["f_001.png", "f_002.png", "notes.txt"], [".mp4"]), is_sequence(["a1.png", "b2.png"], [])
        (True, False)
    """
    suffixes = {Path(name).suffix.lower() for name in names}
    pictures = [name for name in names if Path(name).suffix.lower() in _pictures()]
    return not suffixes & set(videos) and len(pictures) >= 2 and _numbers(pictures) is not None


def read_sequence(folder: Path, cut: Cut) -> tuple[list[np.ndarray], float]:
    """The pictures of a folder in the order of their numbers, as `read_frames` gives frames; 25 a second.

    Raises:
        BadInput: if the folder holds no sequence, pictures of different sizes, or one that cannot be read.
        TooLarge: for more than ``ECOP_MAX_PIXELS`` pixels in all.
    """
    names = [path.name for path in folder.iterdir() if path.suffix.lower() in _pictures()]
    numbers = _numbers(names)
    if numbers is None or len(names) < 2:
        problem = "the folder holds no numbered pictures of one name and suffix"
        raise BadInput(folder, problem, "name them as in frame-001.png, frame-002.png, …")
    ordered = sorted(names, key=lambda name: (numbers[name], name))
    chosen = list(cut.of(iter(ordered)))
    cut.check_enough(folder, len(chosen), len(ordered))
    frames, size = [], (0, 0)
    for name in chosen:
        picture = _eight_bits(folder / name)
        height, width = picture.shape[:2]
        if not frames:
            size = (height, width)
            cut.check_size(folder, len(chosen), cut.size(*size))
        elif (height, width) != size:
            sizes = f"{height}×{width} pixels, the others {size[0]}×{size[1]}"
            raise BadInput(folder / name, sizes, "give frames of one size")
        frames.append(_shrunk(picture, cut.size(height, width)))
    return frames, USUAL_RATE / cut.step


def _pictures() -> tuple[str, ...]:
    return tuple(suffix for suffix in Image.suffixes if suffix != ".gif")


def _numbers(names: Sequence[str]) -> dict[str, int] | None:
    """Each name's number, or nothing if they are not one sequence."""
    found = {name: NUMBERED.fullmatch(name) for name in names}
    kinds = {match and (match["prefix"], match["suffix"].lower()) for match in found.values()}
    if None in kinds or len(kinds) != 1:
        return None
    return {name: int(match["number"]) for name, match in found.items() if match}


def _eight_bits(path: Path) -> np.ndarray:
    """(height, width, 3) uint8."""
    pixels = read_pixels(path)
    if pixels.dtype == np.uint8 and pixels.shape[-1] >= 3:
        return np.ascontiguousarray(pixels[..., :3])
    return quantised(Image.read(path).with_channels(3).values, 8)


def _shrunk(pixels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    if pixels.shape[:2] == size:
        return pixels
    from PIL import Image as Pillow

    height, width = size
    return np.asarray(Pillow.fromarray(pixels).resize((width, height), Pillow.Resampling.BOX))
