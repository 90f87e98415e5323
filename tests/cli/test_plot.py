"""``ecop plot``: the numbers are those of the files, and a figure comes of every kind."""

import json

import numpy as np
import pytest
from PIL import Image

from ecop.core.recipe import Recipe
from ecop.store.run_folder import RunFolder


@pytest.fixture
def runs(tmp_path):
    """Two runs of 500 and 3 steps, the second without bootstrap, with a gap in its log."""
    for name, steps in (("a", 500), ("b", 3)):
        run = RunFolder.create(tmp_path / name, Recipe())
        for step in range(1, steps + 1):
            numbers = {"loss": 1 / step, "gradient_norm": None if step == 2 and name == "b" else 2.0}
            numbers |= {"distance": 0.5} if name == "a" else {}
            numbers |= {"psnr": 20.0 + step} if step % 3 == 0 else {}
            run.log(step, **numbers)
    return "a", "b"


@pytest.fixture
def evaluations(tmp_path):
    rows = {"one": [30.0, 31.0, 35.0], "two": [29.0, 33.0, 30.0]}
    for name, values in rows.items():
        files = [
            {"file": f"{i}.png", "psnr": psnr, "psnr_curve": [10.0 + i, psnr]} for i, psnr in enumerate(values)
        ]  # fmt: skip
        (tmp_path / f"{name}.json").write_text(json.dumps({"files": files}))
    (tmp_path / "three.csv").write_text("file,psnr,ssim\n0.png,28.5,0.9\n9.png,inf,1.0\n")
    return "one.json", "two.json"


def seen(path):
    with Image.open(path) as image:
        return image.size, len(np.unique(np.asarray(image.convert("RGB")).reshape(-1, 3), axis=0))


def test_training(ecop, runs):
    document = ecop("plot", *runs, "-o", "a.png", "--json").document
    assert (document["of"], document["out"]) == ("training", "a.png")
    numbers = document["numbers"]
    assert {name: list(curves) for name, curves in numbers.items()} == {
        "loss": ["a", "b"], "psnr": ["a", "b"], "gradient_norm": ["a", "b"], "distance": ["a"]}  # fmt: skip
    assert numbers["loss"]["b"] == {"step": [1, 2, 3], "value": pytest.approx([1, 1 / 2, 1 / 3])}
    assert numbers["gradient_norm"]["b"]["step"] == [1, 3]
    long = numbers["loss"]["a"]
    assert len(long["step"]) == 167
    assert (long["step"][0], long["value"][0]) == (2, pytest.approx((1 + 1 / 2 + 1 / 3) / 3))
    assert seen("a.png")[0] == (1380, round(2 * 0.62 * 3.3 * 200))
    assert ecop("plot", *runs, "-o", "one.svg", "--columns", "1").out == "one.svg\n"


def test_distribution(ecop, evaluations, tmp_path):
    numbers = ecop("plot", *evaluations, "three.csv", "--json", "-o", "a.pdf").document["numbers"]
    assert numbers["one"]["psnr"] == [30, 31, 35]
    assert numbers["one"]["mean"] == 32
    assert numbers["one"]["interval"] == pytest.approx(1.96 * np.std([30, 31, 35], ddof=1) / np.sqrt(3))
    assert (numbers["three"]["psnr"], numbers["three"]["exact"], numbers["three"]["interval"]) == ([28.5], 1, None)
    assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF")


def test_difference(ecop, refused, evaluations):
    numbers = ecop("plot", *evaluations, "--of", "difference", "--json", "-o", "a.png").document["numbers"]
    assert numbers["gain"] == {"1.png": -2, "0.png": 1, "2.png": 5}
    assert (numbers["better"], numbers["n"], numbers["mean"]) == (2, 3, pytest.approx(4 / 3))
    assert seen("a.png")[1] > 20
    assert "--of difference takes 2 of them, not 1" in refused("plot", "one.json", "--of", "difference", "--json")


