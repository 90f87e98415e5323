"""Image files to arrays, at the depth that the file has, or a clear word why not."""

import logging
import math
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as Pillow
from PIL import ImageFile

from ecop.core.errors import BadInput, EcopError, MissingExtra
from ecop.core.limits import INPUT_PIXELS, INPUT_SAMPLES
from ecop.signals.files import check_file

FORMATS = ("PNG", "JPEG", "WEBP", "AVIF", "BMP", "GIF", "PPM", "TIFF")
TIFF_MARKS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
COLOURS = {"1": "L", "L": "L", "P": "RGB", "RGB": "RGB", "RGBX": "RGB", "YCbCr": "RGB"}
CHOICES = "give a PNG, JPEG, WebP, AVIF, TIFF, BMP, GIF, PGM or PPM image"

# tifffile logs each oddity of a damaged file; our one line says it. Whoever configures logging still gets the rest.
logging.getLogger("tifffile").addHandler(logging.NullHandler())


def read_pixels(path: Path) -> np.ndarray:
    """The pixels of an image file, upright.

    Grey stays one channel; palettes become RGB; any transparency becomes a fourth channel, so that grey with alpha is
    RGBA. A TIFF may have any number of channels, within a page or as pages that its metadata call channels. Of an
    animated picture or a TIFF of several other pages it is the first. AVIF of 10 or 12 bits is read as 8. Colour
    profiles are not applied.

    Returns:
        (height, width, channels), uint8, uint16, or float32 with values in [0, 1].

    Raises:
        BadInput: if it is missing, empty, damaged, truncated, not an image, CMYK, or has values outside [0, 1].
        TooLarge: if its header announces more pixels than ``ECOP_MAX_PIXELS``; nothing is decoded then.
        MissingExtra: if only the extra ``images`` can read it at its depth.
    """
    check_file(path, "an image", CHOICES)
    try:
        with path.open("rb") as stream:
            is_tiff = stream.read(4) in TIFF_MARKS
        pixels = _read_tiff(path) if is_tiff else _read_with_pillow(path)
    except (EcopError, MemoryError):
        raise
    except Exception as error:  # what decoders raise on damaged files is an open set: SyntaxError, zlib.error, …
        detail = " ".join(str(error).split()) or type(error).__name__
        raise BadInput(path, f"damaged or truncated image ({detail})", "make or fetch the file again") from None
    if min(pixels.shape[:2]) < 2:
        size = f"{pixels.shape[0]}×{pixels.shape[1]}"
        raise BadInput(path, f"an image of {size} pixels is no signal to fit", "give at least 2×2 pixels")
    return pixels


def _read_with_pillow(path: Path) -> np.ndarray:
    with path.open("rb") as stream:
        image = _opened(stream, path)
        INPUT_PIXELS.check(str(path), (image.height, image.width))
        _refuse_cmyk(path, image.mode == "CMYK")
        image.load()
        pixels = _pixels_of(image, path)
        return _upright(pixels, image.getexif().get(0x0112, 1))


def _opened(stream, path: Path) -> ImageFile.ImageFile:
    """Pillow's reader for the stream, by its content, with the header read.

    `PIL.Image.open` has a pixel limit of its own that only a global variable changes and that warns below it; the
    registered readers that it would call have none, so that `INPUT_PIXELS` alone decides.
    """
    Pillow.preinit()
    Pillow.init()
    prefix = stream.read(16)
    for name in FORMATS:
        reader, accepts = Pillow.OPEN[name]
        accepted = accepts is not None and accepts(prefix)
        if isinstance(accepted, str):  # the format is known, but this Pillow was built without it
            raise BadInput(path, f"{name} cannot be read here ({accepted})", "convert it to PNG")
        if accepted:
            stream.seek(0)
            return reader(stream, str(path))
    raise BadInput(path, "the content is not an image of a known format", CHOICES)


def _pixels_of(image: ImageFile.ImageFile, path: Path) -> np.ndarray:
    if image.format == "PNG" and _png_needs_more_than_pillow(path):
        return _read_deep_png(path)
    if image.format == "PPM" and image.mode == "RGB" and _ppm_maximum(path) > 255:
        raise BadInput(path, "16 bits for each of three colours in a PPM", "convert it to a 16-bit PNG or TIFF")
    if image.mode.startswith("I"):
        return np.asarray(image).astype(np.uint16)[..., None]
    if image.mode == "F":
        return _checked_float(np.asarray(image)[..., None], path)
    if image.has_transparency_data:
        return np.asarray(image.convert("RGBA"))
    if image.mode not in COLOURS:
        raise BadInput(path, f"colour mode {image.mode} is not supported", "convert it to RGB or grey")
    pixels = np.asarray(image.convert(COLOURS[image.mode]))
    return pixels if pixels.ndim == 3 else pixels[..., None]


def _png_needs_more_than_pillow(path: Path) -> bool:
    """Whether a PNG has 16 bits in more than one channel, of which Pillow drops eight without a word."""
    with path.open("rb") as stream:
        header = stream.read(26)
    depth, colour = header[24], header[25]
    return depth == 16 and colour != 0


