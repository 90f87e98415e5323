"""A volume's file with its header read and nothing decoded."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import numpy as np

from ecop.signals.volume_scaling import Bounds


@dataclass(frozen=True)
class Opened:
    """What a header says, and how to get at the numbers behind it.

    Attributes:
        shape: along each axis of the file.
        axes: a letter for each, of t, z, y, x and c; ``None`` if the file does not say.
        read: the numbers, without the axis t where it is told (its place, the number that is wanted).
        about: ``dtype`` and, where the file says them, ``spacing``, ``units``, ``affine`` and ``scale_factors``.
        shown: the range that the file is shown with, if it says one.
        close: gives back what is open.
    """

    shape: tuple[int, ...]
    axes: str | None
    read: Callable[[tuple[int, int] | None], np.ndarray]
    about: Mapping[str, Any]
    shown: Bounds | None = None
    close: Callable[[], None] = field(default=lambda: None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
