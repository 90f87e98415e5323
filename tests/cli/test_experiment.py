"""``ecop experiment`` from the command line; what it computes is tested in tests/experiments."""

import json

import pytest

STUDY = """
title = "Two shapes of nothing"
question = "Is one random field as good as itself?"
corpora = ["pictures"]
reference = "one"
steps = [1]
headline = 1
scalings = ["none"]

[[arms]]
name = "one"
label = "one"
trained = false
"""

SCALE = """
about = "nothing is trained"
[corpora.pictures]
recipe = "quick"
test = 1
[corpora.pictures.settings]
"field.width" = 8
"field.depth" = 3
"data.size" = [8, 8]
"""


def test_without_a_name_the_studies_are_listed(ecop):
    result = ecop("experiment", "--json")
    listed = result.document
    assert {"main", "scaling", "bootstrap", "memory"} <= {study["name"] for study in listed["studies"]}
    assert [scale["name"] for scale in listed["scales"]] == ["medium", "paper", "small"]


def test_a_study_of_ones_own_runs_and_is_reported(ecop, tmp_path, photos):
    (tmp_path / "mine.toml").write_text(STUDY)
    (tmp_path / "least.toml").write_text(SCALE)
    words = ["experiment", str(tmp_path / "mine.toml"), "--scale", str(tmp_path / "least.toml"), "--json",
             "--out", str(tmp_path / "out"), "--data", f"pictures={photos}"]  # fmt: skip
    result = ecop(*words)
    assert result.code == 0, result.err
    assert (result.document["done"], result.document["all"], result.document["ran"]) == (1, 1, 1)
    assert (tmp_path / "out/mine-least/report.html").is_file()
    again = ecop(*words, "--report")
    assert again.document["ran"] == 0 and again.document["done"] == 1
    assert json.loads((tmp_path / "out/mine-least/results.json").read_text())["study"] == "mine"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["maim"], "did you mean 'main'"),
        (["main", "--scale", "tiny"], "medium, paper, small"),
        (["main", "--only", "cats"], "choice for --only"),
        (["main", "--arms", "cats"], "choice for --arms"),
        (["main", "--data", "faces"], "CORPUS=DIR"),
        (["main", "--data", "cats=."], "choice for --data"),
        (["main", "--scale", "paper", "--only", "faces", "--arms", "untrained"], "--data faces=DIR"),
        (["main", "--report"], "run it first"),
    ],
)
def test_what_is_wrong_is_said_in_a_line(ecop, tmp_path, words, said):
    result = ecop("experiment", *words, "--out", str(tmp_path / "out"))
    assert result.code == 2
    assert said in result.err and len(result.err.strip().splitlines()) == 1
    assert not (tmp_path / "out").exists()