def _read_deep_png(path: Path) -> np.ndarray:
    try:
        import imagecodecs
    except ImportError:
        raise MissingExtra("a 16-bit RGB PNG", "images") from None
    pixels = np.asarray(imagecodecs.png_decode(path.read_bytes()))
    if pixels.dtype != np.uint16:
        raise BadInput(path, f"a 16-bit PNG came back as {pixels.dtype}", "convert it to TIFF")
    return _with_colours(pixels)


def _ppm_maximum(path: Path) -> int:
    """The largest value that a PPM's header announces: its fourth word, comments aside."""
    with path.open("rb") as stream:
        head = stream.read(4096)
    lines = (line.split(b"#")[0] for line in head.split(b"\n"))
    return int(b" ".join(lines).split()[3])


def _read_tiff(path: Path) -> np.ndarray:
    import tifffile

    # OME and Micro-Manager TIFFs may name further files, anywhere; this one is all that the user gave.
    with tifffile.TiffFile(path, _multifile=False, is_mmstack=False, is_ndtiff=False) as file:
        page = file.pages.first
        INPUT_PIXELS.check(str(path), (page.imagelength, page.imagewidth))
        _refuse_cmyk(path, page.photometric == tifffile.PHOTOMETRIC.SEPARATED)
        source = _channel_pages(file) or page
        channels = math.prod(source.shape) // (page.imagelength * page.imagewidth)
        if channels > 4:
            INPUT_SAMPLES.check(str(path), source.shape)
        if source is page and page.bitspersample <= 8 and _pillow_knows(page):
            return _read_with_pillow(path)
        if source.dtype is None or source.dtype.name not in {"uint8", "uint16", "float16", "float32", "float64"}:
            raise BadInput(path, f"a TIFF of {source.dtype} values", "convert it to 8 or 16 bits or to float")
        if source.axes not in {"YX", "YXS", "SYX", "CYX"} or page.photometric == tifffile.PHOTOMETRIC.PALETTE:
            raise BadInput(path, f"a TIFF with axes {source.axes} is not a plain image", "convert it to grey or RGB")
        try:
            pixels = np.asarray(source.asarray())
        except ValueError as error:
            if "imagecodecs" in str(error):
                raise MissingExtra(
                    f"a TIFF with {tifffile.COMPRESSION(page.compression).name} compression", "images"
                ) from None
            raise
        pixels = np.moveaxis(pixels, 0, -1) if source.axes in {"SYX", "CYX"} else pixels
        pixels = _with_colours(pixels, has_alpha=bool({1, 2} & set(map(int, page.extrasamples))))
        if page.photometric == tifffile.PHOTOMETRIC.MINISWHITE:
            pixels = (np.iinfo(pixels.dtype).max if pixels.dtype.kind == "u" else 1) - pixels
        orientation = page.tags.valueof(274, 1)
    return _upright(pixels if pixels.dtype.kind == "u" else _checked_float(pixels, path), int(orientation))


def _channel_pages(file: Any) -> Any:
    """The series of a TIFF whose pages are the channels of one picture, as OME and ImageJ say it; else nothing."""
    series = file.series[0] if len(file.pages) > 1 else None
    return series if series is not None and series.axes == "CYX" else None


def _pillow_knows(page: Any) -> bool:
    """Whether a page of 8 bits and less is of the kinds that Pillow has: grey, palettes and colours, with alpha."""
    import tifffile

    grey = page.photometric in {tifffile.PHOTOMETRIC.MINISBLACK, tifffile.PHOTOMETRIC.MINISWHITE}
    has_alpha = bool({1, 2} & set(map(int, page.extrasamples)))
    return page.sampleformat == tifffile.SAMPLEFORMAT.UINT and page.samplesperpixel <= (1 + has_alpha if grey else 4)


def _with_colours(pixels: np.ndarray, *, has_alpha: bool = True) -> np.ndarray:
    """(h, w) or (h, w, channels) with channels; grey with alpha becomes RGBA."""
    if pixels.ndim == 2:
        return pixels[..., None]
    if pixels.ndim != 3:
        raise ValueError(f"values of shape {pixels.shape}, where an image has rows, columns and channels")
    if pixels.shape[-1] == 2 and has_alpha:
        return pixels[..., [0, 0, 0, 1]]
    return pixels


def _refuse_cmyk(path: Path, is_cmyk: bool) -> None:
    if is_cmyk:
        raise BadInput(path, "CMYK colours depend on a printing profile", "convert it to RGB")


def _checked_float(pixels: np.ndarray, path: Path) -> np.ndarray:
    pixels = pixels.astype(np.float32)
    if not np.isfinite(pixels).all():
        count = int((~np.isfinite(pixels)).sum())
        raise BadInput(path, f"{count} values are NaN or infinite", "replace them first")
    low, high = float(pixels.min()), float(pixels.max())
    if low < 0 or high > 1:
        raise BadInput(path, f"float values from {low:g} to {high:g}, outside [0, 1]", "scale them to [0, 1] first")
    return pixels


def _upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Undo the rotation that EXIF's orientation (1 to 8) says the camera had; 5 to 8 exchange the axes."""
    if orientation >= 5:
        pixels = pixels.swapaxes(0, 1)
    if orientation in {3, 4, 7, 8}:
        pixels = pixels[::-1]
    if orientation in {2, 3, 6, 7}:
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)
