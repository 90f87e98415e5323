"""Frames to video files as they come, to an animated GIF, or to one sheet of them."""

import itertools
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image as Pillow

from ecop.core.errors import CannotWrite
from ecop.core.files import atomic_write
from ecop.signals.contact_sheet import contact_sheet
from ecop.signals.image_writing import quantised, write_pixels
from ecop.signals.video_reading import video_library

SHEET = 24
"""Most frames on a sheet."""
GIF_FASTEST = 50
"""Frames a second that players of GIFs still follow."""


class Encoding(NamedTuple):
    """How a suffix is written.

    Attributes:
        container: the format's name.
        codec: of the frames.
        pixels: the pixel format that the codec is given.
        even: whether both sides must be even numbers of pixels.
        options: the codec's.
    """

    container: str
    codec: str
    pixels: str
    even: bool
    options: dict[str, str]


H264 = Encoding("mp4", "libx264", "yuv420p", True, {"crf": "12", "preset": "medium"})
ENCODINGS = {
    ".mp4": H264,
    ".m4v": H264,
    ".mov": H264._replace(container="mov"),
    ".webm": Encoding("webm", "libvpx-vp9", "yuv420p", False, {"crf": "16", "b": "0", "cpu-used": "4", "row-mt": "1"}),
    ".mkv": Encoding("matroska", "ffv1", "bgr0", False, {"level": "3", "slicecrc": "1"}),
}


def write_frames(path: Path, strips: Iterable[np.ndarray], shape: tuple[int, ...], rate: float) -> None:
    """Write a video whose frames arrive in order.

    MP4, M4V and MOV hold H.264 at a quality (crf 12) that is hard to tell from the frames, and WebM VP9 likewise, both
    with colours at half resolution, as all players expect; H.264 has no odd sizes, so that the last row or column is
    repeated. MKV holds FFV1, which loses nothing but what 8 bits cannot hold. GIF has 256 colours a frame and times in
    hundredths of a second; equal frames in a row are one that lasts longer. PNG is one picture: up to 24 frames,
    evenly chosen, in rows.

    Args:
        path: the suffix decides the format.
        strips: (n, height, width, 1 or 3) arrays of values in [0, 1]; NaN is black.
        shape: (frames, height, width) of the whole.
        rate: frames a second.

    Raises:
        CannotWrite: for an unknown suffix, or whatever the system or the encoder objects to.
        MissingExtra: without the extra ``video``.
    """
    write = _writer(path)
    frames = (_colours(frame) for strip in strips for frame in strip)
    write(path, frames, shape, rate)


def _writer(path: Path) -> Callable[[Path, Iterator[np.ndarray], tuple[int, ...], float], None]:
    suffix = path.suffix.lower()
    if suffix in ENCODINGS:
        return _video
    if suffix in (".gif", ".png"):
        return _gif if suffix == ".gif" else _sheet
    problem = f"{path.suffix!r} is not a suffix of a video format" if path.suffix else "the name has no suffix"
    raise CannotWrite(path, problem, f"choose one of: {', '.join([*ENCODINGS, '.gif', '.png'])}")


def _colours(frame: np.ndarray) -> np.ndarray:
    """(height, width, 3) uint8."""
    pixels = quantised(np.nan_to_num(frame), 8)
    return np.ascontiguousarray(np.broadcast_to(pixels, (*pixels.shape[:2], 3)))


def _video(path: Path, frames: Iterator[np.ndarray], shape: tuple[int, ...], rate: float) -> None:
    av = video_library()
    encoding, size = ENCODINGS[path.suffix.lower()], shape[1:]
    height, width = (n + n % 2 for n in size) if encoding.even else size
    try:
        with atomic_write(path) as file, av.open(file, "w", format=encoding.container) as container:
            stream: Any = container.add_stream(encoding.codec, _fraction(rate), encoding.options)
            stream.width, stream.height, stream.pix_fmt = width, height, encoding.pixels
            _tag_colours(stream.codec_context, encoding)
            for frame in frames:
                padded = np.pad(frame, ((0, height - size[0]), (0, width - size[1]), (0, 0)), "edge")
                container.mux(stream.encode(_converted(av, padded, encoding)))
            container.mux(stream.encode(None))
    except av.error.FFmpegError as error:
        detail = (getattr(error, "strerror", "") or str(error)).splitlines()[0]
        raise CannotWrite(path, f"the encoder failed ({detail})", "choose another size or format") from None


def _fraction(rate: float) -> Fraction:
    """The rate as encoders want it; 30000/1001 comes back as itself."""
    return Fraction(rate).limit_denominator(1001)


def _tag_colours(codec: Any, encoding: Encoding) -> None:
    """Say which colour matrix the file has, since players guess differently for different sizes."""
    if encoding.pixels == "yuv420p":
        from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc

        codec.colorspace, codec.color_range = Colorspace.ITU709, ColorRange.MPEG
        codec.color_primaries, codec.color_trc = ColorPrimaries.BT709, ColorTrc.BT709


def _converted(av: Any, pixels: np.ndarray, encoding: Encoding) -> Any:
    frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
    if encoding.pixels != "yuv420p":
        return frame.reformat(format=encoding.pixels)
    return frame.reformat(
        format=encoding.pixels, dst_colorspace="ITU709", dst_color_range="MPEG", interpolation="AREA"
    )  # fmt: skip


def _gif(path: Path, frames: Iterator[np.ndarray], shape: tuple[int, ...], rate: float) -> None:
    ticks = np.rint(np.arange(shape[0] + 1) * (100 / min(rate, GIF_FASTEST))).astype(int)
    durations = [int(t) * 10 for t in np.diff(ticks)]
    pictures = (Pillow.fromarray(frame).quantize(256, Pillow.Quantize.MEDIANCUT) for frame in frames)
    first = next(pictures)
    with atomic_write(path) as file:
        first.save(file, "GIF", save_all=True, append_images=pictures, duration=durations, loop=0, optimize=False)


def _sheet(path: Path, frames: Iterator[np.ndarray], shape: tuple[int, ...], rate: float) -> None:
    chosen = set(np.linspace(0, shape[0] - 1, min(SHEET, shape[0])).round().astype(int).tolist())
    kept = [frame for number, frame in enumerate(frames) if number in chosen]
    per_row = next(n for n in itertools.count(1) if n * n * shape[2] >= len(kept) * shape[1])
    sheet = contact_sheet([frame / np.float32(255) for frame in kept], per_row)
    write_pixels(path, sheet, 8)
