"""The layouts of the paper's data sets, as they come from their makers.

| layout | what lies in the folder | split |
| --- | --- | --- |
| ``celeba`` | ``img_align_celeba``, ``list_eval_partition.txt`` | the official list |
| ``celeba-hq`` | pictures by number, the list of their origins, CelebA's list | CelebA's, by origin |
| ``afhq``, ``imagenette``, ``imagenet``, ``celeba-hq`` | ``train``, ``val`` (or ``test``) | ``val`` tests |
| ``ucf101`` | ``UCF-101``, ``ucfTrainTestlist`` | list 01; validation by groups of one scene |
| ``librispeech`` | ``train-clean-100``, ``dev-clean``, ``test-clean`` | by folder |
| ``era5`` | ``*train``, ``*val``, ``*test``, or one NetCDF file a year | by folder, or by year |

The ninth, *Text*, is drawn by ``ecop data text`` and is a folder like any other. Where the makers name no validation
signals, they are drawn from the training ones by a hash of their names, those that belong together together.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ecop.core.errors import BadInput
from ecop.core.recipe import DataSettings
from ecop.data.folder import find_files, items_of
from ecop.data.layouts import Layout
from ecop.data.splits import PARTS, ItemSplit, by_hash
from ecop.signals.base import Signal

Chosen = dict[Path, str]
"""The split of each file."""

ANY_FOLDER = "any other folder takes --set data.layout=folder in training and --split all in eval"
PARTITION = {"0": "train", "1": "validation", "2": "test"}
PARTITION_FILES = tuple(
    folder + name
    for folder in ("", "Eval/", "Anno/")
    for name in ("list_eval_partition.txt", "list_eval_partition.csv")
)
LAST_TRAINING_YEAR, VALIDATION_YEAR = 2015, 2016


@dataclass(frozen=True)
class Published(Layout):
    """A data set with a name, a place where it can be had, and a rule for the split of each file.

    Attributes:
        title: its name.
        home: where it can be had.
        assign: from the folder, the modality and the settings to the split of each file.
        expected: what lies in the folder, in words.
    """

    title: str
    home: str
    expected: str
    assign: Callable[["Published", Path, type[Signal], DataSettings], Chosen]

    def divide(self, source: Path, signal: type[Signal], settings: DataSettings) -> ItemSplit:
        """The signals of each split."""
        if not source.is_dir():
            problem = "it is a file" if source.exists() else "there is no such folder"
            raise BadInput(source, problem, f"give the folder of {self.title}, from {self.home}; {ANY_FOLDER}")
        chosen = self.assign(self, source, signal, settings)
        files = {part: [path for path in chosen if chosen[path] == part] for part in PARTS}
        return ItemSplit(*(items_of(files[part], signal, settings.reading) for part in PARTS))

    def missing(self, source: Path, part: str) -> BadInput:
        """The error for a split that is empty and was asked for."""
        return self.lacks(source, f"nothing for {part}")

    def lacks(self, source: Path, what: str) -> BadInput:
        """The error for a folder without ``what``."""
        remedy = f"{self.title} has {self.expected}: get it from {self.home}; {ANY_FOLDER}"
        return BadInput(source, f"{what} in this folder", remedy)


def by_folders(
    train: Iterable[str], validation: Iterable[str], test: Iterable[str], group: Callable[[Path], str] = Path.as_posix
) -> Callable[[Published, Path, type[Signal], DataSettings], Chosen]:
    """A rule: each split has its folder, the first of several names (patterns are allowed) that is there.

    ``group`` names what a training file belongs together with, from its path below its split's folder.
    """
    patterns = dict(zip(PARTS, (tuple(train), tuple(validation), tuple(test)), strict=True))

    def assign(published: Published, source: Path, signal: type[Signal], settings: DataSettings) -> Chosen:
        folders = {part: _first_folder(source, patterns[part]) for part in PARTS}
        if not any(folders.values()):
            raise published.lacks(source, "none of its folders")
        chosen: Chosen = {}
        for part, folder in folders.items():
            chosen |= dict.fromkeys(find_files(folder, signal) if folder else [], part)
        top = folders["train"]
        if top and not folders["validation"]:
            chosen = _with_validation(chosen, lambda path: group(path.relative_to(top)), settings)
        return chosen

    return assign


def _assign_celeba(published: Published, source: Path, signal: type[Signal], settings: DataSettings) -> Chosen:
    folders = ("img_align_celeba", "Img/img_align_celeba", "img_align_celeba_png", "Img/img_align_celeba_png", ".")
    partition = _partition(published, source)
    return _matched(published, partition, find_files(_first_folder(source, folders) or source, signal), source)


def _assign_celeba_hq(published: Published, source: Path, signal: type[Signal], settings: DataSettings) -> Chosen:
    if _first_folder(source, ("train",)):
        return by_folders(["train"], ["validation"], ["test", "val"])(published, source, signal, settings)
    origins = _first_file(source, ("CelebA-HQ-to-CelebA-mapping.txt", "image_list.txt"))
    if origins is None:
        raise published.lacks(source, "no CelebA-HQ-to-CelebA-mapping.txt")
    partition = _partition(published, source)
    numbers = _origins(origins)
    strangers = [name for _, name in numbers if Path(name).stem not in partition]
    if strangers:
        raise BadInput(origins, f"it names {strangers[0]}, which CelebA's list does not", "get both lists again")
    parts = {number: partition[Path(name).stem] for number, name in numbers}
    files = find_files(_first_folder(source, ("CelebA-HQ-img", "celeba-hq", ".")) or source, signal)
    return _matched(published, parts, files, source, key=_picture_number)


def _assign_ucf101(published: Published, source: Path, signal: type[Signal], settings: DataSettings) -> Chosen:
    parts: dict[str, str] = {}
    for part, name in (("train", "trainlist01.txt"), ("test", "testlist01.txt")):
        listing = _first_file(source, (f"ucfTrainTestlist/{name}", f"train/ucfTrainTestlist/{name}", name))
        if listing is None:
            raise published.lacks(source, f"no {name}")
        parts |= {Path(line.split()[0]).stem: part for line in _lines(listing)}
    chosen = _matched(published, parts, find_files(_first_folder(source, ("UCF-101", ".")) or source, signal), source)
    # v_Class_g08_c01: the clips of a group show one scene
    return _with_validation(chosen, lambda path: path.stem.rpartition("_")[0], settings)


def _assign_era5(published: Published, source: Path, signal: type[Signal], settings: DataSettings) -> Chosen:
    if any(_first_folder(source, (pattern,)) for pattern in ("*train", "*test")):
        return by_folders(["*train"], ["*val", "*validation"], ["*test"])(published, source, signal, settings)
    chosen: Chosen = {}
    for path in find_files(source, signal):
        years = re.findall(r"(?<!\d)(?:19|20)\d\d(?!\d)", path.stem)
        if not years:
            raise published.lacks(source, f"neither its folders nor a year in the name of {path.name}")
        year = int(years[-1])
        part = "test" if year > VALIDATION_YEAR else "train" if year <= LAST_TRAINING_YEAR else "validation"
        chosen[path] = part
    return chosen


def _first_folder(source: Path, patterns: Iterable[str]) -> Path | None:
    """The first folder below ``source`` that matches the first pattern that any matches; ``.`` is itself."""
    for pattern in patterns:
        if pattern == ".":
            return source
        found = sorted(path for path in source.glob(pattern) if path.is_dir())
        if found:
            return found[0]
    return None


def _first_file(source: Path, names: Iterable[str]) -> Path | None:
    return next((source / name for name in names if (source / name).is_file()), None)


def _lines(path: Path) -> list[str]:
    """The lines of a list that are not blank."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(path, f"the list cannot be read ({error})", "get it again") from None
    return [line for line in text.splitlines() if line.strip()]


