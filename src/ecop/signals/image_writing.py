"""Arrays to image files: each format at the most bits that it holds, up to those of the image."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as Pillow
from PIL import features

from ecop.core.errors import CannotWrite, MissingExtra
from ecop.core.files import atomic_write


def write_pixels(path: Path, values: np.ndarray, bits: int) -> None:
    """Write (height, width, channels) values in [0, 1] in the format that the suffix names.

    PNG and WebP are lossless, TIFF is too and holds 16 bits or float, and any number of channels; JPEG and AVIF have
    quality 95 and full colour resolution. PNG holds at most 16 bits, JPEG, WebP and AVIF hold 8. WebP has no grey: it
    comes back as RGB. AVIF leaves out an alpha that is opaque everywhere.

    Raises:
        CannotWrite: for an unknown suffix, alpha in a JPEG, other channels than grey, RGB and RGBA in any format but
            TIFF, or whatever the system objects to.
        MissingExtra: for a 16-bit RGB PNG without the extra ``images``.
    """
    encode = encoder_of(path)
    check_channels(path, values.shape[-1])
    encoded = encode(path, values, bits)
    with atomic_write(path) as stream:
        stream.write(encoded)


def encoder_of(path: Path) -> Callable[[Path, np.ndarray, int], bytes]:
    """What writes the format that the suffix names.

    Raises:
        CannotWrite: for a suffix of no image format.
    """
    encode = ENCODERS.get(path.suffix.lower())
    if encode is None:
        problem = f"{path.suffix!r} is not a suffix of an image format" if path.suffix else "the name has no suffix"
        raise CannotWrite(path, problem, f"choose one of: {', '.join(ENCODERS)}")
    return encode


def check_channels(path: Path, channels: int) -> None:
    """Raise `CannotWrite` if the format that the suffix names has no such number of channels."""
    if channels not in (1, 3, 4) and path.suffix.lower() not in (".tif", ".tiff"):
        raise CannotWrite(path, f"this format has no {channels} channels", "choose .tif")


def quantised(values: np.ndarray, bits: int) -> np.ndarray:
    """Values clipped to [0, 1] and rounded to whole steps: uint8 or uint16; float32, only clipped, for 32 bits."""
    clipped = np.clip(values, 0, 1)
    if bits == 32:
        return clipped.astype(np.float32)
    return np.rint(clipped * (2**bits - 1)).astype(np.uint8 if bits == 8 else np.uint16)


def _png(path: Path, values: np.ndarray, bits: int) -> bytes:
    if bits == 8:
        return _with_pillow(quantised(values, 8), "PNG")
    deep = quantised(values, 16)
    if deep.shape[-1] == 1:
        return _with_pillow(deep, "PNG")
    try:
        import imagecodecs
    except ImportError:
        raise MissingExtra("a 16-bit RGB PNG", "images") from None
    return bytes(imagecodecs.png_encode(deep))


def _jpeg(path: Path, values: np.ndarray, bits: int) -> bytes:
    if values.shape[-1] == 4:
        raise CannotWrite(path, "JPEG holds no alpha channel", "choose .png, .webp or .tif, or drop the alpha")
    return _with_pillow(quantised(values, 8), "JPEG", quality=95, subsampling=0)


def _webp(path: Path, values: np.ndarray, bits: int) -> bytes:
    if max(values.shape[:2]) > 16383:
        raise CannotWrite(path, "WebP holds at most 16383 pixels along a side", "choose .png or .tif")
    return _with_pillow(quantised(values, 8), "WEBP", lossless=True, exact=True)


def _avif(path: Path, values: np.ndarray, bits: int) -> bytes:
    if "AVIF" not in Pillow.SAVE or not features.check("avif"):
        raise CannotWrite(path, "this Pillow was built without AVIF", "choose .webp or .png")
    # Without a word about colour grey stays grey.
    colour = {} if values.shape[-1] == 1 else {"subsampling": "4:4:4"}
    return _with_pillow(quantised(values, 8), "AVIF", quality=95, **colour)


def tiff_settings(channels: int) -> dict[str, Any]:
    """How tifffile is told what a page's channels are: grey, RGB, RGBA, or bands without a colour."""
    if channels in (3, 4):
        return {"photometric": "rgb", "extrasamples": ["unassalpha"] if channels == 4 else None}
    bands = {"planarconfig": "contig", "extrasamples": ["unspecified"] * (channels - 1)} if channels > 1 else {}
    return {"photometric": "minisblack", **bands}


def _tiff(path: Path, values: np.ndarray, bits: int) -> bytes:
    import tifffile

    pixels = quantised(values, bits)
    stream = io.BytesIO()
    grey = pixels.shape[-1] == 1
    tifffile.imwrite(
        stream,
        pixels[..., 0] if grey else pixels,
        compression="zlib",
        metadata=None,
        **tiff_settings(pixels.shape[-1]),
    )
    return stream.getvalue()


def _with_pillow(pixels: np.ndarray, form: str, **settings) -> bytes:
    stream = io.BytesIO()
    Pillow.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels).save(stream, form, **settings)
    return stream.getvalue()


ENCODERS: dict[str, Callable[[Path, np.ndarray, int], bytes]] = {
    ".png": _png,
    ".jpg": _jpeg,
    ".jpeg": _jpeg,
    ".webp": _webp,
    ".avif": _avif,
    ".tif": _tiff,
    ".tiff": _tiff,
}
