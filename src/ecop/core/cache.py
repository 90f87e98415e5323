"""Where things that can be had again are kept, and whether the network may be used."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import platformdirs

from ecop.core.files import atomic_write


def cache_folder() -> Path:
    """The one cache folder: ``ECOP_CACHE``, else ``XDG_CACHE_HOME/ecop``, else the system's usual place."""
    if own := os.environ.get("ECOP_CACHE"):
        return Path(own)
    if shared := os.environ.get("XDG_CACHE_HOME"):
        return Path(shared) / "ecop"
    return platformdirs.user_cache_path("ecop")


def offline() -> bool:
    """Whether ``ECOP_OFFLINE`` forbids the network: 1, true, yes or on."""
    return os.environ.get("ECOP_OFFLINE", "").lower() in {"1", "true", "yes", "on"}


def remembered(name: str, key: str, make: Callable[[], Any], *, again: bool = False) -> Any:
    """The JSON value under ``key`` in the file ``name`` of the cache folder; made, and kept there, if it is missing.

    Args:
        name: of a file of its own; one that is damaged counts as empty.
        key: all that the value depends on.
        make: gives the value.
        again: make it even if it is there.
    """
    path = cache_folder() / name
    known = _read(path)
    if again or key not in known:
        made = make()
        known = _read(path) | {key: made}  # others may have written meanwhile
        with atomic_write(path) as file:
            file.write(json.dumps(known, indent=1, sort_keys=True).encode())
    return known[key]


def _read(path: Path) -> dict[str, Any]:
    try:
        known = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}
