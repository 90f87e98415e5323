"""Folders of pictures as volumes, in the order of their numbers."""

import numpy as np
import pytest
import tifffile
from PIL import Image as Pillow

from ecop.core.errors import BadInput, TooLarge
from ecop.data.folder import find_files
from ecop.signals import Volume
from ecop.signals.volume_folders import slice_numbers

SLICES = np.random.default_rng(0).integers(0, 256, (11, 6, 7)).astype(np.uint8)


def pictures(folder, slices=SLICES, name="slice{}.png", first=1, step=1):
    folder.mkdir(parents=True, exist_ok=True)
    for number, pixels in enumerate(slices):
        path = folder / name.format(first + step * number)
        if path.suffix == ".tif":
            tifffile.imwrite(path, pixels, photometric="minisblack")
        else:
            Pillow.fromarray(pixels).save(path)
    return folder


@pytest.mark.parametrize(
    ("name", "first", "step"), [("slice{}.png", 1, 1), ("scan_3-{:02}.bmp", 7, 2), ("{}.PGM", 0, 5)]
)
def test_slices_are_taken_by_their_numbers(tmp_path, name, first, step):
    """slice10 lies behind slice9, though it is sorted before slice2."""
    folder = pictures(tmp_path / "scan", name=name, first=first, step=step)
    (folder / "notes.txt").write_text("notes")
    assert find_files(tmp_path, Volume) == [folder]
    volume = Volume.read(folder, spacing=[5, 1, 2])
    np.testing.assert_allclose(volume.in_units()[..., 0], SLICES, atol=1e-3)
    assert (volume.source, volume.spacing, volume.about["dtype"]) == ("scan", (5.0, 1.0, 2.0), "uint8")


def test_tiff_slices_keep_their_numbers(tmp_path):
    """Signed and real numbers, which no picture has; TIFF stacks beside each other are volumes of their own."""
    for dtype in ("int16", "float32"):
        numbers = (SLICES.astype(dtype) - 100) * 3
        volume = Volume.read(pictures(tmp_path / dtype, numbers, "{}.tif"))
        np.testing.assert_allclose(volume.in_units()[..., 0], numbers, atol=1e-3)
        assert volume.about["dtype"] == dtype
    pictures(tmp_path / "stacks", [SLICES, SLICES[:3]], "{}.tif")
    found = find_files(tmp_path / "stacks", Volume)
    assert [path.name for path in found] == ["1.tif", "2.tif"]
    assert Volume.read(found[1]).shape == (3, 6, 7)


def test_deep_and_coloured_slices(tmp_path):
    deep = SLICES.astype(np.uint16) * 257
    np.testing.assert_allclose(Volume.read(pictures(tmp_path / "deep", deep)).in_units()[..., 0], deep, atol=0.01)
    colours = np.stack([SLICES, SLICES // 2, SLICES // 3, np.full_like(SLICES, 9)], -1)
    volume = Volume.read(pictures(tmp_path / "colours", colours))
    assert volume.channels == 3  # alpha is no measurement
    np.testing.assert_allclose(volume.in_units(), colours[..., :3], atol=1e-3)


@pytest.mark.parametrize(
    "names",
    [["a1.png", "b2.png"], ["1.png", "01.png"], ["1-1.png", "2-2.png"], ["cat.png", "dog.png"], ["1.png", "2.jpg"], []],
)
def test_names_that_are_no_sequence(names):
    assert slice_numbers(names) is None


def test_what_is_no_stack(tmp_path):
    single = pictures(tmp_path / "single", SLICES[:1])
    gap = pictures(tmp_path / "gap")
    (gap / "slice5.png").unlink()
    sizes = pictures(tmp_path / "sizes")
    Pillow.fromarray(SLICES[0, :5]).save(sizes / "slice4.png")
    kinds = pictures(tmp_path / "kinds")
    Pillow.fromarray(SLICES[0].astype(np.uint16)).save(kinds / "slice4.png")
    cut = pictures(tmp_path / "cut")
    (cut / "slice4.png").write_bytes((cut / "slice4.png").read_bytes()[:50])
    pages = pictures(tmp_path / "pages", [*SLICES[:3], SLICES], "{}.tif")
    for folder, problem in (
        (single, "no slices of one series; give DICOM slices of one series, or pictures named"),
        (gap, "no slice between slice4.png and slice6.png, which are farther apart than others; give all slices"),
        (sizes, r"slice4.png: 5×7×1 uint8, where slice1.png is 6×7×1 uint8; give slices of one size and type"),
        (kinds, "slice4.png: 6×7×1 uint16, where"),
        (cut, "slice4.png: damaged or truncated image"),
        (pages, r"4.tif: 11 pages with axes YX, where a slice is one page"),
    ):
        with pytest.raises(BadInput, match=problem) as raised:
            Volume.read(folder)
        assert "\n" not in str(raised.value)


def test_a_folder_with_volumes_of_its_own_is_none(tmp_path):
    folder = pictures(tmp_path / "scan")
    np.save(folder / "mask.npy", SLICES)
    assert [path.name for path in find_files(tmp_path, Volume)] == ["mask.npy"]


def test_too_many_voxels(tmp_path, monkeypatch):
    folder = pictures(tmp_path / "scan")
    monkeypatch.setenv("ECOP_MAX_PIXELS", str(SLICES.size - 1))
    with pytest.raises(TooLarge, match="11×6×7×1 = 462 voxels"):
        Volume.read(folder)
