"""Where things that can be had again are kept, and whether the network may be used."""

import os
from pathlib import Path

import platformdirs


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
