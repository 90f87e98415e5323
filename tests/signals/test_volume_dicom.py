"""DICOM: real files that pydicom brings, and files written here for what those have not."""

import logging
import shutil
import tracemalloc
from pathlib import Path

import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    CTImageStorage,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    RLELossless,
    generate_uid,
)

from ecop.core.errors import BadInput, InvalidSetting, MissingExtra, TooLarge
from ecop.data.folder import find_files
from ecop.signals import Volume

REAL = Path(pydicom.__file__).parent / "data" / "test_files"
SERIES = generate_uid()


@pytest.fixture(autouse=True)
def quiet(caplog):
    """Readers' own logs of what is odd about a damaged file are not ours to judge."""
    caplog.set_level(logging.CRITICAL)


def dataset(pixels, **tags):
    """A CT slice, or frames, of whole numbers, with these tags."""
    made = Dataset()
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.file_meta.MediaStorageSOPClassUID = made.SOPClassUID = CTImageStorage
    made.file_meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID = generate_uid()
    made.SeriesInstanceUID, made.Modality = SERIES, "CT"
    made.Rows, made.Columns = pixels.shape[-2:]
    made.SamplesPerPixel, made.PhotometricInterpretation = 1, "MONOCHROME2"
    made.BitsAllocated = made.BitsStored = 8 * pixels.itemsize
    made.HighBit, made.PixelRepresentation = made.BitsStored - 1, int(pixels.dtype.kind == "i")
    if pixels.ndim == 3:
        made.NumberOfFrames = len(pixels)
    for name, value in tags.items():
        setattr(made, name, value)
    made.PixelData = pixels.tobytes()
    return made


def saved(path, made):
    path.parent.mkdir(parents=True, exist_ok=True)
    made.save_as(path, enforce_file_format=True)
    return path


VOXELS = np.random.default_rng(0).integers(-1000, 1000, (4, 5, 6)).astype(np.int16)
ACROSS, DOWN = np.array([0.8, 0.6, 0.0]), np.array([0.0, 0.0, -1.0])
NORMAL = np.cross(ACROSS, DOWN)


def oblique(folder, places=(0, 1, 2, 3), **tags):
    """A series whose slices are turned, 2.5 mm apart, named at random; the numbers are Hounsfield units + 1024."""
    for slice_, place in zip(VOXELS, places, strict=True):
        position = [float(x) for x in [5, 6, 7] + 2.5 * place * NORMAL]
        made = dataset(
            (slice_ + 1024).astype(np.uint16), ImagePositionPatient=position,
            ImageOrientationPatient=[*ACROSS, *DOWN], PixelSpacing=[0.5, 0.75], RescaleSlope=1, RescaleIntercept=-1024,
            **tags,
        )  # fmt: skip
        saved(folder / f"{generate_uid()}.dcm", made)
    return folder


def test_a_real_series_of_ct_slices():
    """Five slices of a head without suffixes, whose order is not that of their names."""
    volume = Volume.read(REAL / "dicomdirtests/98892001/CT5N")
    headers = {path.name: pydicom.dcmread(path) for path in (REAL / "dicomdirtests/98892001/CT5N").iterdir()}
    ordered = sorted(headers.values(), key=lambda header: header.ImagePositionPatient[2])
    assert [header.InstanceNumber for header in ordered] != sorted(header.InstanceNumber for header in ordered)
    expected = np.stack([h.pixel_array * float(h.RescaleSlope) + float(h.RescaleIntercept) for h in ordered])
    np.testing.assert_allclose(volume.in_units()[..., 0], expected, atol=1e-3)
    assert volume.spacing == (2.5, 0.488281, 0.488281)
    assert (volume.about["dtype"], volume.about["scale_factors"]) == ("int16", [1.0, -1024.0])


@pytest.mark.parametrize("name", ["rtdose.dcm", "rtdose_rle.dcm", "rtdose_expb.dcm"])
def test_a_real_file_of_many_frames(name):
    """A dose in gray on 15 planes, whose places are offsets along the first one's normal."""
    volume, header = Volume.read(REAL / name), pydicom.dcmread(REAL / name)
    assert volume.shape == (15, 10, 10)
    dose = header.pixel_array * float(header.DoseGridScaling)
    np.testing.assert_allclose(volume.in_units()[..., 0], dose, atol=1e-6)
    assert volume.spacing == (5.0, 10.0, 10.0)
    assert volume.about["dtype"] == "uint32"


