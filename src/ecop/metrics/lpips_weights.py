"""The weights of LPIPS: AlexNet's convolutions and a weight for each of their channels, from files that a user has."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file

from ecop.core.errors import BadInput
from ecop.metrics.torch_file import read_torch

KERNELS = ((64, 3, 11, 11), (192, 64, 5, 5), (384, 192, 3, 3), (256, 384, 3, 3), (256, 256, 3, 3))
"""Shapes of AlexNet's five convolutions, (out, in, height, width)."""

LAYERS = (0, 3, 6, 8, 10)
"""Their places in torchvision's ``features``, which name them in every file."""

TRUNK = re.compile(r"(?:features|net\.slice\d)\.(\d+)\.(weight|bias)")
HEAD = re.compile(r"(?:lin|lins\.)(\d)\.model\.1\.weight")
WANTED = "give torchvision's AlexNet and LPIPS's linear layers (alex.pth of version 0.1), in one file or two"


@dataclass(frozen=True, eq=False)
class LpipsWeights:
    """Five convolutions, and how much each of their channels counts.

    Attributes:
        kernels: (out, in, height, width) float32 each, of the shapes in `KERNELS`.
        biases: (out,) float32 each.
        heads: (out,) float32 each, the linear layers of LPIPS.
    """

    kernels: tuple[np.ndarray, ...]
    biases: tuple[np.ndarray, ...]
    heads: tuple[np.ndarray, ...]

    @classmethod
    def load(cls, paths: str | Path | Sequence[str | Path]) -> Self:
        """From one file with all of them, or from several that complete each other.

        Files are safetensors, or of ``torch.save`` (.pth), which are read without unpickling. Tensors are found by
        their names: ``features.0.weight`` as in torchvision's AlexNet, or ``net.slice1.0.weight``, and
        ``lin0.model.1.weight``. Others, such as the classifier's, are passed over.

        Raises:
            BadInput: for a file that cannot be read or is damaged, and for a tensor that is missing, of another shape
                or not finite.
            TooLarge: for a file of more than 1 GiB.
        """
        files = [Path(paths)] if isinstance(paths, str | Path) else [Path(path) for path in paths]
        found: dict[tuple[str, int], np.ndarray] = {}
        for path in files:
            for name, tensor in _tensors(path).items():
                place = _place(name)
                if place is not None:
                    found[place] = _checked(path, name, tensor, place)
        parts = {kind: [found.get((kind, number)) for number in range(5)] for kind in ("weight", "bias", "head")}
        for kind, arrays in parts.items():
            if any(array is None for array in arrays):
                what = "linear layers" if kind == "head" else "convolutions"
                raise BadInput(" and ".join(map(str, files)), f"not all of the five {what} of LPIPS", WANTED)
        return cls(*(tuple(array for array in parts[kind] if array is not None) for kind in parts))


def _tensors(path: Path) -> Mapping[str, np.ndarray]:
    if not path.is_file():
        raise BadInput(path, "there is no such file", WANTED)
    if path.suffix.lower() != ".safetensors":
        return read_torch(path)
    try:
        return load_file(path)
    except (SafetensorError, OSError, KeyError) as error:
        raise BadInput(path, f"damaged or not safetensors ({error})", "make or fetch the file again") from None


def _place(name: str) -> tuple[str, int] | None:
    """Which of the parts a tensor is, and of which layer; nothing for one that LPIPS has not."""
    if match := HEAD.fullmatch(name):
        return ("head", int(match[1])) if int(match[1]) < 5 else None
    match = TRUNK.fullmatch(name)
    if match is None or int(match[1]) not in LAYERS:
        return None
    return match[2], LAYERS.index(int(match[1]))


def _checked(path: Path, name: str, tensor: np.ndarray, place: tuple[str, int]) -> np.ndarray:
    kind, number = place
    out = KERNELS[number][0]
    shape = {"weight": KERNELS[number], "bias": (out,), "head": (1, out, 1, 1)}[kind]
    if tensor.shape != shape:
        sizes = "×".join(map(str, tensor.shape))
        raise BadInput(path, f"{name} is {sizes}, where LPIPS with AlexNet has {'×'.join(map(str, shape))}", WANTED)
    if tensor.dtype.kind != "f" or not np.isfinite(tensor).all():
        raise BadInput(path, f"{name} holds other than finite real numbers", "make or fetch the file again")
    return tensor.astype(np.float32).reshape(out if kind == "head" else shape)
