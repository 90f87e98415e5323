"""Files that are no video, cut, damaged, of one frame, playlists, or far too large: one clear line each."""

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow

from ecop.core.errors import BadInput, TooLarge
from ecop.signals import Video

SUFFIXES = [".mp4", ".webm", ".mkv", ".gif", ".avi"]


@pytest.fixture(scope="module")
def contents(film, encoded, tmp_path_factory):
    """The bytes of a film of eight frames by suffix."""
    folder = tmp_path_factory.mktemp("whole")
    for suffix in SUFFIXES[:-1]:
        Video.assemble(film() / 255, {"rate": 25.0}).write(folder / f"a{suffix}")
    encoded(folder / "a.avi", film(), "mpeg4", qmin=1, qmax=1)
    return {suffix: (folder / f"a{suffix}").read_bytes() for suffix in SUFFIXES}


def refused(path, words, **reading):
    with pytest.raises(BadInput, match=words) as caught:
        Video.read(path, **reading)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_playlists_that_name_other_files_are_refused(contents, tmp_path):
    """What FFmpeg itself would follow: the film beside them is read, but not through them."""
    film = tmp_path / "film.mp4"
    film.write_bytes(contents[".mp4"])
    assert Video.read(film).shape == (8, 48, 64)
    lists = {
        "concat": f"ffconcat version 1.0\nfile '{film}'\n",
        "m3u8": f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile://{film}\n#EXT-X-ENDLIST\n",
        "dash": f'<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><BaseURL>file://{film}</BaseURL></MPD>',
        "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n",
    }
    for suffix in [*SUFFIXES, ".mov", ""]:
        for name, text in lists.items():
            path = tmp_path / f"{name}{suffix}"
            path.write_text(text)
            refused(path, r"the content is not|damaged or truncated|truncated video")


def test_the_suffix_must_say_what_it_is(contents, tmp_path):
    for suffix, other in [(".avi", ".mp4"), (".mp4", ".webm"), (".mkv", ".gif"), (".gif", ".avi")]:
        path = tmp_path / f"a{suffix}"
        path.write_bytes(contents[other])
        refused(path, f"the content is not what {suffix} files hold, or damaged; give an MP4")
    (tmp_path / "unnamed").write_bytes(contents[".mkv"])
    assert Video.read(tmp_path / "unnamed").shape == (8, 48, 64)


def test_files_without_a_video(film, tmp_path):
    with av.open(str(tmp_path / "sound.mp4"), "w") as container:
        stream = container.add_stream("aac", 16000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        frame.rate = 16000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    refused(tmp_path / "sound.mp4", "it holds sound, but no video")
    Video.assemble(film(1) / 255, {}).write(tmp_path / "one.mp4")
    refused(tmp_path / "one.mp4", "it has 1 frame; give at least 2")
    Pillow.fromarray(film(1)[0]).save(tmp_path / "still.gif")
    refused(tmp_path / "still.gif", "it has 1 frame; give at least 2")
    (tmp_path / "text.mp4").write_text("no video, but long enough to look at " * 99)
    refused(tmp_path / "text.mp4", "the content is not what .mp4 files hold")
    (tmp_path / "empty.mp4").touch()
    refused(tmp_path / "empty.mp4", r"the file is empty \(0 bytes\)")


def test_cuts_that_leave_nothing(contents, tmp_path):
    path = tmp_path / "a.mp4"
    path.write_bytes(contents[".mp4"])
    refused(path, "start=99 and step=1 leave 0 of its 8 frames; choose smaller", start=99)
    refused(path, "start=0 and step=8 leave 1 of its 8 frames", step=8)


def test_folders_that_are_no_video(film, tmp_path):
    refused(tmp_path, "no numbered pictures of one name and suffix; name them as in frame-001.png")
    for number, frame in enumerate(film(3)):
        Pillow.fromarray(frame).save(tmp_path / f"{number}.png")
    refused(tmp_path, "start=5 and step=1 leave 0 of its 3 frames", start=5)
    Pillow.fromarray(film(1)[0][:-2]).save(tmp_path / "1.png")
    with pytest.raises(BadInput, match=r"1\.png: 46×64 pixels, the others 48×64; give frames of one size"):
        Video.read(tmp_path)
    (tmp_path / "1.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(BadInput, match=r"1\.png: damaged or truncated image"):
        Video.read(tmp_path)


@pytest.mark.parametrize("suffix", SUFFIXES)
@settings(max_examples=40)
@given(share=st.floats(0, 1, exclude_max=True))
def test_a_file_cut_anywhere_is_refused(contents, tmp_path_factory, suffix, share):
    content = contents[suffix]
    path = tmp_path_factory.mktemp("cut") / f"a{suffix}"
    path.write_bytes(content[: int(share * len(content))])
    refused(path, "truncated|empty|the content is not")


@pytest.mark.parametrize("suffix", SUFFIXES)
@settings(max_examples=40)
@given(place=st.floats(0, 1, exclude_max=True), value=st.integers(0, 255))
def test_a_damaged_byte_raises_nothing_but_our_errors(contents, tmp_path_factory, suffix, place, value):
    content = bytearray(contents[suffix])
    content[int(place * len(content))] = value
    path = tmp_path_factory.mktemp("damaged") / f"a{suffix}"
    path.write_bytes(content)
    try:
        values = Video.read(path).values
    except (BadInput, TooLarge) as error:
        assert "\n" not in str(error)
        return
    assert np.isfinite(values).all()


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_limit_names_the_settings_that_read_less(contents, tmp_path, suffix, monkeypatch):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(contents[suffix])
    monkeypatch.setenv("ECOP_MAX_PIXELS", str(5 * 48 * 64))
    with pytest.raises(TooLarge, match=r"read less with --read height=256 or --read frames=64, or set ECOP_MAX_PIXELS"):
        Video.read(path)
    assert Video.read(path, frames=5).shape == (5, 48, 64)
    assert Video.read(path, height=24).shape == (8, 24, 32)


def test_a_frame_above_the_limit_is_never_decoded(film, encoded, tmp_path, monkeypatch):
    path = encoded(tmp_path / "a.mp4", film(3, 128, 160), "libx264")
    monkeypatch.setenv("ECOP_MAX_PIXELS", str(128 * 160 - 1))
    with pytest.raises(TooLarge, match="3×128×160 = 61440 pixels"):
        Video.read(path)
