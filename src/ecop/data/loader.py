"""Batches of training signals: a pure function of settings, seed, files and step, so that a run resumes exactly."""

import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from ecop.core.grids import Convention
from ecop.core.limits import DECODED_BYTES
from ecop.core.recipe import DataSettings
from ecop.data.crops import at_size, centre_cut, random_window
from ecop.data.folder import Item
from ecop.data.packed import Packed
from ecop.signals.base import Signal

THREADS, BATCHES_AHEAD = 2, 4
EPOCHS = 2**36  # endless; grain's own endless repetition overflows its length at batch 1


class Batch(NamedTuple):
    """Signals of one shape and where their samples lie: on grids, or at scattered points.

    Attributes:
        values: (B, *size, channels) float32 in [0, 1], NaN where missing.
        origin: (B, axes) float64, the position of each signal's first sample; ``None`` for scattered ones.
        spacing: (B, axes) float64, between neighbouring samples; ``None`` for scattered ones.
        coordinates: (B, *size, d_in) float32, of scattered samples; ``None`` on grids.
    """

    values: np.ndarray
    origin: np.ndarray | None = None
    spacing: np.ndarray | None = None
    coordinates: np.ndarray | None = None

    @classmethod
    def of(cls, signals: Iterable[Signal], convention: Convention) -> "Batch":
        """The signals, which must have one shape."""
        each = [_arrays(signal, convention) for signal in signals]
        return cls(**{name: np.stack([arrays[name] for arrays in each]) for name in each[0]})


class Loader:
    """Batches of equally large signals, cut from files as the settings say, in an endless shuffled order.

    Every epoch has its own order, and every draw its own window; both follow from the seed and the position alone.
    Threads work a few batches ahead. Decoded signals are kept, as 8 bits where nothing is lost by it, up to
    ``ECOP_DECODED_BYTES``; whatever was kept or not, the batches are the same.

    A file that cannot be read ends the training with an error that names it: a run that passes over files in silence
    would not be the run that its recipe describes.

    Args:
        items: at least one, in a fixed order.
        signal: their modality.
        settings: how signals are cut and batched.
        seed: of the order and the windows.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> from ecop.signals import Image
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "grey.png")
        ...     Image.assemble(np.full((8, 8, 3), 0.2), {}).write(path)
        ...     loader = Loader([Item(path)], Image, DataSettings(size=(4, 4), batch=2), seed=0)
        ...     next(loader.batches()).values.shape
        (2, 4, 4, 3)
    """

    def __init__(self, items: Sequence[Item], signal: type[Signal], settings: DataSettings, seed: int):
        self.items, self.signal, self.settings, self.seed = list(items), signal, settings, seed
        self._decoded = _Decoded(self._prepared)

    def batches(self, start_step: int = 0) -> Iterator[Batch]:
        """Endless batches from ``start_step`` on.

        Raises:
            BadInput: when a file's turn comes that cannot be read.
        """
        import grain  # imports JAX; whoever only lists or reads files does not need it

        batches = (
            grain.MapDataset.source(self.items)
            .seed(self.seed)
            .shuffle()
            .repeat(EPOCHS)
            .random_map(self._example)
            .batch(self.settings.batch)
            .slice(slice(start_step, None))
        )
        options = grain.ReadOptions(num_threads=THREADS, prefetch_buffer_size=BATCHES_AHEAD)
        return (Batch(**arrays) for arrays in batches.to_iter_dataset(options))

    def _prepared(self, item: Item) -> Signal:
        """What is kept of a signal: all of it for random windows, else the one window."""
        signal = item.read(self.signal, self.settings.reading)
        return signal if self.settings.crop == "random" else centre_cut(signal, self.settings.size)

    def _example(self, item: Item, generator: np.random.Generator) -> dict[str, np.ndarray]:
        packed, settings = self._decoded[item], self.settings
        if settings.crop == "random":
            window = random_window(packed.shape, settings.size, packed.empty.elastic, settings.scales, generator)
            signal = at_size(packed.block(*window), settings.size)
        else:
            signal = packed.block((0,) * len(packed.shape), packed.shape)
        return _arrays(signal.with_channels(settings.channels), settings.grid)


def fixed_signals(items: Sequence[Item], signal: type[Signal], settings: DataSettings) -> Iterator[Signal]:
    """The middle of each signal at the recipe's size and channels, in the items' order, read one at a time.

    What validation and evaluation use: nothing in it is random.

    Raises:
        BadInput: when a file's turn comes that cannot be read.
    """
    for item in items:
        yield centre_cut(item.read(signal, settings.reading), settings.size).with_channels(settings.channels)


def _arrays(signal: Signal, convention: Convention) -> dict[str, np.ndarray]:
    """A signal's part of a `Batch`."""
    if signal.coordinates is not None:
        return {"values": signal.values, "coordinates": signal.coordinates}
    grid = signal.grid(convention)
    return {"values": signal.values, "origin": np.asarray(grid.origin), "spacing": np.asarray(grid.spacing)}


class _Decoded:
    """The most recently used signals, up to a number of bytes; each is read once even if several threads ask."""

    def __init__(self, read):
        self._read, self._limit = read, DECODED_BYTES.value
        self._kept: OrderedDict[Item, Packed] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()
        self._reading: dict[Item, threading.Lock] = {}

    def __getitem__(self, item: Item) -> Packed:
        with self._lock:
            if item in self._kept:
                self._kept.move_to_end(item)
                return self._kept[item]
            reading = self._reading.setdefault(item, threading.Lock())
        with reading:
            with self._lock:
                if item in self._kept:
                    return self._kept[item]
            packed = Packed.of(self._read(item))
            with self._lock:
                self._keep(item, packed)
                self._reading.pop(item, None)
        return packed

    def _keep(self, item: Item, packed: Packed) -> None:
        self._kept[item] = packed
        self._bytes += packed.bytes
        while self._bytes > self._limit and len(self._kept) > 1:
            _, dropped = self._kept.popitem(last=False)
            self._bytes -= dropped.bytes