def _partition(published: Published, source: Path) -> dict[str, str]:
    """CelebA's list: the split of each picture, by its name without suffix."""
    path = _first_file(source, PARTITION_FILES)
    if path is None:
        raise published.lacks(source, f"no {PARTITION_FILES[0]}")
    parts: dict[str, str] = {}
    for line in _lines(path):
        name, _, number = line.replace(",", " ").strip().rpartition(" ")
        if number in PARTITION and name.strip():
            parts[Path(name.strip()).stem] = PARTITION[number]
        elif parts or number != "partition":  # the header of the CSV form
            raise BadInput(path, f"a line is {line!r}", "expected NAME 0, NAME 1 or NAME 2: get the list again")
    return parts


def _origins(path: Path) -> list[tuple[str, str]]:
    """CelebA-HQ's list: the number of each picture, and the name that it has in CelebA."""
    header, *rows = [line.split() for line in _lines(path)] or [[]]
    try:
        number, name = header.index("idx"), header.index("orig_file")
        return [(str(int(row[number])), row[name]) for row in rows]
    except (ValueError, IndexError):
        raise BadInput(path, "it is no list with the columns idx and orig_file", "get the list again") from None


def _picture_number(path: Path) -> str:
    """The picture's number without leading zeros: ``img00000017.png`` and ``17.jpg`` are ``17``."""
    digits = re.search(r"\d+", path.stem)
    return str(int(digits[0])) if digits else path.stem


