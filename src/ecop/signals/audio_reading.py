"""Sound files to arrays, WAV and FLAC and Ogg by libsndfile, MP3 and AAC by FFmpeg, or a clear word why not."""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ecop.core.errors import BadInput, EcopError, MissingExtra
from ecop.core.limits import INPUT_SAMPLES
from ecop.signals.files import check_file

CHOICES = "give a WAV, FLAC, Ogg, Opus, MP3, M4A, AAC or AIFF file"
MARKS = (b"RIFF", b"RIFX", b"RF64", b"FORM", b"fLaC", b"OggS")
"""How the formats begin that libsndfile reads here."""

FFMPEG_FORMATS = {".mp3": "mp3", ".m4a": "mov", ".aac": "aac"}
"""The only reader that FFmpeg may use for a suffix: none that opens further files, as a playlist would."""

BITS = {"PCM_24": 24, "PCM_32": 32, "FLOAT": 32, "DOUBLE": 32}
BLOCK = 2**18  # samples decoded together
ENCODER_DELAY = 1_700  # samples at most that an MP3 may announce and a decoder leave out


class Sound(NamedTuple):
    """What a file holds.

    Attributes:
        samples: (n, channels) float32 in [−1, 1].
        rate: samples a second.
        bits: 16, 24 or 32 (float): what keeps every step of the file's own samples.
    """

    samples: np.ndarray
    rate: int
    bits: int


def read_sound(path: Path) -> Sound:
    """The samples of a sound file at its own rate, all channels.

    Compressed sound that goes beyond [−1, 1] once it is decoded is clipped, as on every player.

    Raises:
        BadInput: if it is missing, empty, damaged, truncated, no sound, shorter than two samples, or has samples that
            are NaN, infinite, or outside [−1, 1] in a float file.
        TooLarge: for more samples than ``ECOP_MAX_PIXELS``.
        MissingExtra: without the extra ``audio``.
    """
    check_file(path, "a sound", CHOICES)
    try:
        with path.open("rb") as stream:
            known = stream.read(4) in MARKS
        if not known and path.suffix.lower() not in FFMPEG_FORMATS:
            raise BadInput(path, "the content is not sound of a known format", CHOICES)
        sound = _by_libsndfile(path) if known else _by_ffmpeg(path)
    except (EcopError, MemoryError):
        raise
    except ImportError:
        raise MissingExtra("sound", "audio") from None
    except Exception as error:  # what decoders raise on damaged files is an open set
        detail = " ".join(str(error).split()).removesuffix(":") or type(error).__name__
        raise BadInput(path, f"damaged or truncated sound ({detail})", "make or fetch the file again") from None
    if len(sound.samples) < 2:
        problem = f"a sound of {len(sound.samples)} samples is no signal to fit"
        raise BadInput(path, problem, "give at least 2 samples")
    return sound


def _by_libsndfile(path: Path) -> Sound:
    import soundfile

    _refuse_truncated(path)
    with soundfile.SoundFile(path) as file:
        announced = file.frames
        if announced < 2**40:  # a stream that was never closed announces all that a header can
            INPUT_SAMPLES.check(str(path), (announced, file.channels))
        samples = _collected(_blocks(file), path, file.channels)
        rate, subtype = file.samplerate, file.subtype
    if len(samples) < announced < 2**40:
        raise BadInput(path, f"truncated after {len(samples)} of {announced} samples", "make or fetch the file again")
    if subtype in ("FLOAT", "DOUBLE"):
        return Sound(_checked_float(samples, path), rate, 32)
    return Sound(np.clip(samples, -1, 1), rate, BITS.get(subtype, 16))


def _blocks(file: Any) -> Iterator[np.ndarray]:
    while len(block := file.read(BLOCK, "float32", always_2d=True)):
        yield block


