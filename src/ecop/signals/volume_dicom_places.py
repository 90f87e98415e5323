"""Where the slices of a DICOM volume lie: their order, how far apart they are, and the affine."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ecop.core.errors import BadInput

UNEVEN = 0.25
"""Share of the usual distance by which neighbouring slices may be nearer or farther: places are rounded in files."""

TO_RIGHT_FRONT_UP = np.diag([-1.0, -1.0, 1.0, 1.0])
"""From DICOM's places, which grow to the left and the back, to those of `ecop.signals.volume_placement`."""


@dataclass(frozen=True)
class Slice:
    """One slice, as its header says.

    Attributes:
        path: the file that it is in.
        number: in that file.
        position: (3,) mm, of the middle of its first pixel; ``None`` if the header does not say.
        orientation: (6,), unit vectors along a row and down a column; ``None`` likewise.
        spacing: mm between rows, and between columns; ``None`` likewise.
        between: mm to the next slice, if the header says it.
        scale: slope and intercept, from stored numbers to those that they stand for.
    """

    path: Path
    number: int
    position: tuple[float, ...] | None
    orientation: tuple[float, ...] | None
    spacing: tuple[float, ...] | None
    between: float | None
    scale: tuple[float, float]


def placed(path: Path, slices: Sequence[Slice]) -> tuple[list[Slice], dict[str, Any]]:
    """Slices in order of their places, and what a volume's ``about`` says of them; without places, as they come.

    The order is along the normal of the slices (the cross product of row and column), upwards.

    Raises:
        BadInput: if only some say where they lie, if they are turned against each other, if several are at one place,
            or if they are unevenly spaced.
    """
    spacings = [one.spacing for one in slices if one.spacing is not None]
    if len(spacings) not in (0, len(slices)) or (spacings and np.ptp(np.array(spacings), axis=0).max() > 1e-3):
        raise BadInput(path, "slices whose pixels differ in size", "give the slices of one series")
    known = [one.position is not None and one.orientation is not None for one in slices]
    if not any(known):
        return list(slices), _spacing_alone(slices[0])
    if not all(known):
        problem = f"{known.count(False)} of {len(slices)} slices do not say where they lie"
        raise BadInput(path, problem, "give the slices of one series")
    along_row, down_column, normal = _axes(path, slices)
    positions = np.array([one.position for one in slices])
    along = positions @ normal
    order = np.argsort(along, kind="stable")
    _check_even(path, along[order])
    step = (positions[order[-1]] - positions[order[0]]) / (len(slices) - 1)
    rows, columns = slices[0].spacing or (1.0, 1.0)
    affine = np.eye(4)
    affine[:3] = np.column_stack([step, down_column * rows, along_row * columns, positions[order[0]]])
    return [slices[i] for i in order], {
        "spacing": [float(np.linalg.norm(step)), rows, columns],
        "affine": (TO_RIGHT_FRONT_UP @ affine).tolist(),
        "units": "mm",
    }


def _spacing_alone(first: Slice) -> dict[str, Any]:
    """What is known of distances where no slice has a place."""
    if first.between is None or first.spacing is None:
        return {}
    return {"spacing": [first.between, *first.spacing], "units": "mm"}


def _axes(path: Path, slices: Sequence[Slice]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    orientations = np.array([one.orientation for one in slices])
    if np.ptp(orientations, axis=0).max() > 1e-3:
        raise BadInput(path, "slices that are turned against each other", "give the parallel slices of one series")
    along_row, down_column = orientations[0, :3], orientations[0, 3:]
    normal = np.cross(along_row, down_column)
    lengths = [np.linalg.norm(vector) for vector in (along_row, down_column, normal)]
    if not np.allclose(lengths, 1, atol=1e-2):
        raise BadInput(path, "rows and columns that are not at right angles", "export the series anew")
    return along_row, down_column, normal


def _check_even(path: Path, along: np.ndarray) -> None:
    """Whether slices, at these places along their normal, are one stack."""
    gaps = np.diff(along)
    usual = float(np.median(gaps))
    if gaps.min() <= 1e-3 * max(usual, 1e-3):
        count = int((gaps <= 1e-3 * max(usual, 1e-3)).sum())
        problem = f"{count} of {len(along)} slices lie where another lies, as with several times or echoes"
        raise BadInput(path, problem, "give one of them, each in a folder of its own")
    if np.abs(gaps - usual).max() > UNEVEN * usual:
        problem = f"slices from {gaps.min():g} to {gaps.max():g} mm apart, as if some were missing"
        raise BadInput(path, problem, "give all slices of a series, evenly spaced")
