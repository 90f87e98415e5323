"""A command line in process, and small things to give it: pictures, recipes, an initialisation."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass

import numpy as np
import pytest

TINY = """
name = "tiny"
[field]
name = "siren"
width = 8
depth = 3
[learner]
name = "ecop"
keep = 0.25
inner_steps = 2
bootstrap_steps = 1
[data]
size = [16, 16]
crop = "random"
batch = 2
[train]
steps = 4
lr = 1e-3
validate_every = 2
checkpoint_every = 2
log_every = 1
validation_signals = 1
[fit]
steps = 3
"""


@dataclass
class Result:
    code: int
    out: str
    err: str

    @property
    def document(self):
        return json.loads(self.out)


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    """Where the commands keep their compiled programs and data."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module", autouse=True)
def own_cache(cache):
    """The commands use it, in this process and in those that it starts."""
    import jax

    before = jax.config.values["jax_compilation_cache_dir"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ECOP_CACHE", str(cache))
        yield
    jax.config.update("jax_compilation_cache_dir", before)


@pytest.fixture
def ecop(capsys, tmp_path, monkeypatch):
    """Runs a command line in an empty folder."""
    from ecop.cli.main import main

    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        code = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Result(code, captured.out, captured.err)

    return run


@pytest.fixture
def refused(ecop):
    """Runs a command line that must fail with one clear line; returns that line. Nothing may be left behind."""

    def run(*arguments):
        before = listing()
        result = ecop(*arguments)
        assert result.code == 2, result
        assert result.out == ""
        assert result.err.startswith("ecop: "), result.err
        assert result.err.count("\n") == 1, result.err
        assert listing() == before
        return result.err.removeprefix("ecop: ").strip()

    return run


def listing():
    """All names below the working folder."""
    return sorted(os.path.join(folder, name) for folder, folders, files in os.walk(".") for name in folders + files)  # noqa: PTH118


@pytest.fixture(scope="session")
def process():
    """Runs a command line as a process of its own."""

    def run(*arguments, **options):
        command = [sys.executable, "-m", "ecop.cli.main", *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, **options)

    return run


@pytest.fixture(scope="session")
def picture():
    """Writes a picture of smooth waves; different seeds, different waves."""
    from ecop.signals import Image

    def write(path, shape=(16, 16), channels=3, seed=0):
        rows, columns = np.meshgrid(*(np.linspace(0, 1, n) for n in shape), indexing="ij")
        rng = np.random.default_rng(seed)
        waves = [np.sin(rng.uniform(2, 6, 2) @ [rows.ravel(), columns.ravel()]) for _ in range(channels)]
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.assemble(0.5 + 0.4 * np.stack(waves, -1).reshape(*shape, channels), {"bits": 8}).write(path)
        return path

    return write


@pytest.fixture
def photos(picture, tmp_path):
    """A folder of five pictures, one of them in a subfolder."""
    for seed in range(4):
        picture(tmp_path / "photos" / f"{seed}.png", (20, 24), seed=seed)
    picture(tmp_path / "photos" / "sub" / "4.png", (24, 20), seed=4)
    return tmp_path / "photos"


@pytest.fixture
def recipe(tmp_path):
    """A recipe file that trains in a moment."""
    path = tmp_path / "tiny.toml"
    path.write_text(TINY)
    return path


@pytest.fixture(scope="session")
def tiny():
    """A random initialisation for 16×16 pictures."""
    from ecop.core.recipe import Recipe
    from ecop.fit.initialisation import Initialisation
    from ecop.fit.settings import resolved_fit

    recipe = Recipe.from_toml(TINY)
    return Initialisation.random(recipe, resolved_fit(recipe))


@pytest.fixture
def init(tiny, tmp_path):
    """The file of `tiny`."""
    tiny.save(tmp_path / "init.safetensors")
    return tmp_path / "init.safetensors"
