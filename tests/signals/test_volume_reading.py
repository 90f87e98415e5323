"""Every format and its dtypes, as other programs write them."""

import nibabel
import numpy as np
import pytest
import tifffile

from ecop.core.errors import BadInput, InvalidSetting, UnknownName
from ecop.data.folder import find_files, items_of
from ecop.signals import Volume

WHOLE = ["uint8", "int8", "int16", "uint16", "int32", "uint32", "int64", "uint64"]


def numbers(dtype, shape=(5, 6, 7), seed=0):
    rng = np.random.default_rng(seed)
    if np.dtype(dtype).kind == "f":
        return rng.normal(20, 5, shape).astype(dtype)
    limits = np.iinfo(dtype)
    low, high = max(limits.min, -(2**31)), min(limits.max, 2**31)
    return rng.integers(low, high, shape, dtype, endpoint=True)


def saved(path, array):
    if ".nii" in path.name:
        nibabel.save(nibabel.Nifti1Image(array, np.diag([2.0, 2, 5, 1]), dtype=array.dtype), path)
    elif path.suffix == ".npy":
        np.save(path, array)
    elif path.suffix == ".npz":
        np.savez_compressed(path, volume=array)
    else:
        tifffile.imwrite(path, array, photometric="minisblack")
    return path


@pytest.mark.parametrize("dtype", [*WHOLE, "float32", "float64"])
@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "a.npy", "a.npz", "a.tif", "A.NII.GZ"])
def test_formats_and_dtypes(tmp_path, name, dtype):
    array = numbers(dtype)
    volume = Volume.read(saved(tmp_path / name.lower(), array).rename(tmp_path / name))
    assert volume.shape == (5, 6, 7)
    assert volume.about["dtype"] == dtype
    assert volume.bounds == (float(array.min()), float(array.max()))
    span = volume.bounds[1] - volume.bounds[0]
    np.testing.assert_allclose(volume.in_units()[..., 0], array.astype(float), atol=1e-6 * span, rtol=0)
    assert (volume.values.min(), volume.values.max()) == (0, 1)


@pytest.mark.parametrize("name", ["a.npy", "a.npz", "a.tif"])
def test_other_kinds_of_numbers(tmp_path, name):
    half = numbers("float16")
    np.testing.assert_allclose(Volume.read(saved(tmp_path / name, half)).in_units()[..., 0], half, atol=1e-4)
    if name != "a.tif":
        yes = numbers("uint8") > 100
        volume = Volume.read(saved(tmp_path / name, yes))
        np.testing.assert_array_equal(volume.values[..., 0], yes)
        swapped = numbers("int16").astype(">i2")
        volume = Volume.read(saved(tmp_path / name, swapped))
        assert volume.about["dtype"] == "int16"
        np.testing.assert_allclose(volume.in_units()[..., 0], swapped, atol=0.01)


def test_a_nifti_places_its_voxels(tmp_path):
    affine = np.array([[-1.0, 0, 0, 90], [0, 0.8, 0.6, -126], [0, -1.8, 2.4, -72], [0, 0, 0, 1]])
    image = nibabel.Nifti2Image(numbers("int16"), affine)
    image.header.set_xyzt_units("micron")
    nibabel.save(image, tmp_path / "a.nii")
    volume = Volume.read(tmp_path / "a.nii")
    np.testing.assert_allclose(volume.affine, affine, atol=1e-6)
    np.testing.assert_allclose(volume.spacing, nibabel.affines.voxel_sizes(affine), rtol=1e-6)
    assert volume.about["units"] == "micron"


def test_a_slope_of_whole_numbers_is_kept(tmp_path):
    stored = numbers("int16")
    image = nibabel.Nifti1Image(stored, np.eye(4))
    image.header.set_slope_inter(0.5, -100)
    nibabel.save(image, tmp_path / "a.nii.gz")
    volume = Volume.read(tmp_path / "a.nii.gz")
    np.testing.assert_allclose(volume.in_units()[..., 0], stored * 0.5 - 100, atol=2e-3)
    volume.write(tmp_path / "b.nii.gz")
    back = nibabel.load(tmp_path / "b.nii.gz")
    assert back.get_data_dtype() == np.int16
    assert (back.dataobj.slope, back.dataobj.inter) == (0.5, -100)
    np.testing.assert_array_equal(back.dataobj.get_unscaled(), stored)


