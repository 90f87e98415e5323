"""How a page shows videos: it plays them, and windows are parts of a frame."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ecop.signals.showing import Part, Pixels, Plane, Show, Window, layer_extent

FRAMES, SIDE, RATE = 16, 96, 12.0


def frame_part(shape: tuple[int, ...], about: Mapping[str, Any], window: Window, pixels: Pixels) -> Part:
    """One frame, a sample a pixel."""
    frame = layer_extent(shape[0], window.depth)
    return Part((1, *pixels), (frame, (window.top, window.bottom), (window.left, window.right)))


def _walk(path: Path) -> None:
    """A window that moves over a photograph."""
    from skimage import data

    from ecop.signals.video import Video

    photo = data.astronaut()[::2, ::2]
    starts = [(4 + 2 * number, 60 + 2 * number) for number in range(FRAMES)]
    frames = np.stack([photo[row : row + SIDE, column : column + SIDE] for row, column in starts])
    Video.assemble(frames / 255, {"rate": RATE}).write(path)


def _waves(path: Path) -> None:
    """Rings that spread from two places."""
    from ecop.signals.video import Video

    times, rows, columns = np.meshgrid(np.arange(FRAMES), *2 * [np.linspace(-1, 1, SIDE)], indexing="ij")
    phases = [12 * np.hypot(rows - y, columns - x) - 2 * np.pi * times / FRAMES for y, x in ((-0.3, -0.4), (0.4, 0.3))]
    height = sum(np.sin(phase) for phase in phases) / 4
    colours = np.stack([0.5 + height, 0.55 + 0.6 * height, 0.65 - 0.5 * height], -1)
    Video.assemble(colours, {"rate": RATE}).write(path)


SHOW = Show(
    player="video",
    suffix=".mp4",
    play=lambda signal, path: signal.write(path),
    plane=Plane(
        size=lambda shape, about: (shape[1], shape[2]),
        part=frame_part,
        turned=lambda values, about: values[0],
        colours=lambda signal, pixels: signal.picture(),
        layers=lambda shape, about: shape[0],
        layer="frame",
    ),
    samples={"A walk over a photo": _walk, "Waves": _waves},
    sample_suffix=".mp4",
)
