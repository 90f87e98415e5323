"""What comes back from each format, and what other programs see in it."""

import nibabel
import numpy as np
import pytest
import tifffile
from PIL import Image as Pillow

from ecop.core.errors import CannotWrite
from ecop.signals import Volume

AFFINE = [[-1.0, 0.0, 0.0, 90.0], [0.0, 0.0, 2.5, -126.0], [0.0, 1.5, 0.0, -72.0], [0.0, 0.0, 0.0, 1.0]]
DTYPES = ["uint8", "int8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64"]


def volume(dtype="int16", shape=(5, 6, 7, 1), **about):
    bounds = [-100.0, 27.0] if np.dtype(dtype).kind != "u" else [0.0, 255.0]
    values = np.random.default_rng(0).random(shape)
    about = {"dtype": dtype, "bounds": bounds, "spacing": [1.0, 1.5, 2.5], "units": "mm", **about}
    return Volume.assemble(values, about)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "a.npy", "a.tif", "a.tiff"])
def test_numbers_come_back_in_their_dtype(tmp_path, name, dtype):
    original = volume(dtype)
    original.write(tmp_path / name)
    back = Volume.read(tmp_path / name, bounds=original.bounds)
    assert back.about["dtype"] == dtype
    np.testing.assert_array_equal(back.values, original.stored().values)
    if np.dtype(dtype).kind != "f":
        np.testing.assert_allclose(back.in_units(), np.rint(original.in_units()), atol=1e-4)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_the_largest_whole_numbers_do_not_wrap():
    for dtype in ("int64", "uint64", "int32", "uint8"):
        limits = np.iinfo(dtype)
        ends = Volume.assemble(np.array([0.0, 1.0]).repeat(4).reshape(2, 2, 2, 1),
                               {"dtype": dtype, "bounds": [float(limits.min), float(limits.max)]})  # fmt: skip
        np.testing.assert_array_equal(ends.stored().values, ends.values)


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_a_nifti_keeps_its_place_units_and_range(tmp_path, name):
    original = volume(affine=AFFINE)
    original.write(tmp_path / name)
    image = nibabel.load(tmp_path / name)
    np.testing.assert_allclose(image.affine, AFFINE)
    assert image.header.get_zooms() == pytest.approx((1, 1.5, 2.5))
    assert image.header.get_xyzt_units()[0] == "mm"
    assert (float(image.header["cal_min"]), float(image.header["cal_max"])) == original.bounds
    back = Volume.read(tmp_path / name)
    assert back.bounds == original.bounds
    assert back.spacing == pytest.approx(original.spacing)


def test_without_an_affine_slices_stay_slices(tmp_path):
    """A stack of pictures, written as NIfTI, looks the same again."""
    original = volume(spacing=[4.0, 1.0, 2.0])
    original.write(tmp_path / "a.nii.gz")
    back = Volume.read(tmp_path / "a.nii.gz")
    np.testing.assert_allclose(back.picture(), original.stored().picture(), atol=1e-6)
    assert "".join(nibabel.aff2axcodes(back.affine)) == "IPR"
    assert back.spacing == (4, 1, 2)


def test_the_same_volume_is_the_same_file(tmp_path):
    for name in ("a.nii.gz", "b.nii.gz"):
        volume().write(tmp_path / name)
    assert (tmp_path / "a.nii.gz").read_bytes() == (tmp_path / "b.nii.gz").read_bytes()


def test_a_long_axis_needs_the_second_version(tmp_path):
    Volume.assemble(np.zeros((2**15, 2, 2, 1)), {"dtype": "uint8"}).write(tmp_path / "a.nii.gz")
    image = nibabel.load(tmp_path / "a.nii.gz")
    assert isinstance(image, nibabel.Nifti2Image)
    assert Volume.read(tmp_path / "a.nii.gz").shape == (2**15, 2, 2)


def test_a_stack_has_a_page_for_each_slice(tmp_path):
    original = volume("uint16")
    original.write(tmp_path / "a.tif")
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        assert len(file.pages) == 5
        assert file.series[0].axes == "ZYX"
    with Pillow.open(tmp_path / "a.tif") as stack:
        assert stack.n_frames == 5
    assert Volume.read(tmp_path / "a.tif").spacing == pytest.approx(original.spacing)


def test_channels(tmp_path):
    colours = volume("uint8", (4, 5, 6, 3))
    colours.write(tmp_path / "a.npy")
    assert np.load(tmp_path / "a.npy").shape == (4, 5, 6, 3)
    colours.write(tmp_path / "a.tif")
    back = Volume.read(tmp_path / "a.tif", bounds=colours.bounds)
    np.testing.assert_array_equal(back.values, colours.stored().values)
    with pytest.raises(CannotWrite, match=r"a NIfTI has no 3 channels; choose \.npy or \.tif"):
        colours.write(tmp_path / "a.nii")
    assert colours.picture().shape[-1] == 3


def test_missing_values(tmp_path):
    values = np.random.default_rng(0).random((4, 5, 6, 1))
    values[1] = np.nan
    for dtype in ("float32", "int16"):
        lacking = Volume.assemble(values, {"dtype": dtype, "bounds": [-50.0, 50.0]})
        lacking.write(tmp_path / "a.nii")
        numbers = np.asanyarray(nibabel.load(tmp_path / "a.nii").dataobj)
        assert (np.isnan(numbers[1]) if dtype == "float32" else numbers[1] == -50).all()
        assert np.isfinite(lacking.picture()).all()


def test_slices_as_a_picture(tmp_path):
    volume(shape=(30, 40, 50, 1)).write(tmp_path / "a.png")
    with Pillow.open(tmp_path / "a.png") as picture:
        assert (picture.height, picture.width) == volume(shape=(30, 40, 50, 1)).picture().shape[:2]
    with pytest.raises(CannotWrite, match=r"'\.mha' is not a suffix of a volume format; choose one of: \.nii"):
        volume().write(tmp_path / "a.mha")