def test_real_colours():
    volume = Volume.read(REAL / "SC_rgb_rle_2frame.dcm")
    assert (volume.shape, volume.channels, volume.spacing) == ((2, 100, 100), 3, (1.0, 1.0, 1.0))
    np.testing.assert_allclose(
        volume.in_units(), pydicom.dcmread(REAL / "SC_rgb_rle_2frame.dcm").pixel_array, atol=1e-3
    )


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("CT_small.dcm", "a single slice; give the folder with all slices of its series"),
        ("examples_ybr_color.dcm", "frames in time, not slices; convert it to a video"),
        ("image_dfl.dcm", "a deflated DICOM file; convert it"),
        ("badVR.dcm", "damaged or truncated volume"),
        ("no_meta.dcm", "it does not bear the mark of DICOM"),
        ("rtplan.dcm", "a DICOM file without a picture"),
        ("JPEGLSNearLossless_08.dcm", r"pixels compressed as JPEG-LS .* which nothing installed here decodes"),
        ("examples_palette.dcm", "numbers that stand for others by a table"),
        ("dicomdirtests/98892001/CT2N", "slices that are turned against each other"),
        ("dicomdirtests/77654033/CT2", "slices from 1.25 to 202.5 mm apart, as if some were missing"),
        ("dicomdirtests/98892003/MR1", "3 series in one folder; put each series into a folder of its own"),
    ],
)
def test_real_files_that_are_no_volume(name, problem):
    with pytest.raises(BadInput, match=problem) as raised:
        Volume.read(REAL / name)
    assert "\n" not in str(raised.value)


def test_slices_lie_where_the_standard_says(tmp_path):
    """P = S + Δ_column · column · X + Δ_row · row · Y (PS3.3, C.7.6.2.1.1), seen with the axes of NIfTI."""
    volume = Volume.read(oblique(tmp_path / "ct", places=(2, 0, 3, 1)))
    np.testing.assert_allclose(volume.in_units()[..., 0], VOXELS[[1, 3, 0, 2]], atol=0.02)
    for index in ([0, 0, 0], [3, 4, 5], [1, 2, 0]):
        place = np.array([5, 6, 7]) + 2.5 * index[0] * NORMAL + 0.5 * index[1] * DOWN + 0.75 * index[2] * ACROSS
        np.testing.assert_allclose((volume.affine @ [*index, 1])[:3], place * [-1, -1, 1], atol=1e-4)
    np.testing.assert_allclose(volume.spacing, (2.5, 0.5, 0.75), rtol=1e-6)
    assert volume.about["units"] == "mm"


def test_a_tilted_gantry_shears(tmp_path):
    """Slices that are moved aside by a millimetre each: the affine knows."""
    for number, slice_ in enumerate(VOXELS):
        made = dataset(slice_, ImagePositionPatient=[0, 1 * number, 3 * number], PixelSpacing=[1, 1],
                       ImageOrientationPatient=[1, 0, 0, 0, 1, 0])  # fmt: skip
        saved(tmp_path / f"{number}.dcm", made)
    np.testing.assert_allclose(Volume.read(tmp_path).affine[:3, 0], [0, -1, 3], atol=1e-6)


def enhanced(pixels, places, slopes):
    """A file of many frames that says of each where it is, and of all how they are turned."""

    def group(**parts):
        return Sequence([Dataset()]) if not parts else Sequence([_with(Dataset(), parts)])

    def _with(made, parts):
        for name, value in parts.items():
            setattr(made, name, value)
        return made

    shared = _with(Dataset(), {
        "PlaneOrientationSequence": group(ImageOrientationPatient=[1, 0, 0, 0, 1, 0]),
        "PixelMeasuresSequence": group(PixelSpacing=[0.5, 0.75], SpacingBetweenSlices=9),
    })  # fmt: skip
    frames = [_with(Dataset(), {
        "PlanePositionSequence": group(ImagePositionPatient=[1, 2, place]),
        "PixelValueTransformationSequence": group(RescaleSlope=slope, RescaleIntercept=-5),
    }) for place, slope in zip(places, slopes, strict=True)]  # fmt: skip
    return dataset(
        pixels, SharedFunctionalGroupsSequence=Sequence([shared]), PerFrameFunctionalGroupsSequence=Sequence(frames)
    )


