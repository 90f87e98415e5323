"""Equally large pictures laid out in rows, as one picture."""

from collections.abc import Sequence

import numpy as np

GAP = 2
"""Pixels between pictures."""


def contact_sheet(pictures: Sequence[np.ndarray], per_row: int | None = None) -> np.ndarray:
    """Pictures from left to right and from top to bottom, white between them and where the last row ends.

    Args:
        pictures: at least one, each (height, width, 3) in [0, 1].
        per_row: how many side by side; all of them by default.

    Example:
        >>> contact_sheet([np.zeros((4, 6, 3))] * 5, per_row=3).shape
        (10, 22, 3)
    """
    columns = min(per_row or len(pictures), len(pictures))
    rows = -(-len(pictures) // columns)
    height, width = pictures[0].shape[:2]
    sheet = np.ones((rows * (height + GAP) - GAP, columns * (width + GAP) - GAP, 3), np.float32)
    for number, picture in enumerate(pictures):
        top, left = number // columns * (height + GAP), number % columns * (width + GAP)
        sheet[top : top + height, left : left + width] = picture
    return sheet
