"""Every change to a field file is refused with one clear line, and so is what was never ours."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given, settings
from hypothesis import strategies as st

from ecop.core.errors import BadFieldFile
from ecop.store.field_file import FieldFile
from ecop.store.sealed import DIGITS, FORMAT_VERSION, seal, unseal


@pytest.fixture
def refused(tmp_path):
    """Writes bytes to a file and gives the one line with which it is refused."""

    def check(data):
        path = tmp_path / "field.safetensors"
        path.write_bytes(data)
        with pytest.raises(BadFieldFile) as caught:
            FieldFile.load(path)
        message = str(caught.value)
        assert "\n" not in message and message.startswith(str(path))
        return message

    return check


def foreign(tensors, **metadata):
    return safetensors.numpy.save(tensors, metadata=metadata or None)


def test_one_flipped_bit_in_any_byte_is_refused(content, refused):
    data = content.to_bytes()
    for position in range(len(data)):
        changed = bytearray(data)
        changed[position] ^= 1 << position % 8
        refused(bytes(changed))


@settings(deadline=None)
@given(st.data())
def test_any_other_byte_at_any_place_is_refused(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("changed") / "field.safetensors"
    tensors = {"weight": np.ones((3, 2), np.float32)}
    whole = bytearray(seal(tensors, {"role": "fitted"}))
    position = data.draw(st.integers(0, len(whole) - 1))
    whole[position] = data.draw(st.integers(0, 255).filter(lambda byte: byte != whole[position]))
    path.write_bytes(whole)
    with pytest.raises(BadFieldFile):
        unseal(path)


def test_cut_at_any_length_or_prolonged_is_refused(content, refused):
    data = content.to_bytes()
    for length in range(len(data)):
        refused(data[:length])
    for more in (b"\0", b"\n", data):
        assert "something was appended" in refused(data + more)
    assert "cut short" in refused(data[:-1])
    assert "it has only 0 bytes" in refused(b"")


def test_the_digits_of_the_digest_lie_where_the_documentation_says(content):
    data = content.to_bytes()
    document = json.loads(json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])["__metadata__"]["ecop"])
    assert data[DIGITS].decode() == document["file_sha256"]
    assert (DIGITS.start, DIGITS.stop) == (52, 116)
    assert document["provenance"]["file_sha256"] == "f" * 64


def test_a_newer_format_asks_for_an_upgrade(content, refused):
    data = content.to_bytes().replace(b'\\"format_version\\":1', b'\\"format_version\\":2')
    message = refused(data)
    assert f"format 2, written by a newer ecop (this one reads up to format {FORMAT_VERSION})" in message
    assert "upgrade" in message


@pytest.mark.parametrize("version", ["0", "-1", "true", '"1"', "1.5", "null"])
def test_other_versions_are_no_versions(version, refused):
    text = f'{{"format_version":{version}}}'
    assert "damaged" in refused(foreign({"a": np.zeros(1)}, ecop=text))


def test_files_of_others_are_named_as_such(refused):
    for data in (foreign({"a": np.zeros(2)}), foreign({"a": np.zeros(2)}, format="pt")):
        assert "a safetensors file without ecop's description" in refused(data)
    assert "not a file that ecop wrote" in refused(b"\x89PNG\r\n\x1a\n" + bytes(100))
    assert "no header of a safetensors file" in refused((40).to_bytes(8, "little") + b"x" * 40)


def test_a_rewritten_file_is_refused(content, refused):
    """Ours by its metadata, but saved again by another program with other values."""
    data = content.to_bytes()
    metadata = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])["__metadata__"]
    zeros = {name: np.zeros_like(tensor) for name, tensor in content.tensors.items()}
    assert "checksum" in refused(safetensors.numpy.save(zeros, metadata=metadata))


def header_only(text):
    return len(text).to_bytes(8, "little") + text


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (header_only(b"{" * (2**20 + 1)), "over the limit of 1048576"),
        ((2**63).to_bytes(8, "little") + b"{}", "over the limit of 1048576"),
        (header_only(b"[" * 2**20), "no header of a safetensors file"),
        (header_only(b"9" * 10_000), "no header of a safetensors file"),
        (header_only(b"[]"), "no header of a safetensors file"),
        (header_only(b'{"__metadata__":{"ecop":5}}'), "without ecop's description"),
        (header_only(b'{"__metadata__":{"ecop":"[[1]]"}}'), "its description cannot be read"),
    ],
)
def test_hostile_headers(data, message, refused):
    assert message in refused(data)


def sealed_entries(entries):
    document = json.dumps({"format_version": 1})
    return header_only(json.dumps({"__metadata__": {"ecop": document}, **entries}).encode())


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({f"a{i}": {} for i in range(10_001)}, "10001 tensors, over the limit of 10000"),
        ({"a": {"dtype": "F32", "shape": [2**60], "data_offsets": [0, 2**62]}}, "it was cut short"),
        ({"a": {"dtype": "I64", "shape": [0], "data_offsets": [0, 0]}}, "tensors of type I64"),
        ({"a": {"dtype": ["F32"], "shape": [0], "data_offsets": [0, 0]}}, "not that of a tensor"),
        ({"a": {"dtype": "F32", "shape": [0], "data_offsets": [0, True]}}, "not that of a tensor"),
        ({"a": {"dtype": "F32", "shape": [0], "data_offsets": [0, -1]}}, "not that of a tensor"),
        ({"a": 3}, "not that of a tensor"),
    ],
)
def test_hostile_entries(entries, message, refused):
    assert message in refused(sealed_entries(entries))


def test_what_is_no_file(tmp_path):
    with pytest.raises(BadFieldFile, match="No such file"):
        FieldFile.load(tmp_path / "missing.safetensors")
    with pytest.raises(BadFieldFile, match="cannot be read"):
        FieldFile.load(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(BadFieldFile, match="not a regular file"):
        FieldFile.load(tmp_path / "pipe")


def test_no_jax_is_needed():
    code = "import sys, ecop.store.field_file, ecop.store.run_folder; sys.exit('jax' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
