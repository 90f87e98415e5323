"""Between the numbers of a volume's file and values in [0, 1]."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

Bounds = tuple[float, float]


def bounds_of(about: Mapping[str, Any]) -> Bounds:
    """What 0 and 1 stand for; (0, 1) if nobody said."""
    low, high = about.get("bounds", (0.0, 1.0))
    return low, high


def own_bounds(numbers: np.ndarray, shown: Bounds | None) -> Bounds | None:
    """The least and the largest number, widened to the range that the file is shown with; ``None`` if all are NaN.

    Blocks cut from one volume share its range so, whatever each of them holds.
    """
    low, high = float(np.fmin.reduce(numbers, axis=None)), float(np.fmax.reduce(numbers, axis=None))
    if math.isnan(low):
        return None
    if shown is not None:
        low, high = min(low, shown[0]), max(high, shown[1])
    return (low, high) if low < high else (low, low + 1)


def scaled(numbers: np.ndarray, bounds: Bounds) -> np.ndarray:
    """float32 in [0, 1]: numbers outside the bounds are clipped to them, NaN stays NaN."""
    low, high = bounds
    values = np.empty(numbers.shape, np.float32)
    for target, slab in zip(values, numbers, strict=True):  # float64 for a slice at a time
        np.clip((slab.astype(np.float64) - low) / (high - low), 0, 1, out=target, casting="same_kind")
    return values


def unscaled(values: np.ndarray, about: Mapping[str, Any]) -> np.ndarray:
    """float64 in the file's units."""
    low, high = bounds_of(about)
    return low + values.astype(np.float64) * (high - low)


def stored_numbers(values: np.ndarray, about: Mapping[str, Any]) -> np.ndarray:
    """The numbers that a file of ``about``'s dtype holds: whole ones rounded, before its own slope and intercept.

    A whole number cannot be missing: NaN becomes the lower bound there.
    """
    dtype = np.dtype(about.get("dtype", "float32"))
    slope, intercept = about.get("scale_factors", (1.0, 0.0))
    numbers = np.empty(values.shape, dtype)
    for target, slab in zip(numbers, values, strict=True):
        if dtype.kind == "f":
            target[...] = (unscaled(slab, about) - intercept) / slope
            continue
        whole = np.rint((unscaled(np.nan_to_num(slab, nan=0.0), about) - intercept) / slope)
        kinds = np.iinfo(dtype)
        # The largest 64-bit integers are no floats: the cast of the float beside them would wrap.
        highest = np.nextafter(float(kinds.max), 0) if kinds.bits == 64 else kinds.max
        target[...] = np.clip(whole, kinds.min, highest).astype(dtype)
    return numbers


def from_stored(numbers: np.ndarray, about: Mapping[str, Any]) -> np.ndarray:
    """What `scaled` makes of the numbers of such a file."""
    slope, intercept = about.get("scale_factors", (1.0, 0.0))
    if (slope, intercept) == (1.0, 0.0):
        return scaled(numbers, bounds_of(about))
    values = np.empty(numbers.shape, np.float32)
    for target, slab in zip(values, numbers, strict=True):
        target[...] = scaled(slab[None] * np.float64(slope) + intercept, bounds_of(about))[0]
    return values
