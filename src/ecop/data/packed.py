"""A signal kept in memory at the smallest width that loses nothing."""

import dataclasses
from dataclasses import dataclass

import numpy as np

from ecop.signals.base import Signal

SLAB = 2**20  # values looked at together


@dataclass(frozen=True)
class Packed:
    """A signal whose samples are held as whole steps of 1/255 or 1/65535 if that is exact, else as they are.

    Attributes:
        samples: (*shape, channels), uint8, uint16 or float32.
        steps: 255 or 65535, or 1 for float32.
        empty: the signal without its samples, which knows everything else about it, but for the whole that scattered
            ones were drawn from.
        coordinates: of scattered samples.
    """

    samples: np.ndarray
    steps: int
    empty: Signal
    coordinates: np.ndarray | None = None

    @classmethod
    def of(cls, signal: Signal) -> "Packed":
        """Pack a signal.

        Example:
            >>> from ecop.signals import Image
            >>> image = Image.assemble(np.full((4, 4, 1), 0.2), {"bits": 8})
            >>> Packed.of(image.stored()).samples.dtype
            dtype('uint8')
        """
        nothing = np.empty((0,) * len(signal.shape) + (signal.channels,), np.float32)
        # A slice would keep the whole array alive.
        empty = dataclasses.replace(signal, values=nothing, coordinates=None, whole=None)
        for width, steps in ((np.uint8, 255), (np.uint16, 65535)):
            samples = _whole_steps(signal.values, width, steps)
            if samples is not None:
                return cls(samples, steps, empty, signal.coordinates)
        return cls(signal.values.copy(), 1, empty, signal.coordinates)

    @property
    def shape(self) -> tuple[int, ...]:
        """Samples along each axis."""
        return self.samples.shape[:-1]

    @property
    def bytes(self) -> int:
        """Memory that the samples take."""
        return self.samples.nbytes + (0 if self.coordinates is None else self.coordinates.nbytes)

    def block(self, start: tuple[int, ...], shape: tuple[int, ...]) -> Signal:
        """The samples from ``start``, ``shape`` of them, exactly as the signal had them."""
        window = tuple(slice(i, i + n) for i, n in zip(start, shape, strict=True))
        about = self.empty.about_block(self.empty.about, start, shape, self.shape)
        places = None if self.coordinates is None else self.coordinates[window]
        values = _scaled(self.samples[window], self.steps)
        return dataclasses.replace(self.empty, values=values, about=about, coordinates=places)


def _whole_steps(values: np.ndarray, width: type[np.unsignedinteger], steps: int) -> np.ndarray | None:
    """``values`` in whole steps, or nothing if they are not; slab by slab, since a photo is 200 MB in float32."""
    samples = np.empty(values.shape, width)
    rows = max(1, SLAB * len(values) // max(1, values.size))
    for start in range(0, len(values), rows):
        slab, kept = values[start : start + rows], samples[start : start + rows]
        rounded = np.rint(slab * steps)
        if not (np.all(rounded >= 0) and np.all(rounded <= steps)):  # NaN compares as false
            return None
        kept[...] = rounded
        if not np.array_equal(_scaled(kept, steps), slab):
            return None
    return samples


def _scaled(samples: np.ndarray, steps: int) -> np.ndarray:
    return samples if samples.dtype == np.float32 else samples.astype(np.float32) / np.float32(steps)
