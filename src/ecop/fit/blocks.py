"""A large signal as blocks of the recipe's size, one field each, that overlap so that no seam shows."""

import itertools
from dataclasses import dataclass

import numpy as np

from ecop.core.grids import GridSpec
from ecop.core.recipe import check


@dataclass(frozen=True)
class Blocks:
    """How a signal is cut.

    Attributes:
        shape: samples of every block along each axis.
        overlap: samples that neighbours share along each axis, at least.
        starts: first sample of every block along each axis, one tuple a block.
    """

    shape: tuple[int, ...]
    overlap: int
    starts: tuple[tuple[int, ...], ...]

    def local(self, grid: GridSpec, number: int, own: GridSpec) -> tuple[list[slice], list[np.ndarray]]:
        """Which samples of ``grid`` lie within a block, and where on the block's own grid.

        What lies beyond the last sample by more than half a one, as between the last and the first longitude of a
        globe, belongs to the last blocks.

        Args:
            grid: a grid over the signal, in positions of its samples (see `sample_grid`).
            number: the block.
            own: the block's own grid.

        Returns:
            Per axis a slice of the grid's samples, and their positions in the block.
        """
        slices, coordinates = [], []
        last = tuple(map(max, zip(*self.starts, strict=True)))
        axes = zip(grid.axes(), self.starts[number], last, self.shape, own.origin, own.spacing, strict=True)
        for positions, start, last_start, length, origin, spacing in axes:
            end = np.inf if start == last_start else start + length
            inside = np.flatnonzero((positions >= start - 0.5) & (positions <= end - 0.5))
            first, behind = (inside[0], inside[-1] + 1) if inside.size else (0, 0)
            slices.append(slice(int(first), int(behind)))
            coordinates.append(origin + (positions[first:behind] - start) * spacing)
        return slices, coordinates

    def weights(self, grid: GridSpec, number: int, slices: list[slice]) -> np.ndarray:
        """How much a block counts at the samples in ``slices``: 1 inside, falling to its edges; (n, m, …) > 0."""
        weight = np.ones(())
        for positions, part, start, length in zip(grid.axes(), slices, self.starts[number], self.shape, strict=True):
            edge = np.minimum(positions[part] - (start - 0.5), start + length - 0.5 - positions[part])
            ramp = np.clip(edge / max(self.overlap, 1), 1e-3, 1.0)
            weight = weight[..., None] * ramp
        return weight


def cut(shape: tuple[int, ...], block: tuple[int, ...], overlap: int) -> Blocks:
    """Cover ``shape`` with equal blocks, evenly spaced from one end to the other, neighbours overlapping.

    Args:
        shape: samples of the signal along each axis.
        block: samples of a block; an axis that is shorter than that gets blocks of its own length.
        overlap: samples that neighbours share, at least; 0 ≤ overlap < block.

    Example:
        >>> cut((10, 4), (6, 8), 2).starts
        ((0, 0), (4, 0))
    """
    size = tuple(min(n, b) for n, b in zip(shape, block, strict=True))
    check(0 <= overlap < min(block), "overlap", overlap, f"0 ≤ overlap < {min(block)}, the block's shortest side")
    starts = []
    for n, b in zip(shape, size, strict=True):
        count = 1 if n == b else -(-(n - overlap) // max(1, b - overlap))
        starts.append([round(i * (n - b) / max(1, count - 1)) for i in range(count)])
    return Blocks(size, overlap, tuple(itertools.product(*starts)))


def sample_grid(target: GridSpec, source: GridSpec) -> GridSpec:
    """``target`` measured in samples of ``source``: position 3.5 lies between the source's samples 3 and 4."""
    spacing = [s or 1.0 for s in source.spacing]
    origin = tuple((t - o) / s for t, o, s in zip(target.origin, source.origin, spacing, strict=True))
    return GridSpec(target.shape, origin, tuple(t / s for t, s in zip(target.spacing, spacing, strict=True)))
