"""One variable at one time out of a file of many: which there are, which is meant, its values and all around them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ecop.core.errors import BadInput, InvalidSetting
from ecop.core.limits import INPUT_PIXELS
from ecop.signals.sphere_axes import Axis, axes_of, latitude_extent, longitude_extent, role_of
from ecop.signals.sphere_files import check_size, opened
from ecop.signals.sphere_times import find_time, listed, time_labels

Bounds = Sequence[float] | Mapping[str, Sequence[float]] | None
"""What 0 and 1 stand for: (low, high) in units, or one pair for each variable by name, or ``None``: the least and the
largest value of what is read."""

FILLED = 9.9e36
"""NetCDF marks what nobody wrote by 9.97e36, with or without an attribute that says so."""

LONGEST_ATTRIBUTE = 4096
"""Characters; longer ones, histories above all, are left behind."""


@dataclass(frozen=True)
class Choice:
    """What is wanted of a file; see `Sphere.read`."""

    var: str | None = None
    time: Any = None
    level: float | None = None
    select: Any = None
    bounds: Bounds = None

    def __post_init__(self):
        if not (self.select is None or isinstance(self.select, Mapping)):
            raise InvalidSetting("select", self.select, "values by the names of axes, such as {number=3}")

    @property
    def by_variable(self) -> Mapping[str, Sequence[float]]:
        """Bounds of variables by name, empty where one pair stands for all."""
        return self.bounds if isinstance(self.bounds, Mapping) else {}


@dataclass(frozen=True)
class GridVariable:
    """A variable of a file that has latitudes and longitudes."""

    name: str
    data: Any
    axes: list[Axis]
    dataset: Any

    def axis(self, role: str) -> Axis | None:
        """The axis of a role, if there is one."""
        return next((axis for axis in self.axes if axis.role == role), None)

    @property
    def others(self) -> list[Axis]:
        """The axes that are neither latitude nor longitude."""
        return [axis for axis in self.axes if axis.role not in ("latitude", "longitude")]


def find_members(path: Path, choice: Choice) -> tuple[Mapping[str, Any], ...]:
    """For each signal of a file what chooses it: a time where there are several, a variable where several are meant."""
    with opened(path) as datasets:
        chosen = _chosen_variables(path, datasets, choice)
        found = []
        for variable in chosen:
            own: dict[str, Any] = {"var": variable.name} if len(chosen) > 1 else {}
            axis = variable.axis("time")
            if choice.time is not None or axis is None or axis.size == 1:
                found.append(own)
            else:
                found += [{**own, "time": label} for label in _labels(axis)]
        return tuple(found)


def read_grid(path: Path, choice: Choice) -> tuple[np.ndarray, dict[str, Any]]:
    """The values, (latitudes, longitudes) float64 in units with NaN where missing, and ``about`` without bounds.

    Raises:
        BadInput, TooLarge, MissingExtra: see `Sphere.read`.
    """
    with opened(path) as datasets:
        chosen = _chosen_variables(path, datasets, choice)
        if len(chosen) > 1:
            names = ", ".join(variable.name for variable in chosen)
            raise BadInput(path, f"it has several variables: {names}", "choose one with --var")
        variable = chosen[0]
        latitude, longitude = variable.axis("latitude"), variable.axis("longitude")
        assert latitude is not None and longitude is not None
        check_size(path, variable.data, latitude.size, longitude.size)
        latitudes = latitude_extent(path, latitude)
        longitudes, is_round = longitude_extent(path, longitude)
        picked, scalars, time = _picked(path, variable, choice)
        values = np.asarray(picked.transpose(latitude.dim, longitude.dim).values, np.float64)
        about: dict[str, Any] = {
            "latitudes": latitudes,
            "longitudes": longitudes,
            "round": is_round,
            "variable": variable.name,
            "units": str(variable.data.attrs.get("units", "")),
            "attributes": plain_attributes(variable.data.attrs),
            "time": time,
            "axes": [
                {"name": axis.name, "attributes": plain_attributes(axis.coordinate.attrs)}
                for axis in (latitude, longitude)
            ],
            "scalars": scalars,
            "global_attributes": plain_attributes(variable.dataset.attrs),
        }
    values[~np.isfinite(values) | (np.abs(values) > FILLED)] = np.nan
    if np.isnan(values).all():
        raise BadInput(path, f"every value of {variable.name} is missing", "choose another variable or time")
    return values, about


def bounds_for(values: np.ndarray, variable: str, bounds: Bounds) -> tuple[float, float]:
    """What 0 and 1 stand for: what is asked for, or the least and the largest value.

    A constant has the bounds of one unit above it.

    Raises:
        InvalidSetting: unless bounds are (low, high) with low < high.
    """
    given = bounds.get(variable) if isinstance(bounds, Mapping) else bounds
    if given is None:
        low, high = float(np.nanmin(values)), float(np.nanmax(values))
        return (low, high) if low < high else (low, low + max(1.0, abs(low) * 1e-3))
    try:
        low, high = map(float, given)
    except (TypeError, ValueError):
        low, high = math.nan, math.nan
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise InvalidSetting("bounds", given, "[low, high] with low < high, in the variable's units")
    return low, high


def plain_attributes(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes as JSON holds them: texts and finite numbers, and lists of those."""
    plain = {str(name): _plain(value) for name, value in attributes.items()}
    return {name: value for name, value in plain.items() if value is not None}


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return value if len(value) <= LONGEST_ATTRIBUTE else None
    numbers = np.asarray(value)
    if numbers.dtype.kind in "iufb" and numbers.size <= 64 and np.isfinite(numbers).all():
        return numbers.tolist()
    return None


