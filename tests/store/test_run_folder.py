"""A run folder is made once, logged to line by line, and goes on after a kill at any byte of its log."""

import errno
import json
import math
import os
from pathlib import Path

import numpy as np
import pytest

from ecop.core.errors import BadInput, CannotWrite, InvalidSetting
from ecop.core.recipe import Recipe
from ecop.store.run_folder import RunFolder, describe_files


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def run(tmp_path):
    return RunFolder.create(tmp_path / "run", Recipe(name="mine"))


def test_a_new_run_has_its_recipe_and_opens_again(run):
    assert names_in(run.path) == ["recipe.toml", "samples"]
    assert RunFolder.open(run.path).recipe == Recipe(name="mine")
    assert RunFolder.open(run.path).read_metrics() == []


def test_what_is_there_is_not_overwritten_unless_asked(run):
    run.log(1, loss=1.0)
    run.best.write_bytes(b"best")
    (run.checkpoints / "10").mkdir(parents=True)
    (run.path / "notes.txt").write_text("a person's")
    with pytest.raises(CannotWrite, match="a run is there already"):
        RunFolder.create(run.path, Recipe())
    assert run.read_metrics() == [{"loss": 1.0, "step": 1}]
    RunFolder.create(run.path, Recipe(name="next"), overwrite=True)
    assert names_in(run.path) == ["notes.txt", "recipe.toml", "samples"]
    assert RunFolder.open(run.path).recipe.name == "next"


def test_a_folder_of_others_is_never_touched(tmp_path):
    (tmp_path / "thesis.tex").write_text("years")
    with pytest.raises(CannotWrite, match="not a run's"):
        RunFolder.create(tmp_path, Recipe(), overwrite=True)
    assert names_in(tmp_path) == ["thesis.tex"]
    with pytest.raises(CannotWrite):
        RunFolder.create(tmp_path / "thesis.tex", Recipe())
    with pytest.raises(BadInput, match="not the folder of a run"):
        RunFolder.open(tmp_path)


def test_the_log_is_strict_json_line_by_line(run):
    run.log(10, loss=np.float32(0.5), psnr=math.inf, ratios=[1.0, math.nan])
    run.log(20, loss=0.25)
    lines = (run.path / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == [
        {"step": 10, "loss": 0.5, "psnr": None, "ratios": [1.0, None]},
        {"step": 20, "loss": 0.25},
    ]


def test_rewinding_drops_what_came_after_the_checkpoint(run):
    for step in range(10, 60, 10):
        run.log(step, loss=step)
    run.rewind(30)
    run.log(40, loss=-1)
    assert [(line["step"], line["loss"]) for line in run.read_metrics()] == [(10, 10), (20, 20), (30, 30), (40, -1)]


def test_a_log_cut_at_any_byte_is_read_and_goes_on(run):
    run.log(10, loss=0.5)
    run.log(20, loss=0.25)
    log = run.path / "metrics.jsonl"
    whole = log.read_bytes()
    first = whole.index(b"\n") + 1
    for length in range(first, len(whole)):
        log.write_bytes(whole[:length])
        assert [line["step"] for line in run.read_metrics()] == [10]
        run.rewind(10)
        run.log(20, loss=0.25)
        assert log.read_bytes() == whole


def test_damage_in_the_middle_of_the_log_is_reported(run):
    for step in (1, 2, 3):
        run.log(step)
    log = run.path / "metrics.jsonl"
    log.write_bytes(log.read_bytes().replace(b'{"step":2}', b'{"step":'))
    with pytest.raises(BadInput, match="line 2 is damaged"):
        run.read_metrics()


def test_the_log_survives_a_failed_rewind(run, monkeypatch):
    run.log(1)
    run.log(2)

    def full(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CannotWrite, match="the disk is full"):
        run.rewind(1)
    assert [line["step"] for line in run.read_metrics()] == [1, 2]


def test_a_log_that_cannot_be_written(run):
    (run.path / "metrics.jsonl").mkdir()
    with pytest.raises(CannotWrite, match=r"metrics\.jsonl"):
        run.log(1)


def test_the_description_has_versions_and_facts_and_no_absolute_path(run):
    run.describe(device="cpu", tile=1024, data={"folder": "faces"})
    description = run.description()
    assert description["device"] == "cpu"
    assert description["versions"].keys() == {"python", "ecop", "jax", "jaxlib"}
    for path in ("/data/faces", "C:\\data\\faces"):
        with pytest.raises(InvalidSetting, match=r"run\.data\[0\]\.folder"):
            run.describe(data=[{"folder": path}])
    (run.path / "run.json").write_text("{")
    with pytest.raises(BadInput, match=r"run\.json"):
        run.description()


def test_a_moved_run_is_the_same(run, tmp_path, monkeypatch):
    run.log(1, loss=2.0)
    run.path.rename(tmp_path / "moved")
    monkeypatch.chdir(tmp_path)
    moved = RunFolder.open("moved")
    assert moved.read_metrics() == [{"loss": 2.0, "step": 1}]
    for file in Path("moved").rglob("*"):
        assert file.is_dir() or str(tmp_path).encode() not in file.read_bytes()


def test_data_is_known_by_names_and_sizes_not_by_place_or_order(tmp_path):
    for folder in (tmp_path / "a" / "faces", tmp_path / "b" / "faces"):
        (folder / "s1").mkdir(parents=True)
        (folder / "s1" / "1.pgm").write_bytes(b"123")
        (folder / "2.pgm").write_bytes(b"1")
    one, two = tmp_path / "a" / "faces", tmp_path / "b" / "faces"
    described = describe_files(one, [one / "s1" / "1.pgm", one / "2.pgm"])
    assert described == describe_files(two, [two / "2.pgm", two / "s1" / "1.pgm"])
    assert (described["folder"], described["files"], described["bytes"]) == ("faces", 2, 4)
    (two / "2.pgm").write_bytes(b"22")
    assert described["sha256"] != describe_files(two, [two / "2.pgm", two / "s1" / "1.pgm"])["sha256"]