def test_many_frames_each_with_its_place_and_slope(tmp_path):
    path = saved(tmp_path / "a.dcm", enhanced(VOXELS, [6, 0, 2, 4], [1, 2, 0.5, 1]))
    volume = Volume.read(path)
    expected = (VOXELS * np.reshape([1, 2, 0.5, 1], (4, 1, 1)) - 5)[[1, 2, 3, 0]]
    np.testing.assert_allclose(volume.in_units()[..., 0], expected, atol=0.02)
    assert volume.about["dtype"] == "float32"
    assert volume.spacing == (2.0, 0.5, 0.75)
    np.testing.assert_allclose(volume.affine[:3, 3], [-1, -2, 0], atol=1e-6)


def test_the_other_byte_order_and_run_lengths(tmp_path):
    made = enhanced(VOXELS, [0, 1, 2, 3], [1, 1, 1, 1])
    plain = Volume.read(saved(tmp_path / "a.dcm", made))
    made.compress(RLELossless)
    np.testing.assert_array_equal(Volume.read(saved(tmp_path / "b.dcm", made)).values, plain.values)


def test_slices_without_places_go_by_their_numbers(tmp_path):
    for number, slice_ in zip((9, 10, 2, 7), VOXELS, strict=True):
        saved(tmp_path / f"{number}.dcm", dataset(slice_, InstanceNumber=number))
    volume = Volume.read(tmp_path)
    np.testing.assert_allclose(volume.in_units()[..., 0], VOXELS[[2, 3, 0, 1]], atol=0.02)
    assert "affine" not in volume.about
    for path in tmp_path.iterdir():
        path.unlink()
        saved(path, dataset(VOXELS[0]))
    with pytest.raises(BadInput, match="slices with neither places nor numbers"):
        Volume.read(tmp_path)


def change(folder, **tags):
    path = next(iter(folder.iterdir()))
    made = pydicom.dcmread(path)
    for name, value in tags.items():
        setattr(made, name, value) if value is not None else delattr(made, name)
    made.save_as(path)


@pytest.mark.parametrize(
    ("tags", "problem"),
    [
        ({"SeriesInstanceUID": generate_uid()}, "2 series in one folder"),
        ({"Rows": 3, "PixelData": bytes(36)}, "slices of different sizes: 3×6, 5×6"),
        ({"ImagePositionPatient": None}, "1 of 4 slices do not say where they lie"),
        ({"PixelSpacing": [0.5, 0.9]}, "slices whose pixels differ in size"),
        ({"PixelSpacing": [0, 0.75]}, "pixels of 0×0.75 mm"),
        ({"ImageOrientationPatient": [1, 0, 0, 0, 1, 0]}, "slices that are turned against each other"),
        ({"RescaleSlope": 0}, "a slope of 0"),
        ({"Rows": 0}, "a picture of 0×6 pixels"),
        ({"PixelData": bytes(10)}, "damaged or truncated volume"),
    ],
)
def test_one_slice_that_does_not_belong(tmp_path, tags, problem):
    folder = oblique(tmp_path / "ct")
    change(folder, **tags)
    with pytest.raises(BadInput, match=problem) as raised:
        Volume.read(folder)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("places", "problem"),
    [
        ((0, 1, 2, 4), "slices from 2.5 to 5 mm apart, as if some were missing"),
        ((0, 1, 2, 2), "1 of 4 slices lie where another lies, as with several times or echoes"),
        ((0, 0, 1, 1), "2 of 4 slices lie where another lies"),
    ],
)
def test_slices_that_are_no_stack(tmp_path, places, problem):
    with pytest.raises(BadInput, match=problem):
        Volume.read(oblique(tmp_path / "ct", places))


