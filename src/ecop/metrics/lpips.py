"""LPIPS: how far apart two pictures are in the features of a network that has seen a million photographs."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from ecop.core.errors import InvalidSetting
from ecop.metrics.lpips_weights import LpipsWeights

SHIFT = np.array([-0.030, -0.088, -0.188], np.float32)
SCALE = np.array([0.458, 0.448, 0.450], np.float32)
"""With values in [−1, 1], the mean and deviation of ImageNet's colours, as the authors round them."""

STRIDES, PADDINGS, POOLED = (4, 1, 1, 1, 1), (2, 2, 1, 1, 1), (False, True, True, False, False)
"""Of AlexNet's convolutions: step, border of zeros, and whether the picture is pooled before it."""

SMALLEST = 31
"""Pixels along a side from which every layer has a value."""

SLAB = 2**24
"""Numbers of a convolution's patches that are laid out at once."""


def lpips(
    reference: np.ndarray, reconstruction: np.ndarray, weights: LpipsWeights | str | Path | Sequence[str | Path]
) -> float:
    """LPIPS of Zhang, Isola, Efros, Shechtman and Wang (CVPR 2018), version 0.1 with AlexNet.

    d = Σ_l mean over pixels of Σ_c w_lc (x̂_lc − ŷ_lc)², over the five layers l of AlexNet behind their rectifiers,
    where x̂ = x / (‖x‖ + 1e-10) is divided by its norm over the channels at each pixel, and w_l are the learned weights
    of the layer. Pictures are taken from [0, 1] to [−1, 1], then shifted and scaled by the constants of the paper's
    program. Computed in float32 by NumPy.

    Args:
        reference: (height, width, 3), or 1 for grey, in [0, 1]; each side at least 31 pixels, from which every layer
            has a value.
        reconstruction: the same shape.
        weights: those of LPIPS, or the file or files that hold them (see `LpipsWeights.load`).

    Returns:
        0 for equal pictures; larger is further apart, around 1 for unrelated ones.

    Raises:
        InvalidSetting: if the shapes differ, a side is too short, or there are other than 1 or 3 channels.
        BadInput: for weights that cannot be read.
    """
    if reference.shape != reconstruction.shape:
        raise InvalidSetting("reconstruction.shape", reconstruction.shape, f"the reference's shape, {reference.shape}")
    if reference.ndim != 3 or min(reference.shape[:2]) < SMALLEST or reference.shape[2] not in (1, 3):
        expected = f"(height, width, 3) with at least {SMALLEST} pixels along each side for LPIPS"
        raise InvalidSetting("shape", reference.shape, expected)
    loaded = weights if isinstance(weights, LpipsWeights) else LpipsWeights.load(weights)
    layers = zip(_features(reference, loaded), _features(reconstruction, loaded), loaded.heads, strict=True)
    return float(sum(_distance(ours, theirs, head) for ours, theirs, head in layers))


def _features(picture: np.ndarray, weights: LpipsWeights) -> Iterator[np.ndarray]:
    """(channels, height, width) behind each rectifier."""
    colours = np.broadcast_to(picture, (*picture.shape[:2], 3)).astype(np.float32)
    values = np.moveaxis((2 * colours - 1 - SHIFT) / SCALE, -1, 0)
    for kernel, bias, stride, padding, pooled in zip(
        weights.kernels, weights.biases, STRIDES, PADDINGS, POOLED, strict=True
    ):
        values = convolved(pooled_by_three(values) if pooled else values, kernel, stride, padding)
        values = np.maximum(values + bias[:, None, None], 0)
        yield values


def convolved(values: np.ndarray, kernel: np.ndarray, stride: int, padding: int) -> np.ndarray:
    """(out, h, w): a network's convolution, which is a correlation, of (in, height, width) with (out, in, k, k)."""
    padded = np.pad(values, ((0, 0), (padding, padding), (padding, padding)))
    side = kernel.shape[-1]
    # (in, h, w, k, k), a view
    patches = np.lib.stride_tricks.sliding_window_view(padded, (side, side), axis=(1, 2))[:, ::stride, ::stride]
    height, width = patches.shape[1:3]
    matrix = kernel.reshape(len(kernel), -1)
    rows = max(1, SLAB // (matrix.shape[1] * width))
    slabs = [
        matrix @ patches[:, start : start + rows].transpose(0, 3, 4, 1, 2).reshape(matrix.shape[1], -1)
        for start in range(0, height, rows)
    ]
    return np.concatenate(slabs, axis=1).reshape(len(kernel), height, width)


def pooled_by_three(values: np.ndarray) -> np.ndarray:
    """The largest of each 3×3 pixels, every second along each axis, of (channels, height, width)."""
    windows = np.lib.stride_tricks.sliding_window_view(values, (3, 3), axis=(1, 2))[:, ::2, ::2]
    return windows.max(axis=(-2, -1))


def _distance(ours: np.ndarray, theirs: np.ndarray, head: np.ndarray) -> float:
    squared = np.square(_unit(ours) - _unit(theirs))
    return float(np.tensordot(head, squared, axes=1).mean(dtype=np.float64))


def _unit(values: np.ndarray) -> np.ndarray:
    return values / (np.sqrt(np.square(values).sum(axis=0)) + np.float32(1e-10))
