"""Volumes through the command line: fit, info, render and eval on a handful of voxels."""

import json

import numpy as np
import pytest

from ecop.signals import Volume

nibabel = pytest.importorskip("nibabel")

TINY = """
name = "tiny-volume"
signal = "volume"
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
size = [6, 6, 6]
channels = 1
crop = "random"
batch = 1
[fit]
steps = 3
"""


def scan(path, shape=(10, 12, 8), seed=0):
    axes = np.meshgrid(*(np.linspace(0, 1, n) for n in shape), indexing="ij")
    waves = np.sin(np.tensordot(np.random.default_rng(seed).uniform(2, 5, 3), axes, 1))
    path.parent.mkdir(parents=True, exist_ok=True)
    numbers = np.rint(1000 * waves).astype(np.int16)
    nibabel.save(nibabel.Nifti1Image(numbers, np.diag([1.0, 1, 3, 1])), path)
    return path


def test_from_a_scan_to_a_render(ecop, tmp_path):
    for number in range(2):
        scan(tmp_path / "scans" / f"{number}.nii.gz", seed=number)
    (tmp_path / "tiny.toml").write_text(TINY)
    head = scan(tmp_path / "head.nii.gz", seed=5)
    fitted = ecop("fit", "random:tiny.toml", "head.nii.gz", "-o", "head.safetensors", "--native", "--json")
    assert fitted.code == 0, fitted.err
    document = json.loads(fitted.out)
    entry = document[0] if isinstance(document, list) else document
    assert entry["shape"] == [10, 12, 8]
    assert np.isfinite(entry["psnr"])

    info = ecop("info", "head.safetensors", "--json")
    assert info.code == 0, info.err
    assert "volume" in info.out

    assert ecop("render", "head.safetensors", "-o", "large.nii.gz", "--scale", "2").code == 0
    image, original = nibabel.load(tmp_path / "large.nii.gz"), nibabel.load(head)
    assert image.shape == (20, 24, 16)
    assert image.get_data_dtype() == np.int16
    np.testing.assert_allclose(image.header.get_zooms(), (0.5, 0.5, 1.5))
    ends = np.array([[-0.5, -0.5, -0.5, 1], [19.5, 23.5, 15.5, 1]])
    before = np.array([[-0.5, -0.5, -0.5, 1], [9.5, 11.5, 7.5, 1]])
    np.testing.assert_allclose(ends @ image.affine.T, before @ original.affine.T, atol=1e-5)
    assert ecop("render", "head.safetensors", "-o", "slices.png").code == 0
    assert (tmp_path / "slices.png").stat().st_size > 0
    part = ecop("render", "head.safetensors", "-o", "part.nii", "--region", "0,0,0,1,1,0.5")
    assert part.code == 0, part.err
    assert Volume.read(tmp_path / "part.nii").shape == (5, 12, 8)

    evaluated = ecop("eval", "random:tiny.toml", "--data", "scans", "--split", "all", "--json")
    assert evaluated.code == 0, evaluated.err
    assert len(json.loads(evaluated.out)["files"]) == 2


def test_a_field_is_not_written_under_a_volumes_name(ecop, tmp_path):
    scan(tmp_path / "a.nii.gz")
    (tmp_path / "tiny.toml").write_text(TINY)
    refused = ecop("fit", "random:tiny.toml", "a.nii.gz", "-o", "b.nii.gz")
    assert refused.code == 2
    assert "a fitted field is no volume" in refused.err


def test_the_times_of_a_film_of_volumes_are_fitted_one_by_one(ecop, tmp_path):
    numbers = np.random.default_rng(0).integers(0, 99, (6, 6, 6, 2)).astype(np.uint8)
    nibabel.save(nibabel.Nifti1Image(numbers, np.eye(4)), tmp_path / "beat.nii")
    (tmp_path / "tiny.toml").write_text(TINY)
    fitted = ecop("fit", "random:tiny.toml", "beat.nii", "-o", "fields/", "--native")
    assert fitted.code == 0, fitted.err
    assert sorted(path.name for path in (tmp_path / "fields").iterdir()) == [
        "beat-time=0.safetensors", "beat-time=1.safetensors"]  # fmt: skip
