"""Evaluate a fitted field with safetensors and NumPy alone, without this package.

    python read_with_numpy.py photo.safetensors photo.png
    python read_with_numpy.py clip.safetensors clip.npy

It reads any file of ``docs/format.md`` whose field is a SIREN or has Fourier features, of a picture, a sound, a film or
a volume, in one piece or in blocks. A PNG (with Pillow) is for pictures, an NPY file for all. The checksums are not
verified.
"""

import json
import sys

import numpy as np
import safetensors
import safetensors.numpy


def read(path):
    """The tensors by name, float16 as float32, and the description of a field file."""
    with safetensors.safe_open(path, "numpy") as file:
        description = json.loads(file.metadata()["ecop"])
    tensors = safetensors.numpy.load_file(path)
    return {name: tensor.astype(np.result_type(tensor, np.float32)) for name, tensor in tensors.items()}, description


def coordinates(shape, convention, scale=1.0, span=None):
    """The coordinates of all samples, row by row: (samples, axes).

    ``span``: the share of each axis that the samples cover, from its start.
    """
    axes = []
    for n, share in zip(shape, span or [1.0] * len(shape), strict=True):
        if convention == "centres":
            axis = -1 + (2 * np.arange(n) + 1) / n
        else:
            axis = np.linspace(-1, 1, n) if n > 1 else np.zeros(1)
        axes.append(scale * (share * (axis + 1) - 1))
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(shape))


def affine(tensors, number, hidden):
    """The linear map of a layer."""
    return hidden @ tensors[f"layers.{number}.weight"].T + tensors[f"layers.{number}.bias"]


def siren(tensors, settings, coords):
    """Values, (samples, channels): sines of frequency w0, then a linear layer and an offset."""
    hidden, last = coords, settings["depth"] - 1
    for number in range(last):
        hidden = np.sin(settings["w0"] * affine(tensors, number, hidden))
    return affine(tensors, last, hidden) + settings["output_offset"]


def fourier(tensors, settings, coords):
    """Values, (samples, channels): sines and cosines of random frequencies, then a perceptron and an offset."""
    angle = 2 * np.pi * coords @ tensors["matrix"].T
    hidden, last = np.concatenate([np.sin(angle), np.cos(angle)], axis=-1), settings["depth"] - 1
    for number in range(last):
        hidden = np.maximum(0, affine(tensors, number, hidden))
    return affine(tensors, last, hidden) + settings["output_offset"]


FIELDS = {"siren": siren, "fourier": fourier}


def render(path):
    """The signal in the file at its own size, (*shape, channels), not clipped."""
    tensors, description = read(path)
    field, signal, blocks = description["field"], description["signal"], description["blocks"]
    if field["name"] not in FIELDS or field["d_in"] != len(signal["shape"]):
        sys.exit(f"{path}: this example reads {' and '.join(FIELDS)} on axes of their own, not {signal['kind']} fields")
    evaluate, convention, about = FIELDS[field["name"]], signal["grid"]["convention"], signal.get("about", {})
    scale = about.get("scale", 1.0)
    if blocks is None:
        coords = coordinates(signal["shape"], convention, scale, about.get("span"))
        return evaluate(tensors, field["settings"], coords).reshape(*signal["shape"], signal["channels"])
    coords = coordinates(blocks["shape"], convention, scale)
    values = [
        evaluate({name: tensor[number] for name, tensor in tensors.items()}, field["settings"], coords)
        for number in range(len(blocks["starts"]))
    ]
    return joined(values, blocks, signal["shape"], signal["channels"])


def joined(values, blocks, shape, channels):
    """Blocks put together: their mean where they overlap, each counting less towards its edges."""
    weight = np.ones(())
    for n in blocks["shape"]:
        edge = np.minimum(np.arange(n), np.arange(n)[::-1]) + 0.5
        weight = weight[..., None] * np.clip(edge / max(1, blocks["overlap"]), 1e-3, 1)
    total, weights = np.zeros((*shape, channels)), np.zeros((*shape, 1))
    for start, block in zip(blocks["starts"], values, strict=True):
        where = tuple(slice(first, first + n) for first, n in zip(start, blocks["shape"], strict=True))
        total[where] += weight[..., None] * block.reshape(*blocks["shape"], channels)
        weights[where] += weight[..., None]
    return total / weights


def main(source, target):
    """Render ``source`` and write it: as a PNG with 8 bits a channel, or all values as an NPY file."""
    values = render(source)
    if target.endswith(".npy"):
        np.save(target, values)
    else:
        write_png(values, target)
    print(f"{target}: {' × '.join(map(str, values.shape[:-1]))} samples")


def write_png(values, target):
    """A picture, rounded."""
    from PIL import Image

    picture = np.rint(255 * np.clip(values, 0, 1)).astype(np.uint8)
    Image.fromarray(picture[..., 0] if picture.shape[-1] == 1 else picture).save(target)


if __name__ == "__main__":
    main(*sys.argv[1:3])
