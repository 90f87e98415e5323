"""Video files to frames of 8 bits: upright, at one size, at one rate; or a clear word why not."""

import contextlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ecop.core.errors import BadInput, EcopError, MissingExtra
from ecop.core.limits import INPUT_PIXELS
from ecop.core.recipe import check
from ecop.signals.files import check_file
from ecop.signals.video_length import check_complete

if TYPE_CHECKING:
    import av
    from av.container import InputContainer
    from av.video.stream import VideoStream

ISO, MATROSKA = "mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm"
FORMATS = {
    ".mp4": ISO, ".m4v": ISO, ".mov": ISO, ".mkv": MATROSKA, ".webm": MATROSKA, ".avi": "avi", ".gif": "gif",
}  # fmt: skip
"""What a file of each suffix may hold: only formats that are complete in themselves and name no other file."""
CHOICES = "give an MP4, MOV, MKV, WebM, AVI or GIF file, or a folder of numbered pictures"
USUAL_RATE = 25.0
"""Frames a second where nothing says it, as ffmpeg has it."""


@dataclass(frozen=True)
class Cut:
    """Which frames of a video are wanted, and how large; see `ecop.signals.video.Video.read`.

    Attributes:
        start: number of the first frame.
        frames: how many; ``None``: all that there are.
        step: from one to the next.
        height: of the frames that are kept; ``None``: as they are. Never enlarges.
    """

    start: int = 0
    frames: int | None = None
    step: int = 1
    height: int | None = None

    def __post_init__(self):
        for name, least in (("start", 0), ("frames", 2), ("step", 1), ("height", 2)):
            value = getattr(self, name)
            optional = value is None and name in ("frames", "height")
            holds = optional or (type(value) is int and value >= least)
            check(holds, name, value, f"a whole number of at least {least}")

    def count(self, total: int) -> int:
        """How many of a video's ``total`` frames are wanted."""
        found = max(0, -(-(total - self.start) // self.step))
        return found if self.frames is None else min(found, self.frames)

    def size(self, height: int, width: int) -> tuple[int, int]:
        """Height and width of what is kept of upright frames of this size."""
        if self.height is None or self.height >= height:
            return height, width
        return self.height, max(1, round(width * self.height / height))

    def of(self, frames: Iterator[Any]) -> Iterator[Any]:
        """Those of the frames that are wanted."""
        return itertools.islice(itertools.islice(frames, self.start, None, self.step), self.frames)

    def check_size(self, path: Path, frames: int, size: tuple[int, int]) -> None:
        """Raise `TooLarge` if so many frames of this size are more than the limit."""
        INPUT_PIXELS.check(str(path), (frames, *size), "read less with --read height=256 or --read frames=64")

    def check_enough(self, path: Path, kept: int, total: int) -> None:
        """Raise `BadInput` if what is left is no video."""
        if total < 2:
            raise BadInput(path, f"it has {total or 'no'} frame{'s' * (not total)}", "give at least 2 frames")
        if kept < 2:
            problem = f"start={self.start} and step={self.step} leave {kept} of its {total} frames"
            raise BadInput(path, problem, "choose smaller ones")


def read_frames(path: Path, cut: Cut) -> tuple[list[np.ndarray], float]:
    """The frames of a video file, and their rate.

    A file's first video stream is read; rotation and mirroring that it asks for are applied, and its colour matrix and
    range are honoured. Pixels that are not square stay as they are stored. Frames are laid on a grid of the file's
    rate by their times: where the times leave a gap, the frame before it is held; none is left out.

    Returns:
        (height, width, 3) uint8 arrays, and frames a second of what is kept: the file's rate over ``cut.step``.

    Raises:
        BadInput: if it is missing, empty, truncated, damaged, holds no video, or is of another format than its suffix
            says, such as a playlist.
        TooLarge: if the frames that are wanted have more than ``ECOP_MAX_PIXELS``.
        MissingExtra: without the extra ``video``.
    """
    check_file(path, "a video", CHOICES)
    av = video_library()
    check_complete(path)
    try:
        with path.open("rb") as file, _opened(av, path, file) as container:
            return _decoded(path, container, cut)
    except (EcopError, MemoryError):
        raise
    except (av.error.FFmpegError, ValueError, OSError, EOFError) as error:
        detail = (getattr(error, "strerror", "") or str(error) or type(error).__name__).splitlines()[0]
        raise BadInput(path, f"damaged or truncated video ({detail})", "make or fetch the file again") from None


def video_library() -> Any:
    """PyAV.

    Raises:
        MissingExtra: if it is not installed.
    """
    try:
        import av
    except ImportError:
        raise MissingExtra("reading and writing video", "video") from None
    return av


@contextlib.contextmanager
def _opened(av: Any, path: Path, file: Any) -> Iterator["InputContainer"]:
    """A container that may neither be of a format that names other files nor open any."""
    suffix = path.suffix.lower()
    allowed = FORMATS.get(suffix, ",".join(dict.fromkeys(FORMATS.values())))
    options = {
        "format_whitelist": allowed,
        "protocol_whitelist": "file",
        "max_pixels": str(INPUT_PIXELS.value),
    }
    try:
        container = av.open(file, options=options)
    except (av.error.ArgumentError, av.error.InvalidDataError):  # the first is what the whitelist answers
        expected = f"not what {suffix} files hold" if suffix in FORMATS else "not a video of a known format"
        raise BadInput(path, f"the content is {expected}, or damaged", CHOICES) from None
    with container:
        yield container


def _decoded(path: Path, container: "InputContainer", cut: Cut) -> tuple[list[np.ndarray], float]:
    stream = _video_stream(path, container)
    stream.thread_type = "AUTO"
    rate = float(stream.guessed_rate or stream.average_rate or USUAL_RATE)
    known = cut.count(stream.frames) if stream.frames else 1
    cut.check_size(path, known, cut.size(stream.codec_context.height, stream.codec_context.width))
    timed = _on_grid(path, container.decode(stream), rate)
    seen = 0

    def counted() -> Iterator["av.VideoFrame"]:
        nonlocal seen
        for frame in timed:
            seen += 1
            yield frame

    upright, frames = _Upright(cut), []
    before, kept = None, np.empty((0, 0, 3), np.uint8)
    for frame in cut.of(counted()):
        if frame is not before:  # a frame that is held is kept once
            before, kept = frame, upright(path, frame)
        frames.append(kept)
        cut.check_size(path, len(frames), kept.shape[:2])
    cut.check_enough(path, len(frames), seen)
    return frames, rate / cut.step


def _video_stream(path: Path, container: "InputContainer") -> "VideoStream":
    """The first that is not a cover picture."""
    from av.stream import Disposition

    for stream in container.streams.video:
        if not stream.disposition & Disposition.attached_pic and stream.codec_context is not None:
            return stream
    found = "sound, but no video" if container.streams.audio else "no video"
    raise BadInput(path, f"it holds {found}", CHOICES)


def _on_grid(path: Path, frames: Iterator["av.VideoFrame"], rate: float) -> Iterator["av.VideoFrame"]:
    """One frame for each tick of the rate."""
    first, tick, held = None, -1, None
    for frame in frames:
        if frame.is_corrupt:
            raise BadInput(path, f"frame {tick + 1} is damaged", "make or fetch the file again")
        time = None if frame.pts is None or frame.time_base is None else frame.pts * frame.time_base
        first = time if first is None else first
        place = tick + 1 if time is None or first is None else max(tick + 1, round(float(time - first) * rate))
        if held is not None:
            yield from itertools.repeat(held, place - tick - 1)
        yield frame
        tick, held = place, frame
    if held is not None and tick > 0 and held.duration and held.time_base:  # a single frame is a still picture
        yield from itertools.repeat(held, round(float(held.duration * held.time_base) * rate) - 1)


class _Upright:
    """Turns decoded frames into arrays as they are to be seen, all at the size of the first."""

    def __init__(self, cut: Cut):
        from av.video.reformatter import VideoReformatter

        self._cut, self._reformatter = cut, VideoReformatter()
        self._size: tuple[int, int] | None = None

    def __call__(self, path: Path, frame: "av.VideoFrame") -> np.ndarray:
        from av.video.reformatter import Interpolation

        turn, mirror_rows, mirror_columns = _orientation(path, frame)
        if self._size is None:
            stored = (frame.width, frame.height) if turn else (frame.height, frame.width)
            self._size = self._cut.size(*stored)
        height, width = reversed(self._size) if turn else self._size
        shrinks = (height, width) != (frame.height, frame.width)
        how = Interpolation.AREA if shrinks else Interpolation.BICUBIC
        pixels = self._reformatter.reformat(frame, width, height, "rgb24", interpolation=how).to_ndarray()
        pixels = pixels.swapaxes(0, 1) if turn else pixels
        pixels = pixels[::-1] if mirror_rows else pixels
        return np.ascontiguousarray(pixels[:, ::-1] if mirror_columns else pixels)


def _orientation(path: Path, frame: "av.VideoFrame") -> tuple[bool, bool, bool]:
    """Whether to exchange rows and columns, then to mirror rows, then columns, as the file's matrix asks.

    The matrix maps a stored pixel (x, y) to its place (a·x + c·y, b·x + d·y); its numbers a, b, u, c, d, … have 16 bits
    behind the point.
    """
    data: Any = frame.side_data.get("DISPLAYMATRIX")
    if data is None:
        return False, False, False
    a, b, _, c, d = np.sign(np.frombuffer(bytes(data), np.int32)[:5]).tolist()
    if abs(a) == abs(d) != abs(b) == abs(c):
        return (False, d < 0, a < 0) if a else (True, b < 0, c < 0)
    raise BadInput(path, "it asks to be turned by less than a quarter", "turn it with a video editor first")
