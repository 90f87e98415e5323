"""Shapes: solids, by the signed distance to their surface or by what is inside."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from ecop.core.errors import BadInput, InvalidSetting
from ecop.core.grids import Convention, GridSpec, regular_grid
from ecop.core.limits import INPUT_SAMPLES
from ecop.core.recipe import check
from ecop.metrics.geometry import compare_surfaces, iou
from ecop.metrics.psnr import psnr
from ecop.signals.base import Extent, Signal, block_slices
from ecop.signals.shape_pictures import DIRECTIONS, views
from ecop.signals.shape_reading import SMALLEST_FACE, read_surface
from ecop.signals.shape_sampling import Sampling, box, depth, places, sampled
from ecop.signals.shape_showing import SHOW
from ecop.signals.shape_surface import Surface, boundary, extracted, open_edges
from ecop.signals.shape_writing import check_suffix, write_surface
from ecop.signals.showing import Show

JUDGED = 32_768
"""Points, uniform in the box, at which two solids are compared."""


@dataclass(frozen=True, eq=False)
class Shape(Signal):
    """A solid in a box [−1, 1]³: values at scattered points, read from a mesh, or on a grid, as a field renders them.

    Values are (points, 1) with ``coordinates`` (points, 3), or (x, y, z, 1). They are ½ + ½ clip(d, −t, t)/t of the
    signed distance d, below 0 inside, or occupancy, 1 inside and 0 outside. ``about`` holds ``target``, ``truncation``
    t, ``resolution``, and where the box lies in the file's coordinates: ``centre`` and, along each axis, ``half`` a
    side. ``whole`` is the surface that scattered points were drawn from.

    A render's samples lie in the middles of cells, whatever the convention: the places of training points are exact.

    Example:
        >>> import numpy as np
        >>> places = np.linspace(-0.95, 0.95, 20)
        >>> distance = np.sqrt(sum(axis**2 for axis in np.meshgrid(places, places, places))) - 0.5
        >>> ball = Shape.assemble(0.5 + 2.5 * distance[..., None], {"target": "sdf"})
        >>> round(ball.surface().volume, 2), round(4 / 3 * np.pi * 0.5**3, 2)
        (0.51, 0.52)
    """

    kind: ClassVar[str] = "shape"
    dimensions: ClassVar[int] = 3
    d_in: ClassVar[int] = 3
    elastic: ClassVar[tuple[bool, ...]] = (True,)
    scattered: ClassVar[bool] = True
    suffixes: ClassVar[tuple[str, ...]] = tuple(SMALLEST_FACE)
    preferred_suffix: ClassVar[str] = ".obj"
    show: ClassVar[Show] = SHOW

    def __post_init__(self):
        axes = 2 if self.coordinates is not None or not self.values.size else 4
        if self.values.ndim != axes or self.values.shape[-1] != 1 or self.values.dtype != np.float32:
            given = f"{self.values.dtype} {self.values.shape}"
            raise InvalidSetting("values", given, "float32 of shape (points, 1) with coordinates, or (x, y, z, 1)")

    @classmethod
    def read(
        cls,
        path: Path | str,
        *,
        target: str = "sdf",
        points: int = 32_768,
        seed: int = 0,
        truncation: float = 0.2,
        resolution: int = 64,
    ) -> Self:
        """Read an OBJ, OFF, PLY, STL, GLB or glTF mesh, and sample it; no other file is opened.

        The mesh is moved into the box: its longest side fills 0.9 of it. Inside is where its generalised winding number
        exceeds ½, which also closes holes; a mesh that is not watertight says so in ``about["changed"]``. One that
        is turned inside out is turned back. Walls between parts that touch or overlap are no part of the surface.

        Args:
            path: the file.
            target: ``sdf`` or ``occupancy``.
            points: how many, half of them uniform in the box and half about the surface (`shape_sampling.places`).
            seed: of their places.
            truncation: the distance t beyond which all is alike, in half sides of the box.
            resolution: samples of a render along each axis.

        Raises:
            BadInput: for a missing, empty or damaged file, one that is no mesh or names other files, NaN vertices, or
                a mesh that encloses nothing.
            TooLarge: for more points than ``ECOP_MAX_PIXELS``, or more triangles than ``ECOP_MAX_FACES``.
            InvalidSetting: for a setting outside its range.
            MissingExtra: without the extra ``shapes``.
        """
        path, sampling = Path(path), Sampling(target, points, seed, truncation).checked()
        check(isinstance(resolution, int) and resolution >= 2, "resolution", resolution, "a whole number ≥ 2")
        INPUT_SAMPLES.check(str(path), (points,), "ask for fewer points")
        surface = read_surface(path)
        centre, half = box(surface)
        about = {
            "target": target, "truncation": float(truncation), "resolution": [resolution] * 3,
            "centre": centre, "half": [half] * 3,
        }  # fmt: skip
        if edges := open_edges(surface):
            about["changed"] = f"not watertight ({edges} open edges): closed where its winding number is ½"
        surface = surface.moved(-np.array(centre) / half, 1 / half).outwards()
        coordinates = places(surface, sampling)
        inside = surface.contains(coordinates)
        if not inside.any():
            raise BadInput(path, f"its {len(surface.faces)} triangles enclose nothing", "close the mesh first")
        solid = boundary(surface)
        return cls(sampled(solid, inside, coordinates, sampling), about, path.name, coordinates, solid)

    @classmethod
    def grid_of(
        cls,
        shape: tuple[int, ...],
        about: Mapping[str, Any],
        convention: Convention = "centres",
        region: Extent | None = None,
    ) -> GridSpec:
        """The grid of ``shape`` samples over the box, or over a part of it, in the middles of cells."""
        return regular_grid(shape, "centres", 1.0, region)

    @classmethod
    def about_block(
        cls, about: Mapping[str, Any], start: tuple[int, ...], shape: tuple[int, ...], whole: tuple[int, ...]
    ) -> Mapping[str, Any]:
        """Where a block of a grid lies; of scattered points any part lies in the same box."""
        if len(start) == 1:
            return about
        region = tuple((s / n, (s + b) / n) for s, b, n in zip(start, shape, whole, strict=True))
        return cls.about_render(about, whole, shape, region)

    @classmethod
    def about_render(
        cls, about: Mapping[str, Any], fitted: tuple[int, ...], shape: tuple[int, ...], region: Extent | None
    ) -> Mapping[str, Any]:
        """A part of the box is a box of its own."""
        own = {"centre": [0.0] * 3, "half": [1.0] * 3, **about, "resolution": list(shape)}
        if region is not None:
            parts = list(zip(own["centre"], own["half"], region, strict=True))
            own["centre"] = [c + h * (start + end - 1) for c, h, (start, end) in parts]
            own["half"] = [h * (end - start) for _, h, (start, end) in parts]
        return own

    @classmethod
    def members(cls, path: Path | str, reading: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
        """One: all that a file holds is one shape."""
        return ({},)

    @classmethod
    def owns_folder(cls, folder: Path, names: Sequence[str]) -> bool:
        """Never: a shape is a file."""
        return False

    def surface(self) -> Surface:
        """The surface in the box: of scattered points what they were drawn from, of a grid by marching cubes."""
        if isinstance(self.whole, Shape):
            return self.whole.surface()
        if isinstance(self.whole, Surface):
            return self.whole
        check(self.coordinates is None, "signal", self.source, "a shape with its surface, or on a grid")
        return extracted(depth(self.values[..., 0], self.about.get("target", "sdf")), self.grid())

    def write(self, path: Path | str) -> None:
        """Write the surface as .obj, .ply, .stl, .glb or .off in the coordinates of its own file, or .png: three views.

        Raises:
            CannotWrite: for an unknown suffix, a field without a surface, a full disk, or a folder that cannot be
                written.
            MissingExtra: without the extra ``shapes``.
        """
        check_suffix(Path(path))
        place = self.about_render(self.about, self.shape, self.resolution, None)
        write_surface(Path(path), self.surface(), place["centre"], place["half"])

    @classmethod
    def write_strips(
        cls,
        path: Path | str,
        strips: Iterable[np.ndarray],
        shape: tuple[int, ...],
        channels: int,
        about: Mapping[str, Any],
    ) -> None:
        """`write` for predictions on a grid that arrive in strips, all of which a surface needs."""
        check_suffix(Path(path))
        cls.assemble(np.concatenate(list(strips)), about).write(path)

    @classmethod
    def assemble(cls, values: np.ndarray, about: Mapping[str, Any], source: str = "") -> Self:
        """A shape on a grid from (x, y, z, 1) predictions, clipped to [0, 1]."""
        return cls(np.clip(values, 0, 1).astype(np.float32, copy=False), dict(about), source)

    def with_channels(self, channels: int) -> Self:
        """The same: a shape has one value at a point.

        Raises:
            InvalidSetting: for more channels.
        """
        check(channels == 1, "channels", channels, "1: a shape has one value at a point")
        return self

    def resized(self, shape: tuple[int, ...]) -> Self:
        """The first of the scattered points, and those again from the start where more are asked for; or a finer grid.

        Their order is random, so that any first part is a sample of the whole. A grid is resampled linearly, with a
        Gaussian filter before where it shrinks.
        """
        check(len(shape) == len(self.shape) and min(shape) >= 1, "shape", shape, f"{len(self.shape)} numbers above 0")
        if tuple(shape) == self.shape:
            return self
        if self.coordinates is not None:
            chosen = np.arange(shape[0]) % len(self.values)
            return dataclasses.replace(self, values=self.values[chosen], coordinates=self.coordinates[chosen])
        from skimage.transform import resize

        values = np.asarray(resize(self.values[..., 0], shape, order=1, mode="edge", anti_aliasing=True))
        return self._with(np.clip(values[..., None], 0, 1).astype(np.float32))

    def block(self, start: tuple[int, ...], shape: tuple[int, ...]) -> Self:
        """Some of the scattered points, or a part of the grid."""
        window = block_slices(start, shape, self.shape)
        places = None if self.coordinates is None else self.coordinates[window]
        about = self.about_block(self.about, start, shape, self.shape)
        return dataclasses.replace(self, values=self.values[window], coordinates=places, about=about)

    def metrics(self, reconstruction: Signal) -> dict[str, float]:
        """``psnr`` of the target in dB, and how alike the solids are.

        ``iou`` at 32 768 points, uniform in the box; ``chamfer`` and ``normal_consistency`` of the surfaces, in half
        sides of the box (`metrics.geometry`). The reconstruction's solid is that of its render on a grid.
        """
        assert isinstance(reconstruction, Shape)
        judged = np.random.default_rng(0).uniform(-1, 1, (JUDGED, 3))
        chamfer, consistency = compare_surfaces(self.surface().triangles, reconstruction.surface().triangles)
        return {
            "psnr": psnr(self.values, reconstruction.values),
            "iou": iou(self._contains(judged), reconstruction._contains(judged)),
            "chamfer": chamfer,
            "normal_consistency": consistency,
        }

    def stored(self) -> Self:
        """Clipped."""
        return self._with(np.clip(self.values, 0, 1))

    def picture(self) -> np.ndarray:
        """Two views of the surface side by side, on white."""
        return views(self.surface(), 192, DIRECTIONS[:2])

    def _contains(self, points: np.ndarray) -> np.ndarray:
        """Which points lie in the solid: by the surface's winding number, or by the grid's values between samples."""
        if isinstance(self.whole, Shape):
            return self.whole._contains(points)
        if isinstance(self.whole, Surface):
            return self.whole.contains(points)
        from scipy.ndimage import map_coordinates

        grid = self.grid()
        places = ((points - grid.origin) / grid.spacing).T
        inside = depth(self.values[..., 0], self.about.get("target", "sdf"))
        return map_coordinates(inside, places, order=1, mode="nearest") > 0

    def _with(self, values: np.ndarray) -> Self:
        return dataclasses.replace(self, values=values)
