"""The shape of the code: who imports whom, what is heavy, how long things are."""

import ast
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import jax.numpy as jnp
import pytest
from jaxtyping import TypeCheckError

from ecop.core import errors
from ecop.pruning import kept_count
from ecop.pruning.select import common

ROOT = Path(__file__).parents[1]
MODULES = sorted((ROOT / "src" / "ecop").rglob("*.py"))
FAMILIES = ("commands", "fields", "learners", "scalings", "scorers", "signals", "updates")


def modules_after(statement):
    """Names of the modules that a new interpreter has loaded after a statement."""
    code = f"{statement}\nimport sys\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "statement",
    [
        "import ecop",
        "import ecop.cli.main",
        "from ecop.core.registry import SCORERS; SCORERS.names()",
        "from ecop.core.recipe import Recipe; Recipe.named('quick')",
        "from ecop.signals import Image",
        "from ecop.metrics import psnr, ssim",
        "from ecop.data import find_files, split_files",
        "from ecop.store.field_file import FieldFile",
    ],
)
def test_the_host_side_loads_no_jax(statement):
    loaded = modules_after(statement)
    assert "ecop" in loaded
    assert not loaded & {"jax", "equinox", "optax", "torch"}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_and_functions_are_short(path):
    text = path.read_text()
    assert len(text.splitlines()) <= 300
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            documented = ast.get_docstring(node, clean=False)
            lines = node.end_lineno - node.lineno + 1 - (len(documented.splitlines()) if documented else 0)
            assert lines <= 55, f"{node.name} has {lines} lines"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_file_says_what_it_is_and_nothing_unpickles(path):
    tree = ast.parse(path.read_text())
    assert ast.get_docstring(tree)
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert not imported & {"pickle", "cloudpickle", "dill", "joblib", "shelve", "marshal"}


@pytest.mark.parametrize("family", FAMILIES)
def test_every_registered_part_loads(family):
    own = [point for point in entry_points(group=f"ecop.{family}") if point.value.startswith("ecop.")]
    assert own
    for point in own:
        assert isinstance(point.load(), type)


def test_a_wrong_shape_is_refused():
    with pytest.raises(TypeCheckError):
        common(jnp.zeros((3, 3), jnp.uint32), jnp.zeros(3, jnp.uint32))
    with pytest.raises(TypeCheckError):
        kept_count("many", 0.5)


def test_every_error_is_an_ecop_error():
    classes = [
        value for value in vars(errors).values() if isinstance(value, type) and value.__module__ == errors.__name__
    ]
    assert len(classes) >= 8
    assert all(issubclass(cls, errors.EcopError) for cls in classes)
