"""A short film to write and read: a window that moves over a photograph."""

import numpy as np
import pytest
from skimage import data


@pytest.fixture(scope="session")
def film():
    """Makes (frames, height, width, 3) uint8."""
    photo = data.astronaut()

    def make(frames=8, height=48, width=64):
        starts = [(100 + 2 * number, 150 + 3 * number) for number in range(frames)]
        return np.stack([photo[row : row + height, column : column + width] for row, column in starts])

    return make


@pytest.fixture(scope="session")
def encoded():
    """Writes frames with an encoder of one's choice, as other programs would."""
    import av

    def write(path, frames, codec, pixels="yuv420p", rate=25, times=None, sound=False, **options):
        with av.open(str(path), "w") as container:
            stream = container.add_stream(codec, rate, {name: str(value) for name, value in options.items()})
            stream.width, stream.height, stream.pix_fmt = frames.shape[2], frames.shape[1], pixels
            for number, pixel in enumerate(frames):
                frame = av.VideoFrame.from_ndarray(pixel)
                if times is not None:
                    frame.pts, frame.time_base = times[number], 1 / stream.codec_context.framerate
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        return path

    return write
