"""The readers in the documentation and in the examples, which do not use this package, give the field's own values."""

import re
import runpy
from pathlib import Path

import jax
import numpy as np
import pytest
from PIL import Image

from ecop.core.grids import regular_grid
from ecop.fields import Siren
from ecop.store.field_file import FieldFile

ROOT = Path(__file__).parents[2]
SNIPPETS = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "format.md").read_text(), re.DOTALL)


def save(path, convention="centres", dtype="float32", channels=3, **change):
    """A field file of a random SIREN, and the values that the SIREN itself has on the grid in the file's type."""
    field = Siren.create(jax.random.key(0), d_in=2, d_out=channels, width=16, depth=4, w0=20.0, output_offset=0.4)
    tensors = {}
    for i, layer in enumerate(field.layers):
        tensors |= {f"layers.{i}.weight": np.asarray(layer.weight), f"layers.{i}.bias": np.asarray(layer.bias)}
    signal = {"kind": "image", "shape": (5, 7), "channels": channels, "grid": {"convention": convention}}
    described = {"name": "siren", "settings": field.settings(), "d_in": 2, "d_out": channels}
    parts = {"role": "fitted", "field": described, "signal": signal, **change}
    FieldFile(tensors, **parts).save(path, dtype=dtype)
    rounded = jax.tree.map(lambda leaf: leaf.astype(dtype).astype("float32"), field)
    coords = regular_grid((5, 7), convention).coordinates().astype(np.float32)
    return np.asarray(rounded(jax.numpy.asarray(coords))).reshape(5, 7, channels)


@pytest.fixture(scope="module")
def example():
    return runpy.run_path(str(ROOT / "examples" / "read_with_numpy.py"))


@pytest.mark.parametrize("convention", ["centres", "corners"])
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_the_example_renders_the_field(tmp_path, example, convention, dtype):
    expected = save(tmp_path / "photo.safetensors", convention, dtype)
    np.testing.assert_allclose(example["render"](tmp_path / "photo.safetensors"), expected, atol=1e-5)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_the_example_writes_the_rounded_values(tmp_path, example, channels, capsys):
    values = save(tmp_path / "photo.safetensors", channels=channels)
    example["main"](str(tmp_path / "photo.safetensors"), str(tmp_path / "photo.png"))
    written = np.asarray(Image.open(tmp_path / "photo.png")).reshape(5, 7, channels)
    assert np.abs(written / 255 - np.clip(values, 0, 1)).max() < 0.5 / 255 + 1e-5
    assert "5 × 7 samples" in capsys.readouterr().out


def test_the_example_refuses_what_it_cannot_read(tmp_path, example):
    save(tmp_path / "other.safetensors", field={"name": "nerv", "settings": {}, "d_in": 1})
    with pytest.raises(SystemExit, match="reads siren and fourier on axes of their own"):
        example["render"](tmp_path / "other.safetensors")


def test_the_reader_in_the_documentation(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    expected = save("photo.safetensors")
    names = {}
    exec(SNIPPETS[0], names)
    np.testing.assert_allclose(names["image"], expected, atol=1e-5)


def test_the_check_in_the_documentation(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save("photo.safetensors")
    exec(SNIPPETS[1], {})
    path = tmp_path / "photo.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(AssertionError):
        exec(SNIPPETS[1], {})


def test_every_key_of_the_document_is_described(tmp_path, example):
    save(tmp_path / "photo.safetensors")
    _, document = example["read"](tmp_path / "photo.safetensors")
    described = re.findall(r"^\| `(\w+)` \|", (ROOT / "docs" / "format.md").read_text(), re.MULTILINE)
    assert sorted(described) == sorted(document)