def _grid_variables(datasets: Sequence[Any]) -> list[GridVariable]:
    found = []
    for dataset in datasets:
        for name, data in dataset.data_vars.items():
            if data.dtype.kind not in "iuf" or data.ndim < 2:
                continue
            variable = GridVariable(str(name), data, axes_of(dataset, data), dataset)
            if variable.axis("latitude") and variable.axis("longitude"):
                found.append(variable)
    return found


def _chosen_variables(path: Path, datasets: Sequence[Any], choice: Choice) -> list[GridVariable]:
    """The variable that is asked for; else those that the bounds name; else the only one."""
    usable = _grid_variables(datasets)
    if not usable:
        others = ", ".join(str(name) for dataset in datasets for name in dataset.data_vars) or "none at all"
        problem = f"no variable lies on an axis of latitudes and one of longitudes (it has {others})"
        raise BadInput(path, problem, "rotated and curvilinear grids have to be regridded first")
    names = ", ".join(_described(variable) for variable in usable)
    if choice.var is not None:
        chosen = [variable for variable in usable if variable.name == choice.var]
        if not chosen:
            raise BadInput(path, f"there is no variable {choice.var!r}", f"choose one with --var: {names}")
    else:
        chosen = [variable for variable in usable if variable.name in choice.by_variable] or usable
        if len(chosen) > 1 and not choice.by_variable.keys() & {variable.name for variable in chosen}:
            raise BadInput(path, f"it has {len(usable)} variables", f"choose one with --var: {names}")
    twice = {v.name for v in chosen if sum(other.name == v.name for other in chosen) > 1}
    if twice:
        raise BadInput(
            path, f"{', '.join(sorted(twice))} is on several kinds of levels", "keep one in the file, with grib_copy -w"
        )
    return chosen


def _described(variable: GridVariable) -> str:
    words = [str(variable.data.attrs[name]) for name in ("long_name", "units") if variable.data.attrs.get(name)]
    return variable.name + (f" ({', '.join(words)})" if words else "")


