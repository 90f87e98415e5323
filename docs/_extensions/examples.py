"""The folder ``examples`` as part of the site: Sphinx reads only what lies below its own folder, so it gets a copy."""

import re
import shutil
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

LINK = re.compile(r"\]\((?:\.\./)+examples/")


def bring(app: Sphinx, config: Any) -> None:
    """Copy what changed, with its time, so that what did not change is not read again; remove what is gone."""
    source, target = app.srcdir.parent / "examples", app.srcdir / "examples"
    target.mkdir(exist_ok=True)
    wanted = [path for suffix in ("md", "ipynb", "py") for path in source.glob(f"*.{suffix}")]
    for stray in set(target.iterdir()) - {target / path.name for path in wanted}:
        stray.unlink()
    for path in wanted:
        copy = Path(target / path.name)
        if not copy.exists() or copy.read_bytes() != path.read_bytes():
            shutil.copy2(path, copy)


def lead_to_copy(app: Sphinx, name: str, source: list[str]) -> None:
    """Links of the pages to ``../examples/`` of the project lead to the copy."""
    source[0] = LINK.sub(f"]({'../' * name.count('/')}examples/", source[0])


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect both."""
    app.connect("config-inited", bring)
    app.connect("source-read", lead_to_copy)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
