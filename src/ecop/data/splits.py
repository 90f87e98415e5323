"""Which files train, which validate, which test: decided once for each file, so that no crop of it crosses over."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from ecop.core.errors import BadInput, UnknownName
from ecop.core.recipe import DataSettings
from ecop.data.folder import Item, items_of, relative_name
from ecop.signals.base import Signal

PARTS = ("train", "validation", "test")


@dataclass(frozen=True)
class Split:
    """Files of each split, in the order in which they were found."""

    train: list[Path] = field(default_factory=list)
    validation: list[Path] = field(default_factory=list)
    test: list[Path] = field(default_factory=list)


def split_files(files: list[Path], source: Path | str, settings: DataSettings) -> Split:
    """Assign every file to a split.

    With ``settings.split_file`` the list decides, and a file that it does not name is in no split. Otherwise, if
    ``source`` has a folder ``train`` beside ``validation`` or ``test``, the folders decide (files elsewhere are in
    no split), and only validation is drawn from ``train`` where it has no folder. Otherwise a hash of ``split_seed``
    and the file's name below ``source`` decides: the same wherever the folder lies, and a file that is added leaves
    the others where they were (but for the smallest folders: a split with a share above 0 gets at least one file
    where two files, three for both, allow it, and ``train`` is never empty).

    Args:
        files: as `find_files` gives them.
        source: the folder below which they lie.
        settings: ``validation``, ``test``, ``split_seed`` and ``split_file``.

    Raises:
        BadInput: if the list cannot be read, a line is not ``NAME train|validation|test``, or nothing is left to
            train on.
        UnknownName: if the list names a file that is not there; the message gives the nearest one.
    """
    names = {relative_name(path, Path(source)): path for path in files}
    if settings.split_file is not None:
        chosen = _listed(Path(settings.split_file), names)
    elif {name.partition("/")[0] for name in names if "/" in name} >= {"train"} and _has_other_folder(names):
        chosen = _by_folder(names, settings)
    else:
        chosen = by_hash(list(names), settings.validation, settings.test, settings.split_seed)
    if "train" not in chosen.values():
        raise BadInput(settings.split_file or source, "nothing is left to train on", "assign files to train")
    return Split(*([names[name] for name in names if chosen.get(name) == part] for part in PARTS))


@dataclass(frozen=True)
class ItemSplit:
    """Signals of each split, in the order in which they were found."""

    train: list[Item] = field(default_factory=list)
    validation: list[Item] = field(default_factory=list)
    test: list[Item] = field(default_factory=list)


def split_items(files: list[Path], source: Path | str, signal: type[Signal], settings: DataSettings) -> ItemSplit:
    """Assign every signal to a split: by its file, as `split_files` does.

    A single file with several signals in it is divided in their own order, the first for training, then validation,
    then test, since neighbours in time are too much alike to be shuffled.

    Raises:
        BadInput, UnknownName: as `split_files`, or if a file cannot be opened.
    """
    if len(files) > 1 or settings.split_file is not None:
        split = split_files(files, source, settings)
        return ItemSplit(*(items_of(part, signal, settings.reading) for part in vars(split).values()))
    items = items_of(files, signal, settings.reading)
    count, validation, test = len(items), settings.validation, settings.test
    validated, tested = _balanced(round(validation * count), round(test * count), count, validation, test)
    trained = count - tested - validated
    return ItemSplit(items[:trained], items[trained : trained + validated], items[trained + validated :])


def _has_other_folder(names: dict[str, Path]) -> bool:
    return any(name.startswith(("validation/", "test/")) for name in names)


def _by_folder(names: dict[str, Path], settings: DataSettings) -> dict[str, str]:
    chosen: dict[str, str] = {}
    for name in names:
        folder = name.partition("/")[0]
        if folder in PARTS:
            chosen[name] = folder
    if "validation" not in chosen.values():
        train = [name for name, part in chosen.items() if part == "train"]
        chosen |= by_hash(train, settings.validation, 0, settings.split_seed)
    return chosen


def by_hash(names: list[str], validation: float, test: float, seed: int) -> dict[str, str]:
    """The split of each name: its place in [0, 1) decides; test below its share, validation above it, then train.

    Every share above 0 gets a name where there are enough of them, and ``train`` is never empty.
    """
    place = {name: _place(seed, name) for name in names}
    ranked = sorted(names, key=lambda name: (place[name], name))
    tested = sum(p < test for p in place.values())
    validated = sum(test <= p < test + validation for p in place.values())
    validated, tested = _balanced(validated, tested, len(names), validation, test)
    parts: list[str] = ["test"] * tested + ["validation"] * validated
    return dict.fromkeys(names, "train") | dict(zip(ranked, parts, strict=False))


def _balanced(validated: int, tested: int, count: int, validation: float, test: float) -> tuple[int, int]:
    """Numbers for validation and test: every share above 0 gets one where there are enough, and a rest is left."""
    validated = max(validated, 1 if validation > 0 and count >= 2 else 0)
    tested = max(tested, 1 if test > 0 and count >= (3 if validation > 0 else 2) else 0)
    while count and tested + validated >= count:  # train is never empty
        tested, validated = (tested - 1, validated) if tested >= validated else (tested, validated - 1)
    return validated, tested


def _place(seed: int, name: str) -> float:
    """A number in [0, 1) that only the seed and the name decide."""
    return int.from_bytes(hashlib.sha256(f"{seed}:{name}".encode()).digest()[:8], "big") / 2**64


def _listed(path: Path, names: dict[str, Path]) -> dict[str, str]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(path, f"the split list cannot be read ({error})", "give a text file") from None
    chosen: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        name, _, part = line.strip().rpartition(" ")
        name = name.strip()
        if not name or part not in PARTS:
            raise BadInput(path, f"line {number} is {line!r}", "write NAME train, NAME validation or NAME test")
        if name not in names:
            raise UnknownName(f"file of line {number} of {path}", name, names)
        if chosen.setdefault(name, part) != part:
            raise BadInput(path, f"line {number} puts {name} into a second split", "name every file once")
    return chosen
