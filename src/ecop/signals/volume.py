"""Volumes: CT, MRI, microscopy and other numbers on a grid of voxels."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from ecop.core.errors import BadInput, InvalidSetting
from ecop.core.grids import Convention, GridSpec, regular_grid
from ecop.metrics.psnr import psnr
from ecop.metrics.ssim import WINDOW, ssim
from ecop.signals.base import Extent, Signal, block_slices
from ecop.signals.showing import Show
from ecop.signals.volume_folders import is_volume
from ecop.signals.volume_placement import affine_of, moved, resampled_about, spacing_of
from ecop.signals.volume_reading import READERS, Choice, count_times, read_numbers
from ecop.signals.volume_resampling import resampled
from ecop.signals.volume_scaling import Bounds, bounds_of, from_stored, own_bounds, scaled, stored_numbers, unscaled
from ecop.signals.volume_showing import SHOW
from ecop.signals.volume_slices import middle_slices
from ecop.signals.volume_writing import format_of, write_volume


@dataclass(frozen=True, eq=False)
class Volume(Signal):
    """A volume as (a, b, c, channels) float32 in [0, 1], usually with one channel; NaN where a value is missing.

    ``values`` = (x − low) / (high − low) for numbers x as the file has them. The axes are those of the file in their
    order, each with its own [−1, 1]: how far apart voxels lie decides what is written and drawn, not the coordinates.

    ``about`` holds ``bounds``, (low, high); ``spacing``, distances between voxels along each axis, in ``units`` (mm,
    mostly); ``affine``, (4, 4), from indices to places, where the file has one; ``dtype`` of the file's numbers, and
    ``scale_factors``, (slope, intercept), where the file stores whole numbers that stand for others. Spacing and
    affine follow every block, resampling and render.

    Example:
        >>> import numpy as np
        >>> block = Volume.assemble(np.full((4, 6, 8, 1), 0.25), {"bounds": [-1000, 1000], "spacing": [5.0, 1.0, 1.0]})
        >>> float(block.in_units()[0, 0, 0, 0]), block.resized((2, 6, 8)).spacing
        (-500.0, (10.0, 1.0, 1.0))
        >>> block.picture().shape
        (80, 92, 3)
    """

    kind: ClassVar[str] = "volume"
    dimensions: ClassVar[int] = 3
    d_in: ClassVar[int] = 3
    elastic: ClassVar[tuple[bool, ...]] = (True, True, True)
    suffixes: ClassVar[tuple[str, ...]] = tuple(READERS)
    preferred_suffix: ClassVar[str] = ".nii.gz"
    show: ClassVar[Show] = SHOW

    def __post_init__(self):
        if self.values.ndim != 4 or self.values.dtype != np.float32:
            given = f"{self.values.dtype} {self.values.shape}"
            raise InvalidSetting("values", given, "float32 of shape (a, b, c, channels)")
        low, high = self.bounds
        if not (np.isfinite([low, high]).all() and low < high):
            raise InvalidSetting("bounds", (low, high), "(low, high), finite, low < high")

    @property
    def bounds(self) -> Bounds:
        """What 0 and 1 stand for in the file's numbers; (0, 1) if nobody said."""
        return bounds_of(self.about)

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Distances between neighbouring voxels along each axis; 1 where nobody said."""
        return spacing_of(self.about)

    @property
    def affine(self) -> np.ndarray:
        """(4, 4) float64, from indices to places."""
        return affine_of(self.about)

    def in_units(self) -> np.ndarray:
        """(a, b, c, channels) float64 in the file's numbers, NaN where missing."""
        return unscaled(self.values, self.about)

    @classmethod
    def grid_of(
        cls,
        shape: tuple[int, ...],
        about: Mapping[str, Any],
        convention: Convention = "centres",
        region: Extent | None = None,
    ) -> GridSpec:
        """The grid of ``shape`` voxels over a volume's extent, or over a part of it."""
        return regular_grid(shape, convention, region=region)

    @classmethod
    def about_block(
        cls, about: Mapping[str, Any], start: tuple[int, ...], shape: tuple[int, ...], whole: tuple[int, ...]
    ) -> Mapping[str, Any]:
        """With the block's own place."""
        return moved(about, start, (1, 1, 1))

    @classmethod
    def about_render(
        cls, about: Mapping[str, Any], fitted: tuple[int, ...], shape: tuple[int, ...], region: Extent | None
    ) -> Mapping[str, Any]:
        """With the render's own spacing and place; voxels are taken to fill the extent, as under ``centres``."""
        return resampled_about(about, fitted, shape, region)

    @classmethod
    def owns_folder(cls, folder: Path, names: Sequence[str]) -> bool:
        """Whether it holds slices, DICOM or numbered pictures, two at least, and no other volume."""
        return is_volume(folder, names, cls.suffixes)

    @classmethod
    def members(cls, path: Path | str, reading: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
        """The volumes of a file that holds several one after the other, as a functional MRI does.

        Raises:
            BadInput: if the file cannot be opened, or holds several arrays and nothing chooses.
        """
        choice = Choice(**reading)
        count = count_times(Path(path), choice) if choice.time is None else None
        return ({},) if count is None else tuple({"time": number} for number in range(count))

    @classmethod
    def read(
        cls,
        path: Path | str,
        *,
        bounds: Any = None,
        var: Any = None,
        time: Any = None,
        axes: Any = None,
        spacing: Any = None,
    ) -> Self:
        """Read NIfTI (.nii, .nii.gz), DICOM, NumPy (.npy, .npz), a TIFF stack or a folder of slices.

        NaN is taken for missing.

        Args:
            path: the file; or a folder with the DICOM slices of one series, or with numbered pictures.
            bounds: [low, high], the numbers that become 0 and 1; what lies outside is clipped to them, as with a
                window of Hounsfield units. Otherwise the least and the largest number, widened to the range that a
                NIfTI is shown with (``cal_min``, ``cal_max``), so that nothing is clipped.
            var: one of several arrays of a .npz file.
            time: one of several volumes, from 0.
            axes: what the axes of an array are, a letter each: z, y, x, and t for time or c for channels.
            spacing: distances between voxels along each axis, where the file says none or another.

        Raises:
            BadInput: for a missing, empty, truncated or damaged file; none, several or another volume than asked for;
                pickled objects; infinite values, or none but NaN; fewer than two voxels along an axis.
            TooLarge: for more voxels than ``ECOP_MAX_PIXELS``, before anything is decoded.
            InvalidSetting: for a setting that cannot be.
            MissingExtra: for NIfTI or DICOM without the extra ``volumes``.
        """
        choice = Choice(bounds, var, time, axes, spacing)
        numbers, about, shown = read_numbers(Path(path), choice)
        found = own_bounds(numbers, shown)
        if found is None:
            raise BadInput(path, "every value is NaN", "give a volume with numbers in it")
        low, high = found if bounds is None else (float(bounds[0]), float(bounds[1]))
        return cls(scaled(numbers, (low, high)), {**about, "bounds": [low, high]}, Path(path).name)

    def write(self, path: Path | str) -> None:
        """Write .nii, .nii.gz, .npy, .tif or .tiff in the file's own numbers, or .png, the three middle slices.

        NIfTI keeps affine, units and the range, TIFF the spacing. Whole numbers are rounded, and where a value is
        missing the lower bound is written.

        Raises:
            CannotWrite: for an unknown suffix, several channels in a NIfTI, a full disk, or a folder that cannot be
                written.
            MissingExtra: for a NIfTI without the extra ``volumes``.
        """
        write_volume(Path(path), self.values, self.about)

    @classmethod
    def write_strips(
        cls,
        path: Path | str,
        strips: Iterable[np.ndarray],
        shape: tuple[int, ...],
        channels: int,
        about: Mapping[str, Any],
    ) -> None:
        """`write` for predictions that arrive strip by strip; they are all kept, since a NIfTI's first axis is its
        fastest.
        """
        format_of(Path(path))
        cls.assemble(np.concatenate(list(strips)), about).write(path)

    @classmethod
    def assemble(cls, values: np.ndarray, about: Mapping[str, Any], source: str = "") -> Self:
        """A volume from (a, b, c, channels) predictions, clipped to [0, 1]; NaN stays NaN."""
        return cls(np.clip(values, 0, 1).astype(np.float32, copy=False), dict(about), source)

    def with_channels(self, channels: int) -> Self:
        """Another number of channels: one is repeated, several become one by their mean.

        Raises:
            InvalidSetting: from several channels to several others.
        """
        if channels == self.channels:
            return self
        if channels < 1 or 1 not in (channels, self.channels):
            raise InvalidSetting("channels", channels, f"1 or the volume's own {self.channels}")
        if channels == 1:
            return self._with(self.values.mean(axis=-1, keepdims=True))
        return self._with(np.repeat(self.values, channels, axis=-1))

    def resized(self, shape: tuple[int, ...]) -> Self:
        """Resampled with Lanczos along each axis, antialiased when shrinking; spacing and affine follow.

        Overshoot at edges is clipped to [0, 1]. Its own shape returns it as it is.
        """
        if len(shape) != 3 or min(shape) < 1:
            raise InvalidSetting("shape", shape, "three numbers of voxels, all at least 1")
        if tuple(shape) == self.shape:
            return self
        values = np.clip(resampled(self.values, tuple(shape)), 0, 1)
        return dataclasses.replace(self, values=values, about=resampled_about(self.about, self.shape, tuple(shape)))

    def block(self, start: tuple[int, ...], shape: tuple[int, ...]) -> Self:
        """The voxels from ``start``, ``shape`` of them, all inside the volume."""
        values = self.values[block_slices(start, shape, self.shape)]
        return dataclasses.replace(self, values=values, about=self.about_block(self.about, start, shape, self.shape))

    def metrics(self, reconstruction: Signal) -> dict[str, float]:
        """``psnr`` in dB, and ``ssim`` with a window of 11×11×11 where every side has as many voxels.

        What is missing in this volume does not count in ``psnr``; a volume with missing values has no ``ssim``.
        """
        known = ~np.isnan(self.values).any(axis=-1)
        found = {"psnr": psnr(self.values, reconstruction.values, weights=np.asarray(known, np.float64))}
        if known.all() and min(self.shape) >= WINDOW:
            found["ssim"] = ssim(self.values, reconstruction.values)
        return found

    def stored(self) -> Self:
        """As a file of its ``dtype`` would give it back; what is missing becomes the lower bound in whole numbers."""
        return self._with(from_stored(stored_numbers(self.values, self.about), self.about))

    def picture(self) -> np.ndarray:
        """The three middle slices side by side, from above, from the front and from aside, in their proportions."""
        return middle_slices(self.values, self.about)

    def _with(self, values: np.ndarray) -> Self:
        return dataclasses.replace(self, values=values)
