"""The paper's data sets, in small folders laid out as their makers lay them out."""

import numpy as np
import pytest
from skimage import data

from ecop.core.errors import BadInput, InvalidSetting, UnknownName
from ecop.core.recipe import DataSettings, Recipe
from ecop.core.registry import LAYOUTS, SIGNALS
from ecop.data import divided
from ecop.signals import Image

av, soundfile, xarray = (pytest.importorskip(name) for name in ("av", "soundfile", "xarray"))
PICTURE = Image.assemble(data.astronaut()[::16, ::16] / 255, {})
PUBLISHED = sorted(set(LAYOUTS.names()) - {"folder"})


def picture(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    PICTURE.write(path)


def text(path, *lines):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")


def names(root, layout, signal=Image, needed="train", **settings):
    """Names below the root, by split; every item is read."""
    signal_class = SIGNALS[signal] if isinstance(signal, str) else signal
    settings = DataSettings(layout=layout, **settings)
    split = divided(root, signal_class, settings, needed)
    for items in vars(split).values():
        for item in items:
            item.read(signal_class, settings.reading)
    return {part: [item.name(root) for item in items] for part, items in vars(split).items()}


@pytest.mark.parametrize(
    "images", ["img_align_celeba", "Img/img_align_celeba", "img_align_celeba/img_align_celeba", ""]
)
@pytest.mark.parametrize("csv", [False, True])
def test_celeba_by_its_list(tmp_path, images, csv):
    folder = (tmp_path / images).relative_to(tmp_path).as_posix()
    prefix = "" if folder == "." else f"{folder}/"
    for number in range(1, 6):
        picture(tmp_path / prefix / f"{number:06d}.jpg")
    parts = [0, 2, 1, 0, 2]
    if csv:
        rows = [f"{number:06d}.jpg,{part}" for number, part in enumerate(parts, 1)]
        text(tmp_path / "list_eval_partition.csv", "image_id,partition", *rows)
    else:
        rows = [f"{number:06d}.jpg {part}" for number, part in enumerate(parts, 1)]
        text(tmp_path / "Eval" / "list_eval_partition.txt", *rows)
    assert names(tmp_path, "celeba") == {
        "train": [f"{prefix}000001.jpg", f"{prefix}000004.jpg"], "validation": [f"{prefix}000003.jpg"],
        "test": [f"{prefix}000002.jpg", f"{prefix}000005.jpg"],
    }  # fmt: skip


def test_celeba_with_something_missing(tmp_path):
    picture(tmp_path / "img_align_celeba" / "000001.png")
    with pytest.raises(BadInput, match=r"no list_eval_partition.txt in this folder; CelebA has img_align_celeba and .*"
                                       r"get it from mmlab\.ie\.cuhk.* data\.layout=folder"):  # fmt: skip
        names(tmp_path, "celeba")
    text(tmp_path / "list_eval_partition.txt", "000001.jpg 0", "000002.jpg 1", "000003.jpg 2")
    with pytest.raises(BadInput, match=r"2 of the 3 files that the list names \(000002, …\) are not in this folder"):
        names(tmp_path, "celeba")
    text(tmp_path / "list_eval_partition.txt", "000001.jpg 0")
    assert names(tmp_path, "celeba")["train"] == ["img_align_celeba/000001.png"]  # the list's names, as PNG files
    with pytest.raises(BadInput, match="nothing for test in this folder; CelebA has"):
        names(tmp_path, "celeba", needed="test")
    text(tmp_path / "list_eval_partition.txt", "000001.jpg 0", "000002.jpg 7")
    with pytest.raises(BadInput, match=r"a line is '000002.jpg 7'; expected NAME 0"):
        names(tmp_path, "celeba")
    (tmp_path / "list_eval_partition.txt").write_bytes(b"\xff\xfe\0")
    with pytest.raises(BadInput, match="the list cannot be read"):
        names(tmp_path, "celeba")


def test_celeba_hq_by_the_split_of_the_pictures_it_was_made_from(tmp_path):
    for number in range(3):
        picture(tmp_path / "CelebA-HQ-img" / f"{number}.jpg")
    mapping = tmp_path / "CelebA-HQ-to-CelebA-mapping.txt"
    text(tmp_path / "list_eval_partition.txt", "000011.jpg 2", "000012.jpg 0", "000013.jpg 1", "000014.jpg 0")
    with pytest.raises(BadInput, match=r"no CelebA-HQ-to-CelebA-mapping.txt in this folder; CelebA-HQ has"):
        names(tmp_path, "celeba-hq")
    text(mapping, "idx  orig_idx  orig_file", "0  10  000011.jpg", "1  11  000012.jpg", "2  12  000013.jpg")
    expected = {"train": ["1"], "validation": ["2"], "test": ["0"]}
    assert names(tmp_path, "celeba-hq") == {k: [f"CelebA-HQ-img/{n}.jpg" for n in v] for k, v in expected.items()}
    text(mapping, "idx orig_idx orig_file", "0 10 999999.jpg")
    with pytest.raises(BadInput, match=r"it names 999999.jpg, which CelebA's list does not"):
        names(tmp_path, "celeba-hq")
    for broken in (["idx orig_idx"], ["idx orig_file", "3"], []):
        text(mapping, *broken)
        with pytest.raises(BadInput, match="no list with the columns idx and orig_file"):
            names(tmp_path, "celeba-hq")


@pytest.mark.parametrize(
    ("layout", "train", "test", "suffix"),
    [("afhq", "train/cat", "val/cat", "jpg"), ("afhq", "train/dog", "test/dog", "png"),
     ("celeba-hq", "train/female", "val/male", "jpg"), ("imagenette", "train/n01440764", "val/n01440764", "JPEG"),
     ("imagenet", "train/n01440764", "val/n01440764", "JPEG"),
     ("imagenet", "ILSVRC/Data/CLS-LOC/train/n01440764", "ILSVRC/Data/CLS-LOC/val", "JPEG")],
)  # fmt: skip
def test_folders_for_training_and_test(tmp_path, layout, train, test, suffix):
    for number in range(6):
        picture(tmp_path / train / f"a_{number}.{suffix}")
        picture(tmp_path / test / f"b_{number}.{suffix}")
    split = names(tmp_path, layout, validation=0.3, test=0.0)
    assert split["test"] == [f"{test}/b_{number}.{suffix}" for number in range(6)]
    assert sorted(split["train"] + split["validation"]) == [f"{train}/a_{number}.{suffix}" for number in range(6)]
    assert split["validation"]
    assert names(tmp_path, layout, validation=0.0)["validation"] == []


def test_what_is_there_of_a_data_set_can_be_measured_on(tmp_path):
    picture(tmp_path / "val" / "n1" / "a.jpg")
    assert names(tmp_path, "imagenette", needed="test")["test"] == ["val/n1/a.jpg"]
    with pytest.raises(BadInput, match=r"nothing for train in this folder; Imagenette has folders train and val: get"):
        names(tmp_path, "imagenette")


@pytest.mark.parametrize("layout", PUBLISHED)
def test_a_folder_of_something_else_is_told_where_to_get_it(tmp_path, layout):
    picture(tmp_path / "portraits" / "a.png")
    title = LAYOUTS[layout].title
    with pytest.raises(BadInput, match=rf"{title} has .*: get it from [\w.]+/?\S*.*data.layout=folder"):
        divided(tmp_path, Image, DataSettings(layout=layout))
    with pytest.raises(BadInput, match=rf"there is no such folder; give the folder of {title}, from"):
        divided(tmp_path / "gone", Image, DataSettings(layout=layout))
    with pytest.raises(BadInput, match=rf"a.png: it is a file; give the folder of {title}, from .*data.layout=folder"):
        divided(tmp_path / "portraits" / "a.png", Image, DataSettings(layout=layout))


def test_an_unknown_layout_and_a_list_beside_one(tmp_path):
    with pytest.raises(UnknownName, match=r"no layout 'celebahq' \(did you mean 'celeba-hq'"):
        divided(tmp_path, Image, DataSettings(layout="celebahq"))
    with pytest.raises(InvalidSetting, match=r"data.split_file = 'mine.txt' is not usable: expected none with a"):
        Recipe(data=DataSettings(layout="celeba", split_file="mine.txt"))


def video(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    frames = np.repeat(PICTURE.values[None], 4, axis=0) * np.linspace(0.5, 1, 4, dtype=np.float32)[:, None, None, None]
    with av.open(str(path), "w") as container:  # MPEG-4 in AVI, as the data set has it
        stream = container.add_stream("mpeg4", rate=25)
        stream.height, stream.width, stream.pix_fmt = 32, 32, "yuv420p"
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.round(255 * frame).astype(np.uint8), "rgb24")))
        container.mux(stream.encode(None))


