"""What a user can get wrong: each has its one line, exit code 2, and leaves nothing half-written."""

import errno
import json
import os
import struct
import zlib

import numpy as np
import pytest
import tifffile


def png_chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


@pytest.fixture
def bad_file(picture, tmp_path):
    """Makes a file with one thing wrong with it."""

    def make(name):
        good = picture(tmp_path / "good" / "g.png").read_bytes()
        contents = {
            "empty.png": b"",
            "text.png": b"this is a text\n" * 20,
            "truncated.png": good[: len(good) // 2],
            "bomb.png": b"\x89PNG\r\n\x1a\n"
            + png_chunk(b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0))
            + png_chunk(b"IDAT", zlib.compress(bytes(1000))) + png_chunk(b"IEND", b""),
        }  # fmt: skip
        path = tmp_path / name
        if name == "truncated.jpg":
            whole = picture(tmp_path / "good" / "g.jpg", (64, 64)).read_bytes()
            path.write_bytes(whole[: len(whole) // 2])
        elif name == "pixel.png":
            picture(path, (1, 1))
        elif name == "nan.tif":
            values = np.full((16, 16, 3), 0.5, np.float32)
            values[3, 4, 1] = np.nan
            tifffile.imwrite(path, values, photometric="rgb")
        elif name in contents:
            path.write_bytes(contents[name])
        return path

    return make


FILES = {
    "missing.png": "no such file",
    "empty.png": "empty",
    "text.png": "not an image",
    "truncated.png": "",
    "truncated.jpg": "",
    "pixel.png": "pixel",
    "nan.tif": "NaN",
    "bomb.png": "ECOP_MAX_PIXELS",
}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("verb", ["fit", "eval", "train"])
def test_signals(refused, bad_file, init, recipe, name, verb, tmp_path):
    path = bad_file(name)
    commands = {
        "fit": ["fit", init, path, "-o", "out.safetensors"],
        "eval": ["eval", init, "--data", path],
        "train": ["train", "--data", path, "--out", "run", "--recipe", recipe],
    }
    line = refused(*commands[verb])
    assert name in line
    assert FILES[name] in line


@pytest.mark.parametrize("verb", ["fit", "eval", "train"])
def test_folders(refused, init, recipe, verb, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "a.txt").write_text("hello")
    for folder, words in (("empty", "the folder is empty"), ("texts", "no image in this folder"), ("gone", "no such")):
        commands = {
            "fit": ["fit", init, folder, "-o", "fields"],
            "eval": ["eval", init, "--data", folder],
            "train": ["train", "--data", folder, "--out", "run", "--recipe", recipe],
        }
        assert words in refused(*commands[verb])


def test_an_initialisation_that_is_none(refused, picture, tmp_path, init, tiny):
    photo = picture(tmp_path / "a.png")

    def line(name):
        return refused("fit", name, photo, "-o", "out.safetensors")

    assert "there is no initialisation" in line("nobody")
    assert "gone.safetensors" in line("gone.safetensors")
    assert "a.png" in line(photo)
    (tmp_path / "other.safetensors").write_bytes(b"x" * 200)
    assert "other.safetensors" in line("other.safetensors")
    tiny.fit(photo).save("field.safetensors")
    assert "holds a fitted field, not an initialisation" in line("field.safetensors")
    whole = init.read_bytes()
    for damaged in (whole[: len(whole) - 7], whole[:20], whole[:-5] + bytes([whole[-5] ^ 1]) + whole[-4:]):
        (tmp_path / "damaged.safetensors").write_bytes(damaged)
        assert "damaged.safetensors" in line("damaged.safetensors")


def test_a_newer_format(refused, picture, tmp_path, init):
    version = b'\\"format_version\\":'
    assert init.read_bytes().count(version + b"1") == 1
    (tmp_path / "later.safetensors").write_bytes(init.read_bytes().replace(version + b"1", version + b"2"))
    line = refused("fit", "later.safetensors", picture(tmp_path / "a.png"), "-o", "out.safetensors")
    assert "written by a newer ecop" in line


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--steps", "-1"], "steps = -1"),
        (["--scaling", "nrom"], "did you mean 'norm'?"),
        (["--scaling", "warmup:x"], "warmup"),
        (["--native", "--patches"], "exclude each other"),
        (["-y", "-n"], "exclude each other"),
    ],
)
def test_fit_settings(refused, picture, tmp_path, init, arguments, words):
    assert words in refused("fit", init, picture(tmp_path / "a.png"), "-o", "out.safetensors", *arguments)


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("learner.kep=0.5", "did you mean 'keep'?"),
        ("trian.lr=1", "did you mean 'train'?"),
        ("train.stpes=1", "did you mean 'steps'?"),
        ("learner.scorer=last_leyer", "did you mean 'last_layer'?"),
        ("learner.name=ecopp", "did you mean 'ecop'?"),
        ("field.name=sirne", "did you mean 'siren'?"),
        ("field.widht=8", "did you mean 'width'?"),
        ("fit.scaling=nrom", "did you mean 'norm'?"),
        ("fit.scorer=eror", "did you mean 'error'?"),
        ("signal=imgae", "did you mean 'image'?"),
        ("learner.keep=1.5", "(0, 1]"),
        ("learner.keep=0", "(0, 1]"),
        ("fit.keep=2", "(0, 1]"),
        ("learner.inner_steps=0", "inner_steps = 0"),
        ("learner.inner_steps=many", "inner_steps"),
        ("fit.steps=0", "fit.steps = 0"),
        ("train.steps=0", "train.steps = 0"),
        ("data.batch=0", "data.batch = 0"),
        ("data.size=[1,16]", "data.size"),
        ("data.channels=2", "channels"),
        ("learner.keep", "KEY=VALUE"),
    ],
)
def test_recipe_settings(refused, photos, recipe, setting, words):
    assert words in refused("train", "--data", photos, "--out", "run", "--recipe", recipe, "--set", setting)


