"""Files that are no volume, cut, damaged, dangerous or far too large: one clear line each."""

import gzip
import io
import logging
import pickle
import struct
import tracemalloc
import zipfile

import nibabel
import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st

from ecop.core.errors import BadInput, MissingExtra, TooLarge
from ecop.signals import Volume

ARRAY = np.random.default_rng(0).integers(-500, 500, (6, 7, 8)).astype(np.int16)


def encoded(suffix):
    stream = io.BytesIO()
    if suffix.startswith(".nii"):
        content = nibabel.Nifti1Image(ARRAY, np.eye(4)).to_bytes()
        return gzip.compress(content) if suffix.endswith(".gz") else content
    if suffix == ".npy":
        np.save(stream, ARRAY)
    elif suffix == ".npz":
        np.savez_compressed(stream, ARRAY)
    elif suffix == ".tif":
        tifffile.imwrite(stream, ARRAY, compression="zlib", photometric="minisblack")
    else:  # pages one by one, each with a header of its own
        with tifffile.TiffWriter(stream) as file:
            for page in ARRAY:
                file.write(page, metadata=None, contiguous=False)
    return stream.getvalue()


FORMS = {suffix: encoded(suffix) for suffix in (".nii", ".nii.gz", ".npy", ".npz", ".tif", ".tiff")}


@pytest.fixture(autouse=True)
def quiet(caplog):
    """Readers' own logs of what is odd about a damaged file are not ours to judge."""
    caplog.set_level(logging.CRITICAL)


@pytest.mark.parametrize("suffix", FORMS)
@settings(max_examples=60, deadline=None)
@given(share=st.floats(0, 1, exclude_max=True))
def test_a_file_cut_anywhere_is_refused_or_still_has_every_voxel(tmp_path_factory, suffix, share):
    content = FORMS[suffix]
    path = tmp_path_factory.mktemp("cut") / f"a{suffix}"
    path.write_bytes(content)
    whole = Volume.read(path).values
    path.write_bytes(content[: int(share * len(content))])
    try:
        cut = Volume.read(path).values
    except (BadInput, TooLarge) as error:
        assert "\n" not in str(error)
        return
    np.testing.assert_array_equal(cut, whole)


@pytest.mark.parametrize("suffix", FORMS)
@settings(max_examples=60, deadline=None)
@given(place=st.floats(0, 1, exclude_max=True), value=st.integers(0, 255))
@pytest.mark.filterwarnings("ignore")  # readers warn of odd headers
def test_a_damaged_byte_raises_nothing_but_our_errors(tmp_path_factory, suffix, place, value):
    content = bytearray(FORMS[suffix])
    # The headers of all formats lie within the first thousand bytes, where damage is most telling.
    content[int(place * min(len(content), 1000))] = value
    path = tmp_path_factory.mktemp("damaged") / f"a{suffix}"
    path.write_bytes(content)
    try:
        values = Volume.read(path).values
    except (BadInput, TooLarge, MissingExtra) as error:
        assert "\n" not in str(error)
        return
    assert values.dtype == np.float32
    assert not np.isinf(values).any()


def promising(shape, dtype=16):
    """A NIfTI header alone that promises so many voxels."""
    header = nibabel.Nifti1Header()
    header.set_data_dtype(dtype)
    header.set_data_shape(shape)
    return header.binaryblock + bytes(4 + 1000)


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_a_header_that_promises_a_hundred_gigabytes(tmp_path, suffix):
    content = promising((3000, 3000, 3000))
    path = tmp_path / f"a{suffix}"
    path.write_bytes(gzip.compress(content) if suffix.endswith(".gz") else content)
    tracemalloc.start()
    try:
        with pytest.raises(TooLarge, match=r"3000×3000×3000 = 27000000000 voxels.*set ECOP_MAX_PIXELS=27000000000"):
            Volume.read(path)
        assert tracemalloc.get_traced_memory()[1] < 10e6
    finally:
        tracemalloc.stop()
    path.write_bytes(gzip.compress(promising((300, 300, 300))) if suffix.endswith(".gz") else promising((300,) * 3))
    with pytest.raises(BadInput, match="damaged or truncated volume"):
        Volume.read(path)


