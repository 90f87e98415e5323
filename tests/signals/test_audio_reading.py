"""Sound files of every format, and files that are none: each comes back as its samples or as one clear line."""

import fractions
import struct
import warnings

import av
import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from ecop.core.errors import BadInput, InvalidSetting, MissingExtra, TooLarge
from ecop.metrics import snr
from ecop.signals import Audio

RATE, SAMPLES = 16_000, 24_000
TIME = np.arange(SAMPLES) / RATE
VOICE = sum(np.sin(2 * np.pi * 140 * k * TIME + k) / k for k in range(1, 12)) * np.sin(np.pi * TIME / TIME[-1]) ** 2 / 4
SOUND = np.stack([VOICE, np.roll(VOICE, 50)], -1)

SUFFIXES = {".wav": "WAV", ".flac": "FLAC", ".ogg": "OGG", ".oga": "OGG", ".opus": "OGG", ".mp3": "MP3", ".aif": "AIFF"}
EXACT = [
    (".wav", "PCM_16", 16), (".wav", "PCM_24", 24), (".wav", "FLOAT", 32), (".wav", "DOUBLE", 32),
    (".flac", "PCM_16", 16), (".flac", "PCM_24", 24), (".aif", "PCM_16", 16), (".wav", "PCM_U8", 16),
]  # fmt: skip
LOSSY = [".ogg", ".oga", ".opus", ".mp3", ".m4a", ".aac"]


def saved(path, samples=SOUND, subtype=None, rate=RATE):
    subtype = {".opus": "OPUS", ".ogg": "VORBIS"}.get(path.suffix) if subtype is None else subtype
    soundfile.write(path, samples, rate, subtype, format=SUFFIXES[path.suffix])
    return path


def saved_aac(path, samples=SOUND, rate=RATE, **options):
    """AAC, in an M4A file or bare, with the timestamps that an encoder's delay shows in."""
    form = "ipod" if path.suffix == ".m4a" else "adts"
    with av.open(str(path), "w", format=form, options=options) as container:
        track = container.add_stream("aac", rate=rate, layout="stereo")
        track.bit_rate = 256_000
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples.T, np.float32), "fltp", "stereo")
        frame.sample_rate, frame.pts, frame.time_base = rate, 0, fractions.Fraction(1, rate)
        cut = av.AudioResampler(format=track.codec_context.format, layout="stereo", rate=rate, frame_size=1024)
        for piece in [*cut.resample(frame), *cut.resample(None), None]:
            for packet in track.encode(piece):
                container.mux(packet)
    return path


def lossy(path):
    return saved_aac(path) if path.suffix in (".m4a", ".aac") else saved(path)


@pytest.mark.parametrize(("suffix", "subtype", "bits"), EXACT)
def test_exact_formats(tmp_path, suffix, subtype, bits):
    path = saved(tmp_path / f"a{suffix}", subtype=subtype)
    sound = Audio.read(path)
    assert (sound.shape, sound.channels, sound.rate, sound.bits) == ((SAMPLES,), 2, RATE, bits)
    theirs, _ = soundfile.read(path)
    np.testing.assert_allclose(2 * sound.values - 1, theirs, atol=2e-7)
    np.testing.assert_allclose(sound.stored().values, sound.values, atol=1e-7)


@pytest.mark.parametrize("suffix", LOSSY)
def test_lossy_formats(tmp_path, suffix):
    sound = Audio.read(lossy(tmp_path / f"a{suffix}"))
    assert (sound.channels, sound.rate, sound.bits) == (2, RATE, 16)
    delay = 1024 if suffix == ".aac" else 0  # a bare stream does not say what its encoder put in front
    samples = 2 * sound.values[delay : delay + SAMPLES] - 1
    assert len(samples) == SAMPLES
    assert len(sound.values) <= SAMPLES + delay + 2048
    assert snr(SOUND, samples) > 15


def test_the_suffix_does_not_matter_where_the_content_speaks(tmp_path):
    path = saved(tmp_path / "a.flac").rename(tmp_path / "a.mp3")
    assert Audio.read(path).shape == (SAMPLES,)


@pytest.mark.parametrize("rate", [8_000, 22_050])
def test_reading_at_another_rate(tmp_path, rate):
    path = saved(tmp_path / "a.wav")
    sound = Audio.read(path, rate=rate)
    count = SAMPLES * rate // RATE
    assert (sound.shape, sound.rate) == ((count,), rate)
    np.testing.assert_allclose(sound.values, Audio.read(path).resized((count,)).values, atol=1e-5)
    assert Audio.read(path, rate=RATE).values.tolist() == Audio.read(path).values.tolist()


def test_settings(tmp_path):
    path = saved(tmp_path / "a.wav")
    assert Audio.read(path, scale=5).grid("corners").axes()[0][[0, -1]].tolist() == [-5, 5]
    for wrong in ({"rate": 0}, {"rate": -3}, {"scale": 0.0}, {"scale": float("nan")}):
        with pytest.raises(InvalidSetting, match=r"rate|scale"):
            Audio.read(path, **wrong)


def refused(path):
    with pytest.raises(BadInput) as caught:
        Audio.read(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)
    return str(caught.value).removeprefix(f"{path}: ")


