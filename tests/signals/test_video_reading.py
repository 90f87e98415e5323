import shutil
import subprocess
from fractions import Fraction

import av
import numpy as np
import pytest
from PIL import Image as Pillow

from ecop.core.errors import InvalidSetting
from ecop.metrics.psnr import psnr
from ecop.signals import Video
from ecop.signals.video_sequences import is_sequence

FORMATS = {
    "a.mp4": ("libx264", "yuv420p", {"crf": 4}),
    "a.mov": ("libx264", "yuv444p", {"crf": 4}),
    "a.m4v": ("mpeg4", "yuv420p", {"qmin": 1, "qmax": 1}),
    "a.mkv": ("ffv1", "yuv444p", {}),
    "a.webm": ("libvpx-vp9", "yuv444p", {"lossless": 1}),
    "b.webm": ("libvpx", "yuv420p", {"crf": 4, "b": 4_000_000}),
    "a.avi": ("mjpeg", "yuvj444p", {"qmin": 1, "qmax": 1}),
    "b.avi": ("mpeg4", "yuv420p", {"qmin": 1, "qmax": 1}),
}


@pytest.mark.parametrize("name", FORMATS)
def test_formats(name, film, encoded, tmp_path):
    """The colours come back, up to what the encoder lost; half-resolution colours lose more on this photograph."""
    codec, pixels, options = FORMATS[name]
    video = Video.read(encoded(tmp_path / name, film(), codec, pixels, **options))
    assert video.shape == (8, 48, 64)
    assert video.rate == pytest.approx(25)
    assert video.source == name
    assert video.values.dtype == np.float32
    assert psnr(film() / 255, video.values) > (31 if "420" in pixels else 38)


def test_gif(film, tmp_path):
    frames = [Pillow.fromarray(frame) for frame in film()]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:], duration=40, loop=0)
    video = Video.read(tmp_path / "a.gif")
    assert video.shape == (8, 48, 64)
    assert video.rate == 25
    assert psnr(film() / 255, video.values) > 30


def test_a_folder_of_pictures(film, tmp_path):
    for number, frame in enumerate(film(12)):
        Pillow.fromarray(frame).save(tmp_path / f"f{number}.png")  # f10 comes behind f9
    (tmp_path / "notes.txt").write_text("not a frame")
    video = Video.read(tmp_path)
    np.testing.assert_array_equal(np.rint(video.values * 255), film(12))
    assert video.rate == 25
    part = Video.read(tmp_path, start=1, step=3, frames=3, height=24)
    assert part.shape == (3, 24, 32)
    assert part.rate == pytest.approx(25 / 3)
    shrunk = np.asarray(Pillow.fromarray(film(12)[4]).reduce(2))
    np.testing.assert_allclose(part.values[1] * 255, shrunk, atol=1.01)


def test_grey_and_deep_pictures_become_eight_bits_of_colour(tmp_path):
    rng = np.random.default_rng(0)
    deep = rng.integers(0, 65536, (3, 6, 8)).astype(np.uint16)
    for number, frame in enumerate(deep):
        Pillow.fromarray(frame).save(tmp_path / f"{number:03}.png")
    values = Video.read(tmp_path).values
    assert values.shape == (3, 6, 8, 3)
    np.testing.assert_allclose(values, np.repeat(deep[..., None] / 65535, 3, -1), atol=0.51 / 255)


@pytest.mark.parametrize(
    ("names", "one"),
    [
        (["1.jpg", "2.jpg"], True),
        (["frame-0001.PNG", "frame-0003.png", ".hidden"], True),
        (["1.jpg"], False),
        (["1.jpg", "2.png"], False),
        (["cat.jpg", "dog.jpg"], False),
        (["1.jpg", "2.jpg", "film.mp4"], False),
        (["1.gif", "2.gif"], False),
        ([], False),
    ],
)
def test_which_folders_are_one_video(names, one):
    assert is_sequence(names, Video.suffixes) is one


def test_frames_that_are_wanted(film, encoded, tmp_path):
    path = encoded(tmp_path / "a.mkv", film(10), "ffv1", "yuv444p", rate=30)
    whole = Video.read(path)
    part = Video.read(path, start=1, frames=3, step=2)
    np.testing.assert_array_equal(part.values, whole.values[1:7:2])
    assert part.rate == 15
    assert len(Video.read(path, frames=99).values) == 10


def test_height_shrinks_by_area_and_never_enlarges(film, encoded, tmp_path):
    path = encoded(tmp_path / "a.mkv", film(), "ffv1", "yuv444p")
    whole, half = Video.read(path), Video.read(path, height=24)
    assert half.shape == (8, 24, 32)
    means = whole.values.reshape(8, 24, 2, 32, 2, 3).mean(axis=(2, 4))
    np.testing.assert_allclose(half.values, means, atol=2.5 / 255)
    assert Video.read(path, height=100).shape == whole.shape
    assert Video.read(path, height=2).shape == (8, 2, 3)


@pytest.mark.parametrize("setting", [{"start": -1}, {"frames": 1}, {"step": 0}, {"height": 1}, {"step": True}])
def test_settings_out_of_range(setting, tmp_path):
    with pytest.raises(InvalidSetting, match=f"{next(iter(setting))} = .* a whole number of at least"):
        Video.open(tmp_path / "any.mp4", setting)


