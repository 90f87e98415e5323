"""Sound through the command line: what a file becomes, how long a render lasts, and what is said."""

import numpy as np
import pytest
import soundfile

from ecop.signals import Audio

TINY = """
name = "tiny-audio"
signal = "audio"
[field]
name = "siren"
width = 8
depth = 3
[learner]
name = "ecop"
inner_steps = 2
bootstrap_steps = 1
[data]
size = [400]
crop = "random"
channels = 1
batch = 2
[data.reading]
rate = 4000
[train]
steps = 2
validate_every = 2
checkpoint_every = 2
log_every = 1
validation_signals = 1
[fit]
steps = 2
"""


@pytest.fixture
def sounds(tmp_path):
    """A recipe for a tenth of a second at 4 kHz, and files that are longer, shorter, of another rate, and stereo."""
    (tmp_path / "tiny.toml").write_text(TINY)
    (tmp_path / "clips").mkdir()
    files = {"long.wav": (1320, 4000, 1), "short.flac": (120, 4000, 1), "fast.ogg": (2400, 8000, 2)}
    for name, (samples, rate, channels) in (files | {"one.wav": (400, 4000, 1)}).items():
        wave = np.sin(2 * np.pi * 200 * np.arange(samples) / rate)[:, None] * np.linspace(0.2, 0.6, channels)
        soundfile.write(tmp_path / "clips" / name, wave, rate)
    return tmp_path / "clips"


def test_a_folder_is_fitted_and_every_render_lasts_as_long(ecop, sounds):
    result = ecop("fit", "random:tiny.toml", "clips", "-o", "fields")
    assert result.code == 0
    assert "clips/fast.ogg: 2 channels reduced to 1" in result.err
    assert "clips/fast.ogg: resampled from 8000 to 4000 Hz" in result.err
    (long,) = [line for line in result.out.splitlines() if line.startswith("clips/long.wav")]
    assert "4 fields, 2 steps, PSNR" in long
    assert " dB, SNR " in long
    for name, seconds in [("long", 0.33), ("short", 0.03), ("fast", 0.3), ("one", 0.1)]:
        for more, rate in [([], 4000), (["--scale", "3"], 12_000), (["--shape", str(round(seconds * 8000))], 8000)]:
            assert ecop("render", f"fields/{name}.safetensors", "-o", "out.wav", "-y", *more).code == 0
            info = soundfile.info("out.wav")
            assert (info.samplerate, info.frames) == (rate, round(seconds * rate))


@pytest.mark.parametrize("name", ["long.wav", "short.flac"])
def test_a_part_is_a_part_of_the_whole(ecop, sounds, name):
    ecop("fit", "random:tiny.toml", f"clips/{name}", "-o", "a.safetensors")
    ecop("render", "a.safetensors", "-o", "all.wav")
    ecop("render", "a.safetensors", "-o", "part.wav", "--region", "0.25,0.75")
    whole, part = Audio.read("all.wav"), Audio.read("part.wav")
    start, count = whole.shape[0] // 4, whole.shape[0] // 2
    assert (part.shape, part.rate) == ((count,), 4000)
    np.testing.assert_allclose(part.values, whole.values[start : start + count], atol=2.0**-15)


def test_seams_do_not_show(ecop, sounds):
    ecop("fit", "random:tiny.toml", "clips/long.wav", "-o", "a.safetensors")
    ecop("render", "a.safetensors", "-o", "a.wav", "--scale", "4")
    original = Audio.read("clips/long.wav").resized((5280,)).values[:, 0]
    fitted = Audio.read("a.wav").values[:, 0]
    jumps, seams = np.abs(np.diff(fitted)), np.abs(np.arange(5279)[:, None] - 4 * np.array([311, 618, 925])).min(1) < 40
    assert seams.sum() == 3 * 79
    assert jumps[seams].max() <= 2 * jumps[~seams].max()
    error = np.square(fitted - original)[:-1]
    assert error[seams].mean() <= 2 * error[~seams].mean()


def test_native_patches_and_figures(ecop, sounds):
    natives = ecop("fit", "random:tiny.toml", "clips/long.wav", "-o", "n.safetensors", "--native", "--json").document
    patches = ecop("fit", "random:tiny.toml", "clips/long.wav", "-o", "p.safetensors", "--patches", "--json").document
    assert (natives[0]["fields"], patches[0]["fields"]) == (1, 4)
    assert natives[0]["shape"] == patches[0]["shape"] == [1320]
    assert set(natives[0]["metrics"]) == {"psnr", "snr", "lsd"}
    assert ecop("render", "n.safetensors", "-o", "n.png").code == 0


def test_training_and_evaluation(ecop, sounds):
    assert ecop("train", "--data", "clips", "--out", "run", "--recipe", "tiny.toml").code == 0
    measured = ecop("eval", "run", "--data", "clips", "--json").document
    assert measured["n"] == 4
    assert set(measured["mean"]) >= {"psnr", "snr"}
    ecop("fit", "run", "clips/short.flac", "-o", "a.safetensors")
    signal = ecop("info", "a.safetensors", "--json").document["signal"]
    assert signal["kind"] == "audio"
    assert signal["about"] == {"rate": 4000, "bits": 16, "scale": 50.0, "span": [0.3]}


def test_a_rate_of_ones_own(ecop, sounds):
    ecop("fit", "random:tiny.toml", "clips/fast.ogg", "-o", "a.safetensors", "--read", "rate=2000")
    ecop("render", "a.safetensors", "-o", "a.wav")
    assert (soundfile.info("a.wav").samplerate, soundfile.info("a.wav").frames) == (2000, 600)


@pytest.mark.parametrize("content", [b"", b"ffconcat version 1.0\nfile clips/one.wav\n", b"RIFF"])
def test_what_is_no_sound(refused, sounds, content):
    (sounds / "bad.wav").write_bytes(content)
    line = refused("fit", "random:tiny.toml", "clips/bad.wav", "-o", "a.safetensors")
    assert line.startswith("clips/bad.wav: ")


def test_regions_of_a_sound(ecop, refused, sounds):
    ecop("fit", "random:tiny.toml", "clips/one.wav", "-o", "a.safetensors")
    assert "2 fractions for a signal with 1 axes" in refused(
        "render", "a.safetensors", "-o", "a.wav", "--region", "0,0,1,1"
    )
    assert "--region = '0.5,0.2'" in refused("render", "a.safetensors", "-o", "a.wav", "--region", "0.5,0.2")