def test_many_times_of_a_small_volume_are_no_bomb_but_a_single_one_may_be(tmp_path, monkeypatch):
    nibabel.save(nibabel.Nifti1Image(np.zeros((4, 5, 6, 9), np.uint8), np.eye(4)), tmp_path / "a.nii.gz")
    monkeypatch.setenv("ECOP_MAX_PIXELS", "120")
    assert Volume.read(tmp_path / "a.nii.gz", time=8).shape == (4, 5, 6)
    monkeypatch.setenv("ECOP_MAX_PIXELS", "119")
    with pytest.raises(TooLarge, match="4×5×6 = 120 voxels"):
        Volume.read(tmp_path / "a.nii.gz", time=8)


def npy_header(shape, kind="<f4"):
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": kind, "fortran_order": False, "shape": shape})
    return stream.getvalue()


def test_arrays_that_promise_too_much(tmp_path, monkeypatch):
    (tmp_path / "a.npy").write_bytes(npy_header((10**4, 10**4, 10**3)) + bytes(100))
    with zipfile.ZipFile(tmp_path / "b.npz", "w") as archive:
        archive.writestr("big.npy", npy_header((10**4, 10**4, 10**3)))
    for name in ("a.npy", "b.npz"):
        with pytest.raises(TooLarge, match=r"10000×10000×1000 = 100000000000 voxels, over .* set ECOP_MAX_PIXELS="):
            Volume.read(tmp_path / name)
    (tmp_path / "c.tif").write_bytes(FORMS[".tif"])
    monkeypatch.setenv("ECOP_MAX_PIXELS", str(ARRAY.size - 1))
    with pytest.raises(TooLarge, match="6×7×8 = 336 voxels"):
        Volume.read(tmp_path / "c.tif")


def test_a_tiff_opens_no_other_file(tmp_path):
    """An OME-TIFF whose description says that its slices lie in a file elsewhere."""
    (tmp_path / "inside").mkdir()
    tifffile.imwrite(tmp_path / "secret.ome.tif", ARRAY, metadata={"axes": "ZYX"})
    tifffile.imwrite(tmp_path / "inside" / "a.ome.tif", np.zeros_like(ARRAY), metadata={"axes": "ZYX"})
    with tifffile.TiffFile(tmp_path / "secret.ome.tif") as file:
        there = file.ome_metadata.partition('UUID="')[2].partition('"')[0]
    with tifffile.TiffFile(tmp_path / "inside" / "a.ome.tif") as file:
        here, text = file.ome_metadata.partition('UUID="')[2].partition('"')[0], file.ome_metadata
    data = f'<TiffData FirstZ="0" PlaneCount="6" IFD="0"><UUID FileName="../secret.ome.tif">{there}</UUID></TiffData>'
    start, end = text.index("<TiffData"), text.index("</Pixels>")
    changed = text[:start] + data + text[end:]
    path = tmp_path / "inside" / "b.ome.tif"
    tifffile.imwrite(path, np.zeros_like(ARRAY), description=changed, metadata=None, photometric="minisblack")
    assert here != there
    with tifffile.TiffFile(path) as file:
        assert file.series[0].asarray().any()  # tifffile opens it
    try:
        assert not Volume.read(path).values.any()
    except BadInput:
        return