def test_bounds(tmp_path):
    array = numbers("int16")
    array[0, 0, 0], array[0, 0, 1] = -2000, 3000
    path = saved(tmp_path / "a.nii", array)
    window = Volume.read(path, bounds=[-1000, 1000])
    assert window.bounds == (-1000, 1000)
    np.testing.assert_allclose(window.in_units()[..., 0], np.clip(array, -1000, 1000), atol=1e-3)
    image = nibabel.load(path)
    image.header["cal_min"], image.header["cal_max"] = -40000, 100
    nibabel.save(image, tmp_path / "b.nii")
    low, high = Volume.read(tmp_path / "b.nii").bounds
    assert (low, high) == (-40000, array.max())  # the range that it is shown with, widened so that nothing is lost


def test_a_constant_volume(tmp_path):
    volume = Volume.read(saved(tmp_path / "a.npy", np.full((3, 3, 3), 7, np.int16)))
    assert volume.bounds == (7, 8)
    assert not volume.values.any()


def test_nan_is_missing(tmp_path):
    array = numbers("float32")
    array[1] = np.nan
    for name in ("a.nii.gz", "a.npy", "a.tif"):
        volume = Volume.read(saved(tmp_path / name, array))
        np.testing.assert_array_equal(np.isnan(volume.values[..., 0]), np.isnan(array))
        assert volume.bounds == (np.nanmin(array), np.nanmax(array))


def test_several_volumes_in_one_nifti(tmp_path):
    array = numbers("int16", (5, 6, 7, 3))
    path = saved(tmp_path / "fmri.nii.gz", array)
    members = Volume.members(path, {})
    assert members == ({"time": 0}, {"time": 1}, {"time": 2})
    for number, member in enumerate(members):
        volume = Volume.open(path, member)
        np.testing.assert_allclose(volume.in_units()[..., 0], array[..., number], atol=0.01)
    assert Volume.read(path, time="2").bounds == volume.bounds
    with pytest.raises(BadInput, match=r"3 volumes one after the other; choose one, --read time=0 to 2"):
        Volume.read(path)
    with pytest.raises(BadInput, match=r"there is no time 3; choose one from 0 to 2"):
        Volume.read(path, time=3)
    names = [item.name(tmp_path) for item in items_of(find_files(tmp_path, Volume), Volume, {})]
    assert names == ["fmri.nii.gz#time=0", "fmri.nii.gz#time=1", "fmri.nii.gz#time=2"]


def test_one_volume_with_a_fourth_axis(tmp_path):
    path = saved(tmp_path / "a.nii", numbers("uint8", (5, 6, 7, 1)))
    assert Volume.members(path, {}) == ({},)
    assert Volume.read(path).shape == (5, 6, 7)
    with pytest.raises(BadInput, match="one volume, where time=0 was asked for"):
        Volume.read(path, time=0)


def test_several_arrays(tmp_path):
    np.savez(tmp_path / "a.npz", ct=numbers("int16"), mask=numbers("uint8") > 9)
    with pytest.raises(BadInput, match=r"it has 2 arrays; choose one, --read var=NAME: ct, mask"):
        Volume.read(tmp_path / "a.npz")
    assert Volume.read(tmp_path / "a.npz", var="mask").about["dtype"] == "uint8"
    with pytest.raises(BadInput, match=r"no array 'pet'; choose one of its arrays: ct, mask"):
        Volume.read(tmp_path / "a.npz", var="pet")
    for name in ("b.npy", "b.nii", "b.tif"):
        with pytest.raises(BadInput, match="no array 'ct'; leave var out"):
            Volume.read(saved(tmp_path / name, numbers("uint8")), var="ct")


