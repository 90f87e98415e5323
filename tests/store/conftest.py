import numpy as np
import pytest

from ecop.store.field_file import FieldFile


@pytest.fixture
def content():
    """A small fitted field with every part filled in."""
    rng = np.random.default_rng(0)
    tensors = {"layers.0.weight": rng.normal(size=(2, 2)), "layers.0.bias": rng.normal(size=2)}
    return FieldFile(
        {name: tensor.astype(np.float32) for name, tensor in tensors.items()},
        role="fitted",
        field={"name": "siren", "settings": {"width": 2, "w0": 30.0}},
        signal={"kind": "image", "shape": (3, 4), "channels": 2, "about": {}, "grid": {"convention": "centres"}},
        recipe={"learner": {"keep": 0.25}},
        fit={"steps": 16},
        provenance={"data": "photos of Zürich", "file_sha256": "f" * 64},
        metrics={"psnr": 40.5, "ssim": float("nan")},
    )
