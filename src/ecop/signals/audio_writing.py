"""Sound files written strip by strip, and figures of sound."""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np

from ecop.core.errors import CannotWrite, MissingExtra
from ecop.core.files import atomic_write

FORMATS = {".wav": "WAV", ".flac": "FLAC", ".ogg": "OGG"}
MOST = {"WAV": (2**31 - 1, 1024), "FLAC": (655_350, 8), "OGG": (200_000, 255)}
"""Samples a second and channels. libsndfile finds out too late for Vorbis, and then ends the process."""

FIGURES = (".png", ".pdf", ".svg")
SUBTYPES = {
    "WAV": {16: "PCM_16", 24: "PCM_24", 32: "FLOAT"},
    "FLAC": {16: "PCM_16", 24: "PCM_24", 32: "PCM_24"},
    "OGG": dict.fromkeys((16, 24, 32), "VORBIS"),
}


def write_sound(path: Path, strips: Iterator[np.ndarray], channels: int, rate: float, bits: int) -> None:
    """Write a sound whose samples arrive in order, or a figure of it.

    Args:
        path: the suffix decides the format.
        strips: (n, channels) arrays of values in [0, 1]; 0.5 is silence, NaN becomes it.
        channels: of each.
        rate: samples a second; files hold a whole number.
        bits: 16, 24 or 32 (float). FLAC holds 24 at most; Vorbis is lossy.

    Raises:
        CannotWrite: for an unknown suffix, a rate or number of channels that the format does not hold, or whatever
            the system objects to.
        MissingExtra: without the extra ``audio``.
    """
    suffix = path.suffix.lower()
    if suffix in FIGURES:
        from ecop.signals.audio_pictures import write_figure

        write_figure(path, np.concatenate(list(strips)), rate)
        return
    if suffix not in FORMATS:
        problem = f"{path.suffix!r} is not a suffix of a sound or figure" if path.suffix else "the name has no suffix"
        raise CannotWrite(path, problem, f"choose one of: {', '.join((*FORMATS, *FIGURES))}")
    try:
        import soundfile
    except ImportError:
        raise MissingExtra("writing sound", "audio") from None
    form = FORMATS[suffix]
    subtype, held = SUBTYPES[form][bits], min(bits, 24) if form == "FLAC" else bits
    hertz = max(1, round(rate))
    if hertz > MOST[form][0] or channels > MOST[form][1]:
        problem = f"{form} does not hold {channels} channels at {hertz} Hz"
        raise CannotWrite(path, problem, "choose .wav, or another number of samples")
    first = next(strips)  # whatever making it raises is no fault of the file's
    with atomic_write(path) as stream:
        guarded = _Guarded(stream)
        try:
            with soundfile.SoundFile(cast(BinaryIO, guarded), "w", hertz, channels, subtype, format=form) as file:
                for strip in itertools.chain([first], strips):
                    file.write(_encoded(strip, form, held))
                    guarded.check()
        except (soundfile.LibsndfileError, AssertionError):
            guarded.check()
            raise
        guarded.check()


class _Guarded:
    """A stream for libsndfile, which passes over exceptions of the streams that it writes to: `check` raises them."""

    def __init__(self, stream: BinaryIO):
        self._stream, self._error = stream, None

    def check(self) -> None:
        if self._error is not None:
            raise self._error

    def write(self, data: bytes) -> int:
        self._guarded(self._stream.write, data)
        return len(data)

    def seek(self, place: int, origin: int = 0) -> int:
        return self._guarded(self._stream.seek, place, origin)

    def tell(self) -> int:
        return self._guarded(self._stream.tell)

    def read(self, count: int) -> bytes:
        raise NotImplementedError("a file that is written is not read")  # the library asks that it be there

    def _guarded(self, act: Callable[..., int], *arguments: Any) -> int:
        if self._error is None:
            try:
                return act(*arguments)
            except OSError as error:
                self._error = error
        return 0


def quantised(values: np.ndarray, bits: int) -> np.ndarray:
    """Values in [0, 1], NaN as silence, as whole steps of 2^{1−bits} around 0 (int32), or in [−1, 1] for 32 bits."""
    samples = np.nan_to_num(np.clip(values, 0, 1) * 2.0 - 1, nan=0.0)
    if bits == 32:
        return samples.astype(np.float32)
    steps = 2 ** (bits - 1)
    return np.clip(np.rint(samples * steps), -steps, steps - 1).astype(np.int32)


def _encoded(values: np.ndarray, form: str, bits: int) -> np.ndarray:
    """What the library stores exactly: whole numbers, left-aligned in their type, since it scales floats by 2ⁿ − 1."""
    if form == "OGG":
        return quantised(values, 32)
    samples = quantised(values, bits)
    return samples if bits == 32 else samples.astype(np.int16) if bits == 16 else samples * 2**8
