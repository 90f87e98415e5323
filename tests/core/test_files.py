import errno
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from ecop.core.errors import CannotWrite
from ecop.core.files import atomic_write


def write(path, content=b"new"):
    with atomic_write(path) as stream:
        stream.write(content)


def test_the_content_arrives_and_nothing_else_stays(tmp_path):
    write(tmp_path / "deep" / "er" / "a.bin")
    assert [p.name for p in (tmp_path / "deep" / "er").iterdir()] == ["a.bin"]
    assert (tmp_path / "deep" / "er" / "a.bin").read_bytes() == b"new"


def test_permissions_follow_the_umask(tmp_path):
    before = os.umask(0o027)
    try:
        write(tmp_path / "a")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o640


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, RuntimeError])
def test_an_interruption_leaves_the_earlier_file_and_no_other(tmp_path, interruption):
    path = tmp_path / "a"
    path.write_bytes(b"old")
    with pytest.raises(interruption), atomic_write(path) as stream:
        stream.write(b"half")
        raise interruption
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("a", b"old")]


def test_nothing_is_seen_before_the_end(tmp_path):
    with atomic_write(tmp_path / "a") as stream:
        stream.write(b"half")
        stream.flush()
        assert not (tmp_path / "a").exists()


def test_a_link_is_followed(tmp_path):
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to("real")
    write(tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"new"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (errno.ENOSPC, "the disk is full; free some space"),
        (errno.EACCES, "permission denied; choose a folder"),
        (errno.EROFS, "read-only"),
        (errno.EIO, "Input/output error"),
    ],
)
def test_an_error_of_the_system_is_one_line_and_leaves_nothing(tmp_path, monkeypatch, code, words):
    def fail(_):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(CannotWrite, match=words) as caught:
        write(tmp_path / "a")
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_system_that_really_refuses_the_bytes(tmp_path):
    script = f"""
import resource, sys
from ecop.core.errors import CannotWrite
from ecop.core.files import atomic_write
resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, 2**20))
try:
    with atomic_write({str(tmp_path / "a")!r}) as stream:
        stream.write(bytes(10_000_000))
except CannotWrite as error:
    sys.exit(str(error))
"""

    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert "larger than this system allows" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_places_that_are_no_file(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(CannotWrite, match="it is a folder"):
        write(tmp_path)
    with pytest.raises(CannotWrite, match="a part of its path is a file"):
        write(tmp_path / "file" / "a")
    with pytest.raises(CannotWrite, match="a device or a pipe"):
        write("/dev/null")
    assert Path("/dev/null").is_char_device()
    with pytest.raises(CannotWrite, match="name is too long"):
        write(tmp_path / ("a" * 300))
