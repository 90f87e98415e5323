"""One example of each modality for the contract, and films to write and read."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from skimage import data

from ecop.core.registry import SIGNALS
from ecop.signals import Signal


@dataclass
class Example:
    """A file of a modality and what its contract is tested with.

    Attributes:
        file: alone in its folder.
        read: the signal in it.
        smaller: a shape to resample to.
        start, part: a block inside it.
        reading: settings with which it is read.
        tolerance: of what comes back from a file.
        cut: whether half of the file is told from a whole one.
        limits: what predictions are clipped to.
    """

    file: Path
    read: Signal
    smaller: tuple[int, ...]
    start: tuple[int, ...]
    part: tuple[int, ...]
    reading: dict[str, Any] = field(default_factory=dict)
    tolerance: float = 0.0
    cut: bool = True
    limits: tuple[float, float] = (0.0, 1.0)


def _image(folder):
    from ecop.signals.image import Image

    path = folder / "cat.png"
    Image.assemble(data.cat()[50:200:4, 100:300:4] / 255, {"bits": 8}).write(path)
    return Example(path, Image.read(path), (19, 24), (3, 5), (10, 20))


def _audio(folder):
    from ecop.signals.audio import Audio

    path, seconds = folder / "tones.wav", np.arange(4000) / 8000
    tones = 0.5 + 0.2 * np.sin(2 * np.pi * np.array([440, 660]) * seconds[:, None])
    Audio.assemble(tones, {"rate": 8000}).write(path)
    return Example(path, Audio.read(path), (2000,), (1000,), (500,), tolerance=1e-4)


def _sphere(folder):
    xarray = pytest.importorskip("xarray")
    from ecop.signals.sphere import Sphere

    latitudes, longitudes = np.arange(-80, 81, 10.0), np.arange(0, 360, 15.0)
    values = 280 + 20 * np.cos(np.radians(latitudes))[:, None] + 3 * np.sin(np.radians(longitudes))
    coords = {
        "lat": ("lat", latitudes, {"units": "degrees_north"}), "lon": ("lon", longitudes, {"units": "degrees_east"}),
    }  # fmt: skip
    path = folder / "t.nc"
    array = xarray.DataArray(values, coords, ("lat", "lon"), "t2m", {"units": "K"})
    array.to_dataset().to_netcdf(path, engine="h5netcdf")
    reading = {"bounds": [250.0, 320.0]}
    return Example(
        path, Sphere.open(path, reading), (8, 12), (2, 3), (6, 8), reading, tolerance=1e-4, limits=(-np.inf, np.inf)
    )


def _video(folder):
    """Smooth and grey, so that half-resolution colours lose nothing: MP4 comes back to a few steps of 255."""
    from ecop.signals.video import Video

    times, rows, columns = np.meshgrid(np.arange(6), np.arange(32), np.arange(48), indexing="ij")
    waves = 0.5 + 0.4 * np.sin(0.3 * times + 0.15 * rows) * np.cos(0.1 * columns)
    path = folder / "waves.mp4"
    Video.assemble(waves[..., None].repeat(3, -1), {"rate": 25.0}).write(path)
    return Example(path, Video.read(path), (6, 16, 24), (2, 4, 8), (3, 16, 20), tolerance=0.03)


def _volume(folder):
    """A block of int16, anisotropic and turned, as a scanner would give it."""
    nibabel = pytest.importorskip("nibabel")
    from ecop.signals.volume import Volume

    a, b, c = np.meshgrid(np.arange(12), np.arange(16), np.arange(14), indexing="ij")
    numbers = np.rint(-200 + 60 * a + 20 * b * np.sin(c / 3)).astype(np.int16)
    path = folder / "head.nii"
    nibabel.save(
        nibabel.Nifti1Image(numbers, np.array([[0, 0, 2, 5], [-2, 0, 0, 9], [0, 3, 0, -7], [0, 0, 0, 1.0]])), path
    )
    return Example(path, Volume.read(path), (6, 8, 9), (2, 3, 4), (6, 10, 5))


def _shape(folder):
    """A ball with few triangles, written by hand."""
    trimesh = pytest.importorskip("trimesh")
    from ecop.signals.shape import Shape

    path = folder / "ball.obj"
    ball = trimesh.creation.icosphere(subdivisions=2, radius=3)
    lines = [f"v {x:.9f} {y:.9f} {z:.9f}" for x, y, z in ball.vertices + np.array([5, 0, 0])]
    lines += [f"f {a + 1} {b + 1} {c + 1}" for a, b, c in ball.faces]
    path.write_text("\n".join(lines))
    reading = {"points": 3000, "resolution": 16}
    return Example(path, Shape.open(path, reading), (500,), (100,), (400,), reading, tolerance=1e-4, cut=False)


EXAMPLES: dict[str, Callable[[Path], Example]] = {
    "audio": _audio, "image": _image, "shape": _shape, "sphere": _sphere, "video": _video, "volume": _volume,
}  # fmt: skip


@pytest.fixture(params=SIGNALS.names())
def example(request, tmp_path_factory):
    """An example of every registered modality; a modality without one fails."""
    return EXAMPLES[request.param](tmp_path_factory.mktemp(request.param))


@pytest.fixture(params=[name for name in SIGNALS.names() if not SIGNALS[name].scattered])
def gridded(request, tmp_path_factory):
    """An example of every modality whose files give samples on a grid."""
    return EXAMPLES[request.param](tmp_path_factory.mktemp(request.param))


@pytest.fixture(scope="session")
def film():
    """Makes (frames, height, width, 3) uint8: a window that moves over a photograph."""
    photo = data.astronaut()

    def make(frames=8, height=48, width=64):
        starts = [(100 + 2 * number, 150 + 3 * number) for number in range(frames)]
        return np.stack([photo[row : row + height, column : column + width] for row, column in starts])

    return make


@pytest.fixture(scope="session")
def encoded():
    """Writes frames with an encoder of one's choice, as other programs would."""
    import av

    def write(path, frames, codec, pixels="yuv420p", rate=25, **options):
        with av.open(str(path), "w") as container:
            stream = container.add_stream(codec, rate, {name: str(value) for name, value in options.items()})
            stream.width, stream.height, stream.pix_fmt = frames.shape[2], frames.shape[1], pixels
            for picture in frames:
                container.mux(stream.encode(av.VideoFrame.from_ndarray(picture)))
            container.mux(stream.encode(None))
        return path

    return write
