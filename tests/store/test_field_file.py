"""What a field file holds survives a round trip; what cannot be stored is refused before anything is written."""

import errno
import os

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ecop.core.errors import BadFieldFile, CannotWrite, Diverged, InvalidSetting, TooLarge
from ecop.store.documents import write_json
from ecop.store.field_file import FieldFile
from ecop.store.sealed import seal

PARTS = ("role", "field", "signal", "blocks", "recipe", "fit", "provenance", "metrics")
NEEDED = {
    "role": "initialisation",
    "field": {"name": "siren", "settings": {}},
    "signal": {"kind": "image", "shape": [2, 2], "channels": 1, "grid": {"convention": "corners"}},
}


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def test_round_trip_keeps_every_part(content, tmp_path):
    content.save(tmp_path / "field.safetensors")
    loaded = FieldFile.load(tmp_path / "field.safetensors")
    for part in PARTS:
        assert getattr(loaded, part) == getattr(content, part)
    assert loaded.signal["shape"] == [3, 4]
    assert loaded.metrics == {"psnr": 40.5, "ssim": None}
    assert loaded.tensors.keys() == content.tensors.keys()
    for name, tensor in content.tensors.items():
        np.testing.assert_array_equal(loaded.tensors[name], tensor)
    assert loaded.sha256 == content.sha256


def test_plain_safetensors_reads_the_same_tensors(content, tmp_path):
    content.save(tmp_path / "field.safetensors")
    plain = safetensors.numpy.load_file(tmp_path / "field.safetensors")
    np.testing.assert_array_equal(plain["layers.0.weight"], content.tensors["layers.0.weight"])


def test_two_saves_give_the_same_bytes_in_any_order(content):
    turned = {part: getattr(content, part) for part in PARTS}
    turned["fit"] = dict(reversed(turned["fit"].items()))
    again = FieldFile(dict(reversed(content.tensors.items())), **turned)
    assert again.to_bytes() == content.to_bytes()
    assert len(content.to_bytes("float16")) == content.nbytes("float16")


names = st.text(min_size=1, max_size=8).filter(lambda name: name != "__metadata__" and name.isprintable())
arrays = st.sampled_from(["float16", "float32", "float64"]).flatmap(
    lambda dtype: hnp.arrays(
        dtype,
        hnp.array_shapes(min_dims=0, min_side=0, max_side=4),
        elements={"allow_nan": False, "allow_infinity": False},
    )
)


@given(st.dictionaries(names, arrays, min_size=1, max_size=4))
def test_any_shapes_and_types_come_back_exactly_in_the_widest_type(tmp_path_factory, tensors):
    path = tmp_path_factory.mktemp("any") / "field.safetensors"
    content = FieldFile(tensors, **NEEDED)
    content.save(path, dtype=content.dtype)
    loaded = FieldFile.load(path)
    assert loaded.dtype == content.dtype
    assert loaded.sha256 == content.sha256
    for name, tensor in tensors.items():
        assert loaded.tensors[name].shape == tensor.shape
        np.testing.assert_array_equal(loaded.tensors[name], tensor)


def test_layouts_in_memory_do_not_matter():
    dense = np.arange(6, dtype=np.float32).reshape(2, 3)
    for other in (np.asfortranarray(dense), dense.astype(">f4"), np.repeat(dense, 2, axis=1)[:, ::2]):
        assert FieldFile({"a": other}, **NEEDED).to_bytes() == FieldFile({"a": dense}, **NEEDED).to_bytes()


def test_float16_rounds_to_the_nearest_and_upcasts(content, tmp_path):
    content.save(tmp_path / "half.safetensors", dtype="float16")
    loaded = FieldFile.load(tmp_path / "half.safetensors")
    assert loaded.dtype == "float16"
    for name, tensor in loaded.upcast().items():
        assert tensor.dtype == np.float32
        np.testing.assert_allclose(tensor, content.tensors[name], rtol=2**-11)


def test_saving_over_the_loaded_file(content, tmp_path):
    path = tmp_path / "field.safetensors"
    content.save(path)
    FieldFile.load(path).save(path)
    assert path.read_bytes() == content.to_bytes()
    assert names_in(tmp_path) == ["field.safetensors"]


