"""What the documents name exists, and what ships is what it says."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

from ecop.core.recipe import Recipe, shipped_recipes
from ecop.fit.settings import resolved_fit
from ecop.meta.build import build_outer_loop

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "ecop"
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("docs/*/*.md")])
PLACES = re.findall(r"`([a-z_/]+\.py):([\w.]+)`", (ROOT / "docs" / "equations.md").read_text())


def names_in(path):
    """Functions and classes of a module, methods as ``Class.method``."""
    found = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        if isinstance(node, ast.ClassDef):
            found |= {f"{node.name}.{item.name}" for item in node.body if isinstance(item, ast.FunctionDef)}
    return found


def test_the_table_of_equations_is_read():
    assert len(PLACES) > 40


@pytest.mark.parametrize(("file", "name"), PLACES)
def test_equations_name_places_that_exist(file, name):
    assert name in names_in(PACKAGE / file)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_to_files_lead_somewhere(document):
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", document.read_text()):
        if "://" not in target:
            assert (document.parent / target).exists(), target


def test_files_that_documents_mention_exist():
    mentioned = {
        name
        for document in DOCUMENTS
        for name in re.findall(r"`((?:src|docs|tests|examples|tools)/[\w./-]+)`", document.read_text())
    }
    assert "docs/extend.md" in mentioned
    assert [name for name in sorted(mentioned) if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("name", shipped_recipes())
def test_recipes_ship_whole(name):
    text = (PACKAGE / "recipes" / f"{name}.toml").read_text()
    assert text.startswith("# ")
    recipe = Recipe.named(name)
    assert recipe.name == name
    assert recipe.about
    assert Recipe.from_toml(recipe.to_toml()) == recipe
    loop = build_outer_loop(recipe)
    assert loop.learner.inner_steps >= 1
    assert resolved_fit(recipe).lr == loop.learner.inner_lr


def test_the_papers_recipes_hold_the_papers_settings():
    ecop, gradncp, learnit = (Recipe.named(f"{name}-celeba") for name in ("ecop", "gradncp", "learnit"))
    assert ecop.learner.settings | {"scorer": "last_layer"} == dict(gradncp.learner.settings)
    assert dict(ecop.learner.settings) == {
        "scorer": "error", "keep": 0.25, "inner_steps": 16, "inner_lr": 1e-2,
        "bootstrap_steps": 5, "bootstrap_lr": 5e-2, "bootstrap_weight": 100.0,
    }  # fmt: skip
    for recipe in (ecop, gradncp, learnit):
        assert recipe.data.size == (178, 178)
        assert (recipe.data.grid, recipe.data.crop, recipe.data.batch) == ("corners", "centre", 8)
        assert (recipe.train.steps, recipe.train.lr, recipe.train.clip) == (150_000, 1e-5, 1.0)
        assert recipe.train.final_lr is None
        assert dict(recipe.field.settings) == {"width": 256, "depth": 5, "w0": 30.0, "output_offset": 0.5}
    # equal memory: γ·K·M
    assert learnit.learner.settings["inner_steps"] == 0.25 * ecop.learner.settings["inner_steps"]


def test_pins_are_exact_and_name_no_place():
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+(?: *;.+)?", line) for line in lines)
    pinned = {re.split("==", line)[0].lower().replace("_", "-") for line in lines}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = project["dependencies"] + [
        name for extra in ("dev", "images", "tensorboard") for name in project["optional-dependencies"][extra]
    ]
    names = {re.split(r"[^\w-]", requirement)[0].lower().replace("_", "-") for requirement in wanted} - {"ecop"}
    assert names <= pinned
