"""The readers that do not use this package give the values that it renders, for every field and layout they take."""

import importlib.util
import runpy
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from ecop.core.recipe import Recipe
from ecop.fit.initialisation import Initialisation
from ecop.fit.settings import resolved_fit
from ecop.signals import Audio, Image

FOLDER = Path(__file__).parents[2] / "examples"
HAS_TORCH = importlib.util.find_spec("torch") is not None
READERS = (
    "read_with_numpy",
    pytest.param("read_with_torch", marks=pytest.mark.skipif(not HAS_TORCH, reason="PyTorch is not installed")),
)


def fitted(signal, path, field="siren", steps=1, dtype="float32", size=(12, 16), **more):
    """A signal fitted from random parameters, saved; what ecop renders of it, before it clips."""
    recipe = Recipe.named("quick").with_settings(
        {"field.name": field, "field.width": 16, "field.depth": 3}
        | {"signal": signal.kind, "data.channels": signal.channels, "data.size": list(size)}
    )
    done = Initialisation.random(recipe, resolved_fit(recipe)).fit(signal, steps=steps, dtype=dtype, **more)
    done.save(path)
    return np.concatenate(list(done.strips(done.grid())))


def picture(shape=(12, 16)):
    rng = np.random.default_rng(0)
    return Image.assemble(rng.uniform(0.2, 0.8, (*shape, 3)), {"bits": 8})


@pytest.fixture(params=READERS)
def reader(request):
    return runpy.run_path(str(FOLDER / f"{request.param}.py"))


@pytest.mark.parametrize(("field", "dtype"), [("siren", "float16"), ("fourier", "float32")])
def test_a_picture(reader, tmp_path, field, dtype):
    expected = fitted(picture(), tmp_path / "p.safetensors", field, dtype=dtype)
    np.testing.assert_allclose(np.asarray(reader["render"](tmp_path / "p.safetensors")), expected, atol=2e-5)


def test_a_sound_that_covers_a_part_of_its_extent(reader, tmp_path):
    wave = 0.5 + 0.3 * np.sin(np.linspace(0, 9, 30))[:, None]
    sound = Audio.assemble(wave, {"rate": 100.0, "bits": 16, "scale": 50.0})
    expected = fitted(sound, tmp_path / "s.safetensors", size=(40,))
    np.testing.assert_allclose(np.asarray(reader["render"](tmp_path / "s.safetensors")), expected, atol=1e-3)


def test_blocks_with_numpy(tmp_path):
    reader = runpy.run_path(str(FOLDER / "read_with_numpy.py"))
    expected = fitted(picture((20, 30)), tmp_path / "b.safetensors", patches=True)
    np.testing.assert_allclose(reader["render"](tmp_path / "b.safetensors"), expected, atol=2e-5)


def test_the_files_that_are_written(reader, tmp_path, capsys):
    expected = fitted(picture(), tmp_path / "p.safetensors")
    reader["main"](str(tmp_path / "p.safetensors"), str(tmp_path / "p.png"))
    written = np.asarray(Pillow.open(tmp_path / "p.png"))
    assert np.abs(written / 255 - np.clip(expected, 0, 1)).max() < 0.5 / 255 + 2e-5
    assert "12" in capsys.readouterr().out


def test_numpy_writes_arrays(tmp_path, capsys):
    reader = runpy.run_path(str(FOLDER / "read_with_numpy.py"))
    expected = fitted(picture(), tmp_path / "p.safetensors")
    reader["main"](str(tmp_path / "p.safetensors"), str(tmp_path / "p.npy"))
    np.testing.assert_allclose(np.load(tmp_path / "p.npy"), expected, atol=2e-5)


def test_blocks_are_refused_where_one_field_is_wanted(tmp_path):
    if not HAS_TORCH:
        pytest.skip("PyTorch is not installed")
    fitted(picture((20, 30)), tmp_path / "b.safetensors", patches=True)
    with pytest.raises(SystemExit, match="not blocks"):
        runpy.run_path(str(FOLDER / "read_with_torch.py"))["load"](tmp_path / "b.safetensors")