def _picked(path: Path, variable: GridVariable, choice: Choice) -> tuple[Any, list[dict[str, Any]], str | None]:
    """The variable without its further axes, the coordinates that it has there, and its time as text."""
    unknown = set(choice.select or {}) - {axis.dim for axis in variable.others}
    if unknown:
        axes = ", ".join(axis.dim for axis in variable.others) or "none"
        raise BadInput(
            path, f"{variable.name} has no axis {', '.join(sorted(unknown))}", f"those to choose are: {axes}"
        )
    places = {axis.dim: _place(path, variable, axis, choice) for axis in variable.others}
    # Of coordinates without an axis, those that the file connects with the variable.
    coordinates = [
        coordinate.isel({dim: places[dim] for dim in coordinate.dims})
        for coordinate in variable.data.coords.values()
        if set(coordinate.dims) <= set(places) and coordinate.dtype.kind in "iufSU"
    ]
    times = [coordinate for coordinate in coordinates if role_of(coordinate) == "time"]
    along = variable.axis("time")  # a forecast has other times too
    times.sort(key=lambda coordinate: along is None or coordinate.name != along.name)
    time = time_labels(times[0])[0] if times else None
    _check_used(path, variable, choice, time, [c for c in coordinates if role_of(c) == "level"])
    return variable.data.isel(places), [_scalar(coordinate) for coordinate in coordinates], time


def _check_used(path: Path, variable: GridVariable, choice: Choice, time: str | None, levels: Sequence[Any]) -> None:
    """Refuse a time or a level that is asked for where the file has but one, and another, or none."""
    if choice.time is not None and variable.axis("time") is None:
        if time is None:
            raise BadInput(path, f"{variable.name} has no time", "leave --time out")
        find_time(path, [time], choice.time)
    asked = choice.level is not None and variable.axis("level") is None
    if asked and not any(_is_close(level.values.item(), choice.level) for level in levels):
        raise BadInput(path, f"{variable.name} has no level {choice.level}", "leave level out")


def _scalar(coordinate: Any) -> dict[str, Any]:
    value = coordinate.values.item()
    value = value.decode(errors="replace") if isinstance(value, bytes) else value
    return {"name": str(coordinate.name), "value": value, "attributes": plain_attributes(coordinate.attrs)}


def _place(path: Path, variable: GridVariable, axis: Axis, choice: Choice) -> int:
    """Which sample of a further axis is meant."""
    labels = _labels(axis)
    chosen = (choice.select or {}).get(axis.dim)
    if axis.role == "time" and chosen is None and choice.time is not None:
        return find_time(path, labels, choice.time)
    if axis.role == "level" and chosen is None:
        chosen = choice.level
    if chosen is not None:
        for place, label in enumerate(labels):
            if label == str(chosen) or _is_close(label, chosen):
                return place
        raise BadInput(path, f"{axis.name} has no value {chosen!r}", f"choose one of: {listed(labels)}")
    if axis.size == 1:
        return 0
    if axis.role == "time":
        raise BadInput(path, f"{variable.name} has {axis.size} times ({listed(labels)})", "choose one with --time")
    how = "level=VALUE" if axis.role == "level" else f"'select={{{axis.dim}=VALUE}}'"
    problem = f"{variable.name} has {axis.size} values of {axis.name} ({listed(labels)})"
    raise BadInput(path, problem, f"choose one with --read {how}")


def _is_close(label: Any, wanted: Any) -> bool:
    try:
        return math.isclose(float(label), float(wanted), rel_tol=1e-5)
    except (TypeError, ValueError):
        return False


def _labels(axis: Axis) -> list[str]:
    if axis.coordinate is None:
        return [str(place) for place in range(axis.size)]
    INPUT_PIXELS.check(axis.name, (axis.size,))
    if axis.role == "time":
        return time_labels(axis.coordinate)
    return [f"{value:g}" if isinstance(value, float) else str(value) for value in axis.coordinate.values.tolist()]
