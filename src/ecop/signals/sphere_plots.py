"""Fields on the sphere for people: colours of values, a map, and a globe as one sees it from afar."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ecop.signals.figures import styled

NOWHERE = 0.85
"""The grey of what has no value."""

SIGNED = 0.25
"""Values go both ways where the smaller side reaches this share of the larger one."""

GLOBE_PIXELS = 480
TILT = 20.0
"""Latitude in the middle of a globe, in degrees: more land, and one of the poles."""


class Scale(NamedTuple):
    """Which colours stand for which values.

    Attributes:
        name: of the colour map: cividis, or where values go both ways, from blue through white at zero to red. The
            colour-blind tell both apart.
        low: value of the first colour.
        high: value of the last colour.
    """

    name: str
    low: float
    high: float


def scale_of(values: np.ndarray) -> Scale:
    """The scale for values: all but the most extreme 0.2 % of them lie within it.

    Example:
        >>> scale_of(np.array([-30.0, 20.0])).name, scale_of(np.array([250.0, 310.0])).name
        ('RdBu_r', 'cividis')
    """
    low, high = (float(end) for end in np.quantile(values[np.isfinite(values)], (0.001, 0.999)))
    if low < 0 < high and min(-low, high) >= SIGNED * max(-low, high):
        end = max(-low, high)
        return Scale("RdBu_r", -end, end)
    return Scale("cividis", low, high if high > low else low + 1)


def coloured(values: np.ndarray, scale: Scale) -> np.ndarray:
    """(…, 3) colours in [0, 1] of values; grey where there is none."""
    known = np.isfinite(values)
    shares = np.clip((np.where(known, values, scale.low) - scale.low) / (scale.high - scale.low), 0, 1)
    return np.where(known[..., None], colormaps[scale.name](shares)[..., :3], NOWHERE)


def map_and_globe(
    values: np.ndarray, latitudes: np.ndarray, longitudes: np.ndarray, about: Mapping[str, Any]
) -> Figure:
    """A map, and the globe beside it, with a colour bar in units.

    Args:
        values: (latitudes, longitudes) in units, NaN where missing.
        latitudes: degrees, regular, either way.
        longitudes: degrees, regular, either way.
        about: of the signal: its names, units and time.
    """
    if latitudes[0] > latitudes[-1]:
        values, latitudes = values[::-1], latitudes[::-1]
    if longitudes[0] > longitudes[-1]:
        values, longitudes = values[:, ::-1], longitudes[::-1]
    scale = scale_of(values)
    with styled():
        figure = Figure(figsize=(8, 3.1), layout="constrained")
        flat, ball = figure.subplots(1, 2, width_ratios=(2, 1))
        shown = _draw_map(flat, values, latitudes, longitudes, scale)
        _draw_globe(ball, values, latitudes, longitudes, scale)
        figure.suptitle(title_of(about))
        figure.colorbar(shown, ax=[flat, ball], label=about.get("units") or "value", shrink=0.8, aspect=25, pad=0.02)
    return figure


def title_of(about: Mapping[str, Any]) -> str:
    """What is shown, and when.

    Example:
        >>> title_of({"variable": "t2m", "attributes": {"long_name": "2 metre temperature"}, "time": "1991-02-01"})
        '2 metre temperature, 1991-02-01'
    """
    attributes = about.get("attributes", {})
    name = attributes.get("long_name") or attributes.get("standard_name") or about.get("variable") or ""
    return ", ".join(part for part in (str(name), about.get("time")) if part)


def _draw_map(axis: Axes, values: np.ndarray, latitudes: np.ndarray, longitudes: np.ndarray, scale: Scale) -> Any:
    half_row, half_column = _half_step(latitudes), _half_step(longitudes)
    west, east = longitudes[0] - half_column, longitudes[-1] + half_column
    south, north = max(-90, latitudes[0] - half_row), min(90, latitudes[-1] + half_row)
    axis.set_facecolor(str(NOWHERE))
    shown = axis.imshow(
        values, origin="lower", cmap=scale.name, vmin=scale.low, vmax=scale.high, interpolation="nearest",
        extent=(west, east, latitudes[0] - half_row, latitudes[-1] + half_row),
        aspect="equal",
    )  # fmt: skip
    axis.set(xlim=(west, east), ylim=(south, north), xlabel="longitude", ylabel="latitude")
    axis.xaxis.set_major_locator(_degrees_locator(east - west))
    axis.yaxis.set_major_locator(_degrees_locator(north - south))
    axis.xaxis.set_major_formatter(lambda degrees, _: _east_west(degrees))
    axis.yaxis.set_major_formatter(lambda degrees, _: _with_letter(degrees, "N", "S"))
    return shown


def _draw_globe(axis: Axes, values: np.ndarray, latitudes: np.ndarray, longitudes: np.ndarray, scale: Scale) -> None:
    middle = _middle(latitudes, longitudes)
    latitude, longitude = orthographic(GLOBE_PIXELS, *middle)
    colours = coloured(sampled(values, latitudes, longitudes, latitude, longitude), scale)
    outside = np.isnan(latitude)
    picture = np.concatenate([np.where(outside[..., None], 1, colours), ~outside[..., None]], axis=-1)
    axis.imshow(picture, extent=(-1, 1, -1, 1), origin="lower", interpolation="antialiased")
    for line in graticule(*middle):
        axis.plot(*line, color="black", linewidth=0.4, alpha=0.35)
    axis.set_axis_off()


def orthographic(pixels: int, latitude: float, longitude: float) -> tuple[np.ndarray, np.ndarray]:
    """Latitude and longitude at each pixel of a globe seen from far above a place; NaN beside it.

    Args:
        pixels: of each side.
        latitude: of the place in the middle, degrees.
        longitude: likewise.

    Returns:
        Two (pixels, pixels) arrays of degrees, from the south up.

    Example:
        >>> latitude, longitude = orthographic(3, 0.0, 10.0)
        >>> float(latitude[1, 1]), float(longitude[1, 1])
        (0.0, 10.0)
    """
    along = (np.arange(pixels) + 0.5) / pixels * 2 - 1
    x, y = np.meshgrid(along, along)
    inside = x**2 + y**2 <= 1
    z = np.sqrt(np.where(inside, 1 - x**2 - y**2, np.nan))
    tilt = np.deg2rad(latitude)
    up, out = y * np.cos(tilt) + z * np.sin(tilt), z * np.cos(tilt) - y * np.sin(tilt)
    return np.rad2deg(np.arcsin(np.clip(up, -1, 1))), np.rad2deg(np.arctan2(x, out)) + longitude


def sampled(
    values: np.ndarray, latitudes: np.ndarray, longitudes: np.ndarray, latitude: np.ndarray, longitude: np.ndarray
) -> np.ndarray:
    """Values at places, from the nearest sample; NaN where the grid has none within a step.

    Args:
        values: (latitudes, longitudes).
        latitudes: degrees, regular and rising, likewise the longitudes.
        longitudes: at most one turn.
        latitude: (…) degrees of the places, NaN where there is none.
        longitude: (…) degrees, of any turn.
    """
    rows = (latitude - latitudes[0]) / (2 * _half_step(latitudes))
    columns = ((longitude - longitudes[0] + 180 / len(longitudes)) % 360 - 180 / len(longitudes)) / (
        2 * _half_step(longitudes)
    )
    # Beyond the last row of a grid that leaves out the poles lies the rest of its cell.
    inside = (rows > -0.75) & (rows < len(latitudes) - 0.25) & (columns > -0.75) & (columns < len(longitudes) - 0.25)
    row = np.where(inside, np.rint(rows), 0).astype(int).clip(0, len(latitudes) - 1)
    column = np.where(inside, np.rint(columns), 0).astype(int).clip(0, len(longitudes) - 1)
    return np.where(inside, values[row, column], np.nan)


def graticule(latitude: float, longitude: float, step: int = 30) -> list[tuple[np.ndarray, np.ndarray]]:
    """Circles of latitude and meridians on the near side of a globe, as lines (x, y) with NaN where they are behind."""
    degrees = np.linspace(-180, 180, 181)
    parallels = [(np.full(181, float(at)), degrees) for at in range(-90 + step, 90, step)]
    meridians = [(degrees / 2, np.full(181, float(at))) for at in range(0, 360, step)]
    tilt = np.deg2rad(latitude)
    lines = []
    for at_latitude, at_longitude in parallels + meridians:
        phi, along = np.deg2rad(at_latitude), np.deg2rad(at_longitude - longitude)
        x, out, up = np.cos(phi) * np.sin(along), np.cos(phi) * np.cos(along), np.sin(phi)
        y, towards = up * np.cos(tilt) - out * np.sin(tilt), up * np.sin(tilt) + out * np.cos(tilt)
        lines.append((np.where(towards > 0, x, np.nan), y))
    return lines


def _middle(latitudes: np.ndarray, longitudes: np.ndarray) -> tuple[float, float]:
    """What a globe shows in front: the middle of a region, else Africa and Europe."""
    spans_globe = (latitudes[-1] - latitudes[0]) > 120 and (longitudes[-1] - longitudes[0]) > 240
    if spans_globe:
        return TILT, 0.0
    return float(latitudes[0] + latitudes[-1]) / 2, float(longitudes[0] + longitudes[-1]) / 2


def _half_step(axis: np.ndarray) -> float:
    return float(axis[-1] - axis[0]) / (len(axis) - 1) / 2 if len(axis) > 1 else 0.5


def _degrees_locator(extent: float) -> Any:
    from matplotlib.ticker import MaxNLocator, MultipleLocator

    return MultipleLocator(60 if extent > 200 else 30) if extent > 100 else MaxNLocator(5)


def _east_west(degrees: float) -> str:
    turned = (degrees + 180) % 360 - 180
    return "180°" if turned == -180 else _with_letter(turned, "E", "W")


def _with_letter(degrees: float, above: str, below: str) -> str:
    return f"{abs(degrees):g}°" + ("" if degrees == 0 else above if degrees > 0 else below)
