"""From a surface to training points: where they lie, and what the field should be there."""

from typing import Any, Literal, NamedTuple

import numpy as np

from ecop.core.recipe import check
from ecop.metrics.geometry import nearest, surface_points
from ecop.signals.shape_surface import Surface

Target = Literal["sdf", "occupancy"]
TARGETS = ("sdf", "occupancy")

FILLED = 0.9
"""Half the longest side of a shape in its box [−1, 1]³: the rest is room around it."""

NEAR, AROUND = 0.02, 0.1
"""Standard deviations, along each axis, of the points that lie about the surface."""


class Sampling(NamedTuple):
    """How a shape is sampled.

    Attributes:
        target: ``sdf``, ½ + ½ clip(d, −t, t)/t of the signed distance d (below 0 inside) and the truncation t; or
            ``occupancy``, 1 inside and 0 outside.
        points: how many.
        seed: of their places.
        truncation: t, in half sides of the box.
    """

    target: str
    points: int
    seed: int
    truncation: float

    def checked(self) -> "Sampling":
        """Raise `InvalidSetting` for a setting outside its range."""
        check(self.target in TARGETS, "target", self.target, "'sdf' or 'occupancy'")
        check(_is_whole(self.points) and self.points >= 8, "points", self.points, "a whole number ≥ 8")
        check(_is_whole(self.seed) and self.seed >= 0, "seed", self.seed, "a whole number ≥ 0")
        is_number = isinstance(self.truncation, int | float) and not isinstance(self.truncation, bool)
        check(is_number and 0 < self.truncation <= 2, "truncation", self.truncation, "a distance above 0, at most 2")
        return self


def box(surface: Surface) -> tuple[list[float], float]:
    """Centre of a surface's bounds, and what half a side of its box measures: (v − centre) / half fills the box."""
    low, high = surface.vertices.min(axis=0), surface.vertices.max(axis=0)
    return [float(c) for c in (low + high) / 2], float(np.max(high - low)) / 2 / FILLED


def places(surface: Surface, sampling: Sampling) -> np.ndarray:
    """Where to sample a surface in the box [−1, 1]³: (points, 3) float32, in random order.

    Half of them are uniform in the box. The others lie about the surface, drawn evenly by area and moved by Gaussian
    noise, one half by `NEAR` and one by `AROUND`; what the noise takes out of the box is put on its wall.
    """
    generator = np.random.default_rng([sampling.seed, len(surface.vertices), len(surface.faces)])
    uniform = sampling.points // 2
    near, _ = surface_points(surface.triangles, sampling.points - uniform, generator)
    spread = np.where(np.arange(len(near)) % 2, AROUND, NEAR)[:, None]
    near = np.clip(near + spread * generator.standard_normal(near.shape), -1, 1)
    drawn = np.concatenate([generator.uniform(-1, 1, (uniform, 3)), near])
    return generator.permutation(drawn).astype(np.float32)


def sampled(surface: Surface, inside: np.ndarray, coordinates: np.ndarray, sampling: Sampling) -> np.ndarray:
    """The target at points, (n, 1) float32 in [0, 1].

    Args:
        surface: the boundary of the solid.
        inside: (n,) which points lie in it.
        coordinates: (n, 3).
        sampling: which target.
    """
    if sampling.target == "occupancy":
        return inside[:, None].astype(np.float32)
    distance, _ = nearest(coordinates, surface.triangles)
    return scaled_distance(np.where(inside, -distance, distance), sampling.truncation)[:, None].astype(np.float32)


def scaled_distance(distance: np.ndarray, truncation: float) -> np.ndarray:
    """½ + ½ clip(d, −t, t)/t of signed distances d: 0 deep inside, ½ on the surface, 1 far outside.

    Example:
        >>> scaled_distance(np.array([-1, 0, 0.1]), 0.2).tolist()
        [0.0, 0.5, 0.75]
    """
    return 0.5 + 0.5 * np.clip(distance / truncation, -1, 1)


def depth(values: np.ndarray, target: str) -> np.ndarray:
    """Values of either target as a number that is above 0 inside: ½ − v, or v − ½."""
    return values - 0.5 if target == "occupancy" else 0.5 - values


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