class Trap:
    """Would create a file if it were unpickled."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return open, (self.path, "w")


def test_nothing_is_unpickled(tmp_path):
    trap = np.array([[[Trap(tmp_path / "sprung")]]], dtype=object)
    np.save(tmp_path / "a.npy", trap, allow_pickle=True)
    np.savez(tmp_path / "b.npz", volume=trap)
    for name in ("a.npy", "b.npz"):
        with pytest.raises(BadInput, match="it holds pickled objects, which are never read"):
            Volume.read(tmp_path / name)
    (tmp_path / "c.npy").write_bytes(pickle.dumps(Trap(tmp_path / "sprung")))
    with pytest.raises(BadInput, match="damaged or truncated volume"):
        Volume.read(tmp_path / "c.npy")
    assert not (tmp_path / "sprung").exists()


def test_what_is_no_volume(tmp_path):
    np.save(tmp_path / "flat.npy", np.zeros((4, 5)))
    np.save(tmp_path / "thin.npy", np.zeros((4, 5, 1)))
    np.save(tmp_path / "none.npy", np.zeros((4, 0, 5)))
    np.save(tmp_path / "text.npy", np.full((2, 2, 2), "abc"))
    np.save(tmp_path / "complex.npy", np.zeros((2, 2, 2), complex))
    nibabel.save(nibabel.Nifti1Image(np.zeros((2, 2, 2), np.complex64), np.eye(4)), tmp_path / "complex.nii")
    nibabel.save(nibabel.Nifti1Image(np.zeros((2, 2, 2, 2, 3), np.uint8), np.eye(4)), tmp_path / "five.nii")
    np.savez(tmp_path / "empty.npz")
    (tmp_path / "words.nii").write_text("not a volume, but long enough to look at " * 20)
    (tmp_path / "scan.dcm").write_bytes(bytes(128) + b"DICM")
    (tmp_path / "scan.mnc").write_bytes(bytes(132))
    (tmp_path / "nothing.nii.gz").touch()
    for name, words in {
        "flat.npy": "an array of 4×5 numbers is no volume; give three axes",
        "thin.npy": "a volume of 4×5×1 voxels is no signal to fit; give at least 2×2×2",
        "none.npy": "a volume of 4×0×5 voxels",
        "text.npy": "values, not numbers; convert it to whole or real numbers",
        "complex.npy": "complex128 values, not numbers",
        "complex.nii": "complex64 values, not numbers",
        "five.nii": "a NIfTI with 5 axes; give three axes, or four of which the last is time",
        "empty.npz": "it has 0 arrays",
        "words.nii": "damaged or truncated volume",
        "scan.dcm": "a DICOM file without a picture; give the slices of a series",
        "scan.mnc": r"'\.mnc' is not a suffix of a volume; give a NIfTI",
        "nothing.nii.gz": r"empty \(0 bytes\)",
        "missing.nii": "there is no such file",
    }.items():
        with pytest.raises(BadInput, match=words) as caught:
            Volume.read(tmp_path / name)
        assert "\n" not in str(caught.value)
        assert str(caught.value).startswith(str(tmp_path / name))


def test_numbers_that_are_none(tmp_path):
    values = np.random.default_rng(0).random((3, 4, 5)).astype(np.float32)
    np.save(tmp_path / "nan.npy", np.full_like(values, np.nan))
    with pytest.raises(BadInput, match="every value is NaN; give a volume with numbers in it"):
        Volume.read(tmp_path / "nan.npy")
    values[0, 0, :2] = np.inf, -np.inf
    np.save(tmp_path / "inf.npy", values)
    with pytest.raises(BadInput, match="2 values are infinite; replace them, by NaN where a value is missing"):
        Volume.read(tmp_path / "inf.npy")


def test_a_nifti_in_two_files_stays_in_one(tmp_path):
    """The header of a pair (.hdr, .img) under the name of a single file must not open its neighbour."""
    nibabel.save(nibabel.Nifti1Pair(ARRAY, np.eye(4)), tmp_path / "a.img")
    content = (tmp_path / "a.hdr").read_bytes()
    (tmp_path / "a.nii").write_bytes(content)
    with pytest.raises(BadInput):
        Volume.read(tmp_path / "a.nii")


def test_spacings_that_are_none(tmp_path):
    """A singular affine, as files without any orientation have it, is left out."""
    image = nibabel.Nifti1Image(ARRAY, None)
    content = bytearray(image.to_bytes())
    struct.pack_into("<hh", content, 252, 0, 2)  # no quaternion, but an affine
    struct.pack_into("<12f", content, 280, *[0.0] * 12)
    (tmp_path / "a.nii").write_bytes(content)
    volume = Volume.read(tmp_path / "a.nii")
    assert "affine" not in volume.about
    assert volume.picture().max() <= 1
    volume.write(tmp_path / "b.nii")
    assert np.linalg.det(nibabel.load(tmp_path / "b.nii").affine) != 0
