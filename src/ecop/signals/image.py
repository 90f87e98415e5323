"""Images: grey, RGB, RGBA or any number of channels on a grid of rows and columns."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from PIL import Image as Pillow

from ecop.core.errors import InvalidSetting
from ecop.metrics.ms_ssim import SMALLEST, ms_ssim
from ecop.metrics.psnr import psnr
from ecop.metrics.ssim import WINDOW, ssim
from ecop.signals.base import Cartesian, Signal, block_slices
from ecop.signals.image_reading import read_pixels
from ecop.signals.image_showing import SHOW
from ecop.signals.image_streaming import write_image_strips
from ecop.signals.image_writing import quantised, write_pixels
from ecop.signals.showing import Show

LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601, as Pillow and JPEG have it
BITS = {"uint8": 8, "uint16": 16, "float32": 32}


@dataclass(frozen=True, eq=False)
class Image(Cartesian):
    """An image as (height, width, channels) float32 in [0, 1]: 1 (grey), 3 (RGB), 4 (RGBA) or any number of channels.

    ``about`` holds ``bits``: 8, 16, or 32 for float. Values are those of the file divided by its largest possible
    value: neither linear light nor another colour space; alpha is not multiplied in and is a channel like the others.

    Example:
        >>> import numpy as np
        >>> image = Image.assemble(np.full((4, 6, 3), 0.5), {"bits": 8})
        >>> image.shape, image.channels, image.resized((2, 3)).shape
        ((4, 6), 3, (2, 3))
        >>> round(float(image.stored().values[0, 0, 0]) * 255)
        128
    """

    kind: ClassVar[str] = "image"
    dimensions: ClassVar[int] = 2
    d_in: ClassVar[int] = 2
    elastic: ClassVar[tuple[bool, ...]] = (True, True)
    suffixes: ClassVar[tuple[str, ...]] = (
        ".png", ".jpg", ".jpeg", ".webp", ".avif", ".tif", ".tiff", ".bmp", ".gif", ".pgm", ".ppm", ".pnm",
    )  # fmt: skip
    preferred_suffix: ClassVar[str] = ".png"
    show: ClassVar[Show] = SHOW

    def __post_init__(self):
        if self.values.ndim != 3 or self.values.shape[-1] < 1 or self.values.dtype != np.float32:
            given = f"{self.values.dtype} {self.values.shape}"
            raise InvalidSetting("values", given, "float32 of shape (height, width, channels)")
        if self.bits not in (8, 16, 32):
            raise InvalidSetting("bits", self.bits, "8, 16 or 32 (float)")

    @property
    def bits(self) -> int:
        """Bits of each value in the image's own file: 8, 16, or 32 for float; 8 if it never had one."""
        return self.about.get("bits", 8)

    @classmethod
    def read(cls, path: Path | str) -> Self:
        """Read PNG, JPEG, WebP, AVIF, TIFF, BMP, GIF, PGM or PPM by its content; EXIF orientation is applied.

        Of an animation it is the first frame. A TIFF may have any number of channels.

        Raises:
            BadInput: for a missing, empty, truncated or damaged file, one that is no image, CMYK, a side of one
                pixel, or float values that are NaN, infinite or outside [0, 1].
            TooLarge: for more pixels than ``ECOP_MAX_PIXELS``, before anything is decoded.
            MissingExtra: for a 16-bit RGB PNG or a compressed TIFF without the extra ``images``.
        """
        pixels = read_pixels(Path(path))
        bits = BITS[pixels.dtype.name]
        values = pixels.astype(np.float32)
        if bits < 32:
            values /= 2**bits - 1
        return cls(values, {"bits": bits}, Path(path).name)

    def write(self, path: Path | str) -> None:
        """Write .png, .jpg, .jpeg, .webp, .avif, .tif or .tiff, at the image's bits where the format holds them.

        PNG and WebP (8 bits) and TIFF are lossless; JPEG and AVIF have 8 bits, quality 95. Other channels than grey,
        RGB and RGBA need TIFF. Nothing is seen at ``path`` before the file is complete.

        Raises:
            CannotWrite: for an unknown suffix, channels that the format has not, a full disk, or a folder that cannot
                be written.
            MissingExtra: for a 16-bit RGB PNG without the extra ``images``.
        """
        write_pixels(Path(path), self.values, self.bits)

    @classmethod
    def write_strips(
        cls,
        path: Path | str,
        strips: Iterable[np.ndarray],
        shape: tuple[int, ...],
        channels: int,
        about: Mapping[str, Any],
    ) -> None:
        """`write` for predictions that arrive strip by strip; PNG and TIFF keep no more than a strip in memory."""
        write_image_strips(Path(path), strips, shape, channels, about.get("bits", 8))

    @classmethod
    def assemble(cls, values: np.ndarray, about: Mapping[str, Any], source: str = "") -> Self:
        """An image from (height, width, channels) predictions, clipped to [0, 1]; NaN stays NaN."""
        return cls(np.clip(values, 0, 1).astype(np.float32), dict(about), source)

    @classmethod
    def owns_folder(cls, folder: Path, names: Sequence[str]) -> bool:
        """Never: an image is a file."""
        return False

    def with_channels(self, channels: int) -> Self:
        """Another number of channels, by rules that depend on both.

        Grey is repeated (as RGBA it is opaque). Between RGB and RGBA alpha is dropped or added opaque, and both become
        grey by BT.601 luma. Channels of another number have no colours: fewer are the first of them, but a single one
        is their mean.

        Raises:
            InvalidSetting: for more channels than there are, but for the cases above, or none.
        """
        if channels == self.channels:
            return self
        if channels in (1, 3, 4) and self.channels in (1, 3, 4):
            return self._with(_as_colours(self.values, channels))
        if channels >= 1 and self.channels == 1:
            return self._with(np.repeat(self.values, channels, axis=-1))
        if self.channels in (3, 4) or not 1 <= channels < self.channels:
            choices = "1 (grey), 3 (RGB) or 4 (RGBA)" if self.channels in (3, 4) else f"1 to {self.channels}"
            raise InvalidSetting("channels", channels, f"{choices}, from an image of {self.channels}")
        if channels == 1:
            return self._with(self.values.mean(axis=-1, keepdims=True))
        return self._with(self.values[..., :channels])

    def resized(self, shape: tuple[int, ...]) -> Self:
        """Resampled with Lanczos, antialiased when shrinking, in float; a constant stays constant.

        Overshoot at edges is clipped to [0, 1]. The image's own shape returns it as it is.
        """
        if len(shape) != 2 or min(shape) < 1:
            raise InvalidSetting("shape", shape, "(height, width), both at least 1")
        if tuple(shape) == self.shape:
            return self
        height, width = shape
        planes = [
            np.asarray(Pillow.fromarray(np.ascontiguousarray(plane)).resize((width, height), Pillow.Resampling.LANCZOS))
            for plane in np.moveaxis(self.values, -1, 0)
        ]
        return self._with(np.clip(np.stack(planes, axis=-1), 0, 1))

    def block(self, start: tuple[int, ...], shape: tuple[int, ...]) -> Self:
        """The pixels from (row, column) ``start``, (height, width) ``shape`` of them, all inside the image."""
        return self._with(self.values[block_slices(start, shape, self.shape)])

    def metrics(self, reconstruction: Signal) -> dict[str, float]:
        """``psnr`` in dB; where both sides are long enough, ``ssim`` (11 pixels) and ``ms_ssim`` (176)."""
        found = {"psnr": psnr(self.values, reconstruction.values)}
        if min(self.shape) >= WINDOW:
            found["ssim"] = ssim(self.values, reconstruction.values)
        if min(self.shape) >= SMALLEST:
            found["ms_ssim"] = ms_ssim(self.values, reconstruction.values)
        return found

    def stored(self) -> Self:
        """Clipped, and rounded to the image's bits; float only clipped."""
        rounded = quantised(self.values, self.bits).astype(np.float32)
        return self._with(rounded / np.float32(2**self.bits - 1) if self.bits < 32 else rounded)

    def picture(self) -> np.ndarray:
        """The image itself, in colours, without alpha; of many channels the first three, of two their mean."""
        return np.clip(self.with_channels(1 if self.channels == 2 else 3).with_channels(3).values, 0, 1)

    def _with(self, values: np.ndarray) -> Self:
        return dataclasses.replace(self, values=values)


def _as_colours(values: np.ndarray, channels: int) -> np.ndarray:
    """Between 1 (grey), 3 (RGB) and 4 (RGBA) channels."""
    colours = values[..., :3]
    if channels == 1:
        return (colours @ LUMA)[..., None]
    shape = values.shape[:-1]
    alpha = np.ones((*shape, channels - 3), np.float32)
    return np.concatenate([np.broadcast_to(colours, (*shape, 3)), alpha], axis=-1)
