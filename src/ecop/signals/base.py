"""What every modality offers: one class per modality, on the host, without JAX."""

import abc
import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from ecop.core.errors import InvalidSetting, UnknownName
from ecop.core.grids import Convention, GridSpec, regular_grid
from ecop.signals.showing import Show

Extent = tuple[tuple[float, float], ...]
"""Per axis (start, end), as fractions of a signal's extent."""


@dataclass(frozen=True, eq=False)
class Signal(abc.ABC):
    """Samples of one signal on a regular grid, or at scattered points, scaled for a field.

    Attributes:
        values: (*shape, channels) float32, scaled to [0, 1]; points without a value are NaN where the modality allows.
        about: what is needed, as JSON values, to place the samples and to write the signal back in its own form
            (units, bit depth, sample rate, extent); under ``changed``, in words, what reading changed, if anything.
        source: the name of the file that it came from, or what else describes it.
        coordinates: (points, d_in) float32, where the samples are scattered points; values are then (points, channels),
            in the same random order, so that any part of them is a sample of the whole. ``None`` on a grid.
        whole: what scattered samples were drawn from, such as a mesh, or of a reconstruction its render on a grid:
            metrics and pictures look at it, training does not keep it.

    What a class says of its modality:
        kind: its name.
        dimensions: axes of its grid; of the grid that it is rendered on, where its samples are scattered.
        d_in: coordinates of a point as a field sees them: as many as axes, unless ``embed`` makes others.
        embed: from positions on the grid, (n, dimensions), to coordinates, (n, d_in), for NumPy and JAX arrays alike;
            ``None`` where the positions are the coordinates.
        suffixes: of the files that it reads, in lower case.
        preferred_suffix: of what it writes when nobody chose.
        elastic: for each axis whether it may be stretched to a training window's size, as a picture may. Along the
            others, time above all, windows keep the signal's own rate: what is too long is cut, what is too short
            leaves a part of the window empty.
        keeps_aspect: whether elastic axes are stretched alike. A grid whose samples know their places on the globe may
            be stretched along each by itself: a window in the middle then is all of it.
        scattered: whether its files give scattered points, so that a training signal's size is their number. ``about``
            then holds ``resolution``, samples of a render along each axis.
        show: how a page shows it.
    """

    values: np.ndarray
    about: Mapping[str, Any]
    source: str = ""
    coordinates: np.ndarray | None = None
    whole: Any = None

    kind: ClassVar[str]
    dimensions: ClassVar[int]
    d_in: ClassVar[int]
    embed: ClassVar[Callable[[Any], Any] | None] = None
    suffixes: ClassVar[tuple[str, ...]]
    preferred_suffix: ClassVar[str]
    elastic: ClassVar[tuple[bool, ...]]
    keeps_aspect: ClassVar[bool] = True
    scattered: ClassVar[bool] = False
    show: ClassVar[Show] = Show()

    @property
    def shape(self) -> tuple[int, ...]:
        """Samples along each axis."""
        return self.values.shape[:-1]

    @property
    def channels(self) -> int:
        """Values at each sample."""
        return self.values.shape[-1]

    @property
    def resolution(self) -> tuple[int, ...]:
        """Samples of a render along each axis: as many as the signal has, or as ``about`` says of scattered ones."""
        return self.shape if self.coordinates is None else tuple(self.about["resolution"])

    def grid(self, convention: Convention = "centres") -> GridSpec:
        """Where the samples lie; of scattered ones, where those of a render do."""
        return self.grid_of(self.resolution, self.about, convention)

    @classmethod
    def open(cls, path: Path | str, reading: Mapping[str, Any]) -> Self:
        """`read`, with its settings by name.

        Raises:
            UnknownName: for a setting that the modality does not know.
        """
        check_reading(cls, reading)
        return cls.read(path, **reading)

    @classmethod
    @abc.abstractmethod
    def grid_of(
        cls,
        shape: tuple[int, ...],
        about: Mapping[str, Any],
        convention: Convention = "centres",
        region: Extent | None = None,
    ) -> GridSpec:
        """The grid of ``shape`` samples over a signal's extent, or over a part of it.

        An empty ``about`` stands for the modality's whole extent.
        """

    @classmethod
    @abc.abstractmethod
    def about_block(
        cls, about: Mapping[str, Any], start: tuple[int, ...], shape: tuple[int, ...], whole: tuple[int, ...]
    ) -> Mapping[str, Any]:
        """``about`` of the block of ``shape`` samples from ``start`` in a signal of ``whole`` samples."""

    @classmethod
    @abc.abstractmethod
    def about_render(
        cls, about: Mapping[str, Any], fitted: tuple[int, ...], shape: tuple[int, ...], region: Extent | None
    ) -> Mapping[str, Any]:
        """``about`` of a render of ``shape`` samples, over a region or all of what was fitted with ``fitted`` ones.

        It places the render's own samples, and tells how to write them: a sound with twice the samples has twice
        the rate, and a part of a map has the part's bounds.
        """

    @classmethod
    @abc.abstractmethod
    def owns_folder(cls, folder: Path, names: Sequence[str]) -> bool:
        """Whether a folder with files of these names is itself one signal."""

    @classmethod
    @abc.abstractmethod
    def members(cls, path: Path | str, reading: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
        """The signals in a file: for each the reading settings that choose it, in their natural order.

        One empty mapping where a file is one signal, or where ``reading`` chooses one already.

        Raises:
            BadInput: as `read`, where the file has to be opened for it.
        """

    @classmethod
    @abc.abstractmethod
    def read(cls, path: Path | str) -> Self:
        """Read a file; a modality's further settings are keyword-only arguments with defaults.

        Raises:
            BadInput: if it is missing, empty, truncated, damaged or of another modality; one clear line.
            TooLarge: if it would be larger in memory than the limit.
        """

    @abc.abstractmethod
    def write(self, path: Path | str) -> None:
        """Write in the format that the suffix names: to a temporary name first, then renamed.

        Raises:
            CannotWrite: for a folder that cannot be written, a full disk or an unknown suffix.
        """

    @classmethod
    @abc.abstractmethod
    def write_strips(
        cls,
        path: Path | str,
        strips: Iterable[np.ndarray],
        shape: tuple[int, ...],
        channels: int,
        about: Mapping[str, Any],
    ) -> None:
        """`write` for a field's predictions that arrive in strips along the first axis, (n, *shape[1:], channels) each.

        Where the format allows it no more than a strip is kept in memory.
        """

    @classmethod
    @abc.abstractmethod
    def assemble(cls, values: np.ndarray, about: Mapping[str, Any], source: str = "") -> Self:
        """A signal from a field's predictions, (*shape, channels) of any shape, clipped to what the modality allows."""

    @abc.abstractmethod
    def with_channels(self, channels: int) -> Self:
        """The same signal with another number of channels, by the modality's documented rule."""

    @abc.abstractmethod
    def resized(self, shape: tuple[int, ...]) -> Self:
        """Resampled to ``shape`` with the modality's antialiasing filter."""

    @abc.abstractmethod
    def block(self, start: tuple[int, ...], shape: tuple[int, ...]) -> Self:
        """The samples from ``start``, ``shape`` of them."""

    @abc.abstractmethod
    def metrics(self, reconstruction: Self) -> dict[str, float]:
        """Metrics of the modality against a reconstruction of the same shape; always with ``psnr`` (dB, peak 1)."""

    @abc.abstractmethod
    def stored(self) -> Self:
        """The signal as a file would give it back: clipped and rounded to its bit depth."""

    @abc.abstractmethod
    def picture(self) -> np.ndarray:
        """(height, width, 3) float in [0, 1]: how a person looks at it."""


Measure = Callable[[Signal, Signal], float | None]
"""A metric of a signal and its reconstruction beside its modality's own; ``None`` where it is not defined."""


class Cartesian(Signal):
    """A signal whose file is one signal, and whose axes each have their own [−1, 1].

    ``about`` may hold ``scale``, half the extent of every axis (the modality's ``half_extent`` by default); ``span``,
    per axis the share of the extent that the samples cover from its start (1 by default): a short sound lies in the
    first part of a second; and ``rate``, samples a second along the first axis.
    """

    half_extent: ClassVar[float] = 1.0

    @classmethod
    def grid_of(
        cls,
        shape: tuple[int, ...],
        about: Mapping[str, Any],
        convention: Convention = "centres",
        region: Extent | None = None,
    ) -> GridSpec:
        """The grid of ``shape`` samples over a signal's extent, or over a part of it."""
        span = about.get("span")
        if span is not None:
            region = tuple((a * s, b * s) for (a, b), s in zip(region or ((0.0, 1.0),) * len(shape), span, strict=True))
        return regular_grid(shape, convention, about.get("scale", cls.half_extent), region)

    @classmethod
    def about_block(
        cls, about: Mapping[str, Any], start: tuple[int, ...], shape: tuple[int, ...], whole: tuple[int, ...]
    ) -> Mapping[str, Any]:
        """The same: a block has an extent of its own."""
        return {name: value for name, value in about.items() if name != "span"}

    @classmethod
    def about_render(
        cls, about: Mapping[str, Any], fitted: tuple[int, ...], shape: tuple[int, ...], region: Extent | None
    ) -> Mapping[str, Any]:
        """The same but for ``rate``, which follows the samples so that the render lasts as long as what it shows."""
        own = {name: value for name, value in about.items() if name != "span"}
        if "rate" in own:
            start, end = region[0] if region else (0.0, 1.0)
            samples = fitted[0] * (end - start)
            simple = Fraction(shape[0] / samples).limit_denominator(8)
            # The samples of a region are a whole number only within half of one.
            ratio = simple if abs(simple * samples - shape[0]) <= 0.5 else shape[0] / samples
            own["rate"] *= float(ratio)
        return own

    @classmethod
    def members(cls, path: Path | str, reading: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
        """One."""
        return ({},)


def reading_settings(signal: type[Signal]) -> tuple[str, ...]:
    """Names of the settings that a modality's ``read`` takes beside the path.

    Example:
        >>> from ecop.signals import Image
        >>> reading_settings(Image)
        ()
    """
    parameters = inspect.signature(signal.read).parameters.values()
    return tuple(parameter.name for parameter in parameters if parameter.kind is parameter.KEYWORD_ONLY)


def block_slices(start: tuple[int, ...], shape: tuple[int, ...], whole: tuple[int, ...]) -> tuple[slice, ...]:
    """The slices of a block of ``shape`` samples from ``start`` in an array of ``whole`` samples.

    Raises:
        InvalidSetting: for a block that is empty, or not all inside.

    Example:
        >>> block_slices((2, 0), (3, 4), (5, 4))
        (slice(2, 5, None), slice(0, 4, None))
    """
    slices = tuple(slice(first, first + count) for first, count in zip(start, shape, strict=True))
    inside = min(start) >= 0 and all(part.stop <= n for part, n in zip(slices, whole, strict=True))
    if not inside or min(shape) < 1:
        raise InvalidSetting("block", (start, shape), f"a block inside {whole}")
    return slices


def check_reading(signal: type[Signal], reading: Mapping[str, Any]) -> None:
    """Raise `UnknownName` for a reading setting that the modality does not know."""
    known = reading_settings(signal)
    for name in reading:
        if name not in known:
            raise UnknownName(f"setting for reading {signal.kind} files", name, known)
