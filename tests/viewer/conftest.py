"""A small initialisation, photos to fit, and a page that is served by a process of its own."""

import json
import os
import signal
import subprocess
import sys
from types import SimpleNamespace

import pytest
from skimage import data

SETTINGS = {"data.size": [24, 24], "field.width": 32, "field.depth": 3, "fit.steps": 3}


@pytest.fixture(scope="session")
def tiny():
    """A random initialisation for pictures of 24×24."""
    from ecop.core.recipe import Recipe
    from ecop.fit.initialisation import Initialisation
    from ecop.fit.settings import resolved_fit

    recipe = Recipe.named("quick").with_settings(SETTINGS)
    return Initialisation.random(recipe, resolved_fit(recipe))


@pytest.fixture(scope="session")
def photo():
    """A photograph of 40×60."""
    from ecop.signals import Image

    return Image.assemble(data.chelsea()[60:260:5, 100:400:5] / 255, {"bits": 8}, "chelsea.png")


@pytest.fixture(scope="session")
def place(tmp_path_factory, tiny, photo):
    """A folder with the initialisation, the photo, and what is none."""
    folder = tmp_path_factory.mktemp("viewer")
    tiny.save(folder / "tiny.safetensors")
    photo.write(folder / "chelsea.png")
    (folder / "wrong.png").write_text("this is no picture")
    return folder


@pytest.fixture(scope="session")
def served(place):
    """``ecop view`` as people start it, but for the browser: its address, and the folder of its temporary files."""
    pytest.importorskip("gradio")
    (place / "tmp").mkdir()
    command = [sys.executable, "-m", "ecop.cli.main", "view", "tiny.safetensors", "chelsea.png"]
    # Of its own, so that what it deletes and leaves can be seen.
    own = {"TMPDIR": str(place / "tmp"), "ECOP_CACHE": str(place / "cache")}
    with (place / "log.txt").open("w") as log:
        process = subprocess.Popen(
            [*command, "--port", "0", "--no-open", "--json", "--max-upload", "1"],
            cwd=place, stdout=subprocess.PIPE, stderr=log, text=True, env=os.environ | own,
        )  # fmt: skip
    try:
        document = "".join(process.stdout.readline() for _ in range(3))
        url = json.loads(document or "{}").get("url")
        assert url, (place / "log.txt").read_text()
        yield SimpleNamespace(url=url, temporary=place / "tmp", log=place / "log.txt", process=process)
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 0
        process.stdout.close()
        assert list((place / "tmp").iterdir()) == []  # nothing is left of anybody
