"""Limits against files and requests that would fill the memory; every one can be raised by an environment variable.

| variable | limits | by default |
| --- | --- | --- |
| ``ECOP_MAX_PIXELS`` | points of one signal that is read, checked on its header | 2²⁷ = 134 217 728 |
| ``ECOP_MAX_FACES`` | triangles, or vertices, of one mesh | 2²⁴ = 16 777 216 |
| ``ECOP_MAX_RENDER_PIXELS`` | points of one render | 2²⁸ = 268 435 456 |
| ``ECOP_DECODED_BYTES`` | bytes of decoded signals that training keeps in memory | 2³⁰ = 1 GiB |
"""

import math
import os
from dataclasses import dataclass

from ecop.core.errors import InvalidSetting, TooLarge


@dataclass(frozen=True)
class Limit:
    """A number that an environment variable replaces.

    Attributes:
        variable: name of the environment variable.
        default: the limit without it.
        unit: what is counted, in the plural.
    """

    variable: str
    default: int
    unit: str

    @property
    def value(self) -> int:
        """The limit in force.

        Raises:
            InvalidSetting: if the variable holds no positive number.
        """
        text = os.environ.get(self.variable)
        if not text:
            return self.default
        try:
            value = int(float(text)) if "e" in text.lower() else int(text)
        except (ValueError, OverflowError):
            value = 0
        if value < 1:
            raise InvalidSetting(self.variable, text, "a whole number above 0, such as 200000000 or 2e8")
        return value

    def check(self, what: str, shape: tuple[int, ...], instead: str = "") -> None:
        """Raise `TooLarge` if ``shape`` has more points than the limit; ``instead`` is what to do rather than raise it.

        Example:
            >>> INPUT_PIXELS.check("big.png", (60_000, 60_000))
            Traceback (most recent call last):
            ecop.core.errors.TooLarge: big.png is 60000×60000 = 3600000000 pixels, over the limit of ...
        """
        size, limit = math.prod(shape), self.value
        if size > limit:
            sizes = "×".join(map(str, shape))
            remedy = f"{instead}{', or ' * bool(instead)}set {self.variable}={size} if you trust it and have the memory"
            raise TooLarge(what, f"{sizes} = {size} {self.unit}", f"{limit} {self.unit}", remedy)


INPUT_PIXELS = Limit("ECOP_MAX_PIXELS", 2**27, "pixels")
INPUT_SAMPLES = Limit("ECOP_MAX_PIXELS", 2**27, "samples")
INPUT_VOXELS = Limit("ECOP_MAX_PIXELS", 2**27, "voxels")
INPUT_FACES = Limit("ECOP_MAX_FACES", 2**24, "triangles or vertices")
RENDER_PIXELS = Limit("ECOP_MAX_RENDER_PIXELS", 2**28, "pixels")
DECODED_BYTES = Limit("ECOP_DECODED_BYTES", 2**30, "bytes")
