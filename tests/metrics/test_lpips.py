"""LPIPS against a reference by scipy, its published constants, and what any distance has to be."""

import importlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save_file
from scipy.ndimage import maximum_filter
from scipy.signal import correlate

from ecop.core.errors import BadInput, InvalidSetting
from ecop.metrics import LpipsWeights, lpips
from ecop.metrics.lpips import SMALLEST, convolved, pooled_by_three
from ecop.metrics.lpips_weights import KERNELS, LAYERS

TRUNK = {f"features.{layer}": shape for layer, shape in zip(LAYERS, KERNELS, strict=True)}


def tensors(seed=0):
    """Random weights by torchvision's and LPIPS's names, of a size that keeps every layer's values around 1."""
    rng = np.random.default_rng(seed)
    made = {}
    for number, (name, shape) in enumerate(TRUNK.items()):
        made[f"{name}.weight"] = rng.normal(0, np.prod(shape[1:]) ** -0.5, shape).astype(np.float32)
        made[f"{name}.bias"] = rng.normal(0, 0.1, shape[0]).astype(np.float32)
        made[f"lin{number}.model.1.weight"] = rng.uniform(0, 1, (1, shape[0], 1, 1)).astype(np.float32)
    return made


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "lpips.safetensors"
    save_file(tensors(), path)
    return LpipsWeights.load(path)


def picture(shape, seed):
    return np.random.default_rng(seed).random(shape).astype(np.float32)


def reference_distance(one, two, made):
    """The definition, written with scipy's correlation and maximum filter, in float64."""

    def layers(image):
        values = 2.0 * np.moveaxis(image.astype(np.float64), -1, 0) - 1
        values = (values - np.reshape([-0.030, -0.088, -0.188], (3, 1, 1))) / np.reshape(
            [0.458, 0.448, 0.450], (3, 1, 1)
        )
        for number, (name, stride, border) in enumerate(zip(TRUNK, (4, 1, 1, 1, 1), (2, 2, 1, 1, 1), strict=True)):
            if number in (1, 2):
                values = maximum_filter(values, (1, 3, 3))[:, 1:-1:2, 1:-1:2]
            values = np.pad(values, ((0, 0), (border, border), (border, border)))
            kernels, biases = made[f"{name}.weight"].astype(np.float64), made[f"{name}.bias"]
            maps = [correlate(values, kernel, "valid")[0] + bias for kernel, bias in zip(kernels, biases, strict=True)]
            values = np.maximum(np.stack(maps)[:, ::stride, ::stride], 0)
            yield values / (np.linalg.norm(values, axis=0) + 1e-10)

    parts = []
    for number, (ours, theirs) in enumerate(zip(layers(one), layers(two), strict=True)):
        head = made[f"lin{number}.model.1.weight"][0]
        parts.append((head * (ours - theirs) ** 2).sum(0).mean())
    return sum(parts)


@pytest.mark.parametrize("shape", [(33, 47, 3), (31, 31, 3)])
def test_against_the_definition(weights, shape):
    one, two = picture(shape, 1), picture(shape, 2)
    expected = reference_distance(one, two, tensors())
    assert expected > 0.1
    assert lpips(one, two, weights) == pytest.approx(expected, rel=1e-5)


def test_what_a_distance_is(weights):
    one, two = picture((40, 32, 3), 1), picture((40, 32, 3), 2)
    assert lpips(one, one, weights) == 0
    assert lpips(one, two, weights) == pytest.approx(lpips(two, one, weights), rel=1e-6)
    nearer = lpips(one, 0.9 * one + 0.1 * two, weights)
    assert 0 < nearer < lpips(one, two, weights)


def test_grey_is_a_colour_whose_channels_are_equal(weights):
    one, two = picture((32, 32, 1), 1), picture((32, 32, 1), 2)
    assert lpips(one, two, weights) == lpips(one.repeat(3, -1), two.repeat(3, -1), weights)


