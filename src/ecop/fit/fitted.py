"""A fitted signal: the field or fields that stand for it, rendered at any resolution, kept in one file."""

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, cast

import numpy as np

from ecop.adapt.gradient import Precision
from ecop.core.errors import BadFieldFile, InvalidSetting
from ecop.core.grids import Convention, GridSpec
from ecop.core.limits import RENDER_PIXELS
from ecop.core.recipe import check
from ecop.core.registry import SIGNALS
from ecop.fields.base import Field
from ecop.fit.blocks import Blocks
from ecop.fit.render import View, evaluate_points, render_block_strips, render_strips
from ecop.fit.tensors import describe_field, from_tensors, point_sizes, to_tensors
from ecop.signals.base import Extent, Signal
from ecop.store.field_file import Dtype, FieldFile

Region = tuple[float, ...]
"""The lower corner, then the upper one, the last axis first: x0, y0, x1, y1 of a picture, t0, t1 of a sound. Fractions
of the extent."""


@dataclass(frozen=True)
class Fitted:
    """A signal as one field, or as one field a block.

    Attributes:
        field: the fitted field; with blocks every leaf has a leading axis of them.
        kind: the signal's modality.
        shape: samples that were fitted, along each axis; those of a render, where they were scattered points.
        channels: values of a sample.
        about: what the modality needs to write the signal back.
        convention: of the grid.
        blocks: how the signal was cut, or ``None``.
        dtype: how the parameters are stored; they have this precision already.
        psnr_curve: PSNR in dB before each step and after the last, from the unclipped loss; mean over blocks' losses.
        metrics: of the reconstruction from what is stored: ``psnr`` in dB, and the modality's others.
        seconds: the fit took.
        resampled: the shape that the signal had before it was resampled, or ``None``.
        provenance: the initialisation, its checksum, the source.
        points: how many scattered points were fitted, or ``None`` for a grid.
    """

    field: Field
    kind: str
    shape: tuple[int, ...]
    channels: int
    about: Mapping[str, Any]
    convention: Convention
    blocks: Blocks | None = None
    dtype: Dtype = "float32"
    psnr_curve: tuple[float, ...] = ()
    metrics: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    seconds: float = 0.0
    resampled: tuple[int, ...] | None = None
    provenance: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    points: int | None = None

    @property
    def fitted_shape(self) -> tuple[int, ...]:
        """Samples that were fitted: along each axis, or the number of scattered ones."""
        return self.shape if self.points is None else (self.points,)

    @property
    def steps(self) -> int:
        """Steps taken."""
        return max(0, len(self.psnr_curve) - 1)

    @property
    def nbytes(self) -> int:
        """Bytes of the file."""
        return self._file().nbytes(self.dtype)

    def grid(self) -> GridSpec:
        """The grid that was fitted."""
        return self.signal_class.grid_of(self.shape, self.about, self.convention)

    def render(
        self,
        shape: tuple[int, ...] | None = None,
        *,
        scale: float | None = None,
        region: Region | None = None,
        precision: Precision = "float32",
    ) -> Signal:
        """The signal at any resolution; at its own, the samples that were fitted.

        Args:
            shape: samples along each axis.
            scale: instead of a shape, a factor on the fitted one (on the region's share of it, with a region).
            region: (x0, y0, x1, y1), fractions of the extent with 0 ≤ x0 < x1 ≤ 1, likewise y; of other signals as
                many starts and ends as there are axes, the last axis first; all of it by default.
            precision: of matrix products: ``tf32`` and ``bf16`` are faster on GPUs, see `ecop.adapt.engine.Engine`.

        Raises:
            InvalidSetting: for a shape, scale or region outside its range, or shape and scale together, or an unknown
                precision.
            TooLarge: for more samples than the limit, which ``ECOP_MAX_RENDER_PIXELS`` raises.
        """
        grid = self.target_grid(shape, scale, region)
        about = self._about_render(grid.shape, region)
        return self.signal_class.assemble(np.concatenate(list(self.strips(grid, precision))), about, "render")

    def reconstruction(self, signal: Signal) -> Signal:
        """What the fields say of a signal's own samples: a render; of scattered ones their values, it as a whole."""
        render = self.render()
        if signal.coordinates is None:
            return render
        values = np.clip(evaluate_points(self.field, signal.coordinates), 0, 1)
        return dataclasses.replace(render, values=values, coordinates=signal.coordinates, whole=render)

    def render_to(
        self,
        path: str | Path,
        shape: tuple[int, ...] | None = None,
        *,
        scale: float | None = None,
        region: Region | None = None,
        precision: Precision = "float32",
        progress: Callable[[int, int], None] | None = None,
    ) -> tuple[int, ...]:
        """`render` into a file, strip by strip where the format allows; returns the shape.

        ``progress`` is called with the rows done and all rows.
        """
        grid = self.target_grid(shape, scale, region)
        strips = _counted(self.strips(grid, precision), grid.shape[0], progress)
        about = self._about_render(grid.shape, region)
        self.signal_class.write_strips(path, strips, grid.shape, self.channels, about)
        return grid.shape

    @property
    def signal_class(self) -> type[Signal]:
        """The modality's class."""
        return SIGNALS[self.kind]

    def target_grid(self, shape: tuple[int, ...] | None, scale: float | None, region: Region | None) -> GridSpec:
        """The grid that `render`'s arguments describe."""
        check(shape is None or scale is None, "shape, scale", (shape, scale), "one of the two")
        check(scale is None or 0 < scale < float("inf"), "scale", scale, "a factor above 0")
        extent = self._extent(region)
        if shape is None:
            shares = [end - start for start, end in extent] if extent else [1.0] * len(self.shape)
            sizes = [n * share * (scale or 1) for n, share in zip(self.shape, shares, strict=True)]
            check(all(0 < size < 2**40 for size in sizes), "region, scale", (region, scale), "a part of the extent")
            shape = tuple(max(1, round(size)) for size in sizes)
        elif len(shape) != len(self.shape):
            raise InvalidSetting("shape", shape, f"{len(self.shape)} numbers")
        check(all(n >= 1 for n in shape), "shape", shape, "at least one sample along every axis")
        RENDER_PIXELS.check("the render", shape)
        return self.signal_class.grid_of(shape, self.about, self.convention, extent)

    def _extent(self, region: Region | None) -> Extent | None:
        """A region as start and end along each axis."""
        if region is None:
            return None
        axes = len(self.shape)
        check(len(region) == 2 * axes, "region", region, f"{2 * axes} fractions for a signal with {axes} axes")
        return tuple(zip(region[axes - 1 :: -1], region[: axes - 1 : -1], strict=True))

    def _about_render(self, shape: tuple[int, ...], region: Region | None) -> Mapping[str, Any]:
        return self.signal_class.about_render(self.about, self.shape, shape, self._extent(region))

    def strips(self, grid: GridSpec, precision: Precision = "float32") -> Iterator[np.ndarray]:
        """The values on a grid, strip by strip along the first axis."""
        view = View(self.grid(), self.signal_class.embed, precision)
        if self.blocks is None:
            return render_strips(self.field, view, grid)
        views = [self._block_view(start, precision) for start in self.blocks.starts]
        return render_block_strips(self.field, self.blocks, views, view, grid)

    def _block_view(self, start: tuple[int, ...], precision: Precision) -> View:
        assert self.blocks is not None
        about = self.signal_class.about_block(self.about, start, self.blocks.shape, self.shape)
        own = self.signal_class.grid_of(self.blocks.shape, about, self.convention)
        return View(own, self.signal_class.embed, precision)

    def save(self, path: str | Path) -> None:
        """Write it to one file, with the type that it was fitted for.

        Raises:
            CannotWrite: if that is not possible.
        """
        self._file().save(path, self.dtype)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a file.

        Raises:
            BadFieldFile: if it is damaged, newer, or not a fitted field.
        """
        content = FieldFile.load(path)
        if content.role != "fitted":
            raise BadFieldFile(path, "holds an initialisation, not a fitted field", "fit a signal with it first")
        blocks = None
        try:
            if content.blocks is not None:
                starts = tuple(tuple(start) for start in content.blocks["starts"])
                blocks = Blocks(tuple(content.blocks["shape"]), content.blocks["overlap"], starts)
            signal, record = content.signal, content.provenance
            field = from_tensors(content.field, content.upcast(), path, None if blocks is None else len(blocks.starts))
            resampled = record["resampled_from"]
            return cls(
                field=field, kind=signal["kind"], shape=tuple(signal["shape"]), channels=signal["channels"],
                about=signal["about"], convention=signal["grid"]["convention"], blocks=blocks,
                dtype=cast(Dtype, content.dtype), psnr_curve=tuple(record["psnr_curve"]), metrics=content.metrics,
                seconds=record["seconds"], resampled=None if resampled is None else tuple(resampled),
                provenance=record["from"], points=signal.get("points"),
            )  # fmt: skip
        except (KeyError, TypeError) as error:
            raise BadFieldFile(path, f"its description is incomplete ({error})", "create it anew") from None

    def _file(self) -> FieldFile:
        blocks = None if self.blocks is None else dataclasses.asdict(self.blocks)
        shape = self.shape if self.blocks is None else self.blocks.shape
        return FieldFile(
            to_tensors(self.field),
            role="fitted",
            field=describe_field(self.field, *point_sizes(self.field, self.signal_class, shape, self.channels)),
            signal={
                "kind": self.kind, "shape": list(self.shape), "channels": self.channels, "about": dict(self.about),
                "grid": {"convention": self.convention},
            } | ({} if self.points is None else {"points": self.points}),
            blocks=blocks,
            provenance={
                "from": dict(self.provenance), "seconds": self.seconds, "psnr_curve": list(self.psnr_curve),
                "resampled_from": self.resampled and list(self.resampled),
            },
            metrics=self.metrics,
        )  # fmt: skip


def _counted(
    strips: Iterator[np.ndarray], rows: int, progress: Callable[[int, int], None] | None
) -> Iterator[np.ndarray]:
    done = 0
    for strip in strips:
        yield strip
        done += len(strip)
        if progress is not None:
            progress(done, rows)
