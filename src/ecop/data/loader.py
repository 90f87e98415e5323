"""Batches of training signals: a pure function of settings, seed, files and step, so that a run resumes exactly."""

import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from ecop.core.limits import DECODED_BYTES
from ecop.core.recipe import DataSettings
from ecop.data.crops import centre_cut, random_window
from ecop.data.packed import Packed
from ecop.signals.base import Signal

THREADS, BATCHES_AHEAD = 2, 4
EPOCHS = 2**36  # endless; grain's own endless repetition overflows its length at batch 1


class Loader:
    """Batches of equally large signals, cut from files as the settings say, in an endless shuffled order.

    Every epoch has its own order, and every draw its own window; both follow from the seed and the position alone.
    Threads work a few batches ahead. Decoded files are kept, as 8 bits where nothing is lost by it, up to
    ``ECOP_DECODED_BYTES``; whatever was kept or not, the batches are the same.

    A file that cannot be read ends the training with an error that names it: a run that passes over files in silence
    would not be the run that its recipe describes.

    Args:
        files: at least one, in a fixed order.
        signal: their modality.
        settings: how signals are cut and batched.
        seed: of the order and the windows.

    Example:
        >>> import tempfile
        >>> from ecop.signals import Image
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "grey.png")
        ...     Image.assemble(np.full((8, 8, 3), 0.2), {}).write(path)
        ...     loader = Loader([path], Image, DataSettings(size=(4, 4), batch=2), seed=0)
        ...     next(loader.batches()).shape
        (2, 4, 4, 3)
    """

    def __init__(self, files: Sequence[Path], signal: type[Signal], settings: DataSettings, seed: int):
        self.files, self.signal, self.settings, self.seed = list(files), signal, settings, seed
        self._decoded = _Decoded(self._prepared)

    def batches(self, start_step: int = 0) -> Iterator[np.ndarray]:
        """Endless batches from ``start_step`` on, each (batch, *size, channels) float32 in [0, 1].

        Raises:
            BadInput: when a file's turn comes that cannot be read.
        """
        import grain  # imports JAX; whoever only lists or reads files does not need it

        batches = (
            grain.MapDataset.source(self.files)
            .seed(self.seed)
            .shuffle()
            .repeat(EPOCHS)
            .random_map(self._example)
            .batch(self.settings.batch)
            .slice(slice(start_step, None))
        )
        options = grain.ReadOptions(num_threads=THREADS, prefetch_buffer_size=BATCHES_AHEAD)
        return iter(batches.to_iter_dataset(options))

    def _prepared(self, path: Path) -> Signal:
        """What is kept of a file: all of it for random windows, else the one window."""
        signal = self.signal.read(path)
        return signal if self.settings.crop == "random" else centre_cut(signal, self.settings.size)

    def _example(self, path: Path, generator: np.random.Generator) -> np.ndarray:
        packed, settings = self._decoded[path], self.settings
        if settings.crop == "random":
            start, shape = random_window(packed.shape, settings.size, settings.scales, generator)
            signal = packed.block(start, shape).resized(settings.size)
        else:
            signal = packed.block((0,) * len(packed.shape), packed.shape)
        return signal.with_channels(settings.channels).values


def fixed_signals(files: Sequence[Path], signal: type[Signal], settings: DataSettings) -> Iterator[Signal]:
    """The middle of each file at the recipe's size and channels, in the files' order, read one at a time.

    What validation and evaluation use: nothing in it is random.

    Raises:
        BadInput: when a file's turn comes that cannot be read.
    """
    for path in files:
        yield centre_cut(signal.read(path), settings.size).with_channels(settings.channels)


class _Decoded:
    """The most recently used signals, up to a number of bytes; each is read once even if several threads ask."""

    def __init__(self, read):
        self._read, self._limit = read, DECODED_BYTES.value
        self._kept: OrderedDict[Path, Packed] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()
        self._reading: dict[Path, threading.Lock] = {}

    def __getitem__(self, path: Path) -> Packed:
        with self._lock:
            if path in self._kept:
                self._kept.move_to_end(path)
                return self._kept[path]
            reading = self._reading.setdefault(path, threading.Lock())
        with reading:
            with self._lock:
                if path in self._kept:
                    return self._kept[path]
            packed = Packed.of(self._read(path))
            with self._lock:
                self._keep(path, packed)
                self._reading.pop(path, None)
        return packed

    def _keep(self, path: Path, packed: Packed) -> None:
        self._kept[path] = packed
        self._bytes += packed.bytes
        while self._bytes > self._limit and len(self._kept) > 1:
            _, dropped = self._kept.popitem(last=False)
            self._bytes -= dropped.bytes
