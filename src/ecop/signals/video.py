"""Video: frames of colours at a steady rate."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from ecop.core.errors import InvalidSetting
from ecop.metrics.psnr import psnr
from ecop.metrics.ssim import WINDOW, ssim
from ecop.signals.base import Cartesian, Signal, block_slices
from ecop.signals.contact_sheet import contact_sheet
from ecop.signals.image import Image
from ecop.signals.image_writing import quantised
from ecop.signals.showing import Show
from ecop.signals.video_reading import FORMATS, USUAL_RATE, Cut, read_frames
from ecop.signals.video_sequences import is_sequence, read_sequence
from ecop.signals.video_showing import SHOW
from ecop.signals.video_writing import write_frames

SHOWN = 5
"""Frames in a video's picture."""


@dataclass(frozen=True, eq=False)
class Video(Cartesian):
    """A video as (frames, height, width, channels) float32 in [0, 1], with 1 (grey) or 3 (RGB) channels.

    Its axes are time, rows and columns, each with its own [−1, 1]. ``about`` holds ``rate``, frames a second. Frames
    that are missing altogether, behind the end of a short video, are NaN.

    Time keeps its rate: a video that is longer than a training window is cut, never squeezed.

    Example:
        >>> import numpy as np
        >>> video = Video.assemble(np.full((4, 6, 8, 3), 0.5), {"rate": 25.0})
        >>> video.shape, video.channels, video.resized((4, 3, 4)).shape
        ((4, 6, 8), 3, (4, 3, 4))
        >>> video.picture().shape
        (6, 38, 3)
    """

    kind: ClassVar[str] = "video"
    dimensions: ClassVar[int] = 3
    d_in: ClassVar[int] = 3
    elastic: ClassVar[tuple[bool, ...]] = (False, True, True)
    suffixes: ClassVar[tuple[str, ...]] = tuple(FORMATS)
    preferred_suffix: ClassVar[str] = ".mp4"
    show: ClassVar[Show] = SHOW

    def __post_init__(self):
        if self.values.ndim != 4 or self.values.shape[-1] not in (1, 3) or self.values.dtype != np.float32:
            given = f"{self.values.dtype} {self.values.shape}"
            raise InvalidSetting("values", given, "float32 of shape (frames, height, width, 1 or 3)")
        if not 0 < self.rate < float("inf"):
            raise InvalidSetting("rate", self.rate, "frames a second, above 0")

    @property
    def rate(self) -> float:
        """Frames a second; 25 if nothing said it."""
        return self.about.get("rate", USUAL_RATE)

    @classmethod
    def read(
        cls, path: Path | str, *, start: int = 0, frames: int | None = None, step: int = 1, height: int | None = None
    ) -> Self:
        """Read MP4, MOV, MKV, WebM, AVI or GIF, or a folder of numbered pictures.

        Rotation, colour matrix and range of the file are honoured. Its frames are laid on a grid of its rate by their
        times, a frame being held where there is a gap. Deeper colours are read as 8 bits, alpha is dropped.

        Args:
            path: the file, or the folder.
            start: number of the first frame.
            frames: how many frames; all that there are by default.
            step: from one frame to the next; the rate is divided by it.
            height: of the frames, which are shrunk to it while they are decoded, so that a large video needs little
                memory; their own by default, and never more.

        Raises:
            BadInput: for a missing, empty, truncated or damaged file, one without video, of a single frame, or of
                another format than its suffix says (a playlist that names other files, for instance).
            TooLarge: for more than ``ECOP_MAX_PIXELS`` pixels in all frames.
            InvalidSetting: for a setting that is no whole number, or too small.
            MissingExtra: without the extra ``video``.
        """
        path, cut = Path(path), Cut(start, frames, step, height)
        pixels, rate = (read_sequence if path.is_dir() else read_frames)(path, cut)
        values = np.empty((len(pixels), *pixels[0].shape), np.float32)
        for number, frame in enumerate(pixels):
            np.divide(frame, np.float32(255), out=values[number])
        return cls(values, {"rate": rate}, path.name)

    def write(self, path: Path | str) -> None:
        """Write .mp4, .m4v or .mov (H.264), .webm (VP9), .mkv (lossless), .gif, or .png (a sheet of frames).

        Missing frames are black. Nothing is seen at ``path`` before the file is complete.

        Raises:
            CannotWrite: for an unknown suffix, a full disk, or a folder that cannot be written.
            MissingExtra: without the extra ``video``, but for .png.
        """
        write_frames(Path(path), (frame[None] for frame in self.values), self.shape, self.rate)

    @classmethod
    def write_strips(
        cls,
        path: Path | str,
        strips: Iterable[np.ndarray],
        shape: tuple[int, ...],
        channels: int,
        about: Mapping[str, Any],
    ) -> None:
        """`write` for predictions that arrive some frames at a time; only .png and .gif keep more of them."""
        write_frames(Path(path), strips, shape, about.get("rate", USUAL_RATE))

    @classmethod
    def assemble(cls, values: np.ndarray, about: Mapping[str, Any], source: str = "") -> Self:
        """A video from (frames, height, width, channels) predictions, clipped to [0, 1]; NaN stays NaN."""
        return cls(np.clip(values, 0, 1).astype(np.float32, copy=False), dict(about), source)

    @classmethod
    def owns_folder(cls, folder: Path, names: Sequence[str]) -> bool:
        """Whether it holds numbered pictures, two at least, and no video."""
        return is_sequence(names, cls.suffixes)

    def with_channels(self, channels: int) -> Self:
        """Grey repeated, or RGB to grey by BT.601 luma.

        Raises:
            InvalidSetting: unless ``channels`` is 1 or 3.
        """
        if channels not in (1, 3):
            raise InvalidSetting("channels", channels, "1 (grey) or 3 (RGB)")
        if channels == self.channels:
            return self
        return self._with(np.stack([frame.with_channels(channels).values for frame in self._frames()]))

    def resized(self, shape: tuple[int, ...]) -> Self:
        """Every frame resampled with Lanczos, antialiased when shrinking; along time the nearest frame.

        Frames are never mixed, so that nothing moves twice in one. The duration stays: the rate follows the frames.
        """
        if len(shape) != 3 or min(shape) < 1:
            raise InvalidSetting("shape", shape, "(frames, height, width), all at least 1")
        if tuple(shape) == self.shape:
            return self
        frames, size = shape[0], shape[1:]
        nearest = ((np.arange(frames) + 0.5) * (len(self.values) / frames)).astype(int)
        chosen = self.values[nearest] if frames != len(self.values) else self.values
        about = {**self.about, "rate": self.rate * (frames / len(self.values))}
        values = np.empty((*shape, self.channels), np.float32)
        for target, frame in zip(values, chosen, strict=True):
            target[...] = Image(frame, {}).resized(size).values
        return dataclasses.replace(self, values=values, about=about)

    def block(self, start: tuple[int, ...], shape: tuple[int, ...]) -> Self:
        """The samples from (frame, row, column) ``start``, ``shape`` of them, all inside the video."""
        values = self.values[block_slices(start, shape, self.shape)]
        return dataclasses.replace(self, values=values, about=self.about_block(self.about, start, shape, self.shape))

    def metrics(self, reconstruction: Signal) -> dict[str, float]:
        """``psnr`` in dB over all frames, and ``ssim``, the mean over the frames, where they have 11×11 pixels.

        Frames that are missing here do not count.
        """
        there = ~np.isnan(self.values).any(axis=(1, 2, 3))
        found = {"psnr": psnr(self.values[there], reconstruction.values[there])}
        if min(self.shape[1:]) >= WINDOW:
            pairs = zip(self.values[there], reconstruction.values[there], strict=True)
            found["ssim"] = float(np.mean([ssim(ours, theirs) for ours, theirs in pairs]))
        return found

    def stored(self) -> Self:
        """Clipped, and rounded to 8 bits; missing frames stay missing."""
        whole = quantised(np.nan_to_num(self.values), 8).astype(np.float32) / np.float32(255)
        return self._with(np.where(np.isnan(self.values), np.float32(np.nan), whole))

    def picture(self) -> np.ndarray:
        """Up to five frames from first to last, side by side, without those that are missing."""
        there = np.flatnonzero(~np.isnan(self.values).any(axis=(1, 2, 3)))
        chosen = there[np.linspace(0, len(there) - 1, min(SHOWN, len(there))).round().astype(int)]
        return contact_sheet([Image(self.values[number], {}).picture() for number in chosen])

    def _frames(self) -> Iterable[Image]:
        return (Image(frame, {}) for frame in self.values)

    def _with(self, values: np.ndarray) -> Self:
        return dataclasses.replace(self, values=values)
