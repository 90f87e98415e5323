import numpy as np
import pytest

from ecop.cli.render import parse_region, parse_shape
from ecop.core.errors import InvalidSetting
from ecop.fit.fitted import Fitted
from ecop.signals import Image


@pytest.fixture
def field(tiny, picture, tmp_path):
    path = tmp_path / "field.safetensors"
    tiny.fit(picture(tmp_path / "a.png", (12, 16))).save(path)
    return path


def test_at_its_own_size(ecop, field, tmp_path):
    result = ecop("render", field, "-o", "x.png", "--json")
    assert result.document["shape"] == [12, 16]
    assert result.document["bytes"] == (tmp_path / "x.png").stat().st_size
    assert np.abs(Image.read("x.png").values - Fitted.load(field).render().values).max() <= 0.5 / 255 + 1e-6


@pytest.mark.parametrize(
    ("arguments", "size"),
    [
        (["--scale", "2.5"], (30, 40)),
        (["--shape", "20x10"], (20, 10)),
        (["--region", "0.5,0,1,1"], (12, 8)),
        (["--region", "0.5,0.5,1,1", "--scale", "4"], (24, 32)),
        (["--region", "0.5,0.5,1,1", "--shape", "7×9"], (7, 9)),
    ],
)
def test_other_sizes_and_parts(ecop, field, arguments, size):
    assert ecop("render", field, "-o", "x.png", *arguments).code == 0
    assert Image.read("x.png").shape == size


def test_a_region_is_the_part_of_the_whole(ecop, field):
    ecop("render", field, "-o", "all.png")
    ecop("render", field, "-o", "part.png", "--region", "0.25,0.5,1,1")
    whole, part = (Image.read(name).values for name in ("all.png", "part.png"))
    assert np.abs(whole[6:, 4:] - part).max() <= 1.01 / 255


@pytest.mark.parametrize("text", ["-5x10", "0x4", "4.5x3", "x", "", "axb", "nan"])
def test_shapes_that_are_none(text):
    with pytest.raises(InvalidSetting, match="whole numbers above 0"):
        parse_shape(text)


@pytest.mark.parametrize("text", ["0,0,1", "0,0,1,2", "0.5,0,0.5,1", "-0.1,0,1,1", "a,b,c,d", "0,0,nan,1", "1,1,0,0"])
def test_regions_that_are_none(text):
    with pytest.raises(InvalidSetting, match="fractions"):
        parse_region(text)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--shape", "-5x10"], "--shape = '-5x10' is not usable"),
        (["--shape", "10"], "2 numbers"),
        (["--scale", "-1"], "a factor above 0"),
        (["--scale", "nan"], "a factor above 0"),
        (["--scale", "2", "--shape", "4x4"], "one of the two"),
        (["--shape", "1000000x1000000"], "ECOP_MAX_RENDER_PIXELS"),
        (["--scale", "1e9"], "ECOP_MAX_RENDER_PIXELS"),
    ],
)
def test_refused(refused, field, arguments, words):
    assert words in refused("render", field, "-o", "x.png", *arguments)


def test_the_limit_can_be_raised_and_lowered(ecop, refused, field, monkeypatch):
    monkeypatch.setenv("ECOP_MAX_RENDER_PIXELS", "100")
    assert "over the limit of 100 pixels" in refused("render", field, "-o", "x.png")
    monkeypatch.setenv("ECOP_MAX_RENDER_PIXELS", "192")
    assert ecop("render", field, "-o", "x.png").code == 0


def test_suffixes_and_existing_files(refused, field, tmp_path):
    assert "choose one of: .png" in refused("render", field, "-o", "x.safetensors")
    (tmp_path / "x.png").write_text("mine")
    assert "replace it with -y" in refused("render", field, "-o", "x.png")


def test_an_initialisation_is_no_picture(refused, init):
    assert "holds an initialisation, not a fitted field" in refused("render", init, "-o", "x.png")
