"""Sound and figures of sound written to files."""

import errno

import numpy as np
import pytest
import soundfile
from PIL import Image as Pillow

from ecop.core import files
from ecop.core.errors import CannotWrite, MissingExtra
from ecop.metrics import snr
from ecop.signals import Audio

VALUES = (0.5 + 0.3 * np.sin(np.arange(5000) / 9)[:, None] * np.array([1, -0.5])).astype(np.float32)


@pytest.mark.parametrize(
    ("suffix", "bits", "subtype"),
    [
        (".wav", 16, "PCM_16"), (".wav", 24, "PCM_24"), (".wav", 32, "FLOAT"), (".flac", 16, "PCM_16"),
        (".flac", 24, "PCM_24"), (".flac", 32, "PCM_24"), (".ogg", 16, "VORBIS"),
    ],
)  # fmt: skip
def test_formats_as_another_library_reads_them(tmp_path, suffix, bits, subtype):
    path = tmp_path / f"a{suffix}"
    Audio.assemble(VALUES, {"rate": 22_050, "bits": bits}).write(path)
    info = soundfile.info(path)
    assert (info.subtype, info.samplerate, info.channels, info.frames) == (subtype, 22_050, 2, 5000)
    samples, _ = soundfile.read(path)
    if suffix == ".ogg":
        assert snr(2 * VALUES - 1, samples) > 15
    else:
        np.testing.assert_allclose(samples, 2 * VALUES - 1, atol=2.0**-bits + 2e-7)


@pytest.mark.parametrize("bits", [16, 24, 32])
def test_the_extremes_do_not_wrap(tmp_path, bits):
    extremes = Audio.assemble(np.array([[0.0], [1.0], [0.5], [np.nan]]), {"bits": bits})
    extremes.write(tmp_path / "a.wav")
    samples, _ = soundfile.read(tmp_path / "a.wav")
    np.testing.assert_allclose(samples, [-1, 1, 0, 0], atol=2.0 ** (1 - bits))


def test_strips_are_written_as_they_come(tmp_path):
    done = []

    def strips():
        for part in np.array_split(VALUES, 5):
            done.append(len(list(tmp_path.glob(".*.partial"))))
            yield part

    Audio.write_strips(tmp_path / "a.wav", strips(), (5000,), 2, {"rate": 8000})
    assert done == [0, 1, 1, 1, 1]  # the first is asked for before the file is begun
    np.testing.assert_allclose(Audio.read(tmp_path / "a.wav").values, VALUES, atol=2e-5)


@pytest.mark.parametrize("suffix", [".png", ".pdf", ".svg"])
def test_figures(tmp_path, suffix):
    Audio.assemble(VALUES, {"rate": 8000}).write(tmp_path / f"a{suffix}")
    content = (tmp_path / f"a{suffix}").read_bytes()
    if suffix == ".png":
        with Pillow.open(tmp_path / "a.png") as figure:
            colours = np.asarray(figure.convert("RGB")).reshape(-1, 3)
        assert (colours == (0, 114, 178)).all(1).sum() > 1000  # the waveform
    else:
        assert content.startswith((b"%PDF", b"<?xml"))
        assert len(content) > 5000


@pytest.mark.parametrize("samples", [2, 30])
def test_figures_of_hardly_anything(tmp_path, samples):
    Audio.assemble(VALUES[:samples], {"rate": 8000}).write(tmp_path / "a.png")
    with Pillow.open(tmp_path / "a.png") as figure:
        assert figure.width > 300


@pytest.mark.parametrize(("suffix", "rate"), [(".flac", 2_000_000), (".ogg", 500_000)])
def test_what_a_format_does_not_hold(tmp_path, suffix, rate):
    with pytest.raises(CannotWrite, match=rf"does not hold 2 channels at {rate} Hz; choose \.wav"):
        Audio.assemble(VALUES, {"rate": rate}).write(tmp_path / f"a{suffix}")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".ogg"])
def test_a_full_disk_is_said_and_nothing_is_left(tmp_path, monkeypatch, suffix):
    """libsndfile passes over what a stream raises."""

    class Full:
        def __init__(self, stream):
            self._stream = stream

        def __getattr__(self, name):
            return getattr(self._stream, name)

        def write(self, data):
            if self._stream.tell() + len(data) > 1000:
                raise OSError(errno.ENOSPC, "No space left on device")
            return self._stream.write(data)

    whole = files.atomic_write

    class Atomic:
        def __init__(self, path):
            self._inner = whole(path)

        def __enter__(self):
            return Full(self._inner.__enter__())

        def __exit__(self, *error):
            return self._inner.__exit__(*error)

    monkeypatch.setattr("ecop.signals.audio_writing.atomic_write", Atomic)
    with pytest.raises(CannotWrite, match="the disk is full"):
        Audio.assemble(np.random.default_rng(0).random((50_000, 1)), {}).write(tmp_path / f"a{suffix}")
    assert list(tmp_path.iterdir()) == []


def test_without_the_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "soundfile", None)
    with pytest.raises(MissingExtra, match=r"pip install 'ecop\[audio\]'"):
        Audio.assemble(VALUES, {}).write(tmp_path / "a.wav")