def _by_ffmpeg(path: Path) -> Sound:
    import av

    form = FFMPEG_FORMATS[path.suffix.lower()]
    with (
        path.open("rb") as stream,
        av.open(stream, format=form, options={"protocol_whitelist": "file"}) as container,
    ):
        if not container.streams.audio:
            raise BadInput(path, "there is no sound in it", CHOICES)
        track = container.streams.audio[0]
        expected = float((track.duration or 0) * (track.time_base or 0)) if _says_its_length(path, form) else 0.0
        rate, channels = track.rate, track.channels
        samples = np.clip(_collected(_frames(container, track), path, channels), -1, 1)
    if len(samples) < expected * rate - ENCODER_DELAY:
        seconds = len(samples) / rate
        raise BadInput(path, f"truncated after {seconds:.2f} of {expected:.2f} s", "make or fetch the file again")
    return Sound(samples, rate, 16)


def _says_its_length(path: Path, form: str) -> bool:
    """Whether FFmpeg reads the duration from the file; elsewhere it guesses it from the rate of the first frames."""
    with path.open("rb") as stream:
        head = stream.read(2**16)
    return form == "mov" or (form == "mp3" and any(mark in head for mark in (b"Xing", b"Info", b"VBRI")))


def _frames(container: Any, track: Any) -> Iterator[np.ndarray]:
    """(n, channels) float32 blocks."""
    import av

    to_float = av.AudioResampler(format="fltp")
    for frame in container.decode(track):
        for converted in to_float.resample(frame):
            yield converted.to_ndarray().T


def _collected(blocks: Iterator[np.ndarray], path: Path, channels: int) -> np.ndarray:
    """The blocks as one array, stopped at the limit: a header may announce less."""
    found, count = [np.zeros((0, channels), np.float32)], 0
    for block in blocks:
        count += len(block)
        INPUT_SAMPLES.check(str(path), (count, channels))
        found.append(block)
    return np.concatenate(found)


def _checked_float(samples: np.ndarray, path: Path) -> np.ndarray:
    if not np.isfinite(samples).all():
        count = int((~np.isfinite(samples)).sum())
        raise BadInput(path, f"{count} samples are NaN or infinite", "replace them first")
    low, high = (float(samples.min()), float(samples.max())) if samples.size else (0.0, 0.0)
    if low < -1 or high > 1:
        raise BadInput(path, f"float samples from {low:g} to {high:g}, outside [-1, 1]", "scale them to [-1, 1] first")
    return samples


def _refuse_truncated(path: Path) -> None:
    """Raise for what libsndfile passes over: a WAV or AIFF shorter than it says, an Ogg without its last page."""
    with path.open("rb") as stream:
        mark = stream.read(4)
        if mark == b"OggS":
            complete = _has_last_page(stream, path.stat().st_size)
        else:
            complete = mark not in (b"RIFF", b"RIFX", b"FORM") or _has_all_chunks(stream, path.stat().st_size, mark)
    if not complete:
        raise BadInput(path, "truncated sound: its end is missing", "make or fetch the file again")


def _has_last_page(stream: Any, size: int) -> bool:
    """Whether the last page says that it is, and is all there; a page has at most 65 307 bytes."""
    stream.seek(max(0, size - 65_307))
    tail = stream.read()
    page = tail[max(0, tail.rfind(b"OggS")) :]
    if len(page) < 27 or len(page) < 27 + page[26]:
        return False
    return bool(page[5] & 4) and len(page) >= 27 + page[26] + sum(page[27 : 27 + page[26]])


def _has_all_chunks(stream: Any, size: int, mark: bytes) -> bool:
    """Whether the chunk with the samples ends inside the file; 0 or all ones stand for a length that is not known."""
    order = "<" if mark == b"RIFF" else ">"
    position = 12
    while position + 8 <= size:
        stream.seek(position)
        name, length = struct.unpack(f"{order}4sI", stream.read(8))
        if name in (b"data", b"SSND"):
            return length >= 2**32 - 16 or position + 8 + length <= size
        position += 8 + length + length % 2
    return False
