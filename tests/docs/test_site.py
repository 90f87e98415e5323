"""The documentation builds without a warning, every page is in its tree, and no page asks the outside for anything."""

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOADING = {("script", "src"), ("link", "href"), ("img", "src"), ("iframe", "src"), ("video", "src"), ("source", "src")}


class Addresses(HTMLParser):
    """What a browser would load by itself with a page, and whether there is mathematics on it."""

    def __init__(self, text):
        super().__init__()
        self.loaded, self.formulas = [], 0
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.formulas += tag == "math"
        self.loaded += [value for name, value in attributes if (tag, name) in LOADING]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The site, built as ``make docs`` builds it but for the notebooks, which are not run."""
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", "-W", "--keep-going", "--quiet", "-b", "html", "docs", str(folder)],
        cwd=ROOT, env=os.environ | {"ECOP_NOTEBOOKS": "off"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return folder


@pytest.fixture(scope="module")
def pages(site):
    return {str(path.relative_to(site)): path.read_text() for path in site.rglob("*.html")}


def test_every_document_has_a_page(site, pages):
    for source in (ROOT / "docs").rglob("*.md"):
        name = source.relative_to(ROOT / "docs").with_suffix(".html")
        assert "_build" in name.parts or str(name) in pages
    assert {path.stem for path in (ROOT / "examples").glob("*.ipynb")} < {Path(name).stem for name in pages}


def test_nothing_is_loaded_from_outside(site, pages):
    for name, text in pages.items():
        outside = [address for address in Addresses(text).loaded if re.match(r"(https?:)?//", address)]
        assert outside == [], name
    for sheet in site.rglob("*.css"):
        assert not re.search(r"(@import|url\()\s*['\"]?(https?:)?//", sheet.read_text()), sheet


def test_formulas_are_drawn_by_the_browser(pages):
    assert Addresses(pages["concepts/pruning.html"]).formulas >= 10
    assert "\\lVert" not in re.sub(r"<annotation.*?</annotation>", "", pages["concepts/pruning.html"])


def test_the_reference_has_the_public_names(pages):
    import ecop

    for name in ecop.__all__:
        assert f'id="ecop.{name}"' in pages["reference/ecop.html"]
    assert 'id="ecop.signals.Signal.read"' in pages["reference/signals.html"]
    assert 'href="adapt.html#ecop.adapt.Engine"' in pages["reference/meta.html"], "names of files lead to rooms"
