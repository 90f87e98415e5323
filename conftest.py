"""The Python blocks of README.md and docs/*.md run as tests, block after block in one namespace a document.

They run in an empty folder that holds two real pictures, ``cat.jpg`` and the folder ``photos``. A block that only
shows something is written as ``text``, ``bash`` or ``toml``, or comes after ``<!--- skip: next -->``.
"""

import pytest
from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser, SkipParser


@pytest.fixture(scope="session")
def pictures(tmp_path_factory):
    """A folder with real pictures from scikit-image."""
    from PIL import Image
    from skimage import data

    folder = tmp_path_factory.mktemp("documents")
    (folder / "photos").mkdir()
    Image.fromarray(data.chelsea()).save(folder / "cat.jpg", quality=95)
    for name in ("astronaut", "coffee", "rocket"):
        Image.fromarray(getattr(data, name)()).save(folder / "photos" / f"{name}.jpg", quality=95)
    return folder


@pytest.fixture
def in_pictures(pictures, monkeypatch):
    """The folder with the pictures is the current one."""
    monkeypatch.chdir(pictures)


pytest_collect_file = Sybil(
    parsers=[PythonCodeBlockParser(), SkipParser()],
    patterns=["README.md", "docs/*.md"],
    fixtures=["in_pictures"],
).pytest()