def test_axes_of_an_array(tmp_path):
    array = numbers("uint8", (3, 5, 6, 7))
    path = saved(tmp_path / "a.npy", array)
    with pytest.raises(BadInput, match=r"an array with 4 axes, 3×5×6×7; say which they are"):
        Volume.read(path)
    channels = Volume.read(path, axes="czyx")
    assert (channels.shape, channels.channels) == ((5, 6, 7), 3)
    np.testing.assert_allclose(channels.in_units(), np.moveaxis(array, 0, -1), atol=1e-3)
    np.testing.assert_allclose(Volume.read(path, axes="tzyx", time=1).in_units()[..., 0], array[1], atol=1e-3)
    np.testing.assert_allclose(
        Volume.read(path, axes="xtyz", time=4).in_units()[..., 0], array[:, 4].transpose(2, 1, 0), atol=1e-3
    )
    assert len(Volume.members(path, {"axes": "xtyz"})) == 5


@pytest.mark.parametrize(
    "settings",
    [{"axes": "zy"}, {"axes": "zyxx"}, {"axes": "zyxcq"}, {"axes": "zyxc"}, {"bounds": [1, 0]}, {"bounds": [0]},
     {"bounds": "all"}, {"bounds": [0, np.inf]}, {"spacing": [1, 1]}, {"spacing": [1, 1, 0]}, {"time": -1},
     {"time": "first"}, {"axes": 3}, {"var": 5}],
)  # fmt: skip
def test_settings_that_cannot_be(tmp_path, settings):
    path = saved(tmp_path / "a.npy", numbers("uint8"))
    with pytest.raises(InvalidSetting, match=next(iter(settings))):
        Volume.open(path, settings)
    with pytest.raises(UnknownName, match="setting for reading volume files 'variable'"):
        Volume.open(path, {"variable": 1})


def test_spacing_may_be_said(tmp_path):
    volume = Volume.read(saved(tmp_path / "a.nii", numbers("uint8")), spacing=[5, 1, 1])
    assert volume.spacing == (5, 1, 1)
    assert "affine" not in volume.about


def test_stacks_of_other_programs(tmp_path):
    array = numbers("uint16")
    tifffile.imwrite(tmp_path / "imagej.tif", array, imagej=True, resolution=(4.0, 2.0),
                     metadata={"spacing": 3.5, "unit": "um", "axes": "ZYX"})  # fmt: skip
    volume = Volume.read(tmp_path / "imagej.tif")
    assert volume.spacing == (3.5, 0.5, 0.25)
    assert volume.about["units"] == "micron"
    tifffile.imwrite(tmp_path / "ome.ome.tif", array, metadata={"axes": "ZYX"})
    np.testing.assert_allclose(Volume.read(tmp_path / "ome.ome.tif").in_units()[..., 0], array, atol=0.01)
    with tifffile.TiffWriter(tmp_path / "pages.tif") as file:
        for page in array:
            file.write(page, compression="lzw", metadata=None)
    np.testing.assert_allclose(Volume.read(tmp_path / "pages.tif").in_units()[..., 0], array, atol=0.01)
    tifffile.imwrite(tmp_path / "channels.tif", numbers("uint8", (5, 2, 6, 7)), metadata={"axes": "ZCYX"})
    assert Volume.read(tmp_path / "channels.tif").values.shape == (5, 6, 7, 2)
    tifffile.imwrite(tmp_path / "times.tif", numbers("uint8", (2, 5, 6, 7)), metadata={"axes": "TZYX"})
    assert len(Volume.members(tmp_path / "times.tif", {})) == 2
    tifffile.imwrite(tmp_path / "page.tif", array[0])
    with pytest.raises(BadInput, match="with axes YX is no stack of slices"):
        Volume.read(tmp_path / "page.tif")


def test_an_astronomers_or_surgeons_file_is_another_matter(tmp_path):
    """nibabel reads more formats than NIfTI; a suffix that promises one is held to it."""
    nibabel.save(nibabel.MGHImage(numbers("uint8"), np.eye(4)), tmp_path / "a.mgz")
    (tmp_path / "a.mgz").rename(tmp_path / "b.nii.gz")
    with pytest.raises(BadInput):
        Volume.read(tmp_path / "b.nii.gz")
    assert find_files(saved(tmp_path / "c.nii.gz", numbers("uint8")).parent, Volume) == [
        tmp_path / "b.nii.gz", tmp_path / "c.nii.gz"]  # fmt: skip
