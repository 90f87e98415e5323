"""Small pictures in a terminal: which way is taken, and that what is written holds the picture."""

import base64
import io
import re
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from ecop.cli.inline_picture import COLUMNS, ROWS, cells, drawn, thumbnail, way_to_draw
from ecop.cli.terminal import Pace, Terminal
from ecop.core.errors import UnknownName

TRUE = {"TERM": "xterm-256color", "COLORTERM": "truecolor"}


@pytest.mark.parametrize(
    ("environment", "way"),
    [
        ({"TERM": "xterm-kitty"}, "kitty"),
        ({"TERM": "xterm-256color", "KITTY_WINDOW_ID": "1"}, "kitty"),
        ({**TRUE, "TERM_PROGRAM": "WezTerm"}, "kitty"),
        ({**TRUE, "TERM_PROGRAM": "iTerm.app"}, "iterm"),
        ({**TRUE, "LC_TERMINAL": "iTerm2"}, "iterm"),
        ({"TERM": "foot"}, "sixel"),
        (TRUE, "blocks"),
        ({**TRUE, "COLORTERM": "24bit"}, "blocks"),
        ({"TERM": "xterm-256color"}, None),
        ({"TERM": "dumb", "COLORTERM": "truecolor"}, None),
        ({}, None),
        ({**TRUE, "TERM_PROGRAM": "iTerm.app", "NO_COLOR": ""}, None),
        ({**TRUE, "TMUX": "/tmp/x", "KITTY_WINDOW_ID": "1"}, "blocks"),
        ({"TERM": "screen-256color", "KITTY_WINDOW_ID": "1"}, None),
        ({"TERM": "xterm-256color", "ECOP_PICTURE": "sixel"}, "sixel"),
        ({"TERM": "xterm-kitty", "ECOP_PICTURE": "off"}, None),
        ({"TERM": "xterm-kitty", "ECOP_PICTURE": "off", "NO_COLOR": "1"}, None),
    ],
)
def test_the_environment_alone_says_how(environment, way):
    assert way_to_draw(environment, is_terminal=True) == way
    assert way_to_draw(environment, is_terminal=False) is None


def test_an_unknown_way_is_named():
    with pytest.raises(UnknownName, match=r"ECOP_PICTURE.*'kity'.*did you mean 'kitty'"):
        way_to_draw({**TRUE, "ECOP_PICTURE": "kity"}, is_terminal=True)


@given(st.integers(1, 3000), st.integers(1, 3000), st.integers(1, 300))
def test_pictures_fit_and_keep_their_proportions(height, wide, width):
    columns, rows = cells((height, wide), width)
    assert 1 <= columns <= min(width, COLUMNS)
    assert 1 <= rows <= ROWS
    assert rows - 1 <= columns * height / wide / 2 or rows == 1
    assert columns * height / wide / 2 <= rows + 1 or rows == ROWS


@pytest.fixture
def four():
    """Four fields: red and green above, blue and white below."""
    colours = np.array([[[1, 0, 0], [0, 1, 0]], [[0, 0, 1], [1, 1, 1]]], float)
    return colours.repeat(20, 0).repeat(20, 1)


def corners(pixels):
    return [tuple(np.asarray(pixels)[row, column].tolist()) for row in (0, -1) for column in (0, -1)]


CORNERS = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)]


def test_kitty_gets_a_png_in_parts(four):
    noise = np.random.default_rng(0).uniform(size=(256, 256, 3))
    for shown, fewest in ((four, 1), (noise, 2)):
        parts = re.findall(r"\x1b_G([^;]*);([^\x1b]*)\x1b\\", drawn(shown, "kitty", 80))
        assert len(parts) >= fewest
        assert parts[0][0].startswith("a=T,f=100,q=2,c=32,r=16,")
        assert [keys[-3:] for keys, _ in parts] == ["m=1"] * (len(parts) - 1) + ["m=0"]
        assert all(len(part) <= 4096 for _, part in parts)
        image = Image.open(io.BytesIO(base64.b64decode("".join(part for _, part in parts))))
        assert max(image.size) <= 512
    assert corners(Image.open(io.BytesIO(base64.b64decode(drawn(four, "kitty", 80).split(";")[1][:-3])))) == CORNERS


def test_iterm_gets_a_png(four):
    keys, content = re.fullmatch(r"\x1b\]1337;File=([^:]*):([^\a]*)\a\n", drawn(four, "iterm", 80)).groups()
    assert keys == "inline=1;width=32;height=16"
    assert corners(Image.open(io.BytesIO(base64.b64decode(content)))) == CORNERS


