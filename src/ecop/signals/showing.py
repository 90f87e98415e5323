"""How signals are shown on a page: what plays them, which flat picture has windows to look into, and samples."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from ecop.signals.pictures import write_picture

if TYPE_CHECKING:
    from ecop.signals.base import Extent, Signal

Player = Literal["image", "audio", "video", "model"]


class Window(NamedTuple):
    """A part of a flat picture, as fractions from its top left corner, and which of the layers behind one another.

    Attributes:
        left, top, right, bottom: 0 ≤ left < right ≤ 1, likewise top and bottom.
        depth: in [0, 1]: from the first frame of a video to the last, from the top slice of a volume to the bottom.
    """

    left: float = 0.0
    top: float = 0.0
    right: float = 1.0
    bottom: float = 1.0
    depth: float = 0.5


class Part(NamedTuple):
    """Samples of a grid that fill a window.

    Attributes:
        shape: how many along each axis.
        extent: of the grid's extent, start and end along each axis.
    """

    shape: tuple[int, ...]
    extent: "Extent"


class Pixels(NamedTuple):
    """The size of a picture."""

    height: int
    width: int


@dataclass(frozen=True)
class Plane:
    """A flat picture, any window of which can be rendered by itself.

    Attributes:
        size: from a grid's shape and ``about`` to the proportions of the whole picture.
        part: from a grid's shape, ``about``, a window and its pixels to the samples that fill it.
        turned: from (*part.shape, channels) values and ``about`` to (height, width, channels) as one looks at them.
        colours: from a signal of those samples, and pixels that it may want to fill, to (height, width, 3) in [0, 1].
        layers: from a grid's shape and ``about`` to how many pictures lie behind one another.
        layer: what one of them is called; empty where there is one.
        zooms: whether a window may be any part of both axes, or of the one across alone.
    """

    size: Callable[[tuple[int, ...], Mapping[str, Any]], tuple[float, float]]
    part: Callable[[tuple[int, ...], Mapping[str, Any], Window, Pixels], Part]
    turned: Callable[[np.ndarray, Mapping[str, Any]], np.ndarray]
    colours: Callable[["Signal", Pixels], np.ndarray]
    layers: Callable[[tuple[int, ...], Mapping[str, Any]], int] = lambda shape, about: 1
    layer: str = ""
    zooms: Literal["both", "across"] = "both"


def play_picture(signal: "Signal", path: Path) -> None:
    """Write the signal's picture."""
    write_picture(path, signal.picture())


@dataclass(frozen=True)
class Show:
    """What a modality says of itself to whoever shows its signals; by default they are still pictures.

    Attributes:
        player: what plays what ``play`` writes.
        suffix: of the file that it writes.
        play: writes a signal for the player.
        plane: its flat picture; ``None``: its `picture` is all that there is to see.
        scattered: from a signal at scattered points and a number for each to (height, width) numbers where its picture
            shows the points, NaN where it shows none.
        samples: by name, what writes the file of a signal to try, at a path with ``sample_suffix``.
        sample_suffix: of those files.
    """

    player: Player = "image"
    suffix: str = ".png"
    play: Callable[["Signal", Path], None] = play_picture
    plane: Plane | None = None
    scattered: Callable[["Signal", np.ndarray], np.ndarray] | None = None
    samples: Mapping[str, Callable[[Path], None]] = field(default_factory=dict)
    sample_suffix: str = ".png"


def layer_extent(count: int, depth: float) -> tuple[float, float]:
    """The one of ``count`` layers at a depth, as start and end.

    Example:
        >>> layer_extent(4, 0.0), layer_extent(4, 1.0)
        ((0.0, 0.25), (0.75, 1.0))
    """
    number = min(int(depth * count), count - 1)
    return number / count, (number + 1) / count


def layer_depth(count: int, number: int) -> float:
    """The depth of a layer's middle.

    Example:
        >>> layer_depth(4, 3)
        0.875
    """
    return (number + 0.5) / count


def picture_part(shape: tuple[int, ...], about: Mapping[str, Any], window: Window, pixels: Pixels) -> Part:
    """Of a grid of rows and columns: a sample a pixel."""
    return Part(tuple(pixels), ((window.top, window.bottom), (window.left, window.right)))


PICTURE = Plane(
    size=lambda shape, about: (shape[0], shape[1]),
    part=picture_part,
    turned=lambda values, about: values,
    colours=lambda signal, pixels: signal.picture(),
)
"""Of a grid of rows and columns whose `picture` has its pixels."""
