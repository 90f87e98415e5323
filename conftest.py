"""The Python blocks of README.md and of docs/ run as tests, block after block in one namespace a document.

They run in a folder that holds real pictures, ``cat.jpg`` and the folder ``photos``, and ``photo.safetensors``, a
fitted field. A block that only shows something is marked as another language (bash, toml, text).
"""

import pytest
from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser, SkipParser


@pytest.fixture(scope="session")
def documents_folder(tmp_path_factory):
    """A folder with real pictures from scikit-image, and one of them fitted from a random start."""
    from PIL import Image
    from skimage import data

    folder = tmp_path_factory.mktemp("documents")
    (folder / "photos").mkdir()
    Image.fromarray(data.chelsea()).save(folder / "cat.jpg", quality=95)
    for name in ("astronaut", "coffee", "rocket"):
        Image.fromarray(getattr(data, name)()).save(folder / "photos" / f"{name}.jpg", quality=95)
    save_fitted(folder)
    return folder


def save_fitted(folder):
    from ecop import Initialisation, Recipe
    from ecop.fit.settings import resolved_fit

    recipe = Recipe.named("quick").with_settings({"data.size": [24, 24], "field.width": 32})
    Initialisation.random(recipe, resolved_fit(recipe)).fit(folder / "cat.jpg").save(folder / "photo.safetensors")


@pytest.fixture
def in_documents_folder(documents_folder, monkeypatch):
    """The folder is the current one."""
    monkeypatch.chdir(documents_folder)


def remember_registries(namespace):
    """What a document registers lasts as long as the document."""
    from ecop.core import registry

    families = [value for value in vars(registry).values() if isinstance(value, registry.Registry)]
    namespace["registered"] = [(family, dict(family._registered)) for family in families]


def restore_registries(namespace):
    for family, registered in namespace["registered"]:
        family._registered.clear()
        family._registered.update(registered)


pytest_collect_file = Sybil(
    parsers=[PythonCodeBlockParser(), SkipParser()],
    patterns=["README.md", "docs/*.md", "docs/*/*.md"],
    fixtures=["in_documents_folder"],
    setup=remember_registries,
    teardown=restore_registries,
).pytest()
