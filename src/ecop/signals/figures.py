"""Figures in one style: colours that the colour-blind tell apart, and nothing that needs a display."""

import io
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from ecop.core.files import atomic_write

STYLE = Path(__file__).parents[1] / "core" / "ecop.mplstyle"
"""The one style file."""

DATES = {".pdf": {"CreationDate": None}, ".svg": {"Date": None}}
"""What a format would say of the day, left out: the same figure is the same file."""


def styled() -> Any:
    """A context, or a decorator, within which figures are made and saved; a user's own settings of matplotlib rest."""
    return mpl.rc_context(fname=STYLE)


def save(figure: Figure, path: Path) -> None:
    """Write a figure in the format that the suffix names, at the size that it was made for.

    Raises:
        CannotWrite: if the file system refuses.
    """
    content, suffix = io.BytesIO(), path.suffix.lower()
    with styled():
        figure.savefig(content, format=suffix[1:], metadata=DATES.get(suffix))
    with atomic_write(path) as stream:
        stream.write(content.getvalue())