def _matched(
    published: Published,
    parts: Mapping[str, str],
    files: list[Path],
    source: Path,
    key: Callable[[Path], str] = lambda path: path.stem,
) -> Chosen:
    """The split of each file that the list names; all that it names must be there."""
    chosen = {path: parts[key(path)] for path in files if key(path) in parts}
    lost = sorted(set(parts) - {key(path) for path in chosen})
    if lost:
        raise published.lacks(
            source, f"{len(lost)} of the {len(parts)} files that the list names ({lost[0]}, …) are not"
        )
    return chosen


def _with_validation(chosen: Chosen, group: Callable[[Path], str], settings: DataSettings) -> Chosen:
    """Some groups of the training files moved to validation."""
    groups = sorted({group(path) for path, part in chosen.items() if part == "train"})
    parts = by_hash(groups, settings.validation, 0, settings.split_seed)
    return {path: parts[group(path)] if part == "train" else part for path, part in chosen.items()}


def _speaker(path: Path) -> str:
    return path.parts[0]


CELEBA = Published(
    "CelebA",
    "mmlab.ie.cuhk.edu.hk/projects/CelebA.html",
    "img_align_celeba and list_eval_partition.txt",
    _assign_celeba,
)
CELEBA_HQ = Published(
    "CelebA-HQ",
    "github.com/tkarras/progressive_growing_of_gans or github.com/switchablenorms/CelebAMask-HQ",
    "pictures by number with CelebA-HQ-to-CelebA-mapping.txt and CelebA's list_eval_partition.txt, or train and val",
    _assign_celeba_hq,
)
TRAIN_AND_VAL = by_folders(["train", "ILSVRC/Data/CLS-LOC/train"], [], ["val", "test", "ILSVRC/Data/CLS-LOC/val"])
AFHQ = Published("AFHQ", "github.com/clovaai/stargan-v2", "folders train and val (or test)", TRAIN_AND_VAL)
IMAGENETTE = Published("Imagenette", "github.com/fastai/imagenette", "folders train and val", TRAIN_AND_VAL)
IMAGENET = Published("ImageNet", "image-net.org", "folders train and val", TRAIN_AND_VAL)
UCF101 = Published("UCF-101", "crcv.ucf.edu/data/UCF101.php", "UCF-101 and ucfTrainTestlist", _assign_ucf101)
LIBRISPEECH = Published(
    "LibriSpeech",
    "openslr.org/12",
    "train-clean-100, dev-clean and test-clean",
    by_folders(
        ["train-clean-100", "LibriSpeech/train-clean-100"],
        ["dev-clean", "LibriSpeech/dev-clean"],
        ["test-clean", "LibriSpeech/test-clean"],
        _speaker,
    ),
)
ERA5 = Published(
    "ERA5",
    "cds.climate.copernicus.eu (46×90: github.com/EmilienDupont/neural-function-distributions)",
    "folders *train, *val and *test, or NetCDF files with a year in their names",
    _assign_era5,
)
