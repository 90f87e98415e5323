"""Every notebook runs, in its tiny form and in this process, and reaches what it talks about."""

import json
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest

FOLDER = Path(__file__).parents[2] / "examples"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Runs a notebook's cells in an empty folder; the names that they leave."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ECOP_EXAMPLES", "tiny")
    with plt.rc_context({"backend": "agg"}):

        def cells(name):
            names = {"__name__": "__main__"}
            for number, cell in enumerate(json.loads((FOLDER / f"{name}.ipynb").read_text())["cells"]):
                if cell["cell_type"] == "code":
                    exec(compile("".join(cell["source"]), f"{name}.ipynb, cell {number}", "exec"), names)
            return names

        yield cells
        plt.close("all")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_holds_no_outputs_and_is_listed(path):
    notebook = json.loads(path.read_text())
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert len(code) >= 3
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)
    assert f"({path.name})" in (FOLDER / "README.md").read_text()


def test_every_notebook_is_tried_here():
    tried = Path(__file__).read_text()
    assert [path.stem for path in NOTEBOOKS if f'run("{path.stem}")' not in tried] == []


def test_fit_a_photo(run):
    names = run("fit_a_photo")
    assert names["fitted"].metrics["psnr"] > names["from_nothing"].metrics["psnr"] + 3
    assert names["detail"].shape == (240, 360)
    assert names["again"].metrics["psnr"] == names["fitted"].metrics["psnr"]


def test_train_on_a_folder(run):
    names = run("train_on_a_folder")
    assert [line["step"] for line in names["log"]] == [1, 2]
    assert np.isfinite([names["trained"], names["untrained"]]).all()
    assert names["trained"] != names["untrained"]


def test_custom_scorer(run):
    names = run("custom_scorer")
    kept = np.asarray(names["kept"]["taking_turns"])
    assert [set(step % 2) for step in kept] == [{0}, {1}, {0}, {1}]
    assert {0, 1} == set(np.asarray(names["kept"]["error"])[0] % 2)


def test_learn_on_fields(run):
    names = run("learn_on_fields")
    assert names["seen"].shape == names["new"].shape == (5, 2 * 8 + 8 + 8 * 8 + 8 + 8 + 1)
    assert names["seen_faces"].tolist() == [True] * 3 + [False] * 2
    separable = np.random.default_rng(0).normal(size=(40, 200)) + np.repeat([[3.0], [-3.0]], 20, 0)
    faces = np.repeat([True, False], 20)
    assert (names["classified"](separable[::2], faces[::2], separable[1::2]) == faces[1::2]).all()


def test_climate_regridding(run):
    names = run("climate_regridding")
    assert names["field_map"].shape == names["truth"].shape == (49, 96)
    assert np.ptp(names["field_map"][0]) < 1e-3, "a pole is one place, with one value"
    assert names["rmse"](names["truth"]) == 0
    assert names["rmse"](names["truth"] + 2) == pytest.approx(2)
