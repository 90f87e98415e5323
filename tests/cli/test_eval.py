import csv

import numpy as np
import pytest

from ecop.data.crops import centre_cut
from ecop.fit.evaluate import evaluate
from ecop.signals import Image


def test_document_table_and_csv(ecop, init, photos):
    result = ecop("eval", init, "--data", photos, "--json", "--csv", "e.csv")
    assert result.code == 0
    document = result.document
    assert document["n"] == 5
    assert [file["file"] for file in document["files"]] == ["0.png", "1.png", "2.png", "3.png", "sub/4.png"]
    for name in ("psnr", "ssim"):
        values = [file[name] for file in document["files"]]
        assert document["mean"][name] == pytest.approx(np.mean(values))
        assert document["std"][name] == pytest.approx(np.std(values))
    with open("e.csv") as file:  # noqa: PTH123
        rows = list(csv.DictReader(file))
    assert [float(row["psnr"]) for row in rows] == [file["psnr"] for file in document["files"]]
    assert "exists already" in ecop("eval", init, "--data", photos, "--csv", "e.csv").err
    table = ecop("eval", init, "--data", photos).out
    assert "PSNR (dB)" in table
    assert f"{document['mean']['psnr']:.2f}" in table


def test_the_numbers_are_those_of_a_fit(ecop, init, tiny, photos):
    """One signal by the evaluation's batch, and by the fit that a person would do."""
    entry = ecop("eval", init, "--data", photos / "sub", "--json").document["files"][0]
    fitted = tiny.fit(centre_cut(Image.read(photos / "sub" / "4.png"), (16, 16)))
    assert entry["psnr"] == pytest.approx(fitted.metrics["psnr"], abs=1e-3)
    assert entry["ssim"] == pytest.approx(fitted.metrics["ssim"], abs=1e-4)
    assert entry["psnr_curve"] == pytest.approx(fitted.psnr_curve, abs=1e-3)


def test_more_signals_than_a_batch(ecop, init, picture, tmp_path):
    for seed in range(9):
        picture(tmp_path / "many" / f"{seed}.png", seed=seed % 8)
    files = ecop("eval", init, "--data", "many", "--steps", "1", "--json").document["files"]
    assert len(files) == 9
    assert files[8]["psnr"] == pytest.approx(files[0]["psnr"], abs=1e-6)


def test_a_split_and_its_parts(ecop, refused, init, photos):
    parts = [ecop("eval", init, "--data", photos, "--split", part, "--steps", "1", "--json").document["files"]
             for part in ("train", "validation", "test")]  # fmt: skip
    names = [file["file"] for part in parts for file in part]
    assert sorted(names) == ["0.png", "1.png", "2.png", "3.png", "sub/4.png"]
    assert "no file for test" in refused("eval", init, "--data", photos / "sub", "--split", "test")


def test_a_damaged_file_is_named(refused, init, photos):
    (photos / "2.png").write_bytes((photos / "2.png").read_bytes()[:60])
    assert "2.png" in refused("eval", init, "--data", photos, "--csv", "e.csv")


def test_every_second_signal(tiny, photos):
    found = evaluate(tiny, photos, steps=1, every=2)
    assert [file["file"] for file in found.files] == ["0.png", "2.png", "sub/4.png"]
