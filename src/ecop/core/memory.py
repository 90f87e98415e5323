"""Amounts of memory: read from text, and what this process takes."""

import re
import sys

from ecop.core.errors import InvalidSetting

_UNITS = {"": 1, "k": 1000, "m": 1000**2, "g": 1000**3, "t": 1000**4}
_UNITS |= {f"{prefix}i": 1024**power for power, prefix in enumerate("kmgt", 1)}


def parse_bytes(text: str) -> int:
    """A number of bytes from a text with an optional unit, decimal (GB) or binary (GiB, G).

    Raises:
        InvalidSetting: for anything else, and for less than one byte.

    Example:
        >>> parse_bytes("8GiB"), parse_bytes("1.5 MB"), parse_bytes("512M")
        (8589934592, 1500000, 536870912)
    """
    match = re.fullmatch(r"\s*([0-9]*\.?[0-9]+)\s*([kmgt]?i?)(b?)\s*", text, re.IGNORECASE)
    prefix = match[2].lower() if match else ""
    if match and prefix in "kmgt" and prefix and not match[3]:
        prefix += "i"  # a bare letter is what memory is sold in
    if match is None or prefix not in _UNITS or (amount := int(float(match[1]) * _UNITS[prefix])) < 1:
        raise InvalidSetting("memory", text, "an amount such as 8GiB, 500MB or 2.5G")
    return amount


def peak_resident() -> int:
    """The most memory that this process has had so far, in bytes; 0 where the system does not say."""
    try:
        import resource
    except ImportError:  # Windows
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak
