"""Mesh files to triangles, or a clear word why not. Files that a mesh names, textures above all, are never opened."""

import json
import logging
import struct
from pathlib import Path
from typing import IO, Any

import numpy as np

from ecop.core.errors import BadInput, EcopError, MissingExtra
from ecop.core.limits import INPUT_FACES
from ecop.signals.files import check_file
from ecop.signals.shape_surface import Surface

SMALLEST_FACE = {".obj": 8, ".off": 8, ".ply": 4, ".stl": 50, ".glb": 3, ".gltf": 3}
"""Bytes that a triangle takes at least in a file of each suffix."""

CHOICES = "give an OBJ, OFF, PLY, STL, GLB or glTF mesh"

# trimesh logs what it passes over, such as materials; our one line says what matters.
logging.getLogger("trimesh").addHandler(logging.NullHandler())


def read_surface(path: Path) -> Surface:
    """The triangles of a mesh file, in its own coordinates: equal vertices are one, triangles without area are gone.

    Of a scene all meshes are taken, where they stand. Colours, normals, textures and materials are passed over.

    Raises:
        BadInput: if it is missing, empty, damaged, no mesh, names another file, has no triangle with an area, or
            has vertices that are NaN or infinite.
        TooLarge: for more triangles or vertices than ``ECOP_MAX_FACES``; by what its header promises, or its size.
        MissingExtra: without the extra ``shapes``.
    """
    check_file(path, "a mesh", CHOICES)
    kind = path.suffix.lower()
    if kind not in SMALLEST_FACE:
        raise BadInput(path, f"{path.suffix!r} is not the suffix of a mesh", CHOICES)
    try:
        import trimesh  # noqa: F401
    except ImportError:
        raise MissingExtra("a mesh file", "shapes") from None
    try:
        _check_promises(path, kind)
        vertices, faces = _triangles(path, kind)
    except (EcopError, MemoryError):
        raise
    except Exception as error:  # what parsers raise on damaged files is an open set
        detail = " ".join(str(error).split())[:200] or type(error).__name__
        raise BadInput(path, f"damaged, or no {kind[1:].upper()} mesh ({detail})", "make or fetch it again") from None
    return _checked(path, vertices, faces)


def _triangles(path: Path, kind: str) -> tuple[np.ndarray, np.ndarray]:
    import trimesh

    refusing: Any = _Refusing(path)
    with _opened(path, kind) as stream:
        scene = trimesh.load_scene(
            stream, file_type=_loader(path, kind), resolver=refusing, skip_materials=True, process=False,
            maintain_order=True,
        )  # fmt: skip
    meshes = {name: mesh for name, mesh in scene.geometry.items() if isinstance(mesh, trimesh.Trimesh)}
    placed = [scene.graph[node] for node in scene.graph.nodes_geometry]
    INPUT_FACES.check(str(path), (sum(len(meshes[name].faces) for _, name in placed if name in meshes),))
    vertices, faces, before = [np.zeros((0, 3))], [np.zeros((0, 3), np.int64)], 0
    for transform, name in placed:
        if name in meshes:
            own = np.asarray(meshes[name].vertices, np.float64)
            with np.errstate(all="ignore"):  # what is infinite is said below
                vertices.append(own @ transform[:3, :3].T + transform[:3, 3])
            faces.append(np.asarray(meshes[name].faces, np.int64) + before)
            before += len(own)
    return np.concatenate(vertices), np.concatenate(faces)


def _opened(path: Path, kind: str) -> IO[Any]:
    """Text as text, in whatever encoding its comments are."""
    is_text = kind in (".obj", ".off") or (kind == ".stl" and not _is_binary_stl(path))
    return path.open(encoding="utf-8", errors="replace") if is_text else path.open("rb")


def _loader(path: Path, kind: str) -> str:
    return "stl_ascii" if kind == ".stl" and not _is_binary_stl(path) else kind[1:]


def _is_binary_stl(path: Path) -> bool:
    """Whether the number of triangles behind an STL's 80 bytes of header is what its size says.

    Raises:
        BadInput: if it is neither that nor text.
    """
    with path.open("rb") as stream:
        head = stream.read(84)
    promised = int.from_bytes(head[80:84], "little")
    if len(head) == 84 and path.stat().st_size == 84 + 50 * promised:
        return True
    if not head.lstrip().lower().startswith(b"solid"):
        problem = f"neither a text STL nor a whole binary one of {promised} triangles"
        raise BadInput(path, problem, "make or fetch it again")
    return False


