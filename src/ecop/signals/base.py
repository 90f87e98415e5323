"""What every modality offers: one class per modality, on the host, without JAX."""

import abc
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from ecop.core.grids import Convention, GridSpec, regular_grid


@dataclass(frozen=True, eq=False)
class Signal(abc.ABC):
    """Samples of one signal on a regular grid, scaled for a field.

    Attributes:
        values: (*shape, channels) float32, scaled to [0, 1]; points without a value are NaN where the modality allows.
        about: what is needed, as JSON values, to write the signal back in its own form (units, bit depth, colour mode).
        source: the name of the file that it came from, or what else describes it.
    """

    values: np.ndarray
    about: Mapping[str, Any]
    source: str = ""

    kind: ClassVar[str]
    dimensions: ClassVar[int]
    suffixes: ClassVar[tuple[str, ...]]
    preferred_suffix: ClassVar[str]

    @property
    def shape(self) -> tuple[int, ...]:
        """Samples along each axis."""
        return self.values.shape[:-1]

    @property
    def channels(self) -> int:
        """Values at each sample."""
        return self.values.shape[-1]

    def grid(self, convention: Convention = "centres") -> GridSpec:
        """Where the samples lie."""
        return regular_grid(self.shape, convention)

    @classmethod
    @abc.abstractmethod
    def read(cls, path: Path | str) -> Self:
        """Read a file.

        Raises:
            BadInput: if it is missing, empty, truncated, damaged or of another modality; one clear line.
            TooLarge: if it would be larger in memory than the limit.
        """

    @abc.abstractmethod
    def write(self, path: Path | str) -> None:
        """Write in the format that the suffix names: to a temporary name first, then renamed.

        Raises:
            CannotWrite: for a folder that cannot be written, a full disk or an unknown suffix.
        """

    @classmethod
    @abc.abstractmethod
    def write_strips(
        cls,
        path: Path | str,
        strips: Iterable[np.ndarray],
        shape: tuple[int, ...],
        channels: int,
        about: Mapping[str, Any],
    ) -> None:
        """`write` for a field's predictions that arrive in strips along the first axis, (n, *shape[1:], channels) each.

        Where the format allows it no more than a strip is kept in memory.
        """

    @classmethod
    @abc.abstractmethod
    def assemble(cls, values: np.ndarray, about: Mapping[str, Any], source: str = "") -> Self:
        """A signal from a field's predictions, (*shape, channels) of any shape, clipped to what the modality allows."""

    @abc.abstractmethod
    def with_channels(self, channels: int) -> Self:
        """The same signal with another number of channels, by the modality's documented rule."""

    @abc.abstractmethod
    def resized(self, shape: tuple[int, ...]) -> Self:
        """Resampled to ``shape`` with the modality's antialiasing filter."""

    @abc.abstractmethod
    def block(self, start: tuple[int, ...], shape: tuple[int, ...]) -> Self:
        """The samples from ``start``, ``shape`` of them."""

    @abc.abstractmethod
    def metrics(self, reconstruction: Self) -> dict[str, float]:
        """Metrics of the modality against a reconstruction of the same shape; always with ``psnr`` (dB, peak 1)."""

    @abc.abstractmethod
    def stored(self) -> Self:
        """The signal as a file would give it back: clipped and rounded to its bit depth."""
