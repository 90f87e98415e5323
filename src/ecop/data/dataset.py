"""What a data set that can be brought is: its packages, its terms, and how it is laid out."""

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ecop.core.cache import cache_folder
from ecop.core.errors import MissingExtra
from ecop.data.archives import Archive

# A module of each extra that lays out data: without it, nothing is downloaded in vain.
EXTRAS = {"audio": ("av", "soundfile"), "climate": ("xarray", "h5netcdf", "scipy"), "volumes": ("nibabel",)}


@dataclass(frozen=True)
class Dataset:
    """A data set that can be brought.

    Attributes:
        name: what to ask for.
        about: what it is and how it is split.
        licence: under which terms.
        archives: the packages that hold it.
        build: lays out ``train/`` and ``test/`` in a folder, from the archives' paths.
        credits: lines that name the author and licence of each file, where they differ.
        edition: raised when the layout changes, so that an earlier copy is not taken for it.
        extra: the optional part of this package that ``build`` needs.
    """

    name: str
    about: str
    licence: str
    archives: tuple[Archive, ...]
    build: Callable[[list[Path], Path], None]
    credits: tuple[str, ...] = ()
    edition: int = 1
    extra: str | None = None

    @property
    def bytes(self) -> int:
        """What has to be downloaded."""
        return sum(archive.bytes for archive in self.archives)

    @property
    def path(self) -> Path:
        """Where it lies, or will lie, in the cache."""
        return cache_folder() / "data" / f"{self.name}-{self.edition}"

    def check_extra(self) -> None:
        """Raise `MissingExtra` if what lays the files out is not installed."""
        if self.extra and not all(importlib.util.find_spec(module) for module in EXTRAS[self.extra]):
            raise MissingExtra(f"laying out the data set {self.name}", self.extra)

    def sources(self) -> str:
        """The text of ``SOURCES.txt``: what it is, its licence, its packages and its credits."""
        lines = [self.about, f"Licence: {self.licence}", ""]
        lines += [f"{a.package} {a.version} ({a.client}), SHA-256 {a.sha256}" for a in self.archives]
        return "\n".join([*lines, "", *self.credits]).rstrip() + "\n"
