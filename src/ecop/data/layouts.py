"""Layouts: how a folder of signals is arranged, which says what trains, what validates and what tests."""

import abc
from pathlib import Path
from typing import Literal

from ecop.core.errors import BadInput
from ecop.core.recipe import DataSettings
from ecop.core.registry import LAYOUTS
from ecop.data.folder import find_files
from ecop.data.splits import ItemSplit, split_items
from ecop.signals.base import Signal


class Layout(abc.ABC):
    """How a folder is arranged. Members are registered under ``ecop.layouts``, as objects."""

    @abc.abstractmethod
    def divide(self, source: Path, signal: type[Signal], settings: DataSettings) -> ItemSplit:
        """The signals of each split.

        A published data set that lies there only in part, its test folder say, gives what there is.

        Raises:
            BadInput: if the folder is not laid out like this; the message says where to get the data set.
        """

    @abc.abstractmethod
    def missing(self, source: Path, part: str) -> BadInput:
        """The error for a split that is empty and was asked for."""


class Folder(Layout):
    """Any folder: divided by the recipe's list, by its subfolders, or by a hash of the names, as `split_files` says."""

    def divide(self, source: Path, signal: type[Signal], settings: DataSettings) -> ItemSplit:
        """The signals of each split."""
        return split_items(find_files(source, signal), source, signal, settings)

    def missing(self, source: Path, part: str) -> BadInput:
        """The error for a split that is empty and was asked for."""
        return BadInput(source, f"the split has no file for {part}", "take another split or all")


FOLDER = Folder()


def divided(
    source: Path | str,
    signal: type[Signal],
    settings: DataSettings,
    needed: Literal["train", "validation", "test"] = "train",
) -> ItemSplit:
    """The signals of a folder, divided as ``settings.layout`` says.

    Args:
        source: the folder.
        signal: the modality.
        settings: layout, shares, seed, list and reading settings.
        needed: the split that must not be empty.

    Raises:
        UnknownName: if there is no such layout.
        BadInput: if the folder is not laid out so, or the needed split is empty.
    """
    layout: Layout = LAYOUTS[settings.layout]
    split = layout.divide(Path(source), signal, settings)
    if not getattr(split, needed):
        raise layout.missing(Path(source), needed)
    return split