def test_a_folder_is_one_volume_and_its_neighbour_another(tmp_path):
    for name in ("one", "two"):
        oblique(tmp_path / "patient" / name)
    shutil.copy(REAL / "dicomdirtests/DICOMDIR", tmp_path / "patient")
    (tmp_path / "patient" / "one" / "notes.txt").write_text("notes")
    saved(tmp_path / "patient" / "frames" / "a.dcm", enhanced(VOXELS, [0, 1, 2, 3], [1, 1, 1, 1]))
    found = find_files(tmp_path / "patient", Volume)
    assert [path.relative_to(tmp_path / "patient").as_posix() for path in found] == ["frames/a.dcm", "one", "two"]
    assert Volume.read(found[1]).shape == (4, 5, 6)
    with pytest.raises(BadInput, match="leave var out"):
        Volume.read(found[1], var="a")
    with pytest.raises(InvalidSetting, match="axes"):
        Volume.read(found[1], axes="zyx")
    bare = tmp_path / "IM000001"
    shutil.copy(found[0], bare)
    np.testing.assert_array_equal(Volume.read(bare).values, Volume.read(found[0]).values)


def test_written_as_nifti_it_lies_where_it_lay(tmp_path):
    volume = Volume.read(oblique(tmp_path / "ct"))
    volume.write(tmp_path / "a.nii.gz")
    back = Volume.read(tmp_path / "a.nii.gz")
    np.testing.assert_allclose(back.affine, volume.affine, atol=1e-4)
    np.testing.assert_allclose(back.in_units(), volume.in_units(), atol=0.02)


def test_a_header_that_promises_too_much(tmp_path):
    made = enhanced(VOXELS, [0, 1, 2, 3], [1, 1, 1, 1])
    made.Rows = made.Columns = 60_000
    saved(tmp_path / "a.dcm", made)
    series = oblique(tmp_path / "ct")
    for path in series.iterdir():
        slice_ = pydicom.dcmread(path)
        slice_.Rows = slice_.Columns = 60_000
        slice_.save_as(path)
    tracemalloc.start()
    try:
        for path in (tmp_path / "a.dcm", series):
            with pytest.raises(
                TooLarge, match=r"4×60000×60000.* = 14400000000 voxels.*set ECOP_MAX_PIXELS=14400000000"
            ):
                Volume.read(path)
        assert tracemalloc.get_traced_memory()[1] < 10e6
    finally:
        tracemalloc.stop()


def test_a_deflated_file_is_not_unpacked(tmp_path):
    made = enhanced(np.zeros((4, 500, 500), np.int16), [0, 1, 2, 3], [1, 1, 1, 1])
    made.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    saved(tmp_path / "a.dcm", made)
    with pytest.raises(BadInput, match="a deflated DICOM file"):
        Volume.read(tmp_path / "a.dcm")


def test_without_pydicom(tmp_path, monkeypatch):
    folder = oblique(tmp_path / "ct")
    monkeypatch.setitem(__import__("sys").modules, "pydicom", None)
    assert find_files(tmp_path, Volume) == [folder]
    with pytest.raises(MissingExtra, match=r"a DICOM volume needs an optional part: pip install 'ecop\[volumes\]'"):
        Volume.read(folder)


@settings(max_examples=40, deadline=None)
@given(place=st.floats(0, 1, exclude_max=True), value=st.integers(0, 255), cut=st.booleans())
def test_damage_raises_nothing_but_our_errors(tmp_path_factory, place, value, cut):
    path = saved(tmp_path_factory.mktemp("damaged") / "a.dcm", enhanced(VOXELS, [0, 1, 2, 3], [1, 1, 1, 1]))
    whole, content = Volume.read(path).values, bytearray(path.read_bytes())
    where = int(place * len(content))
    if cut:
        del content[where:]
    else:
        content[where] = value
    path.write_bytes(content)
    try:
        values = Volume.read(path).values
    except (BadInput, TooLarge) as error:
        assert "\n" not in str(error)
        return
    assert np.isfinite(values).all()
    assert not cut or np.array_equal(values, whole)