@settings(max_examples=20, deadline=None)
@given(st.integers(5, 30), st.integers(5, 30), st.integers(1, 4), st.integers(0, 2), st.sampled_from([1, 3, 5]))
def test_convolution_is_a_correlation(height, width, stride, border, side):
    rng = np.random.default_rng(height * width)
    values, kernel = rng.normal(size=(3, height, width)), rng.normal(size=(4, 3, side, side))
    padded = np.pad(values, ((0, 0), (border, border), (border, border)))
    expected = np.stack([correlate(padded, one, "valid")[0] for one in kernel])[:, ::stride, ::stride]
    np.testing.assert_allclose(convolved(values, kernel, stride, border), expected, atol=1e-9)


def test_convolution_in_slabs(monkeypatch):
    values, kernel = picture((3, 20, 17), 0), picture((5, 3, 3, 3), 1)
    whole = convolved(values, kernel, 2, 1)
    monkeypatch.setattr(importlib.import_module("ecop.metrics.lpips"), "SLAB", 27 * 9 * 2)
    np.testing.assert_allclose(convolved(values, kernel, 2, 1), whole, rtol=1e-6)


def test_pooling_leaves_out_what_has_no_whole_window():
    values = np.arange(48.0).reshape(1, 6, 8)
    np.testing.assert_array_equal(pooled_by_three(values), [[[18, 20, 22], [34, 36, 38]]])


def test_shapes_that_it_has_not(weights):
    square = picture((40, 40, 3), 0)
    for other in (square[1:], square[..., :1]):
        with pytest.raises(InvalidSetting, match="the reference's shape"):
            lpips(square, other, weights)
    for short in (square[: SMALLEST - 1], square[..., :2], square[..., 0]):
        with pytest.raises(InvalidSetting, match="at least 31 pixels"):
            lpips(short, short, weights)


def test_weights_from_two_files_and_by_other_names(tmp_path, weights):
    made = tensors()
    save_file({name: tensor for name, tensor in made.items() if "lin" in name}, tmp_path / "heads.safetensors")
    slices = {name.replace("features", f"net.slice{i // 2 + 1}"): made[name]
              for i, name in enumerate(name for name in made if "features" in name)}  # fmt: skip
    classifier = {"classifier.1.weight": np.zeros((4, 4), np.float32), "lin7.model.1.weight": np.zeros(3, np.float32)}
    save_file(slices | classifier, tmp_path / "trunk.safetensors")
    both = [tmp_path / "heads.safetensors", tmp_path / "trunk.safetensors"]
    one, two = picture((31, 31, 3), 1), picture((31, 31, 3), 2)
    assert lpips(one, two, both) == lpips(one, two, weights)
    with pytest.raises(
        BadInput, match=r"heads.safetensors: not all of the five convolutions of LPIPS; give torchvision's"
    ):
        LpipsWeights.load(both[0])
    with pytest.raises(BadInput, match="not all of the five linear layers"):
        LpipsWeights.load(both[1:])


@pytest.mark.parametrize(
    ("name", "tensor", "problem"),
    [
        (
            "features.0.weight",
            np.zeros((64, 3, 3, 3), np.float32),
            r"is 64×3×3×3, where LPIPS with AlexNet has 64×3×11×11",
        ),
        ("features.3.bias", np.full(192, np.nan, np.float32), "other than finite real numbers"),
        ("lin2.model.1.weight", np.ones((1, 384, 1, 1), np.int64), "other than finite real numbers"),
    ],
)
def test_other_weights_are_refused(tmp_path, name, tensor, problem):
    save_file(tensors() | {name: tensor}, tmp_path / "a.safetensors")
    with pytest.raises(BadInput, match=f"{name} {problem}" if "is" in problem else problem):
        LpipsWeights.load(tmp_path / "a.safetensors")


def test_files_that_cannot_be_read(tmp_path):
    (tmp_path / "a.safetensors").write_bytes(b"\x08\0\0\0\0\0\0\0damaged!")
    with pytest.raises(BadInput, match="damaged or not safetensors"):
        LpipsWeights.load(tmp_path / "a.safetensors")
    with pytest.raises(BadInput, match="there is no such file"):
        LpipsWeights.load(tmp_path / "b.pth")
