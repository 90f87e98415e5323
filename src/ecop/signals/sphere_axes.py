"""A variable's axes: which are latitude and longitude, by CF's rules and usual names, and whether they are regular.

What CF says comes first: a standard name, then units; then the names that people use. One-dimensional coordinates on
a true globe only: rotated and curvilinear grids have others.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from ecop.core.errors import BadInput

TOLERANCE = 0.005
"""How far a sample may lie from its regular place, in spacings: what rounding does to decimals, and less than 0.015, by
which a Gaussian grid differs from a regular one."""

Role = Literal["latitude", "longitude", "time", "level"]

UNITS: Mapping[Role, frozenset[str]] = {
    "latitude": frozenset({"degrees_north", "degree_north", "degrees_n", "degree_n", "degreesn", "degreen"}),
    "longitude": frozenset({"degrees_east", "degree_east", "degrees_e", "degree_e", "degreese", "degreee"}),
    "level": frozenset({"pa", "hpa", "mbar", "mb", "millibar", "millibars"}),
}
NAMES: Mapping[Role, frozenset[str]] = {
    "latitude": frozenset({"latitude", "lat", "lats"}),
    "longitude": frozenset({"longitude", "lon", "lons", "long"}),
    "time": frozenset({"time", "valid_time", "date"}),
    "level": frozenset({"level", "lev", "plev", "pressure", "pressure_level", "height", "depth", "altitude"}),
}
STANDARD_NAMES: Mapping[Role, frozenset[str]] = {
    "latitude": frozenset({"latitude"}),
    "longitude": frozenset({"longitude"}),
    "time": frozenset({"time"}),
    "level": frozenset({"air_pressure", "height", "depth", "altitude", "geopotential_height"}),
}


@dataclass(frozen=True)
class Axis:
    """One axis of a variable, and the coordinate along it.

    Attributes:
        dim: name of the axis.
        coordinate: the variable of its coordinates, or ``None``.
        size: samples along it.
        role: what it is, if it can be told.
    """

    dim: str
    coordinate: Any
    size: int
    role: Role | None

    @property
    def name(self) -> str:
        """Of the coordinate, if it has one."""
        return self.dim if self.coordinate is None else str(self.coordinate.name)


def axes_of(dataset: Any, variable: Any) -> list[Axis]:
    """The axes of a variable of an xarray data set, in the variable's order."""
    return [_axis(dataset, str(dim), size) for dim, size in variable.sizes.items()]


def _axis(dataset: Any, dim: str, size: int) -> Axis:
    along = [dataset[name] for name in dataset.variables if dataset[name].dims == (dim,)]
    along.sort(key=lambda coordinate: coordinate.name != dim)  # the axis's own name first
    for coordinate in along:
        role = role_of(coordinate)
        if role is not None:
            return Axis(dim, coordinate, size, role)
    own = along[0] if along and along[0].name == dim else None
    return Axis(dim, own, size, None)


def role_of(coordinate: Any) -> Role | None:
    """What a one-dimensional coordinate measures; ``None`` if nothing tells."""
    attributes = {name: str(value).strip().lower() for name, value in coordinate.attrs.items()}
    standard, units = attributes.get("standard_name"), attributes.get("units", "")
    for role, names in STANDARD_NAMES.items():
        if standard in names:
            return role
    if " since " in units:
        return "time"
    for role, known in UNITS.items():
        if units in known:
            return role
    if attributes.get("axis") == "t":
        return "time"
    if attributes.get("axis") == "z" or "positive" in attributes:
        return "level"
    if standard is None:
        for role, names in NAMES.items():
            if str(coordinate.name).lower() in names:
                return role
    return None


def latitude_extent(path: Any, axis: Axis) -> list[float]:
    """First and last latitude in degrees, which may go either way.

    Raises:
        BadInput: unless they are regular and on the globe.
    """
    values = _degrees(path, axis)
    _check_regular(path, axis.name, values)
    if np.abs(values).max() > 90.001:
        raise BadInput(path, f"latitudes from {values[0]:g} to {values[-1]:g}", "they must lie within ±90 degrees")
    first, last = np.clip(values[[0, -1]], -90, 90)
    return [rounded(first), rounded(last)]


def longitude_extent(path: Any, axis: Axis) -> tuple[list[float], bool]:
    """First and last longitude in degrees, either way, and whether they go round the globe.

    If they do, the last one is the first after the turn. A jump by 360 degrees, from 180 to −180, is none.

    Raises:
        BadInput: unless they are regular and no more than one turn.
    """
    values = np.unwrap(_degrees(path, axis), period=360)
    _check_regular(path, axis.name, values)
    first, last = rounded(values[0]), rounded(values[-1])
    spacing = (last - first) / (len(values) - 1)
    if abs(abs(spacing) * len(values) - 360) <= 0.05 * abs(spacing) + 1e-3:
        return [first, first + math.copysign(360.0, spacing)], True
    if abs(last - first) > 360.001:
        raise BadInput(path, f"longitudes from {first:g} to {last:g}", "they must go round the globe at most once")
    return [first, last], False


def rounded(degrees: float) -> float:
    """Degrees to a tenth of a millimetre on the ground, so that what is written comes back the same."""
    return round(float(degrees), 9)


def _degrees(path: Any, axis: Axis) -> np.ndarray:
    units = str(axis.coordinate.attrs.get("units", "degrees")).lower()
    if not units.startswith("degree"):
        raise BadInput(path, f"{axis.name} has the units {units!r}", "degrees are needed")
    values = np.asarray(axis.coordinate.values, np.float64)
    if len(values) < 2:
        raise BadInput(path, f"{axis.name} has a single value", "a grid needs at least 2×2 points")
    if not np.isfinite(values).all():
        raise BadInput(path, f"{axis.name} has missing values", "every row and column needs its place")
    return values


def _check_regular(path: Any, name: str, values: np.ndarray) -> None:
    regular = np.linspace(values[0], values[-1], len(values))
    spacing = abs(values[-1] - values[0]) / (len(values) - 1)
    if spacing == 0 or np.abs(values - regular).max() > TOLERANCE * spacing + 1e-5:
        steps = np.abs(np.diff(values))
        problem = f"{name} is not evenly spaced ({steps.min():.4g} to {steps.max():.4g} degrees), as on Gaussian grids"
        raise BadInput(path, problem, "regrid it to regular latitudes and longitudes first, with cdo or xesmf")