def sound(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, 0.5 * np.sin(np.arange(8000) / 6), 16_000, subtype="PCM_16")


def grid(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    latitude, longitude = np.linspace(90, -90, 7), np.arange(0, 360, 30.0)
    values = 250 + 50 * np.cos(np.radians(latitude))[:, None] + 0 * longitude
    if path.suffix == ".npz":
        np.savez(path, latitude=latitude, longitude=longitude, temperature=values)
    else:
        times = np.datetime64(path.stem[-4:], "ns") + np.arange(2).astype("timedelta64[D]")
        coords = {"time": times, "latitude": latitude, "longitude": longitude}
        data = xarray.Dataset({"t2m": (("time", "latitude", "longitude"), np.stack([values, values + 1]))}, coords)
        data.to_netcdf(path, engine="h5netcdf")


@pytest.mark.parametrize("place", ["", "train/"])
def test_ucf101_validates_on_scenes_that_do_not_train(tmp_path, place):
    clips = [f"Archery/v_Archery_g{group:02d}_c{clip:02d}.avi" for group in range(1, 9) for clip in (1, 2)]
    for clip in clips:
        video(tmp_path / (place or "UCF-101") / clip)
    lists = tmp_path / place / "ucfTrainTestlist"
    text(lists / "testlist01.txt", *clips[:4])
    text(lists / "trainlist01.txt", *(f"{clip} 1" for clip in clips[4:]))
    split = names(tmp_path, "ucf101", "video", validation=0.3)
    assert [name.split("_")[2] for name in split["test"]] == ["g01", "g01", "g02", "g02"]
    groups = {part: {name.split("_")[2] for name in split[part]} for part in ("train", "validation")}
    assert groups["train"] | groups["validation"] == {f"g{group:02d}" for group in range(3, 9)}
    assert not groups["train"] & groups["validation"]
    assert groups["validation"]
    assert len(split["train"]) == 2 * len(groups["train"])  # whole groups
    (lists / "testlist01.txt").unlink()
    with pytest.raises(BadInput, match=r"no testlist01.txt in this folder; UCF-101 has UCF-101 and ucfTrainTestlist"):
        names(tmp_path, "ucf101", "video")


def test_librispeech_validates_on_speakers_that_do_not_train(tmp_path):
    root = tmp_path / "LibriSpeech"
    for speaker in range(100, 110):
        for number in range(2):
            sound(root / "train-clean-100" / f"{speaker}/1/{speaker}-1-{number:04d}.flac")
    text(root / "train-clean-100" / "100/1/100-1.trans.txt", "100-1-0000 HELLO")
    sound(root / "test-clean" / "61/2/61-2-0000.flac")
    split = names(tmp_path, "librispeech", "audio", validation=0.3)
    assert split["test"] == ["LibriSpeech/test-clean/61/2/61-2-0000.flac"]
    speakers = {part: {name.split("/")[2] for name in split[part]} for part in ("train", "validation")}
    assert not speakers["train"] & speakers["validation"]
    assert 2 * len(speakers["validation"]) == len(split["validation"]) > 0
    sound(root / "dev-clean" / "84/1/84-1-0000.flac")
    split = names(root, "librispeech", "audio", validation=0.3)
    assert (len(split["train"]), split["validation"]) == (20, ["dev-clean/84/1/84-1-0000.flac"])


@pytest.mark.parametrize("form", ["era5_temp2m_16x_{}", "{}"])
def test_era5_by_folder(tmp_path, form):
    for part in ("train", "val", "test"):
        grid(tmp_path / form.format(part) / "era5.t2m.1979.01.npz")
    split = names(tmp_path, "era5", "sphere")
    expected = {"train": "train", "validation": "val", "test": "test"}
    assert split == {part: [f"{form.format(name)}/era5.t2m.1979.01.npz"] for part, name in expected.items()}


def test_era5_by_year_and_every_time_a_signal(tmp_path):
    for year in (1979, 2015, 2016, 2017, 2018):
        grid(tmp_path / f"2m_temperature_5.625deg_{year}.nc")
    split = names(tmp_path, "era5", "sphere")
    years = {
        part: [name.removesuffix(".nc").rpartition("#")[0][-7:-3] for name in found] for part, found in split.items()
    }
    assert years == {
        "train": ["1979", "1979", "2015", "2015"], "validation": ["2016"] * 2, "test": ["2017"] * 2 + ["2018"] * 2,
    }  # fmt: skip
    (tmp_path / "mask.nc").write_bytes(b"")
    with pytest.raises(BadInput, match=r"neither its folders nor a year in the name of mask.nc in this folder; ERA5"):
        names(tmp_path, "era5", "sphere")


def test_a_run_takes_its_signals_by_the_layout(tmp_path):
    from ecop.meta.train import train

    for number in range(3):
        picture(tmp_path / "celeba" / "img_align_celeba" / f"{number:06d}.png")
    text(tmp_path / "celeba" / "list_eval_partition.txt", "000000.jpg 2", "000001.jpg 0", "000002.jpg 1")
    small = {"data.size": [8, 8], "data.batch": 1, "train.steps": 1, "field.width": 8, "learner.inner_steps": 1,
             "learner.bootstrap_steps": 0, "fit.steps": 1}  # fmt: skip
    recipe = Recipe.named("ecop-celeba").with_settings(small)
    best = train(recipe, tmp_path / "celeba", tmp_path / "run")
    described = {part: content["files"] for part, content in best.provenance["data"].items()}
    assert described == {"train": 1, "validation": 1, "test": 1}
    assert np.isfinite(best.metrics["validation_psnr"])