def test_an_existing_file_survives_a_full_disk(content, tmp_path, monkeypatch):
    path = tmp_path / "field.safetensors"
    content.save(path)

    def full(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CannotWrite, match="the disk is full"):
        FieldFile({"a": np.zeros(9)}, **NEEDED).save(path)
    assert path.read_bytes() == content.to_bytes()
    assert names_in(tmp_path) == ["field.safetensors"]


def test_blocks_need_a_leading_axis():
    blocks = {"shape": (2, 2), "overlap": 1, "starts": [(0, 0), (0, 1)]}
    stacked = FieldFile({"a": np.zeros((2, 3))}, **NEEDED, blocks=blocks)
    assert stacked.blocks == {"shape": [2, 2], "overlap": 1, "starts": [[0, 0], [0, 1]]}
    with pytest.raises(InvalidSetting, match="a leading axis of 2 blocks"):
        FieldFile({"a": np.zeros((3, 3))}, **NEEDED, blocks=blocks)
    with pytest.raises(InvalidSetting, match="also starts"):
        FieldFile({"a": np.zeros((3, 3))}, **NEEDED, blocks={"shape": [2], "overlap": 0})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"role": "fit"}, "one of initialisation, fitted"),
        ({"field": {"name": "siren"}}, "also settings"),
        ({"signal": {"kind": "image"}}, "also shape, channels, grid"),
        ({"tensors": {}}, "at least one"),
        ({"tensors": {"a": np.zeros(2, np.int32)}}, "float16, float32 or float64"),
        ({"recipe": {"learner": {"rate": float("nan")}}}, r"recipe\.learner\.rate = nan"),
        ({"provenance": {"when": object()}}, "a value that JSON can write"),
        ({"provenance": {1: 2}}, "keys that are strings"),
        ({"fit": [1]}, "a mapping"),
    ],
)
def test_what_cannot_be_stored(change, message):
    with pytest.raises(InvalidSetting, match=message):
        FieldFile(**{"tensors": {"a": np.zeros(2)}, **NEEDED, **change})


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_values_that_are_not_finite_are_not_saved(bad, tmp_path):
    with pytest.raises(Diverged, match="tensor head holds NaN or infinity"):
        FieldFile({"head": np.array([0, bad])}, **NEEDED).save(tmp_path / "field.safetensors")
    assert names_in(tmp_path) == []


def test_values_beyond_the_type_are_not_saved():
    with pytest.raises(InvalidSetting, match="a type that holds head, beyond ±65504"):
        FieldFile({"head": np.array([7e4])}, **NEEDED).to_bytes("float16")
    with pytest.raises(InvalidSetting, match="one of float16, float32, float64"):
        FieldFile({"head": np.zeros(1)}, **NEEDED).to_bytes("int8")


def test_a_description_beyond_the_limit_is_not_saved():
    with pytest.raises(TooLarge, match="shorten its provenance"):
        FieldFile({"a": np.zeros(1)}, **NEEDED, provenance={"log": "x" * 2**20}).to_bytes()
    with pytest.raises(TooLarge, match="10000"):
        FieldFile({f"a{i}": np.zeros(1) for i in range(10_001)}, **NEEDED).to_bytes()


@pytest.mark.parametrize(
    ("tensors", "change", "message"),
    [
        ({"a": np.array([np.nan], np.float32)}, {}, "NaN or infinity in a"),
        ({"a": np.zeros(1, np.float32)}, {"dtype": "float16"}, "tensors that are not 'float16'"),
        ({"a": np.zeros(1, np.float32)}, {"role": "thing"}, "role = 'thing'"),
        ({"a": np.zeros(1, np.float32)}, {"blocks": 5}, "a mapping"),
    ],
)
def test_a_file_that_is_sealed_but_wrong_is_refused(tensors, change, message, content, tmp_path):
    document = {part: getattr(content, part) for part in PARTS} | {"dtype": "float32"} | change
    path = tmp_path / "field.safetensors"
    path.write_bytes(seal(tensors, document))
    with pytest.raises(BadFieldFile, match=message):
        FieldFile.load(path)


def test_json_is_strict():
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json({"a": float("nan")})