def test_a_gap_in_the_times_holds_the_frame_before_it(film, tmp_path):
    """Four frames at the ticks 0, 1, 4 and 5 of a clock of ten a second."""
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", 10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv444p"
        for tick, pixels in zip((0, 1, 4, 5), film(4), strict=True):
            frame = av.VideoFrame.from_ndarray(pixels)
            frame.pts, frame.time_base = tick, Fraction(1, 10)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    video = Video.read(path)
    assert video.rate == 10
    assert len(video.values) == 6
    np.testing.assert_array_equal(video.values[2], video.values[1])
    np.testing.assert_array_equal(video.values[3], video.values[1])
    assert psnr(film(4)[2] / 255, video.values[4]) > 38


needs_ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="no ffmpeg on the path")


def by_ffmpeg(path, shape):
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    return np.frombuffer(subprocess.run(command, capture_output=True, check=True).stdout, np.uint8).reshape(*shape, 3)


@needs_ffmpeg
@pytest.mark.parametrize("name", FORMATS)
def test_pixels_are_those_of_ffmpeg(name, film, encoded, tmp_path):
    codec, pixels, options = FORMATS[name]
    video = Video.read(encoded(tmp_path / name, film(), codec, pixels, **options))
    np.testing.assert_allclose(np.rint(video.values * 255), by_ffmpeg(tmp_path / name, video.shape), atol=1)


@needs_ffmpeg
@pytest.mark.parametrize("turn", ["-display_rotation 90", "-display_rotation 180", "-display_rotation 270",
                                  "-display_hflip", "-display_vflip"])  # fmt: skip
def test_rotation_is_that_of_ffmpeg(turn, film, encoded, tmp_path):
    path = encoded(tmp_path / "a.mp4", film(), "libx264")
    command = ["ffmpeg", "-v", "error", *turn.split(), "-i", path, "-c", "copy", tmp_path / "turned.mp4"]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("this ffmpeg cannot write such a file")
    video = Video.read(tmp_path / "turned.mp4")
    assert video.shape == ((8, 64, 48) if "90" in turn or "270" in turn else (8, 48, 64))
    np.testing.assert_allclose(np.rint(video.values * 255), by_ffmpeg(tmp_path / "turned.mp4", video.shape), atol=1)


def test_rotation_without_ffmpeg(film, encoded, tmp_path):
    """The matrix in an MP4's track header is a quarter turn to the right: columns run down."""
    path = encoded(tmp_path / "a.mp4", film(), "libx264")
    before = Video.read(path)
    content = bytearray(path.read_bytes())
    place = content.index(b"tkhd") + 4 + 40  # version, flags and 36 bytes of times, layer and volume
    upright = b"".join(n.to_bytes(4, "big") for n in (65536, 0, 0, 0, 65536, 0, 0, 0, 2**30))
    assert content[place : place + 36] == upright
    turned = (0, 65536, 0, 2**32 - 65536, 0, 0, 48 * 65536, 0, 2**30)
    content[place : place + 36] = b"".join(n.to_bytes(4, "big") for n in turned)
    path.write_bytes(content)
    np.testing.assert_array_equal(Video.read(path).values, np.rot90(before.values, -1, (1, 2)))
    assert Video.read(path, height=32).shape == (8, 32, 24)


@pytest.mark.parametrize("matrix", [1, 6])  # BT.709 and BT.601
@pytest.mark.parametrize("full", [True, False])
def test_colour_matrix_and_range_are_honoured(matrix, full, tmp_path):
    """A flat colour from its equations: Y = k_r R + k_g G + k_b B, (B − Y) / (2 − 2 k_b), (R − Y) / (2 − 2 k_r)."""
    colour = np.array([0.8, 0.4, 0.2])
    red, blue = (0.2126, 0.0722) if matrix == 1 else (0.299, 0.114)
    luma = colour @ [red, 1 - red - blue, blue]
    signs = np.array([luma, (colour[2] - luma) / (2 - 2 * blue), (colour[0] - luma) / (2 - 2 * red)])
    planes = signs * 255 + [0, 128, 128] if full else signs * [219, 224, 224] + [16, 128, 128]
    pixels = np.broadcast_to(np.rint(planes).astype(np.uint8)[:, None, None], (3, 16, 16))
    frame = av.VideoFrame.from_ndarray(pixels.copy(), "yuv444p", channel_last=False)
    with av.open(str(tmp_path / "a.mkv"), "w") as container:
        stream = container.add_stream("libx264", 25, {"qp": "0"})
        stream.width, stream.height, stream.pix_fmt = 16, 16, "yuv444p"
        stream.codec_context.colorspace, stream.codec_context.color_range = matrix, 2 if full else 1
        frame.colorspace, frame.color_range = matrix, 2 if full else 1
        for number in range(3):
            frame.pts, frame.time_base = number, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    np.testing.assert_allclose(
        Video.read(tmp_path / "a.mkv").values, np.broadcast_to(colour, (3, 16, 16, 3)), atol=0.01
    )
