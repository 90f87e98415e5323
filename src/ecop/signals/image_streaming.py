"""Image files written strip by strip, so that a render of any size needs the memory of one strip.

PNG through pypng and TIFF through tifffile take rows as they come. JPEG, WebP and AVIF are encoded by libraries that
need the whole picture; for them its rounded pixels, 3 bytes each, are collected first.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from ecop.core.files import atomic_write
from ecop.signals.image_writing import check_channels, encoder_of, quantised, tiff_settings, write_pixels

TILE_ROWS = 64


def write_image_strips(
    path: Path, strips: Iterable[np.ndarray], shape: tuple[int, ...], channels: int, bits: int
) -> None:
    """Write an image whose rows arrive in order.

    Args:
        path: the suffix decides the format.
        strips: (rows, width, channels) arrays of values in [0, 1].
        shape: (height, width) of the whole image.
        channels: 1, 3 or 4; any number in a TIFF.
        bits: 8, 16 or 32, as in `write_pixels`.

    Raises:
        CannotWrite, MissingExtra: as `write_pixels`.
    """
    encoder_of(path)
    check_channels(path, channels)
    suffix = path.suffix.lower()
    if suffix == ".png":
        _png(path, strips, shape, channels, min(bits, 16))
    elif suffix in (".tif", ".tiff"):
        _tiff(path, strips, shape, channels, bits)
    else:
        pixels = np.concatenate([quantised(strip, 8) for strip in strips])
        write_pixels(path, pixels / np.float32(255), 8)


def _png(path, strips, shape, channels, bits):
    import png

    height, width = shape
    writer = png.Writer(width, height, greyscale=channels == 1, alpha=channels == 4, bitdepth=bits, compression=6)
    kind = np.uint8 if bits == 8 else np.dtype(">u2")
    rows = (row.astype(kind).tobytes() for strip in strips for row in quantised(strip, bits))
    with atomic_write(path) as stream:
        writer.write_packed(stream, rows)


def _tiff(path, strips, shape, channels, bits):
    import tifffile

    grey = channels == 1
    kind = quantised(np.zeros((1, 1, 1)), bits).dtype
    with atomic_write(path) as stream:
        tifffile.imwrite(
            stream,
            _tiles_of(strips, bits, grey),
            shape=shape if grey else (*shape, channels),
            dtype=kind,
            tile=(TILE_ROWS, _tile_width(shape[1])),
            compression="zlib",
            metadata=None,
            **tiff_settings(channels),
        )


def _tile_width(width: int) -> int:
    """TIFF's tiles are multiples of 16 wide; one tile spans the image."""
    return -(-width // 16) * 16


def _tiles_of(strips: Iterable[np.ndarray], bits: int, grey: bool) -> Iterator[np.ndarray]:
    """The same rows in tiles of `TILE_ROWS`, the last one filled up with rows that no reader sees."""
    waiting = np.zeros(0)
    for strip in strips:
        pixels = quantised(strip[..., 0] if grey else strip, bits)
        waiting = np.concatenate([waiting, pixels]) if waiting.size else pixels
        while len(waiting) >= TILE_ROWS:
            yield _whole_tile(waiting[:TILE_ROWS])
            waiting = waiting[TILE_ROWS:]
    if len(waiting):
        yield _whole_tile(waiting)


def _whole_tile(rows: np.ndarray) -> np.ndarray:
    missing = (TILE_ROWS - len(rows), _tile_width(rows.shape[1]) - rows.shape[1])
    return np.pad(rows, [(0, n) for n in missing] + [(0, 0)] * (rows.ndim - 2))
