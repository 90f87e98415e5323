"""Pictures of a signal and of a fit for any window, in any number of pixels."""

import io

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import to_rgb

from ecop.fit.fitted import Fitted
from ecop.signals.base import Signal
from ecop.signals.image_writing import quantised
from ecop.signals.showing import Part, Pixels, Plane, Window

KEPT = to_rgb("#D55E00")
LARGEST_MAP = 512
"""Pixels along a side of a map of errors or kept points."""

STRIP = 24
"""Rows of a map of a signal along one axis."""


def field_window(fitted: Fitted, plane: Plane, window: Window, pixels: Pixels) -> np.ndarray:
    """(height, width, 3) colours of a window, evaluated from the field for these pixels.

    Raises:
        EcopError: as `Fitted.render`.
    """
    part = plane.part(fitted.shape, fitted.about, window, pixels)
    starts, ends = zip(*reversed(part.extent), strict=True)
    return plane.colours(fitted.render(part.shape, region=(*starts, *ends)), pixels)


def signal_window(signal: Signal, plane: Plane, window: Window, pixels: Pixels) -> np.ndarray:
    """The same of the signal itself: its own samples, enlarged as they are, or resampled where they are more."""
    part = plane.part(signal.shape, signal.about, window, pixels)
    about = signal.about_render(signal.about, signal.shape, part.shape, part.extent)
    return plane.colours(signal.assemble(_samples(signal, part), about, signal.source), pixels)


def error_map(signal: Signal, errors: np.ndarray, depth: float) -> tuple[np.ndarray, float]:
    """Absolute errors as colours, and the error that the brightest stands for: all but one in a hundred lie below."""
    numbers = laid_out(signal, errors, depth)
    highest = max(float(np.nanquantile(errors, 0.99)), 1e-6)
    colours = colormaps["magma"](np.clip(np.nan_to_num(numbers) / highest, 0, 1))[..., :3]
    return np.where(np.isfinite(numbers)[..., None], colours, 1.0), highest


def kept_map(signal: Signal, kept: np.ndarray, depth: float) -> np.ndarray:
    """Where the points with the highest scores lie, over the signal in grey."""
    marks = laid_out(signal, kept.astype(float), depth)
    plane = type(signal).show.plane
    grey = np.full((*marks.shape, 3), 0.92)
    if plane is not None and signal.coordinates is None and len(signal.shape) > 1:
        beneath = signal_window(signal, plane, Window(depth=depth), Pixels(*marks.shape))
        grey = 0.3 + 0.6 * np.repeat(beneath.mean(-1, keepdims=True), 3, -1)
    grey = np.where(np.isfinite(marks)[..., None], grey, 1.0)
    share = np.nan_to_num(marks)[..., None]
    return (1 - share) * grey + share * np.array(KEPT)


def laid_out(signal: Signal, numbers: np.ndarray, depth: float) -> np.ndarray:
    """(height, width): a number for each sample where the signal's picture shows the sample; NaN where it shows none.

    Args:
        signal: on a grid with a plane, or at scattered points that a modality shows.
        numbers: (*signal.shape).
        depth: of the layer.
    """
    show = type(signal).show
    if show.scattered is not None and signal.coordinates is not None:
        return show.scattered(signal, numbers)
    assert show.plane is not None, "asked only of what has maps"
    own = show.plane.size(signal.shape, signal.about)
    factor = min(1.0, LARGEST_MAP / max(own))
    pixels = Pixels(*(max(1, round(n * factor)) for n in own))
    part = show.plane.part(signal.shape, signal.about, Window(depth=depth), pixels)
    rows = show.plane.turned(_nearest(numbers[..., None], part), signal.about)[..., 0]
    if len(rows) > 1:
        return rows
    edges = np.arange(pixels.width) * rows.size // pixels.width
    means = np.add.reduceat(rows[0], edges) / np.diff(edges, append=rows.size)
    return np.repeat(means[None], STRIP, axis=0)


def has_maps(signal: Signal | None) -> bool:
    """Whether errors and kept points of a signal can be laid out."""
    if signal is None:
        return False
    show = type(signal).show
    return show.scattered is not None if signal.coordinates is not None else show.plane is not None


def png(colours: np.ndarray) -> bytes:
    """(height, width, 3) in [0, 1] as a PNG file, quickly rather than small."""
    from PIL import Image as Pillow

    content = io.BytesIO()
    Pillow.fromarray(quantised(colours, 8)).save(content, "PNG", compress_level=1)
    return content.getvalue()


def _samples(signal: Signal, part: Part) -> np.ndarray:
    """The samples of a part: averaged where the part has fewer, repeated where it has more."""
    starts = [int(start * n) for n, (start, _) in zip(signal.shape, part.extent, strict=True)]
    ends = [max(s + 1, round(end * n)) for n, s, (_, end) in zip(signal.shape, starts, part.extent, strict=True)]
    sizes = tuple(end - start for start, end in zip(starts, ends, strict=True))
    if any(wanted > there for wanted, there in zip(part.shape, sizes, strict=True)):
        return _nearest(signal.values, part)
    return signal.block(tuple(starts), sizes).resized(part.shape).values


def _nearest(values: np.ndarray, part: Part) -> np.ndarray:
    """(*part.shape, channels) of (*shape, channels)."""
    indices = []
    for own, n, (start, end) in zip(values.shape, part.shape, part.extent, strict=False):
        places = (start + (np.arange(n) + 0.5) / n * (end - start)) * own
        indices.append(np.clip(places.astype(int), 0, own - 1))
    return values[np.ix_(*indices)]
