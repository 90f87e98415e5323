"""Times as text: of any calendar, short where nothing is lost, and found again by what a person writes."""

from typing import Any

import numpy as np

from ecop.core.errors import BadInput


def time_labels(coordinate: Any) -> list[str]:
    """Times as ISO 8601 text: days where all are at midnight, else minutes, seconds or less, the same for all.

    Args:
        coordinate: numbers with CF's units, such as ``days since 1900-01-01``, and a calendar; of one axis or none.

    Returns:
        One label a time. Where units and calendar make no dates, as in climatologies of "month 1", the numbers.
    """
    decoded = _decoded(coordinate)
    if decoded is None:
        return [f"{value:g}" if isinstance(value, float) else str(value) for value in _flat(coordinate).tolist()]
    if decoded.dtype.kind == "M":
        for unit in ("D", "m", "s", "ms"):
            shorter = decoded.astype(f"M8[{unit}]")
            if (shorter == decoded).all():
                return np.datetime_as_string(shorter).tolist()
        return np.datetime_as_string(decoded).tolist()
    texts = [time.isoformat() for time in decoded]  # of another calendar
    return [text.removesuffix("T00:00:00") for text in texts] if all(t.endswith("T00:00:00") for t in texts) else texts


def find_time(path: Any, labels: list[str], wanted: Any) -> int:
    """The place of a time: its label, or as much of one as only one time has, ``1991-02`` of monthly ones.

    Raises:
        BadInput: if none or several fit.
    """
    text = str(wanted).strip().removesuffix("Z").replace(" ", "T").removesuffix("T00:00:00")
    exact = [place for place, label in enumerate(labels) if label == text]
    found = exact or [place for place, label in enumerate(labels) if label.startswith(text) and _ends(label, text)]
    if len(found) == 1:
        return found[0]
    problem = f"{len(found)} times fit {str(wanted)!r}" if found else f"there is no time {str(wanted)!r}"
    raise BadInput(path, f"{problem} ({listed(labels)})", "choose one with --time")


def listed(labels: list[str]) -> str:
    """A few of many labels."""
    return ", ".join(labels) if len(labels) <= 6 else f"{len(labels)} from {labels[0]} to {labels[-1]}"


def _ends(label: str, text: str) -> bool:
    """Whether ``text`` is a label up to the end of a number in it."""
    return len(text) >= 4 and label[len(text)] in "-T:."


def _flat(coordinate: Any) -> np.ndarray:
    return np.atleast_1d(np.asarray(coordinate.values))


def _decoded(coordinate: Any) -> np.ndarray | None:
    import xarray

    if " since " not in str(coordinate.attrs.get("units", "")):
        return None
    alone = xarray.Dataset({"moment": ("n", _flat(coordinate), coordinate.attrs)})
    try:
        return np.asarray(xarray.decode_cf(alone)["moment"].values)
    except (ValueError, OverflowError, ImportError):  # units of months, or a calendar without cftime
        return None
