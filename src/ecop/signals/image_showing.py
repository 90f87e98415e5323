"""How a page shows images, and photos to try that come with scikit-image."""

from collections.abc import Callable
from pathlib import Path

from ecop.signals.image_writing import write_pixels
from ecop.signals.showing import PICTURE, Show

PHOTOS = {
    "A cat": "chelsea", "An astronaut": "astronaut", "A cup of coffee": "coffee", "A rocket": "rocket",
    "A cameraman, grey": "camera", "The Hubble deep field": "hubble_deep_field",
}  # fmt: skip
"""Of those that lie in the package itself, so that nothing is downloaded."""


def _photo(name: str) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        from skimage import data

        pixels = getattr(data, name)()
        write_pixels(path, pixels.reshape(*pixels.shape[:2], -1) / 255, 8)

    return write


SHOW = Show(plane=PICTURE, samples={title: _photo(name) for title, name in PHOTOS.items()})
