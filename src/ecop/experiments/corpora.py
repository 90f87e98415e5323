"""The signals of a study: where they come from, which are held out, and copies of them with corrupted points."""

import dataclasses
import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

import numpy as np

from ecop.core.errors import BadInput
from ecop.core.recipe import DataSettings, Recipe
from ecop.core.registry import SIGNALS
from ecop.data.crops import at_size, random_window
from ecop.data.fetch import DATASETS, fetch
from ecop.data.folder import Item
from ecop.data.layouts import divided
from ecop.data.loader import fixed_signals
from ecop.experiments.study import Corpus
from ecop.signals.base import Signal

Part = Literal["test", "validation"]

S = TypeVar("S", bound=Signal)


@dataclass(frozen=True)
class HeldOut:
    """The signals that are fitted.

    Attributes:
        names: of their files.
        contexts: what the fits learn from.
        targets: what the reconstructions are compared with.
    """

    names: tuple[str, ...]
    contexts: tuple[Signal, ...]
    targets: tuple[Signal, ...]


def source(corpus: Corpus, given: Mapping[str, Path], progress: Callable[[str], None] = lambda line: None) -> Path:
    """The folder of a corpus: the user's, or that of the data set, which is brought if it is not here.

    Raises:
        BadInput: where the corpus has no data set, and no folder was given.
    """
    if corpus.name in given:
        return given[corpus.name]
    if not corpus.data:
        raise BadInput(corpus.name, "this scale has no data set for it", f"say where it lies: --data {corpus.name}=DIR")
    dataset = DATASETS[corpus.data]
    return dataset.path if dataset.path.is_dir() else fetch(corpus.data, progress=progress)


def held_out(folder: Path, recipe: Recipe, corpus: Corpus, part: Part, corruption: float = 0.0) -> HeldOut:
    """Signals of a split, evenly spread over it, at the recipe's size.

    Each is cut from its middle; where the corpus says so, and the recipe trains on windows, several windows of its own
    are cut from each at the recipe's scales, which its name decides. They are named ``FILE@NUMBER``.

    Args:
        folder: of the corpus.
        recipe: its modality and data settings decide.
        corpus: says how many, and how many windows of each.
        part: the split.
        corruption: share of the points that the fits see as noise.

    Raises:
        BadInput: if the folder cannot be read, or nothing is held out.
    """
    signal_class = SIGNALS[recipe.signal]
    items = getattr(divided(folder, signal_class, recipe.data, part), part)
    count = min(corpus.test, len(items))
    items = [items[place] for place in np.unique(np.linspace(0, len(items) - 1, count).astype(int))]
    if corpus.windows > 1 and recipe.data.crop == "random":
        pairs = [pair for item in items for pair in _windows(item, signal_class, recipe.data, folder, corpus.windows)]
        names, clean = tuple(name for name, _ in pairs), tuple(signal for _, signal in pairs)
    else:
        names = tuple(item.name(folder) for item in items)
        clean = tuple(fixed_signals(items, signal_class, recipe.data))
    if not corruption:
        return HeldOut(names, clean, clean)
    noisy = tuple(corrupted(signal, corruption, name) for signal, name in zip(clean, names, strict=True))
    return HeldOut(names, noisy, noisy if corruption == 1 else clean)


def _windows(
    item: Item, signal_class: type[Signal], settings: DataSettings, folder: Path, count: int
) -> Iterator[tuple[str, Signal]]:
    signal, name = item.read(signal_class, settings.reading), item.name(folder)
    generator = _generator(name)
    for number in range(count):
        window = random_window(signal.shape, settings.size, signal.elastic, settings.scales, generator)
        yield f"{name}@{number}", at_size(signal.block(*window), settings.size).with_channels(settings.channels)


def corrupted_copy(folder: Path, recipe: Recipe, share: float, shelf: Path) -> tuple[Path, DataSettings]:
    """A folder with the training signals of another, cut at the recipe's size, with a share of their points corrupted.

    Returns:
        The folder, made once, and the data settings with which it is read: windows as they lie there.
    """
    settings = recipe.data
    key = hashlib.sha256(repr((folder.name, dataclasses.asdict(settings))).encode()).hexdigest()[:8]
    target = shelf / f"{folder.name}-{share:g}-{key}"
    if not target.is_dir():
        signal_class = SIGNALS[recipe.signal]
        items = divided(folder, signal_class, settings).train
        partial = target.with_name(target.name + ".partial")
        for number, signal in enumerate(fixed_signals(items, signal_class, settings)):
            path = partial / "train" / f"{number:05d}{signal_class.preferred_suffix}"
            path.parent.mkdir(parents=True, exist_ok=True)
            corrupted(signal, share, items[number].name(folder)).write(path)
        partial.rename(target)
    return target, dataclasses.replace(settings, crop="centre", layout="folder", split_file=None, test=0.0)


def corrupted(signal: S, share: float, name: str) -> S:
    """The signal with a share of its points replaced by uniform noise; which, and by what, its name decides."""
    generator = _generator(name)
    values = signal.values.copy()
    flat = values.reshape(-1, signal.channels)
    chosen = generator.random(len(flat)) < share
    flat[chosen] = generator.random((int(chosen.sum()), signal.channels), np.float32)
    return dataclasses.replace(signal, values=values)


def _generator(name: str) -> np.random.Generator:
    return np.random.default_rng(int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big"))