def test_recipes_that_are_none(refused, photos, tmp_path):
    def line(name):
        return refused("train", "--data", photos, "--out", "run", "--recipe", name)

    assert "did you mean 'quick'?" in line("quik")
    assert "gone.toml" in line("gone.toml")
    (tmp_path / "bad.toml").write_text("name = [")
    assert "not valid TOML" in line("bad.toml")


def test_places_that_cannot_be_written(refused, picture, photos, recipe, init, tmp_path, monkeypatch):
    photo = picture(tmp_path / "a.png")
    assert "a part of its path is a file" in refused("fit", init, photo, "-o", "a.png/out.safetensors")
    assert "a part of its path is a file" in refused("fit", init, photos, "-o", "a.png/sub/")
    assert "a part of its path is a file" in refused("train", "--data", photos, "--out", "a.png", "--recipe", recipe)
    assert "ecop render" in refused("fit", init, photo, "-o", "b.png")

    def denied(*arguments, **options):
        raise PermissionError(errno.EACCES, "permission denied")

    monkeypatch.setattr("tempfile.TemporaryFile", denied)
    assert "permission denied" in refused("fit", init, photo, "-o", "out.safetensors")


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write everywhere")
def test_a_folder_without_permission(refused, picture, init, tmp_path):
    photo = picture(tmp_path / "a.png")
    (tmp_path / "locked").mkdir(mode=0o500)
    assert "permission denied" in refused("fit", init, photo, "-o", "locked/out.safetensors")


def test_a_full_disk(refused, picture, photos, recipe, init, tiny, tmp_path, monkeypatch):
    photo = picture(tmp_path / "a.png")
    tiny.fit(photo).save("field.safetensors")

    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    assert "the disk is full" in refused("fit", init, photo, "-o", "out.safetensors")
    assert "the disk is full" in refused("render", "field.safetensors", "-o", "out.png")
    assert "the disk is full" in refused("eval", init, "--data", photos, "--csv", "out.csv")


def test_a_full_disk_stops_a_batch_at_once(ecop, init, photos, monkeypatch):
    """Unlike a bad file: the next would fail alike. What was on its way to the disk may have been tried, too."""
    tries = []

    def full(descriptor):
        tries.append(descriptor)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    result = ecop("fit", init, photos, "-o", "fields", "--steps", "1")
    assert result.code == 2
    assert len(tries) < 4 < len(list(photos.rglob("*.png")))
    assert "the disk is full" in result.err


def test_a_fit_that_diverges_writes_nothing(refused, picture, tmp_path, init):
    line = refused("fit", init, picture(tmp_path / "a.png"), "-o", "o.safetensors", "--scaling", "constant:1e12")
    assert "diverged" in line


def test_infinite_numbers_are_null_in_the_document(capsys):
    from ecop.cli.terminal import Terminal

    Terminal(json=True).document([{"psnr": float("inf"), "ssim": float("nan")}])
    assert json.loads(capsys.readouterr().out) == [{"psnr": None, "ssim": None}]
