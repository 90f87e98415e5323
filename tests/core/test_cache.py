from pathlib import Path

import platformdirs
import pytest

from ecop.core.cache import cache_folder, offline, remembered


def test_which_folder_is_the_cache(monkeypatch):
    monkeypatch.setenv("ECOP_CACHE", "/a")
    monkeypatch.setenv("XDG_CACHE_HOME", "/b")
    assert cache_folder() == Path("/a")
    monkeypatch.delenv("ECOP_CACHE")
    assert cache_folder() == Path("/b/ecop")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == platformdirs.user_cache_path("ecop")


@pytest.mark.parametrize(("text", "expected"), [("1", True), ("True", True), ("", False), ("0", False)])
def test_offline(monkeypatch, text, expected):
    monkeypatch.setenv("ECOP_OFFLINE", text)
    assert offline() is expected


def test_what_was_made_once_is_remembered(monkeypatch, tmp_path):
    monkeypatch.setenv("ECOP_CACHE", str(tmp_path))
    made = []

    def make():
        made.append(len(made))
        return made[-1]

    assert [remembered("x.json", key, make) for key in "aab"] == [0, 0, 1]
    assert remembered("x.json", "a", make, again=True) == 2
    assert remembered("y.json", "a", make) == 3
    (tmp_path / "x.json").write_text("[1")
    assert remembered("x.json", "b", make) == 4
