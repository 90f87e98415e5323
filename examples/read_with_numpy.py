"""Render a fitted image with safetensors, NumPy and Pillow alone, without this package.

    python read_with_numpy.py photo.safetensors photo.png

It reads any file of ``docs/format.md`` that holds one SIREN of an image. It does not verify the checksums.
"""

import json
import sys

import numpy as np
import safetensors
import safetensors.numpy
from PIL import Image


def read(path):
    """The tensors by name, float16 as float32, and the description of a field file."""
    with safetensors.safe_open(path, "numpy") as file:
        description = json.loads(file.metadata()["ecop"])
    tensors = safetensors.numpy.load_file(path)
    return {name: tensor.astype(np.result_type(tensor, np.float32)) for name, tensor in tensors.items()}, description


def coordinates(shape, convention, scale=1.0):
    """The coordinates of all samples, row by row: (samples, axes)."""
    axes = []
    for n in shape:
        if convention == "centres":
            axis = -1 + (2 * np.arange(n) + 1) / n
        else:
            axis = np.linspace(-1, 1, n) if n > 1 else np.zeros(1)
        axes.append(scale * axis)
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(shape))


def siren(tensors, settings, coords):
    """The field's values, (samples, channels): sines of frequency w0, then a linear layer and an offset."""
    hidden, last = coords, settings["depth"] - 1
    for i in range(last):
        hidden = np.sin(settings["w0"] * (hidden @ tensors[f"layers.{i}.weight"].T + tensors[f"layers.{i}.bias"]))
    return hidden @ tensors[f"layers.{last}.weight"].T + tensors[f"layers.{last}.bias"] + settings["output_offset"]


def render(path):
    """The image in the file at its own size, (height, width, channels), not clipped."""
    tensors, description = read(path)
    field, signal = description["field"], description["signal"]
    if field["name"] != "siren" or signal["kind"] != "image" or description["blocks"] is not None:
        sys.exit(f"{path}: this example reads one SIREN of an image, not patches or other fields")
    grid = signal["grid"]
    coords = coordinates(signal["shape"], grid["convention"], grid.get("scale", 1.0))
    return siren(tensors, field["settings"], coords).reshape(*signal["shape"], signal["channels"])


def main(source, target):
    """Render ``source`` and write it to ``target`` with 8 bits a channel."""
    image = np.rint(255 * np.clip(render(source), 0, 1)).astype(np.uint8)
    Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image).save(target)
    print(f"{target}: {image.shape[1]} × {image.shape[0]} pixels")


if __name__ == "__main__":
    main(*sys.argv[1:3])
