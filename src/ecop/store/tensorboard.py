"""Numbers of a run as TensorBoard events, for those who have the extra ``tensorboard``."""

import math
from functools import partial
from pathlib import Path
from typing import Any, Self

from ecop.core.errors import MissingExtra


class TensorBoardEvents:
    """Writes scalars under a folder that ``tensorboard --logdir`` shows; use it as a context or close it.

    The folder is made with the first number.

    Raises:
        MissingExtra: if tensorboardX is not installed.
    """

    def __init__(self, folder: str | Path):
        try:
            from tensorboardX import SummaryWriter
        except ImportError:
            raise MissingExtra("TensorBoard events", "tensorboard") from None
        self._open = partial(SummaryWriter, str(folder))
        self._writer: Any = None

    def log(self, step: int, **numbers: Any) -> None:
        """Write each number at ``step``; one that is not finite is left out, since a plot cannot show it."""
        self._writer = self._writer or self._open()
        for name, number in numbers.items():
            if math.isfinite(float(number)):
                self._writer.add_scalar(name, float(number), step)
        self._writer.flush()

    def close(self) -> None:
        """Write what is left and close the file."""
        if self._writer is not None:
            self._writer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
