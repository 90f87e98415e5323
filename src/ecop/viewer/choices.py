"""What can be chosen on the page: initialisations and signals, those of the command line first."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ecop.core.errors import BadInput
from ecop.core.recipe import Recipe
from ecop.core.registry import SIGNALS
from ecop.data.folder import Item, find_files, items_of
from ecop.fit.finding import find_initialisation, shipped_initialisations
from ecop.fit.initialisation import RANDOM, Initialisation
from ecop.signals.base import Signal
from ecop.store.field_file import FieldFile

MOST_LOADED = 8
_loading = threading.Lock()


@dataclass(frozen=True)
class Choices:
    """What a page offers; only these are ever opened, whatever a request names.

    Attributes:
        initialisations: what `Initialisation.load` takes, in their order.
        kinds: the modality of each.
        files: signals named on the command line, by their titles.
        loaded: initialisations that were chosen already.
    """

    initialisations: tuple[str, ...]
    kinds: Mapping[str, str]
    files: Mapping[str, Item]
    loaded: dict[str, Initialisation] = field(default_factory=dict)

    def load(self, name: str) -> Initialisation:
        """An initialisation, read once.

        Raises:
            BadInput: if it is none of those that are offered.
            EcopError: as `Initialisation.load`.
        """
        if name not in self.initialisations:
            raise BadInput(name, "no initialisation of that name is offered here", "choose one from the list")
        with _loading:
            if name not in self.loaded:
                while len(self.loaded) >= MOST_LOADED:
                    self.loaded.pop(next(iter(self.loaded)))
                self.loaded[name] = Initialisation.load(name)
            return self.loaded[name]

    def label(self, name: str) -> str:
        """What an initialisation is called on the page: of a path its own name."""
        path = Path(name)
        if name in shipped_initialisations() or name.startswith(RANDOM):
            return name
        return path.parent.name if path.stem in ("best", "last") else path.stem

    def kind(self, name: str) -> type[Signal]:
        """The modality that an initialisation is for."""
        return SIGNALS[self.kinds[name]]

    def signals(self, name: str, uploads: Mapping[str, Item]) -> list[str]:
        """Titles of the signals for an initialisation: uploads, files of the command line, samples."""
        kind = self.kind(name)
        own = [title for title, item in {**uploads, **self.files}.items() if is_of(item.path, kind)]
        return [*own, *kind.show.samples]

    def read(self, name: str, title: str, uploads: Mapping[str, Item], folder: Path) -> Signal:
        """A signal by its title, with the recipe's settings; a sample is written into the folder first.

        Raises:
            BadInput: if nothing of that name is there any more, or its file cannot be read.
        """
        kind, known = self.kind(name), {**uploads, **self.files}
        reading = self.load(name).recipe.data.reading
        if title in known:
            return known[title].read(kind, reading)
        if title not in kind.show.samples:
            raise BadInput(title or "signal", "nothing of that name is here", "choose a sample, or upload a file")
        path = folder / f"{title}{kind.show.sample_suffix}"
        if not path.is_file():
            kind.show.samples[title](path)
        return Item(path).read(kind, reading)

    def partners(self, name: str) -> list[str]:
        """Other initialisations for the same modality, to compare with."""
        return [other for other in self.initialisations if other != name and self.kinds[other] == self.kinds[name]]

    def suited(self, path: Path, preferred: str) -> str:
        """The preferred initialisation if it is for such a file, else the first that is.

        Raises:
            BadInput: if none is.
        """
        for name in (preferred, *self.initialisations):
            if is_of(path, self.kind(name)):
                return name
        known = sorted({suffix for name in self.initialisations for suffix in self.kind(name).suffixes})
        raise BadInput(path, "no initialisation here is for files of this kind", f"give one of {', '.join(known)}")


def choices_of(init: str | None, files: Sequence[Path]) -> tuple[Choices, str]:
    """What ships, the random start of each, and what the command line named; and which initialisation comes first.

    Raises:
        EcopError: if the initialisation or a file cannot be read, or no initialisation is for a file.
    """
    shipped = shipped_initialisations()
    usual = sorted(shipped, key=lambda name: name != "photo")  # what most will try first
    offered = [*([init] if init else []), *usual, *(f"{RANDOM}{name}" for name in usual)]
    names = tuple(dict.fromkeys(offered).keys())
    choices = Choices(names, {name: kind_of(name) for name in names}, {})
    first = names[0]
    if files and init is None:
        first = choices.suited(files[0], first)
    reading, kind = choices.load(first).recipe.data.reading, choices.kind(first)
    items = items_of([path for given in files for path in find_files(given, kind)], kind, reading)
    return Choices(names, choices.kinds, titled(items), choices.loaded), first


def kind_of(init: str) -> str:
    """The modality of an initialisation, without loading its field.

    Raises:
        EcopError: as `Initialisation.load`.
    """
    if init.startswith(RANDOM):
        return Recipe.load(init.removeprefix(RANDOM)).signal
    description: Mapping[str, Any] = FieldFile.load(find_initialisation(init)).signal
    return description["kind"]


def titled(items: Sequence[Item]) -> dict[str, Item]:
    """Items by their names, which tell the parts of a file apart; by their whole paths where names are the same."""
    names = [item.name(item.path) for item in items]
    return {name if names.count(name) == 1 else str(item): item for name, item in zip(names, items, strict=True)}


def is_of(path: Path, kind: type[Signal]) -> bool:
    """Whether a file, or a folder, looks like a signal of a modality."""
    if path.name.lower().endswith(kind.suffixes):
        return True
    return path.is_dir() and kind.owns_folder(path, [entry.name for entry in path.iterdir()])
