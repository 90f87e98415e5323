"""Strict JSON, as other programs read it: no NaN, no repeated keys, and the same bytes for the same content."""

import json
import math
from collections.abc import Mapping
from typing import Any

from ecop.core.errors import InvalidSetting


def plain(value: Any, name: str, *, gaps: bool = False) -> Any:
    """``value`` as plain JSON values: tuples and arrays become lists, their numbers Python's.

    Args:
        value: nested mappings, sequences, arrays, strings, numbers, booleans and ``None``.
        name: what it is, for the error.
        gaps: turn NaN and infinity, which JSON cannot write, into ``None`` instead of refusing them.

    Raises:
        InvalidSetting: for anything that JSON cannot write; the message has the path to it.

    Example:
        >>> plain({"shape": (2, 3), "psnr": float("inf")}, "metrics", gaps=True)
        {'shape': [2, 3], 'psnr': None}
    """
    if hasattr(value, "tolist"):  # NumPy's and JAX's arrays and scalars, without importing either
        value = value.tolist()
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        if math.isfinite(value):
            return value
        if gaps:
            return None
        raise InvalidSetting(name, value, "a finite number")
    if isinstance(value, Mapping):
        if not all(isinstance(key, str) for key in value):
            raise InvalidSetting(name, list(value), "keys that are strings")
        return {key: plain(item, f"{name}.{key}", gaps=gaps) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item, f"{name}[{i}]", gaps=gaps) for i, item in enumerate(value)]
    raise InvalidSetting(name, value, "a value that JSON can write")


def write_json(value: Any, *, indent: int | None = None) -> str:
    """Plain values as ASCII JSON with sorted keys, compact unless indented."""
    separators = (",", ":") if indent is None else (",", ": ")
    return json.dumps(value, sort_keys=True, allow_nan=False, separators=separators, indent=indent)


def read_json(text: str | bytes) -> Any:
    """Parse JSON strictly.

    Raises:
        ValueError: if it is not JSON, repeats a key, holds NaN or infinity, or nests too deeply.
    """
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse_constant, parse_float=_finite)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("a key is repeated")
    return result


def _refuse_constant(text: str) -> float:
    raise ValueError(f"{text} is not a number of JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is too large")
    return number
