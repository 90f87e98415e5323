"""Maps for people: colours of values, and a figure of a map and a globe."""

import numpy as np

NOWHERE = 0.85
"""The grey of what has no value."""

OKAY_SIGNED = 0.25
"""Values count as signed where the smaller side reaches this share of the larger one."""


def colour_scale(values: np.ndarray) -> tuple[str, float, float]:
    """Colour map and its ends: cividis, or where values go both ways, blue to red with white for zero.

    The colour-blind tell both apart. The ends are those of the values but for the most extreme 0.2 %.
    """
    known = values[np.isfinite(values)]
    if not known.size:
        return "cividis", 0.0, 1.0
    low, high = (float(end) for end in np.quantile(known, (0.001, 0.999)))
    if low < 0 < high and min(-low, high) >= OKAY_SIGNED * max(-low, high):
        end = max(-low, high)
        return "RdBu_r", -end, end
    return "cividis", low, high if high > low else low + 1


def coloured(values: np.ndarray, scale: tuple[str, float, float] | None = None) -> np.ndarray:
    """(…, 3) colours in [0, 1] of values; grey where there is none."""
    from matplotlib import colormaps

    name, low, high = scale or colour_scale(values)
    shares = np.clip((np.where(np.isfinite(values), values, low) - low) / (high - low), 0, 1)
    return np.where(np.isfinite(values)[..., None], colormaps[name](shares)[..., :3], NOWHERE)
