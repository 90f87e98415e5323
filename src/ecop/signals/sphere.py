"""Fields on the sphere: one variable at one time on a grid of latitudes and longitudes."""

import dataclasses
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from ecop.core.errors import InvalidSetting
from ecop.core.grids import Convention, GridSpec
from ecop.metrics.psnr import psnr
from ecop.signals.base import Extent, Signal, block_slices, check_reading
from ecop.signals.showing import Show
from ecop.signals.sphere_files import is_zarr
from ecop.signals.sphere_grid import block_of, extent_of, globe_grid, part_of, unit_sphere
from ecop.signals.sphere_reading import Bounds, Choice, bounds_for, find_members, read_grid
from ecop.signals.sphere_resampling import resampled
from ecop.signals.sphere_showing import SHOW
from ecop.signals.sphere_writing import Chart, write_chart

PICTURE_WIDTH = 360


@dataclass(frozen=True, eq=False)
class Sphere(Signal):
    """One variable on (latitudes, longitudes), (height, width, 1) float32, scaled by bounds; NaN where missing.

    ``values`` = (x − low) / (high − low) for x in the variable's units. Nothing is clipped: what lies outside the
    bounds lies outside [0, 1]. A field sees each point on the unit sphere (`unit_sphere`), so that neither the poles
    nor the seam of the longitudes is an edge to it. The conventions ``centres`` and ``corners`` mean nothing here, as
    a file says itself where its samples lie.

    ``about`` holds ``latitudes``, ``longitudes`` and ``round`` (see `sphere_grid`); ``bounds``, (low, high) in units;
    ``variable``, ``units`` and ``attributes`` of the variable; ``time`` as text; ``axes``, names and attributes of the
    two axes; and ``scalars``, the coordinates without an axis. An empty one stands for the whole globe.

    Example:
        >>> warm = Sphere.assemble(np.full((19, 36, 1), 0.75), {"bounds": [250, 310], "units": "K"})
        >>> float(warm.in_units()[0, 0]), warm.resized((10, 18)).shape
        (295.0, (10, 18))
        >>> warm.grid().axes()[1][:3].tolist()
        [0.0, 10.0, 20.0]
    """

    kind: ClassVar[str] = "sphere"
    dimensions: ClassVar[int] = 2
    d_in: ClassVar[int] = 3
    embed: ClassVar[Callable[[Any], Any] | None] = staticmethod(unit_sphere)
    elastic: ClassVar[tuple[bool, ...]] = (True, True)
    keeps_aspect: ClassVar[bool] = False
    suffixes: ClassVar[tuple[str, ...]] = (".nc", ".nc4", ".cdf", ".zarr", ".grib", ".grib2", ".grb", ".grb2", ".npz")
    preferred_suffix: ClassVar[str] = ".nc"
    show: ClassVar[Show] = SHOW

    def __post_init__(self):
        if self.values.ndim != 3 or self.values.shape[-1] != 1 or self.values.dtype != np.float32:
            given = f"{self.values.dtype} {self.values.shape}"
            raise InvalidSetting("values", given, "float32 of shape (latitudes, longitudes, 1)")
        low, high = self.bounds
        if not (math.isfinite(low) and math.isfinite(high) and low < high):
            raise InvalidSetting("bounds", (low, high), "(low, high), finite, low < high")

    @property
    def bounds(self) -> tuple[float, float]:
        """What 0 and 1 stand for, in units; (0, 1) if nobody said."""
        low, high = self.about.get("bounds", (0.0, 1.0))
        return low, high

    def in_units(self) -> np.ndarray:
        """(latitudes, longitudes) float64 in the variable's units, NaN where missing."""
        low, high = self.bounds
        return low + self.values[..., 0].astype(np.float64) * (high - low)

    @classmethod
    def grid_of(
        cls,
        shape: tuple[int, ...],
        about: Mapping[str, Any],
        convention: Convention = "centres",
        region: Extent | None = None,
    ) -> GridSpec:
        """Latitudes and longitudes in degrees; the convention changes nothing."""
        return globe_grid(shape, about, region)

    @classmethod
    def about_block(
        cls, about: Mapping[str, Any], start: tuple[int, ...], shape: tuple[int, ...], whole: tuple[int, ...]
    ) -> Mapping[str, Any]:
        """With the block's own first and last latitude and longitude."""
        return block_of(about, start, shape, whole)

    @classmethod
    def about_render(
        cls, about: Mapping[str, Any], fitted: tuple[int, ...], shape: tuple[int, ...], region: Extent | None
    ) -> Mapping[str, Any]:
        """With the region's own extent."""
        return about if region is None else part_of(about, region, shape)

    @classmethod
    def owns_folder(cls, folder: Path, names: Sequence[str]) -> bool:
        """Whether it is a Zarr store."""
        return is_zarr(folder)

    @classmethod
    def members(cls, path: Path | str, reading: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
        """The times of a file, and its variables where ``bounds`` names several of them.

        Raises:
            BadInput: if the file cannot be read, or has several variables and nothing chooses.
            UnknownName: for a setting that `read` does not know.
        """
        check_reading(cls, reading)
        return find_members(Path(path), Choice(**reading))

    @classmethod
    def read(
        cls,
        path: Path | str,
        *,
        var: str | None = None,
        time: Any = None,
        level: float | None = None,
        select: Mapping[str, Any] | None = None,
        bounds: Bounds = None,
    ) -> Self:
        """Read one variable at one time from NetCDF (3 and 4), Zarr or GRIB.

        Args:
            path: a file, or the folder of a Zarr store.
            var: the variable; may be left out where the file has one, or where ``bounds`` names one of it.
            time: one of several times, as `members` names them, or as much of it as only one has: ``1991-02``.
            level: one of several levels, in the file's own units.
            select: of further axes, by name, the one value that is wanted: ``{"number": 3}``.
            bounds: (low, high) in units, or such a pair for each variable by name; the least and the largest value
                otherwise.

        Raises:
            BadInput: for a missing, damaged or truncated file; none, several or another variable, time or level than
                asked for; grids that are irregular, rotated or curvilinear; a grid without any value.
            TooLarge: for more points, or points in a chunk, than ``ECOP_MAX_PIXELS``; nothing is decoded then.
            MissingExtra: without the extra ``climate``, or of GRIB files ``grib``.
        """
        values, about = read_grid(Path(path), Choice(var, time, level, select, bounds))
        low, high = bounds_for(values, about["variable"], bounds)
        values = ((values - low) / (high - low)).astype(np.float32)
        return cls(values[..., None], {**about, "bounds": [low, high]}, Path(path).name)

    def write(self, path: Path | str) -> None:
        """Write .nc, .nc4 or .zarr in units, with CF's attributes; or .png, .pdf or .svg, a map and a globe.

        Raises:
            CannotWrite: for an unknown suffix, a full disk, or a folder that cannot be written.
            MissingExtra: for .nc, .nc4 and .zarr without the extra ``climate``.
        """
        latitudes, longitudes = self.grid().axes()
        write_chart(Path(path), Chart(self.in_units(), latitudes, longitudes, self.about))

    @classmethod
    def write_strips(
        cls,
        path: Path | str,
        strips: Iterable[np.ndarray],
        shape: tuple[int, ...],
        channels: int,
        about: Mapping[str, Any],
    ) -> None:
        """`write` for predictions that arrive strip by strip; every format here needs them all."""
        cls.assemble(np.concatenate(list(strips)), about).write(path)

    @classmethod
    def assemble(cls, values: np.ndarray, about: Mapping[str, Any], source: str = "") -> Self:
        """A grid from (latitudes, longitudes, 1) predictions; nothing is clipped."""
        return cls(values.astype(np.float32), dict(about), source)

    def with_channels(self, channels: int) -> Self:
        """The same: a variable is one channel.

        Raises:
            InvalidSetting: unless ``channels`` is 1.
        """
        if channels != 1:
            raise InvalidSetting("channels", channels, "1: a variable is one channel, each is a signal of its own")
        return self

    def resized(self, shape: tuple[int, ...]) -> Self:
        """Resampled over the same extent (see `sphere_resampling`); its own shape returns it as it is."""
        if len(shape) != 2 or min(shape) < 1:
            raise InvalidSetting("shape", shape, "(latitudes, longitudes), at least one of each")
        if tuple(shape) == self.shape:
            return self
        *_, is_round = extent_of(self.about)
        rows, columns = shape
        return self._with(resampled(self.values[..., 0], (rows, columns), is_round)[..., None])

    def block(self, start: tuple[int, ...], shape: tuple[int, ...]) -> Self:
        """The samples from (row, column) ``start``, ``shape`` of them, all inside the grid."""
        values = self.values[block_slices(start, shape, self.shape)]
        return dataclasses.replace(self, values=values, about=self.about_block(self.about, start, shape, self.shape))

    def metrics(self, reconstruction: Signal) -> dict[str, float]:
        """``psnr`` in dB on scaled values and ``rmse`` in units, plain and ``weighted_``: by cos φ, a sample's area.

        What is missing in this signal counts in none.
        """
        known = np.isfinite(self.values[..., 0])
        area = known * self.areas()
        low, high = self.bounds
        plain = psnr(self.values, reconstruction.values, weights=known.astype(np.float64))
        weighted = psnr(self.values, reconstruction.values, weights=area)
        return {
            "psnr": plain,
            "weighted_psnr": weighted,
            "rmse": (high - low) * 10 ** (-plain / 20),
            "weighted_rmse": (high - low) * 10 ** (-weighted / 20),
        }

    def areas(self) -> np.ndarray:
        """(latitudes, longitudes) cos φ: the area of each sample, up to a constant."""
        latitudes, _ = self.grid().axes()
        return np.broadcast_to(np.maximum(0, np.cos(np.deg2rad(latitudes)))[:, None], self.shape)

    def stored(self) -> Self:
        """As a file would give it back: rounded to 32 bits in units."""
        low, high = self.bounds
        rounded = self.in_units().astype(np.float32).astype(np.float64)
        return self._with(((rounded - low) / (high - low)).astype(np.float32)[..., None])

    def picture(self) -> np.ndarray:
        """A map 360 pixels wide, north up and east to the right, in colours from bound to bound; grey: missing."""
        from ecop.signals.sphere_plots import coloured, scale_of  # brings matplotlib

        height = max(1, round(PICTURE_WIDTH * self.shape[0] / self.shape[1]))
        target = tuple(min(n, wanted) for n, wanted in zip(self.shape, (height, PICTURE_WIDTH), strict=True))
        small = self.resized(target)
        (_, down), (_, across) = zip(small.grid().origin, small.grid().spacing, strict=True)
        values = small.in_units()[:: 1 if down < 0 else -1, :: 1 if across > 0 else -1]
        rows, columns = (
            (np.arange(wanted) * count // wanted) for wanted, count in zip((height, PICTURE_WIDTH), target, strict=True)
        )
        return coloured(values[np.ix_(rows, columns)], scale_of(np.array(self.bounds)))

    def _with(self, values: np.ndarray) -> Self:
        return dataclasses.replace(self, values=values)
