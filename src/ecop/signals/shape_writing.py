"""Surfaces to mesh files, and to pictures of them."""

from pathlib import Path
from typing import Any

import numpy as np

from ecop.core.errors import CannotWrite, MissingExtra
from ecop.core.files import atomic_write
from ecop.signals.pictures import write_picture
from ecop.signals.shape_pictures import views
from ecop.signals.shape_surface import Surface

MESHES = (".obj", ".ply", ".stl", ".glb", ".off")
PICTURE = 512
"""Pixels along a side of each view."""


def check_suffix(path: Path) -> None:
    """Raise `CannotWrite` unless the suffix is one of a mesh or ``.png``."""
    if path.suffix.lower() not in (*MESHES, ".png"):
        problem = f"{path.suffix!r} is not a suffix of a mesh" if path.suffix else "the name has no suffix"
        raise CannotWrite(path, problem, f"choose one of: {', '.join((*MESHES, '.png'))}")


def check_surface(path: Path, surface: Surface) -> None:
    """Raise `CannotWrite` for a surface without triangles."""
    if not len(surface.faces):
        problem = "the field has no surface there: it is all inside or all outside"
        raise CannotWrite(path, problem, "fit more steps, or render all of it")


def write_surface(path: Path, surface: Surface, centre: list[float], half: list[float]) -> None:
    """Write a surface in the box [−1, 1]³ as a mesh in its file's coordinates, or as a picture of three views.

    Raises:
        CannotWrite: for an unknown suffix, a surface without triangles, or whatever the system objects to.
        MissingExtra: without the extra ``shapes``.
    """
    check_suffix(path)
    if path.suffix.lower() == ".png":
        upright = surface.moved(0, np.array(half) / max(half))  # a part of the box is not a cube
        farthest = float(np.max(np.linalg.norm(upright.vertices, axis=1), initial=0.1))
        write_picture(path, views(upright, PICTURE, radius=1.02 * farthest))
        return
    check_surface(path, surface)
    try:
        import trimesh
    except ImportError:
        raise MissingExtra("a mesh file", "shapes") from None
    moved = surface.moved(centre, half)
    mesh = trimesh.Trimesh(moved.vertices, moved.faces, process=False)
    content = mesh.export(file_type=path.suffix.lower()[1:], **_precision(path))
    with atomic_write(path) as stream:
        stream.write(content.encode() if isinstance(content, str) else bytes(content))


def _precision(path: Path) -> dict[str, Any]:
    """Text formats keep as many digits as float32 has."""
    return {"digits": 9} if path.suffix.lower() in (".obj", ".off") else {}
