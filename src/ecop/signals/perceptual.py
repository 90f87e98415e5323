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
        """The metric; ``None`` where a side is shorter than the 31 pixels from which it is defined.

        Raises:
            InvalidSetting: for signals that are neither images nor videos.
        """
        ours, theirs = _frames(signal), _frames(reconstruction)
        if min(ours.shape[1:3]) < SMALLEST:
            return None
        there = ~np.isnan(ours).any(axis=(1, 2, 3))
        pairs = zip(ours[there], theirs[there], strict=True)
        return float(np.mean([lpips(one, other, self.weights) for one, other in pairs]))


def _frames(signal: Signal) -> np.ndarray:
    """(frames, height, width, 3 or 1)."""
    if isinstance(signal, Video):
        return signal.values
    if isinstance(signal, Image):
        return signal.picture()[None]
    raise InvalidSetting("lpips", signal.kind, "a metric of images and videos")