def _checked(path: Path, vertices: np.ndarray, faces: np.ndarray) -> Surface:
    if not len(faces):
        raise BadInput(path, "there are no triangles in it", CHOICES)
    if faces.min() < 0 or faces.max() >= len(vertices):
        raise BadInput(path, "a triangle names a vertex that is not there", "make or fetch it again")
    used, numbers = np.unique(faces, return_inverse=True)
    vertices, faces = vertices[used], numbers.reshape(-1, 3)
    if wrong := int(np.count_nonzero(~np.isfinite(vertices).all(axis=1))):
        raise BadInput(path, f"{wrong} vertices are NaN or infinite", "mend the mesh first")
    vertices, numbers = np.unique(vertices, axis=0, return_inverse=True)
    faces = numbers.reshape(-1)[faces]
    a, b, c = np.moveaxis(vertices[faces], 1, 0)
    with np.errstate(over="ignore", invalid="ignore"):
        area, extent = np.linalg.norm(np.cross(b - a, c - a), axis=1), float(np.max(np.ptp(vertices, axis=0)))
    if not (np.isfinite(area).all() and np.isfinite(extent)):
        raise BadInput(path, "coordinates are too large to compute with", "scale the mesh down first")
    has_area = area > 1e-14 * extent**2
    if not has_area.any():
        raise BadInput(path, f"none of its {len(faces)} triangles has an area", "give a mesh that encloses something")
    return Surface(vertices, np.ascontiguousarray(faces[has_area], np.int64))


def _check_promises(path: Path, kind: str) -> None:
    """Refuse a file whose header, or whose size, means more than the limit, before anything is allocated."""
    size = path.stat().st_size
    with path.open("rb") as stream:
        head = stream.read(2**16)
        if kind == ".ply":
            promised = _ply_counts(head)
        elif kind == ".off":
            promised = _off_counts(head)
        elif kind in (".glb", ".gltf"):
            promised = _gltf_counts(path, stream, head)
        else:
            promised = [size // SMALLEST_FACE[kind]]
    INPUT_FACES.check(str(path), (max(promised, default=0),))
    if kind in (".ply", ".off") and sum(promised) > size:
        raise BadInput(path, f"its header promises {sum(promised)} elements in {size} bytes", "fetch the file again")


def _ply_counts(head: bytes) -> list[int]:
    lines = head.partition(b"end_header")[0].split(b"\n")
    return [int(line.split()[2]) for line in lines if line.startswith(b"element ")]


def _off_counts(head: bytes) -> list[int]:
    lines = (line.split(b"#")[0] for line in head.split(b"\n"))
    words = b" ".join(lines).split()
    return [int(word) for word in words[1:3]]


def _gltf_counts(path: Path, stream: Any, head: bytes) -> list[int]:
    """Of all accessors of a glTF, whose buffers must lie within it."""
    stream.seek(0)
    if head[:4] == b"glTF":
        stream.seek(12)
        length, mark = struct.unpack("<I4s", stream.read(8))
        if mark != b"JSON" or length > path.stat().st_size:
            raise ValueError("no JSON chunk at its start")
        text = stream.read(length)
    else:
        text = stream.read()
    tree = json.loads(text)
    for buffer in tree.get("buffers", []):
        if not str(buffer.get("uri", "data:")).startswith("data:"):
            remedy = "save it as GLB, which holds all in one file"
            raise BadInput(path, f"it names another file, {buffer['uri']!r}, which is not opened", remedy)
    return [int(accessor["count"]) for accessor in tree.get("accessors", [])]


class _Refusing:
    """What trimesh asks for files that a mesh names."""

    def __init__(self, path: Path):
        self._path = path

    def get(self, name: str) -> bytes:
        raise BadInput(self._path, f"it names another file, {name!r}, which is not opened", "give one file with all")

    __getitem__ = get

    def namespaced(self, namespace: str) -> "_Refusing":
        return self
