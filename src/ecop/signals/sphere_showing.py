"""How a page shows the globe: it turns, and windows are parts of a map with north up."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as Pillow

from ecop.core.errors import MissingExtra
from ecop.core.files import atomic_write
from ecop.signals.showing import Part, Pixels, Plane, Show, Window
from ecop.signals.sphere_grid import globe_grid

MESH = (90, 180)
"""Rows and columns of quadrilaterals at most."""

TEXTURE = (512, 1024)
"""Pixels of the map on the globe: coarser grids are magnified, so that a sample keeps its edges."""


def size(shape: tuple[int, ...], about: Mapping[str, Any]) -> tuple[float, float]:
    """Degrees of latitude and longitude."""
    height, width = (n * abs(step) for n, step in zip(shape, globe_grid(shape, about).spacing, strict=True))
    return height or 1.0, width or 1.0


def map_part(shape: tuple[int, ...], about: Mapping[str, Any], window: Window, pixels: Pixels) -> Part:
    """A sample a pixel."""
    down, across = _runs_back(shape, about)
    rows = (1 - window.bottom, 1 - window.top) if down else (window.top, window.bottom)
    columns = (1 - window.right, 1 - window.left) if across else (window.left, window.right)
    return Part(tuple(pixels), (rows, columns))


def turned(values: np.ndarray, about: Mapping[str, Any]) -> np.ndarray:
    """North up and east to the right."""
    return np.flip(values, tuple(axis for axis, back in enumerate(_runs_back(values.shape[:2], about)) if back))


def colours(signal: Any, pixels: Pixels | None = None) -> np.ndarray:
    """From bound to bound; grey where there is no value."""
    from ecop.signals.sphere_plots import coloured, scale_of  # brings matplotlib

    return coloured(turned(signal.in_units()[..., None], signal.about)[..., 0], scale_of(np.array(signal.bounds)))


def play_globe(signal: Any, path: Path) -> None:
    """Write a globe, or the part of it that a grid covers, with the map on it, as .glb.

    The second axis points to the north pole, the third to where the equator meets longitude 0.

    Raises:
        MissingExtra: without the extra ``shapes``.
    """
    try:
        import trimesh
        from trimesh.visual.material import PBRMaterial
        from trimesh.visual.texture import TextureVisuals
    except ImportError:
        raise MissingExtra("a globe to turn", "shapes") from None
    material = PBRMaterial(baseColorTexture=_texture(signal), metallicFactor=0.0, roughnessFactor=1.0)
    latitudes, longitudes = (_edges(*axis) for axis in zip(signal.grid().axes(), MESH, strict=True))
    north, east = np.sort(np.clip(latitudes, -90, 90))[::-1], np.sort(longitudes)
    phi, along = np.radians(np.stack(np.meshgrid(north, east, indexing="ij")))
    vertices = np.stack([np.cos(phi) * np.sin(along), np.sin(phi), np.cos(phi) * np.cos(along)], -1)
    v, u = np.meshgrid(np.linspace(1, 0, len(north)), np.linspace(0, 1, len(east)), indexing="ij")
    number = np.arange(phi.size).reshape(phi.shape)
    a, b, c, d = (part.ravel() for part in (number[:-1, :-1], number[1:, :-1], number[1:, 1:], number[:-1, 1:]))
    faces = np.concatenate([np.stack([a, b, c], -1), np.stack([a, c, d], -1)])
    visual = TextureVisuals(uv=np.stack([u, v], -1).reshape(-1, 2), material=material)
    mesh = trimesh.Trimesh(vertices.reshape(-1, 3), faces, visual=visual, process=False)
    content: Any = mesh.export(file_type="glb")
    with atomic_write(path) as stream:
        stream.write(content)


def _runs_back(shape: tuple[int, ...], about: Mapping[str, Any]) -> tuple[bool, bool]:
    """Whether rows run to the north, and columns to the west."""
    down, across = globe_grid(shape, about).spacing
    return down > 0, across < 0


def _edges(middles: np.ndarray, most: int) -> np.ndarray:
    """Where the cells of samples begin and end, no more than ``most`` of them."""
    half = (middles[-1] - middles[0]) / max(1, len(middles) - 1) / 2 or 0.5
    return np.linspace(middles[0] - half, middles[-1] + half, min(most, len(middles)) + 1)


def _texture(signal: Any) -> Pillow.Image:
    """The map as a picture in memory, as it is to lie on the globe."""
    pixels = np.rint(255 * colours(signal)).astype(np.uint8)
    height, width = (max(n, wanted) for n, wanted in zip(pixels.shape[:2], TEXTURE, strict=True))
    content = io.BytesIO()
    Pillow.fromarray(pixels).resize((width, height), Pillow.Resampling.NEAREST).save(content, "PNG")
    return Pillow.open(content, formats=["PNG"])


def _winds(path: Path) -> None:
    """Trade winds, westerlies and waves in them, at 73×144: made up, and smooth as such maps are."""
    from ecop.signals.sphere import Sphere

    latitudes, longitudes = np.meshgrid(np.linspace(90, -90, 73), 2.5 * np.arange(144), indexing="ij")
    phi, along = np.radians(latitudes), np.radians(longitudes)
    jets = 26 * np.exp(-(((np.abs(latitudes) - 42) / 13) ** 2)) - 8 * np.exp(-((latitudes / 17) ** 2))
    waves = 7 * np.cos(phi) ** 2 * np.sin(4 * along + 3 * phi) + 5 * np.cos(phi) * np.cos(2 * along - 5 * phi)
    about = {"bounds": [-30.0, 30.0], "units": "m/s", "variable": "UWND", "attributes": {"long_name": "zonal wind"}}
    Sphere.assemble(((jets + waves + 30) / 60)[..., None], about).write(path)


SHOW = Show(
    player="model",
    suffix=".glb",
    play=play_globe,
    plane=Plane(size=size, part=map_part, turned=turned, colours=colours),
    samples={"Winds, made up": _winds},
    sample_suffix=".nc",
)
