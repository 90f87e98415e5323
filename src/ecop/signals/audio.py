"""Sound: one or more channels along time."""

import dataclasses
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from ecop.core.errors import InvalidSetting
from ecop.core.limits import INPUT_SAMPLES
from ecop.core.recipe import check
from ecop.metrics.psnr import psnr
from ecop.metrics.snr import snr
from ecop.metrics.spectral import log_spectral_distance
from ecop.signals.audio_reading import read_sound
from ecop.signals.audio_resampling import resampled
from ecop.signals.audio_showing import SHOW
from ecop.signals.audio_writing import quantised, write_sound
from ecop.signals.base import Cartesian, Signal, block_slices
from ecop.signals.showing import Show

RATE, BITS = 16_000, 16
"""Of a sound of which nothing else is known."""

LSD_SECONDS = 0.032


@dataclass(frozen=True, eq=False)
class Audio(Cartesian):
    """A sound as (samples, channels) float32 in [0, 1], which is (x + 1) / 2 of samples x in [−1, 1]: silence is 0.5.

    Time runs over [−50, 50], as in the paper, unless ``scale`` in ``about`` says otherwise; ``rate`` there is in
    samples a second, and ``bits`` is 16, 24, or 32 for float. Time is never stretched: a longer sound than a training
    signal is cut, a shorter one lies in the first part of the extent. Samples that are NaN are missing.

    Example:
        >>> import numpy as np
        >>> sound = Audio.assemble(np.full((8000, 2), 0.5), {"rate": 8000})
        >>> sound.seconds, sound.with_channels(1).values.shape, sound.resized((4000,)).rate
        (1.0, (8000, 1), 4000.0)
        >>> sound.grid().origin[0]
        -49.99375
    """

    kind: ClassVar[str] = "audio"
    dimensions: ClassVar[int] = 1
    d_in: ClassVar[int] = 1
    elastic: ClassVar[tuple[bool, ...]] = (False,)
    half_extent: ClassVar[float] = 50.0
    suffixes: ClassVar[tuple[str, ...]] = (
        ".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".m4a", ".aac", ".aif", ".aiff",
    )  # fmt: skip
    preferred_suffix: ClassVar[str] = ".wav"
    show: ClassVar[Show] = SHOW

    def __post_init__(self):
        if self.values.ndim != 2 or self.values.shape[-1] < 1 or self.values.dtype != np.float32:
            raise InvalidSetting("values", f"{self.values.dtype} {self.values.shape}", "float32 of (samples, channels)")
        check(self.bits in (16, 24, 32), "bits", self.bits, "16, 24 or 32 (float)")
        check(0 < self.rate < math.inf, "rate", self.rate, "samples a second, above 0")

    @property
    def rate(self) -> float:
        """Samples a second; 16000 if nothing is known."""
        return self.about.get("rate", RATE)

    @property
    def bits(self) -> int:
        """Bits of each sample in the sound's own file: 16, 24, or 32 for float; 16 if it never had one."""
        return self.about.get("bits", BITS)

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return self.shape[0] / self.rate

    @classmethod
    def read(cls, path: Path | str, *, rate: int | None = None, scale: float = 50.0) -> Self:
        """Read WAV, FLAC, Ogg (Vorbis, Opus), MP3, M4A, AAC or AIFF, with all channels.

        Args:
            path: the file.
            rate: resample to that many samples a second; the file's own rate by default.
            scale: half the extent of the time axis.

        Raises:
            BadInput: for a missing, empty, truncated or damaged file, one that is no sound, fewer than two samples, or
                float samples that are NaN, infinite or outside [−1, 1].
            TooLarge: for more samples than ``ECOP_MAX_PIXELS``.
            InvalidSetting: for a rate or a scale that is not above 0.
            MissingExtra: without the extra ``audio``.
        """
        check(rate is None or 0 < rate < 2**31, "rate", rate, "samples a second, above 0")
        check(0 < scale < math.inf, "scale", scale, "a number above 0")
        path = Path(path)
        sound = read_sound(path)
        samples, own = sound.samples, sound.rate
        about = {"rate": rate or own, "bits": sound.bits, "scale": float(scale)}
        if rate is not None and rate != own:
            count = max(2, round(len(samples) * rate / own))
            INPUT_SAMPLES.check(f"{path} at {rate} Hz", (count, samples.shape[1]))
            samples = resampled(samples, own, rate, count)
            about["changed"] = f"resampled from {own} to {rate} Hz"
        return cls.assemble((samples + np.float32(1)) / 2, about, path.name)

    def write(self, path: Path | str) -> None:
        """Write .wav, .flac (24 bits for float), .ogg (Vorbis), or a figure: .png, .pdf or .svg.

        A figure has the waveform above the spectrogram. Missing samples become silence. Nothing is seen at ``path``
        before the file is complete.

        Raises:
            CannotWrite: for an unknown suffix, a rate or number of channels that the format does not hold, a full
                disk, or a folder that cannot be written.
            MissingExtra: without the extra ``audio``.
        """
        write_sound(Path(path), iter([self.values]), self.channels, self.rate, self.bits)

    @classmethod
    def write_strips(
        cls,
        path: Path | str,
        strips: Iterable[np.ndarray],
        shape: tuple[int, ...],
        channels: int,
        about: Mapping[str, Any],
    ) -> None:
        """`write` for predictions that arrive strip by strip; only figures keep more than a strip in memory."""
        write_sound(Path(path), iter(strips), channels, about.get("rate", RATE), about.get("bits", BITS))

    @classmethod
    def assemble(cls, values: np.ndarray, about: Mapping[str, Any], source: str = "") -> Self:
        """A sound from (samples, channels) predictions, clipped to [0, 1]; NaN stays NaN."""
        return cls(np.clip(values, 0, 1).astype(np.float32), dict(about), source)

    @classmethod
    def owns_folder(cls, folder: Path, names: Sequence[str]) -> bool:
        """Never: a sound is a file."""
        return False

    def with_channels(self, channels: int) -> Self:
        """One channel is the mean of all; of one channel any number of copies can be made.

        Raises:
            InvalidSetting: for another number of channels, such as two of six.
        """
        if channels == self.channels:
            return self
        if channels == 1:
            return self._with(self.values.mean(axis=1, keepdims=True))
        if self.channels > 1 or channels < 1:
            raise InvalidSetting("channels", channels, f"1 or the sound's own {self.channels}")
        return self._with(np.repeat(self.values, channels, axis=1))

    def resized(self, shape: tuple[int, ...]) -> Self:
        """Resampled, band-limited, to so many samples that last as long; the rate follows.

        Overshoot is clipped. What is missing stays so, and counts as silence beside it. The sound's own shape returns
        it as it is.
        """
        if len(shape) != 1 or shape[0] < 1:
            raise InvalidSetting("shape", shape, "(samples,), at least 1")
        if tuple(shape) == self.shape:
            return self
        missing = np.isnan(self.values)
        values = resampled(np.where(missing, np.float32(0.5), self.values), self.shape[0], shape[0], shape[0])
        nearest = (np.arange(shape[0]) + 0.5) * self.shape[0] // shape[0]
        values = np.where(missing[nearest.astype(int)], np.float32(np.nan), np.clip(values, 0, 1))
        about = {**self.about, "rate": self.rate * shape[0] / self.shape[0]}
        return dataclasses.replace(self, values=values, about=about)

    def block(self, start: tuple[int, ...], shape: tuple[int, ...]) -> Self:
        """The samples from ``start``, ``shape`` of them, all inside the sound."""
        values = self.values[block_slices(start, shape, self.shape)]
        return dataclasses.replace(self, values=values, about=self.about_block(self.about, start, shape, self.shape))

    def metrics(self, reconstruction: Signal) -> dict[str, float]:
        """``psnr`` of the values in [0, 1] (of x in [−1, 1] with its peak of 2: the same), ``snr``, ``lsd``, in dB.

        SNR is absent where the sound is silent, and the log-spectral distance, of Hann windows of 32 ms a quarter of a
        window apart, where it is shorter than one. Missing samples count in none of them.
        """
        present = ~np.isnan(self.values).any(axis=-1)
        ours, theirs = self.values[present], reconstruction.values[present]
        found = {"psnr": psnr(ours, theirs)}
        ours, theirs = 2 * ours - 1, 2 * theirs - 1
        if ours.any():
            found["snr"] = snr(ours, theirs)
        window = max(2, round(LSD_SECONDS * self.rate))
        if len(ours) >= window:
            found["lsd"] = log_spectral_distance(ours, theirs, window)
        return found

    def stored(self) -> Self:
        """Clipped, and rounded to the sound's bits, missing samples as silence; float only clipped."""
        steps = 2.0 ** (self.bits - 1)
        return self._with(
            ((quantised(self.values, self.bits) / (1 if self.bits == 32 else steps) + 1) / 2).astype(np.float32)
        )

    def picture(self) -> np.ndarray:
        """The waveform above the spectrogram, 256×400."""
        from ecop.signals.audio_pictures import sound_picture

        return sound_picture(self.values, self.rate)

    def _with(self, values: np.ndarray) -> Self:
        return dataclasses.replace(self, values=values)
