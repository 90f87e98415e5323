"""Mesh files: every format alike, what is damaged or foreign refused, and nothing outside the file opened."""

import base64
import json
import struct

import numpy as np
import pytest
import trimesh

from ecop.core.errors import BadInput, EcopError, TooLarge
from ecop.signals import Shape
from ecop.signals.shape_reading import read_surface

TRIANGLE = "v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n"
PLY = (
    "ply\nformat binary_little_endian 1.0\nelement vertex {}\nproperty float x\nproperty float y\nproperty float z\n"
    "element face 1\nproperty list uchar int vertex_indices\nend_header\n"
)


@pytest.fixture(scope="module")
def ball():
    return trimesh.creation.icosphere(subdivisions=1, radius=2)


def glb(tree, binary):
    """A GLB file of a JSON tree and its bytes."""
    text = json.dumps(tree).encode()
    text += b" " * (-len(text) % 4)
    chunks = struct.pack("<I4s", len(text), b"JSON") + text + struct.pack("<I4s", len(binary), b"BIN\0") + binary
    return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks


@pytest.fixture
def tree(ball):
    """The parts of the ball's GLB file."""
    content = ball.export(file_type="glb")
    length = struct.unpack("<I", content[12:16])[0]
    return json.loads(content[20 : 20 + length]), content[20 + length + 8 :]


def refusal(path, content, error=BadInput):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(error) as caught:
        Shape.read(path, points=500)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("kind", ["obj", "off", "ply", "stl", "stl_ascii", "glb"])
def test_every_format_gives_the_same_triangles(ball, tmp_path, kind):
    path = tmp_path / f"ball.{kind[:3]}"
    content = ball.export(file_type=kind)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    surface = read_surface(path)
    assert (len(surface.vertices), len(surface.faces)) == (42, 80)
    assert surface.volume == pytest.approx(ball.volume, rel=1e-5)


def test_gltf_with_all_in_it(tree, tmp_path):
    document, binary = tree
    document["buffers"][0]["uri"] = "data:application/octet-stream;base64," + base64.b64encode(binary).decode()
    (tmp_path / "ball.gltf").write_text(json.dumps(document))
    assert len(read_surface(tmp_path / "ball.gltf").faces) == 80


def test_meshes_of_a_scene_stand_where_it_puts_them(tree, tmp_path):
    document, binary = tree
    document["nodes"] = [{"mesh": 0}, {"mesh": 0, "translation": [10, 0, 0]}]
    document["scenes"] = [{"nodes": [0, 1]}]
    (tmp_path / "two.glb").write_bytes(glb(document, binary))
    surface = read_surface(tmp_path / "two.glb")
    np.testing.assert_allclose([surface.vertices.min(0)[0], surface.vertices.max(0)[0]], [-2, 12], atol=0.01)


@pytest.mark.parametrize("name", ["other.glb", "other.gltf"])
def test_other_files_are_not_opened(tree, tmp_path, name):
    document, binary = tree
    document["buffers"][0]["uri"] = "../../../etc/hostname"
    content = glb(document, binary) if name.endswith("glb") else json.dumps(document)
    assert "it names another file, '../../../etc/hostname', which is not opened" in refusal(tmp_path / name, content)


def test_materials_and_textures_are_passed_over(ball, tree, tmp_path):
    (tmp_path / "a.mtl").write_text("newmtl a\nmap_Kd ../../etc/hostname\n")
    (tmp_path / "a.obj").write_text("mtllib a.mtl\nusemtl a\n" + ball.export(file_type="obj"))
    assert len(read_surface(tmp_path / "a.obj").faces) == 80
    document, binary = tree
    document |= {"images": [{"uri": "../../etc/hostname"}], "textures": [{"source": 0}],
                 "materials": [{"pbrMetallicRoughness": {"baseColorTexture": {"index": 0}}}]}  # fmt: skip
    document["meshes"][0]["primitives"][0]["material"] = 0
    (tmp_path / "a.glb").write_bytes(glb(document, binary))
    assert len(read_surface(tmp_path / "a.glb").faces) == 80


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (TRIANGLE, "its 1 triangles enclose nothing; close the mesh first"),
        (TRIANGLE + "v 1 1 0\nf 2 4 3\n", "its 2 triangles enclose nothing"),
        (TRIANGLE.replace("v 1", "v nan"), "1 vertices are NaN or infinite"),
        (TRIANGLE.replace("v 1", "v inf"), "1 vertices are NaN or infinite"),
        (TRIANGLE.replace("v 1", "v 1e300"), "coordinates are too large"),
        (TRIANGLE.replace("v 0 1 0", "v 2 0 0"), "none of its 1 triangles has an area"),
        (TRIANGLE.replace("f 1 2 3", "f 1 2 9"), "damaged, or no OBJ mesh"),
        ("v 0 0 0\nv 1 1 1\n", "no triangles in it"),
        ("just words\n" * 9, "no triangles in it"),
        ("# caf\xe9\n" + "v 0 0 0\n", "no triangles in it"),
    ],
)
def test_meshes_that_are_none(tmp_path, content, words):
    assert words in refusal(tmp_path / "a.obj", content)


@pytest.mark.parametrize("kind", ["ply", "stl", "glb", "off"])
def test_half_a_file(ball, tmp_path, kind):
    content = ball.export(file_type=kind)
    refusal(tmp_path / f"half.{kind}", content[: len(content) // 2])
    refusal(tmp_path / f"text.{kind}", "just words\n" * 9)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.ply", PLY.format(10**12).encode() + bytes(100)),
        ("a.off", "OFF\n1000000000000 3 0\n0 0 0\n"),
        ("a.glb", glb({"accessors": [{"count": 10**12, "componentType": 5126, "type": "VEC3"}]}, b"")),
    ],
)
def test_promises_are_held_against_the_limit(tmp_path, name, content):
    assert "set ECOP_MAX_FACES=" in refusal(tmp_path / name, content, TooLarge)


def test_promises_are_held_against_the_size(tmp_path):
    assert "promises 10000001 elements in" in refusal(tmp_path / "a.ply", PLY.format(10**7).encode() + bytes(100))
    assert "whole binary one of 2147483648" in refusal(tmp_path / "a.stl", bytes(80) + struct.pack("<I", 2**31) + b"0")


def test_instances_are_counted(tree, tmp_path, monkeypatch):
    document, binary = tree
    document["nodes"] = [{"mesh": 0}] * 20
    document["scenes"] = [{"nodes": list(range(20))}]
    monkeypatch.setenv("ECOP_MAX_FACES", "1000")
    assert "1600 triangles" in refusal(tmp_path / "a.glb", glb(document, binary), TooLarge)


@pytest.mark.parametrize("suffix", [".obj", ".ply", ".stl", ".glb"])
def test_no_damage_ends_in_anything_but_a_clear_line(ball, tmp_path, suffix):
    """Bytes changed here and there, a hundred times: a shape, or one of our errors."""
    content = ball.export(file_type=suffix[1:])
    content, generator = content.encode() if isinstance(content, str) else content, np.random.default_rng(0)
    path = tmp_path / f"a{suffix}"
    for _ in range(25):
        damaged = np.frombuffer(content, np.uint8).copy()
        damaged[generator.integers(0, len(damaged), 4)] = generator.integers(0, 256, 4)
        path.write_bytes(damaged.tobytes())
        try:
            assert np.isfinite(Shape.read(path, points=50).values).all()
        except EcopError as error:
            assert "\n" not in str(error)
