"""Figures in one style: colours that the colour-blind tell apart, and nothing that needs a display."""

import io
from functools import partial
from pathlib import Path
from typing import Any

import matplotlib as mpl
from cycler import cycler
from matplotlib.figure import Figure

from ecop.core.files import atomic_write

STYLE: Any = {
    "axes.prop_cycle": cycler(color=["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"]),
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": False,
    "axes.titlesize": 10,
    "figure.dpi": 150,
    "font.size": 10,
    "image.cmap": "cividis",
    "legend.frameon": False,
    "lines.linewidth": 2,
}
"""Okabe and Ito's colours, and cividis for fields of numbers."""

styled = partial(mpl.rc_context, STYLE)
"""A context within which figures are made and saved."""


def save(figure: Figure, path: Path) -> None:
    """Write a figure in the format that the suffix names.

    Raises:
        CannotWrite: if the file system refuses.
    """
    content = io.BytesIO()
    with styled():
        figure.savefig(content, format=path.suffix[1:], bbox_inches="tight")
    with atomic_write(path) as stream:
        stream.write(content.getvalue())
