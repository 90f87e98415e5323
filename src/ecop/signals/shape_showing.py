"""How a page shows shapes: a mesh to turn, and its scattered points from the first side that a picture shows."""

from pathlib import Path
from typing import Any

import numpy as np

from ecop.core.errors import MissingExtra
from ecop.core.files import atomic_write
from ecop.signals.shape_pictures import scattered
from ecop.signals.shape_surface import Surface
from ecop.signals.shape_writing import check_surface, write_surface
from ecop.signals.showing import Show

AROUND, ALONG, RADIUS = 24, 240, 0.55
"""Of a tube: vertices about it and along it, and how thick it is."""

COLOUR = (0.22, 0.40, 0.66, 1.0)
"""Red, green, blue in linear light, and opaque."""


def _tube(middle: np.ndarray) -> Surface:
    """A tube about a closed curve of (n, 3) points."""
    tangent = np.roll(middle, -1, axis=0) - np.roll(middle, 1, axis=0)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    side = np.cross(tangent, [0.0, 0.0, 1.0])
    side /= np.linalg.norm(side, axis=1, keepdims=True)
    angle = np.linspace(0, 2 * np.pi, AROUND, endpoint=False)[:, None]
    rings = side[:, None] * np.cos(angle) + np.cross(side, tangent)[:, None] * np.sin(angle)
    number = np.arange(middle.shape[0] * AROUND).reshape(-1, AROUND)
    after = np.roll(number, -1, axis=0)
    corners = number, after, np.roll(after, -1, axis=1), np.roll(number, -1, axis=1)
    a, b, c, d = (part.ravel() for part in corners)
    faces = np.concatenate([np.stack([a, b, c], -1), np.stack([a, c, d], -1)])
    return Surface((middle[:, None] + RADIUS * rings).reshape(-1, 3), faces).outwards()


def _knot(path: Path) -> None:
    """A trefoil."""
    t = np.linspace(0, 2 * np.pi, ALONG, endpoint=False)
    middle = np.stack([np.sin(t) + 2 * np.sin(2 * t), np.cos(t) - 2 * np.cos(2 * t), -np.sin(3 * t)], -1)
    _write(path, _tube(middle))


def _ring(path: Path) -> None:
    t = np.linspace(0, 2 * np.pi, ALONG, endpoint=False)
    _write(path, _tube(np.stack([1.4 * np.cos(t), 1.4 * np.sin(t), 0 * t], -1)))


def _write(path: Path, surface: Surface) -> None:
    write_surface(path, surface, [0.0] * 3, [1.0] * 3)


def _points(signal: Any, numbers: np.ndarray) -> np.ndarray:
    return scattered(signal.coordinates, numbers)


def play_mesh(signal: Any, path: Path) -> None:
    """Write the surface as .glb, in a colour and in the box.

    Raises:
        CannotWrite: for a field without a surface.
        MissingExtra: without the extra ``shapes``.
    """
    try:
        import trimesh
        from trimesh.visual.material import PBRMaterial
        from trimesh.visual.texture import TextureVisuals
    except ImportError:
        raise MissingExtra("a mesh to turn", "shapes") from None
    surface = signal.surface()
    check_surface(path, surface)
    material = PBRMaterial(baseColorFactor=COLOUR, metallicFactor=0.0, roughnessFactor=0.5)
    visual = TextureVisuals(material=material)
    mesh = trimesh.Trimesh(surface.vertices, surface.faces, visual=visual, process=False)
    content: Any = mesh.export(file_type="glb", include_normals=True)
    with atomic_write(path) as stream:
        stream.write(content)


SHOW = Show(
    player="model",
    suffix=".glb",
    play=play_mesh,
    scattered=_points,
    samples={"A trefoil knot": _knot, "A ring": _ring},
    sample_suffix=".obj",
)
