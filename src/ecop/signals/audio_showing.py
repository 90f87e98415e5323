"""How a page shows sounds: it plays them, and stretches of time are its windows."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ecop.signals.audio_pictures import HEIGHT, sound_picture
from ecop.signals.showing import Part, Pixels, Plane, Show, Window

RATE, SECONDS = 16_000, 1.0
FINEST = 65_536
"""Samples of a window at most: more would show no more."""


def time_part(shape: tuple[int, ...], about: Mapping[str, Any], window: Window, pixels: Pixels) -> Part:
    """As many samples as the sound has there, and at least two for each column."""
    samples = round(shape[0] * (window.right - window.left))
    return Part((min(max(samples, 2 * pixels.width), FINEST),), ((window.left, window.right),))


def _tones(notes: Sequence[tuple[float, float]]) -> Callable[[Path], None]:
    """Plucked strings: (start in seconds, frequency in Hz) of each."""

    def write(path: Path) -> None:
        from ecop.signals.audio import Audio

        time = np.arange(round(RATE * SECONDS)) / RATE
        sound = np.zeros_like(time)
        for start, frequency in notes:
            since = np.clip(time - start, 0, None)
            for harmonic in range(1, 4):
                decay = np.exp(-since * (2 + harmonic)) * np.minimum(1, since / 0.005)
                sound += decay * np.sin(2 * np.pi * harmonic * frequency * since) / harmonic**1.5
        sound *= 0.7 / np.abs(sound).max()
        Audio.assemble((sound[:, None] + 1) / 2, {"rate": RATE, "bits": 16}).write(path)

    return write


SHOW = Show(
    player="audio",
    suffix=".wav",
    play=lambda signal, path: signal.write(path),
    plane=Plane(
        size=lambda shape, about: (HEIGHT, 2.5 * HEIGHT),
        part=time_part,
        turned=lambda values, about: values[None],
        colours=lambda signal, pixels: sound_picture(signal.values, signal.about.get("rate", RATE), pixels.width),
        zooms="across",
    ),
    samples={
        "A scale": _tones([(0.12 * n, 110 * 2 ** (k / 12)) for n, k in enumerate((0, 2, 4, 5, 7, 9, 11, 12))]),
        "A chord": _tones([(0.08 * n, 98 * 2 ** (k / 12)) for n, k in enumerate((0, 4, 7, 12, 16))]),
    },
    sample_suffix=".wav",
)
