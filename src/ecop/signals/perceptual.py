"""LPIPS of signals that a person looks at: a further metric, since its weights are a user's own."""

from dataclasses import dataclass

import numpy as np

from ecop.core.errors import InvalidSetting
from ecop.metrics.lpips import SMALLEST, lpips
from ecop.metrics.lpips_weights import LpipsWeights
from ecop.signals.base import Signal
from ecop.signals.image import Image
from ecop.signals.video import Video


@dataclass(frozen=True)
class PictureLpips:
    """LPIPS of an image's colours, or the mean over a video's frames; those that are missing do not count.

    Attributes:
        weights: of the metric.
    """

    weights: LpipsWeights

    def __call__(self, signal: Signal, reconstruction: Signal) -> float | None:
        """The metric; ``None`` where a side is shorter than the 31 pixels from which it is defined."""
        kinds = Image | Video
        if not (isinstance(signal, kinds) and isinstance(reconstruction, kinds)):
            raise InvalidSetting("lpips", signal.kind, "images or videos")
        if min(signal.shape[-2:]) < SMALLEST:
            return None
        pairs = zip(_frames(signal), _frames(reconstruction), strict=True)
        return float(np.mean([lpips(ours, theirs, self.weights) for ours, theirs in pairs if not np.isnan(ours).any()]))


def _frames(signal: Image | Video) -> np.ndarray:
    """(frames, height, width, 3 or 1)."""
    return signal.values if isinstance(signal, Video) else signal.picture()[None]
