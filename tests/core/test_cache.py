from pathlib import Path

import platformdirs
import pytest

from ecop.core.cache import cache_folder, offline


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