def test_sixel_holds_every_pixel(four):
    written = drawn(four, "sixel", 80)
    head, body = re.fullmatch(r'\x1bP0;1;0q"1;1;(\d+;\d+)((?:#\d+;2;\d+;\d+;\d+)*.*)\x1b\\\n', written).groups()
    width, height = map(int, head.split(";"))
    assert (width, height) == (256, 256)
    colours = {n: rgb.split(";") for n, rgb in re.findall(r"#(\d+);2;([\d;]+)", body)}
    pixels, filled = np.zeros((height + 6, width, 3), int), np.zeros((height + 6, width), int)
    for number, band in enumerate(re.sub(r"#\d+;2;[\d;]+", "", body).split("-")[:-1]):
        for colour, run in re.findall(r"#(\d+)([^$]*)\$", band):
            bits = "".join(letter * int(count or 1) for count, letter in re.findall(r"(?:!(\d+))?([?-~])", run))
            assert len(bits) == width
            for column, letter in enumerate(bits):
                for row in range(6):
                    if (ord(letter) - 63) >> row & 1:
                        pixels[6 * number + row, column] = [int(c) for c in colours[colour]]
                        filled[6 * number + row, column] += 1
    assert (filled[:height] == 1).all()
    assert not filled[height:].any()
    assert corners(pixels[:height]) == [tuple(round(c / 2.55) for c in corner) for corner in CORNERS]


def test_blocks_have_two_pixels_a_letter(four):
    lines = drawn(four, "blocks", 40).splitlines()
    assert len(lines) == 16
    assert all(line.count("▀") == 32 and line.endswith("\x1b[0m") for line in lines)
    assert lines[0].startswith("\x1b[38;2;255;0;0;48;2;255;0;0m▀")
    assert "\x1b[38;2;255;255;255;48;2;255;255;255m▀\x1b[0m" in lines[-1]


class Screen(io.TextIOWrapper):
    """A standard output that says that it is a terminal."""

    def __init__(self, encoding="utf-8"):
        super().__init__(io.BytesIO(), encoding)

    def isatty(self):
        return True

    def seen(self):
        self.flush()
        return self.buffer.getvalue().decode(self.encoding)


def shown(monkeypatch, environment, screen=None, **modes):
    """What a terminal shows of a picture, and whether the picture was made."""
    screen, made = screen or Screen(), []
    with monkeypatch.context() as patch:
        for name in ("NO_COLOR", "TMUX", "STY", "COLORTERM", "TERM_PROGRAM", "LC_TERMINAL", "KITTY_WINDOW_ID"):
            patch.delenv(name, raising=False)
        for name, value in environment.items():
            patch.setenv(name, value)
        patch.setattr(sys, "stdout", screen)
        Terminal(**modes).picture(lambda: made.append(1) or np.zeros((8, 8, 3)))
    return screen.seen(), bool(made)


def test_a_terminal_shows_it_and_nothing_else_does(monkeypatch):
    written, made = shown(monkeypatch, TRUE)
    assert made
    assert written.count("\n") == 16
    for modes in ({"json": True}, {"quiet": True}):
        assert shown(monkeypatch, TRUE, **modes) == ("", False)
    assert shown(monkeypatch, {**TRUE, "NO_COLOR": "1"}) == ("", False)
    assert shown(monkeypatch, TRUE, Screen("latin-1")) == ("", False)
    assert shown(monkeypatch, {"TERM": "xterm-kitty"}, Screen("latin-1"))[1]


def test_a_pipe_shows_none(capsys, monkeypatch):
    for name, value in TRUE.items():
        monkeypatch.setenv(name, value)
    Terminal().picture(lambda: pytest.fail("made for nobody"))
    assert capsys.readouterr().out == ""


def test_fit_and_render_end_with_one_unless_told_otherwise(ecop, init, picture, tmp_path, monkeypatch):
    picture(tmp_path / "a.png")
    seen = []
    monkeypatch.setattr(Terminal, "picture", lambda self, make: seen.append(make()))
    assert ecop("fit", init, "a.png", "-o", "a.safetensors").code == 0
    assert ecop("render", "a.safetensors", "-o", "b.png", "--region", "0,0,0.5,0.25").code == 0
    assert ecop("render", "a.safetensors", "-o", "c.png", "--no-picture").code == 0
    assert [shown.shape for shown in seen] == [(16, 16, 3), (32, 64, 3)]
    with Image.open("c.png") as drawing:
        np.testing.assert_allclose(seen[0], np.asarray(drawing) / 255, atol=1 / 255)


def test_a_large_signal_is_thinned_out_and_a_part_is_seen_near(tiny):
    """2¹⁸ samples at most, and no more than 8 for each that was fitted."""

    class Large:
        def __init__(self, shape):
            self.shape, self.asked = shape, []

        def target_grid(self, shape, scale, region):
            return np.empty((8, 8)) if region else np.empty(self.shape, np.bool_)

        def render(self, scale, region):
            self.asked.append(scale)
            return self

        def picture(self):
            return np.zeros((1, 1, 3))

    for shape, region, scale in (((1024, 1024), None, 0.5), ((16, 16), None, 1.0), ((512, 512), (0, 0, 1, 1), 8.0)):
        large = Large(shape)
        thumbnail(large, region)
        assert large.asked == [pytest.approx(scale)]


def test_pace_says_how_much_and_how_fast(monkeypatch):
    import time

    clock = iter([10.0, 12.0, 14.0])
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    pace = Pace("steps")
    assert pace(1, 16) == "1/16 steps"
    assert pace(5, 16) == "5/16 steps · 2 steps/s"
    assert pace(5, None) == "5 steps · 1 steps/s"
    assert Pace("")(3, 4) == ""