def test_two_of_other_signals_have_no_difference(ecop, refused, evaluations, tmp_path):
    (tmp_path / "other.csv").write_text("file,psnr\nx.png,20\n")
    assert "two of the same signals" in refused("plot", "one.json", "other.csv", "--of", "difference", "--json")
    assert "psnr_curve of every signal" in refused("plot", "other.csv", "--of", "steps", "--json")


def test_steps_of_evaluations(ecop, evaluations):
    numbers = ecop("plot", *evaluations, "--of", "steps", "--json", "-o", "a.png").document["numbers"]
    assert numbers["one"]["psnr"] == [11, 32]
    assert numbers["two"]["interval"][0] == pytest.approx(1.96 / np.sqrt(3))


@pytest.fixture
def fields(tiny, picture, tmp_path):
    """The same picture in two precisions."""
    file = picture(tmp_path / "a.png")
    for dtype in ("float16", "float32"):
        (tmp_path / dtype).mkdir()
        tiny.fit(file, dtype=dtype).save(tmp_path / dtype / "a.safetensors")
    return "float16/a.safetensors", "float32/a.safetensors"


def test_fields(ecop, refused, fields, init, tmp_path):
    steps = ecop("plot", *fields, "--json", "-o", "steps.png").document
    assert steps["of"] == "steps"
    curve = steps["numbers"]["float16/a"]["psnr"]
    assert len(curve) == 4
    rate = ecop("plot", *fields, "--of", "rate", "--json", "-o", "rate.png").document["numbers"]
    for path in fields:
        own = rate[path.removesuffix(".safetensors")]
        nbytes = (tmp_path / path).stat().st_size
        assert (own["bytes"], own["bits_per_sample"]) == (nbytes, 8 * nbytes / 256)
        assert (own["dtype"], own["parameters"]) == (path.partition("/")[0], 24 + 72 + 27)
        assert own["psnr"] == ecop("info", path, "--json").document["metrics"]["psnr"]

    assert "takes 1 of them" in refused("plot", *fields, "--of", "points", "--json")
    points = ecop("plot", fields[0], "--of", "points", "--init", init, "--json", "-o", "points.png")
    assert points.code == 0, points.err
    numbers = points.document["numbers"]
    assert numbers["psnr"] == pytest.approx(curve, abs=1e-3)
    assert numbers["kept"] == [0.25] * 3
    assert all(0 <= share <= 1 for share in numbers["overlap"])
    assert seen("points.png")[0][0] == 1380


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nothing.json", "--json"], "nothing.json: not an evaluation"),
        (["nothing", "--json"], "nothing: there is no such file"),
        (
            ["a", "one.json", "--json"],
            "one.json: not to be shown as training beside the others; it can be: distribution",
        ),
        (["one.json", "--of", "rate", "--json"], "not to be shown as rate"),
        (["one.json"], "-o FILE is missing"),
        ([], "nothing to plot"),
        (["one.json", "-o", "a.jpg"], "no plot is saved as '.jpg'"),
        (["broken.json", "--json"], "broken.json: not an evaluation"),
        (["empty.csv", "--json"], "empty.csv: an evaluation of no signals"),
        (["init.safetensors", "--json"], "holds an initialisation, not a fitted field"),
    ],
)
def test_what_cannot_be_plotted(refused, runs, evaluations, init, tmp_path, arguments, words):
    (tmp_path / "broken.json").write_text('{"mean": 3}')
    (tmp_path / "empty.csv").write_text("file,psnr\n")
    assert words in refused("plot", *arguments)


def test_an_existing_figure_stays(ecop, refused, evaluations, tmp_path):
    (tmp_path / "a.png").write_text("mine")
    assert "replace it with -y" in refused("plot", "one.json", "-o", "a.png")
    assert ecop("plot", "one.json", "-o", "a.png", "-y").code == 0
