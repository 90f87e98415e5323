import av
import numpy as np
import pytest
from PIL import Image as Pillow

from ecop.core.errors import CannotWrite
from ecop.metrics.psnr import psnr
from ecop.signals import Video


def smooth(frames=6, height=32, width=48):
    """Smooth and grey, so that colours at half resolution lose nothing."""
    times, rows, columns = np.meshgrid(np.arange(frames), np.arange(height), np.arange(width), indexing="ij")
    waves = 0.5 + 0.4 * np.sin(0.3 * times + 0.15 * rows) * np.cos(0.1 * columns)
    return Video.assemble(waves[..., None].repeat(3, -1), {"rate": 25.0})


@pytest.mark.parametrize(
    ("suffix", "least"), [(".mp4", 45), (".m4v", 45), (".mov", 45), (".webm", 40), (".mkv", np.inf), (".gif", 35)]
)
def test_what_is_written_comes_back(suffix, least, tmp_path):
    video = smooth().stored()
    video.write(tmp_path / f"a{suffix}")
    back = Video.read(tmp_path / f"a{suffix}")
    assert back.shape == video.shape
    assert back.rate == 25
    assert psnr(video.values, back.values) >= least
    assert [path.name for path in tmp_path.iterdir()] == [f"a{suffix}"]


@pytest.mark.parametrize("colour", [(0.9, 0.2, 0.1), (0.1, 0.7, 0.3), (0.2, 0.3, 0.9), (1, 1, 1), (0, 0, 0)])
@pytest.mark.parametrize("suffix", [".mp4", ".webm", ".gif"])
def test_colours_survive(colour, suffix, tmp_path):
    values = np.array(np.broadcast_to(np.array(colour, np.float32), (4, 32, 32, 3)))
    values[::2, 0, 0] = 0.5  # or a GIF would be one frame that lasts longer
    Video.assemble(values, {"rate": 10.0}).write(tmp_path / f"a{suffix}")
    back = Video.read(tmp_path / f"a{suffix}")
    assert back.shape == (4, 32, 32)
    np.testing.assert_allclose(back.values.mean(axis=(0, 1, 2)), colour, atol=0.015)


@pytest.mark.parametrize("rate", [30000 / 1001, 24, 12.5, 7.493])
@pytest.mark.parametrize("suffix", [".mp4", ".webm", ".mkv"])
def test_rates_survive(rate, suffix, tmp_path):
    Video.assemble(smooth().values, {"rate": rate}).write(tmp_path / f"a{suffix}")
    assert Video.read(tmp_path / f"a{suffix}").rate == pytest.approx(rate, rel=1e-3)


@pytest.mark.parametrize("rate", [30.0, 12.5, 8.0])
def test_a_gif_lasts_as_long(rate, tmp_path):
    """Its times are hundredths of a second; rounding must not add up."""
    Video.assemble(smooth(13).values, {"rate": rate}).write(tmp_path / "a.gif")
    with Pillow.open(tmp_path / "a.gif") as picture:
        durations = []
        for number in range(picture.n_frames):
            picture.seek(number)
            durations.append(picture.info["duration"])
    assert len(durations) == 13
    assert sum(durations) / 1000 == pytest.approx(13 / rate, abs=0.0051)


def test_odd_sizes(film, tmp_path):
    """H.264 has none, so the last row or column is repeated; the others keep the size."""
    video = Video.assemble(film(4, 33, 47) / 255, {})
    for suffix, size in {".mp4": (34, 48), ".webm": (33, 47), ".mkv": (33, 47), ".gif": (33, 47)}.items():
        video.write(tmp_path / f"a{suffix}")
        assert Video.read(tmp_path / f"a{suffix}").shape == (4, *size)
    np.testing.assert_array_equal(Video.read(tmp_path / "a.mkv").values, video.stored().values)


def test_an_mp4_is_what_players_expect(tmp_path):
    smooth().write(tmp_path / "a.mp4")
    with av.open(str(tmp_path / "a.mp4")) as container:
        codec = container.streams.video[0].codec_context
        assert (codec.name, codec.pix_fmt) == ("h264", "yuv420p")
        assert (codec.colorspace, codec.color_range) == (1, 1)  # BT.709, limited


def test_grey_and_missing_frames(tmp_path):
    values = smooth().values[..., :1].copy()
    values[4:] = np.nan
    Video(values, {"rate": 25.0}).write(tmp_path / "a.mkv")
    back = Video.read(tmp_path / "a.mkv").values
    np.testing.assert_allclose(back[:4], values[:4].repeat(3, -1), atol=0.51 / 255)
    assert np.all(back[4:] == 0)


@pytest.mark.parametrize("suffix", [".mp4", ".gif", ".png"])
def test_strips_are_the_whole(suffix, tmp_path):
    video = smooth(7)
    video.write(tmp_path / f"a{suffix}")
    strips = (video.values[a:b] for a, b in [(0, 3), (3, 4), (4, 7)])
    Video.write_strips(tmp_path / f"b{suffix}", strips, video.shape, 3, video.about)
    assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


def test_a_sheet_shows_frames_in_order(tmp_path):
    values = np.broadcast_to((np.arange(100) / 100)[:, None, None, None], (100, 4, 6, 3))
    Video.assemble(values, {}).write(tmp_path / "a.png")
    with Pillow.open(tmp_path / "a.png") as picture:
        sheet = np.asarray(picture)
    rows, columns = (sheet.shape[0] + 2) // 6, (sheet.shape[1] + 2) // 8
    assert (rows, columns) == (6, 4)
    shown = sheet[::6, ::8, 0].ravel()
    np.testing.assert_allclose(shown, np.linspace(0, 99, 24).round() * 2.55, atol=0.51)


@pytest.mark.parametrize(("name", "words"), [("a.mpg", "'.mpg' is not a suffix of a video"), ("a", "has no suffix")])
def test_suffixes_that_are_none(name, words, tmp_path):
    with pytest.raises(CannotWrite, match=words + r".*choose one of: .mp4, .m4v, .mov, .webm, .mkv, .gif, .png"):
        smooth().write(tmp_path / name)


def test_what_the_encoder_refuses(tmp_path):
    """A side of more pixels than H.264 has; what was there stays."""
    (tmp_path / "a.mp4").write_text("mine")
    with pytest.raises(CannotWrite, match=r"the encoder failed .*choose another size or format") as caught:
        Video.assemble(np.zeros((2, 2, 40_000, 3)), {}).write(tmp_path / "a.mp4")
    assert "\n" not in str(caught.value)
    assert (tmp_path / "a.mp4").read_text() == "mine"
    assert len(list(tmp_path.iterdir())) == 1
