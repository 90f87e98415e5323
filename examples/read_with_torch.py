"""A fitted field as a PyTorch module, without this package: to evaluate, to differentiate, to train on.

    python read_with_torch.py photo.safetensors photo.png

It reads any file of ``docs/format.md`` that holds one SIREN, or one field with Fourier features. The checksums are not
verified.
"""

import json
import sys

import safetensors
import safetensors.torch
import torch


class Siren(torch.nn.Module):
    """Sines of frequency w0, then a linear layer and an offset: (n, d_in) → (n, d_out)."""

    def __init__(self, tensors, settings):
        super().__init__()
        self.layers = torch.nn.ModuleList(linear(tensors, number) for number in range(settings["depth"]))
        self.w0, self.output_offset = settings["w0"], settings["output_offset"]

    def forward(self, coords):
        """The values at n coordinates."""
        hidden = coords
        for layer in self.layers[:-1]:
            hidden = torch.sin(self.w0 * layer(hidden))
        return self.layers[-1](hidden) + self.output_offset


class Fourier(torch.nn.Module):
    """Sines and cosines of fixed random frequencies, then a perceptron and an offset: (n, d_in) → (n, d_out)."""

    def __init__(self, tensors, settings):
        super().__init__()
        self.register_buffer("matrix", tensors["matrix"])
        self.layers = torch.nn.ModuleList(linear(tensors, number) for number in range(settings["depth"]))
        self.output_offset = settings["output_offset"]

    def forward(self, coords):
        """The values at n coordinates."""
        angle = 2 * torch.pi * coords @ self.matrix.T
        hidden = torch.cat([torch.sin(angle), torch.cos(angle)], dim=-1)
        for layer in self.layers[:-1]:
            hidden = torch.relu(layer(hidden))
        return self.layers[-1](hidden) + self.output_offset


FIELDS = {"siren": Siren, "fourier": Fourier}


def linear(tensors, number):
    """A layer of the file as a module; its parameters are the file's."""
    weight, bias = tensors[f"layers.{number}.weight"], tensors[f"layers.{number}.bias"]
    layer = torch.nn.Linear(weight.shape[1], weight.shape[0], dtype=weight.dtype)
    layer.weight, layer.bias = torch.nn.Parameter(weight), torch.nn.Parameter(bias)
    return layer


def load(path):
    """The field as a module, and the file's description of the signal; float16 is computed in float32."""
    with safetensors.safe_open(path, "pt") as file:
        description = json.loads(file.metadata()["ecop"])
    field, signal = description["field"], description["signal"]
    if field["name"] not in FIELDS or field["d_in"] != len(signal["shape"]) or description["blocks"] is not None:
        sys.exit(f"{path}: this example reads one {' or '.join(FIELDS)}, not blocks or {signal['kind']} fields")
    tensors = safetensors.torch.load_file(path)
    tensors = {name: tensor.to(torch.promote_types(tensor.dtype, torch.float32)) for name, tensor in tensors.items()}
    return FIELDS[field["name"]](tensors, field["settings"]), signal


def coordinates(signal):
    """The coordinates of all samples, row by row: (samples, axes)."""
    about, axes = signal.get("about", {}), []
    for n, share in zip(signal["shape"], about.get("span") or [1.0] * len(signal["shape"]), strict=True):
        if signal["grid"]["convention"] == "centres":
            axis = -1 + (2 * torch.arange(n) + 1) / n
        else:
            axis = torch.linspace(-1, 1, n) if n > 1 else torch.zeros(1)
        axes.append(about.get("scale", 1.0) * (share * (axis + 1) - 1))
    return torch.stack(torch.meshgrid(*axes, indexing="ij"), dim=-1).reshape(-1, len(axes))


@torch.no_grad()
def render(path):
    """The signal in the file at its own size, (*shape, channels), not clipped."""
    field, signal = load(path)
    coords = coordinates(signal).to(next(field.parameters()).dtype)
    return field(coords).reshape(*signal["shape"], signal["channels"])


def main(source, target):
    """Render the picture in ``source`` and write it with 8 bits a channel."""
    from PIL import Image

    picture = (255 * render(source).clamp(0, 1)).round().to(torch.uint8).numpy()
    Image.fromarray(picture[..., 0] if picture.shape[-1] == 1 else picture).save(target)
    print(f"{target}: {picture.shape[1]} × {picture.shape[0]} pixels")


if __name__ == "__main__":
    main(*sys.argv[1:3])
