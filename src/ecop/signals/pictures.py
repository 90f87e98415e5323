"""Pictures of signals for people: arrays of colours, and the file that holds one."""

from pathlib import Path

import numpy as np

from ecop.signals.image_writing import write_pixels


def write_picture(path: Path | str, picture: np.ndarray) -> None:
    """Write (height, width, 3) values in [0, 1] as 8-bit colours, in the format that the suffix names.

    Raises:
        CannotWrite: for an unknown suffix, a full disk, or a folder that cannot be written.
    """
    write_pixels(Path(path), np.clip(picture, 0, 1).astype(np.float32), 8)
