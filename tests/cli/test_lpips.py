"""LPIPS as a further metric on the command line, with random weights."""

import numpy as np
import pytest
from safetensors.numpy import save_file

from ecop.fit.fitted import Fitted
from ecop.metrics import LpipsWeights, lpips
from ecop.metrics.lpips_weights import KERNELS, LAYERS
from ecop.signals import Image, Video
from ecop.signals.perceptual import PictureLpips


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    rng, folder = np.random.default_rng(0), tmp_path_factory.mktemp("weights")
    trunk, heads = {}, {}
    for number, (layer, shape) in enumerate(zip(LAYERS, KERNELS, strict=True)):
        trunk[f"features.{layer}.weight"] = rng.normal(0, np.prod(shape[1:]) ** -0.5, shape).astype(np.float32)
        trunk[f"features.{layer}.bias"] = np.zeros(shape[0], np.float32)
        heads[f"lin{number}.model.1.weight"] = rng.uniform(0, 1, (1, shape[0], 1, 1)).astype(np.float32)
    save_file(trunk, folder / "trunk.safetensors")
    save_file(heads, folder / "heads.safetensors")
    return folder / "trunk.safetensors", folder / "heads.safetensors"


def test_of_a_fit_and_in_its_file(ecop, init, picture, files, tmp_path):
    picture(tmp_path / "a.png", (40, 48))
    flags = ("--native", "--steps", "1", "--lpips", files[0], "--lpips", files[1])
    result = ecop("fit", init, "a.png", "-o", "a.safetensors", "--json", *flags)
    fitted = Fitted.load("a.safetensors")
    expected = lpips(Image.read("a.png").values, fitted.render().values, files)
    assert result.document[0]["metrics"]["lpips"] == pytest.approx(expected, rel=1e-5)
    assert fitted.metrics["lpips"] == pytest.approx(expected, rel=1e-5)
    assert ", LPIPS 0." in ecop("fit", init, "a.png", "-o", "a.safetensors", "-y", *flags).out


def test_of_an_evaluation_where_pictures_are_large_enough(ecop, init, photos, files):
    """The recipe's 16×16 pixels are less than the 31 from which it is defined."""
    flags = ("--steps", "1", "--lpips", files[0], "--lpips", files[1])
    assert "lpips" not in ecop("eval", init, "--data", photos, "--json", *flags).document["mean"]


def test_weights_that_are_not_there(refused, init, picture, files, tmp_path):
    picture(tmp_path / "a.png")
    refusal = refused("fit", init, "a.png", "-o", "a.safetensors", "--lpips", files[0])
    assert "not all of the five linear layers of LPIPS; give torchvision's AlexNet" in refusal
    assert "there is no such file" in refused("eval", init, "--data", ".", "--lpips", "none.pth")


def test_of_a_sound_there_is_none(refused, files, tmp_path):
    (tmp_path / "a.wav").touch()
    refusal = refused("fit", "random:audio", "a.wav", "-o", "a.safetensors", "--lpips", files[0])
    assert "--lpips compares pictures and videos, and the initialisation is one for audio signals" in refusal


def test_of_a_video_it_is_the_mean_over_frames(files):
    rng = np.random.default_rng(1)
    ours, theirs = rng.random((3, 32, 32, 3)).astype(np.float32), rng.random((3, 32, 32, 3)).astype(np.float32)
    ours[2] = np.nan  # missing
    weights = LpipsWeights.load(files)
    found = PictureLpips(weights)(Video.assemble(ours, {}), Video.assemble(theirs, {}))
    assert found == pytest.approx(np.mean([lpips(ours[i], theirs[i], weights) for i in range(2)]))


def test_alpha_does_not_count(files):
    rng = np.random.default_rng(1)
    ours, theirs = rng.random((2, 32, 32, 4)).astype(np.float32)
    measure = PictureLpips(LpipsWeights.load(files))
    colours = measure(Image.assemble(ours[..., :3], {}), Image.assemble(theirs[..., :3], {}))
    assert measure(Image.assemble(ours, {}), Image.assemble(theirs, {})) == colours