@pytest.mark.parametrize("suffix", [".wav", ".mp3", ".m4a", ".aac", ".ogg"])
def test_a_playlist_is_no_sound_and_opens_no_other_file(tmp_path, suffix):
    other = saved(tmp_path / "secret.wav")
    for number, script in enumerate([
        f"ffconcat version 1.0\nfile '{other}'\n", f"#EXTM3U\n#EXTINF:1,\nfile://{other}\n", f"concat:{other}",
    ]):  # fmt: skip
        path = tmp_path / f"list{number}{suffix}"
        path.write_text(script)
        assert "sound" in refused(path)


def test_short_sounds(tmp_path):
    assert "0 samples" in refused(saved(tmp_path / "none.wav", SOUND[:0]))
    assert refused(saved(tmp_path / "one.wav", SOUND[:1])).startswith("a sound of 1 samples is no signal to fit")
    assert Audio.read(saved(tmp_path / "two.wav", SOUND[:2])).shape == (2,)
    assert Audio.read(tmp_path / "two.wav", rate=10).shape == (2,)


@pytest.mark.parametrize(
    ("value", "words"),
    [(np.nan, "1 samples are NaN or infinite"), (-np.inf, "NaN or infinite"), (1.5, "outside \\[-1, 1\\]; scale them")],
)
def test_float_samples_that_are_none(tmp_path, value, words):
    samples = SOUND.copy()
    samples[77, 1] = value
    with pytest.raises(BadInput, match=words):
        Audio.read(saved(tmp_path / "a.wav", samples, "FLOAT"))


def test_video_without_sound(tmp_path):
    with av.open(str(tmp_path / "a.m4a"), "w", format="mp4") as container:
        track = container.add_stream("mpeg4", rate=5)
        track.width, track.height, track.pix_fmt = 32, 32, "yuv420p"
        for packet in [*track.encode(av.VideoFrame(32, 32, "yuv420p")), *track.encode(None)]:
            container.mux(packet)
    assert "there is no sound in it" in refused(tmp_path / "a.m4a")


CUTS = [".wav", ".flac", ".ogg", ".opus", ".aif", ".mp3", ".m4a", ".aac", "-first.m4a"]


@pytest.fixture(scope="session")
def encoded(tmp_path_factory):
    folder = tmp_path_factory.mktemp("encoded")
    contents = {suffix: lossy(folder / f"a{suffix}").read_bytes() for suffix in CUTS[:-1]}
    return contents | {CUTS[-1]: saved_aac(folder / CUTS[-1], movflags="faststart").read_bytes()}


@pytest.mark.parametrize("suffix", CUTS)
@pytest.mark.parametrize("share", [0.05, 0.5, 0.9])
def test_truncated_files(tmp_path, encoded, suffix, share):
    path = tmp_path / f"cut{suffix}"
    path.write_bytes(encoded[suffix][: int(share * len(encoded[suffix]))])
    assert "truncated" in refused(path)


@pytest.mark.parametrize("suffix", CUTS)
@settings(max_examples=25)
@given(place=st.floats(0, 1, exclude_max=True), value=st.integers(0, 255))
def test_a_damaged_byte_raises_nothing_but_our_errors(tmp_path_factory, encoded, suffix, place, value):
    content = bytearray(encoded[suffix])
    content[int(place**3 * len(content))] = value  # headers most of all
    path = tmp_path_factory.mktemp("damaged") / f"a{suffix}"
    path.write_bytes(content)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            values = Audio.read(path).values
        except (BadInput, TooLarge) as error:
            assert "\n" not in str(error)
            return
    assert np.isfinite(values).all()


def test_a_wav_of_unknown_length_is_read_to_its_end(tmp_path):
    """As programs write it into a pipe: all ones where the length would be."""
    content = bytearray(saved(tmp_path / "a.wav").read_bytes())
    place = content.index(b"data") + 4
    content[place : place + 4] = struct.pack("<I", 2**32 - 1)
    (tmp_path / "pipe.wav").write_bytes(content)
    assert Audio.read(tmp_path / "pipe.wav").shape == (SAMPLES,)


def test_limits_hold_before_anything_is_decoded(tmp_path, monkeypatch):
    paths = [saved(tmp_path / "a.flac"), saved_aac(tmp_path / "a.m4a")]
    monkeypatch.setenv("ECOP_MAX_PIXELS", str(2 * SAMPLES - 1))
    for path in paths:
        with pytest.raises(TooLarge, match=r"×2 = \d+ samples, over the limit of 47999 samples"):
            Audio.read(path)
    monkeypatch.setenv("ECOP_MAX_PIXELS", str(2 * SAMPLES))
    with pytest.raises(TooLarge, match="at 48000 Hz is 72000×2 = 144000 samples"):
        Audio.read(paths[0], rate=48_000)


@pytest.mark.parametrize(("module", "name"), [("soundfile", "a.wav"), ("av", "a.mp3"), ("soxr", "a.wav")])
def test_without_the_extra(tmp_path, monkeypatch, module, name):
    path = saved(tmp_path / name)
    monkeypatch.setitem(__import__("sys").modules, module, None)
    with pytest.raises(MissingExtra, match=r"pip install 'ecop\[audio\]'"):
        Audio.read(path, rate=8000)
