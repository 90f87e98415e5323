"""A small film through every verb: fit, render at another rate and size, info, eval; bad settings in one line."""

import numpy as np
import pytest

from ecop.core.recipe import Recipe
from ecop.fit.initialisation import Initialisation
from ecop.fit.settings import resolved_fit
from ecop.signals import Video

RECIPE = """
name = "tiny-video"
signal = "video"
[field]
name = "siren"
width = 8
depth = 3
[learner]
name = "ecop"
keep = 0.25
inner_steps = 2
[data]
size = [4, 12, 16]
[fit]
steps = 3
"""


@pytest.fixture
def folder(tmp_path):
    """Ten and three frames of 24×32, smooth and grey."""
    times, rows, columns = np.meshgrid(np.arange(10), np.arange(24), np.arange(32), indexing="ij")
    waves = 0.5 + 0.4 * np.sin(0.3 * times + 0.2 * rows) * np.cos(0.15 * columns)
    (tmp_path / "films").mkdir()
    film = Video.assemble(waves[..., None].repeat(3, -1), {"rate": 10.0})
    film.write(tmp_path / "films" / "long.mp4")
    film.block((0, 0, 0), (3, 24, 32)).write(tmp_path / "films" / "short.mkv")
    return tmp_path / "films"


@pytest.fixture
def start(tmp_path):
    recipe = Recipe.from_toml(RECIPE)
    Initialisation.random(recipe, resolved_fit(recipe)).save(tmp_path / "start.safetensors")
    return tmp_path / "start.safetensors"


def test_fit_render_info_and_eval(ecop, folder, start, tmp_path):
    (fitted,) = ecop("fit", start, folder / "long.mp4", "-o", "long.safetensors", "--json").document
    assert (fitted["shape"], fitted["resampled_from"], fitted["fields"]) == ([10, 12, 16], [10, 24, 32], 3)
    assert set(fitted["metrics"]) == {"psnr", "ssim"}
    assert ecop("info", "long.safetensors", "--json").document

    assert ecop("render", "long.safetensors", "-o", "slow.mp4", "--shape", "40x24x32").code == 0
    slow = Video.read("slow.mp4")
    assert (slow.shape, slow.rate) == ((40, 24, 32), 40)
    assert ecop("render", "long.safetensors", "-o", "part.gif", "--region", "0,0,0.5,1,1,1").code == 0
    part = Video.read("part.gif")
    assert (part.shape, part.rate) == ((5, 12, 16), 10)
    assert ecop("render", "long.safetensors", "-o", "sheet.png", "--scale", "2").code == 0

    results = ecop("eval", start, "--data", folder, "--json").document
    assert {file["file"] for file in results["files"]} == {"long.mp4", "short.mkv"}
    assert all(np.isfinite(file["psnr"]) for file in results["files"])


def test_reading_settings_choose_what_is_fitted(ecop, folder, start):
    settings = ("--read", "start=2", "--read", "frames=4", "--read", "step=2", "--read", "height=12")
    (fitted,) = ecop("fit", start, folder / "long.mp4", "-o", "a.safetensors", "--json", *settings).document
    assert (fitted["shape"], fitted["resampled_from"], fitted["fields"]) == ([4, 12, 16], None, 1)
    ecop("render", "a.safetensors", "-o", "a.mkv")
    assert Video.read("a.mkv").rate == 5


def test_a_folder_of_frames_is_one_signal(ecop, folder, start, picture, tmp_path):
    for number in range(4):
        picture(tmp_path / "frames" / f"{number}.png", (12, 16), seed=number)
    (fitted,) = ecop("fit", start, tmp_path / "frames", "-o", "a.safetensors", "--json").document
    assert fitted["shape"] == [4, 12, 16]


def test_bad_input(refused, folder, start, tmp_path):
    assert "no setting for reading video files 'heigt' (did you mean 'height'?)" in refused(
        "fit", start, folder / "long.mp4", "-o", "a.safetensors", "--read", "heigt=12"
    )
    assert "a fitted field is no video" in refused("fit", start, folder / "long.mp4", "-o", "a.mp4")
    (tmp_path / "list.mp4").write_text(f"ffconcat version 1.0\nfile '{folder / 'long.mp4'}'\n")
    line = refused("fit", start, tmp_path / "list.mp4", "-o", "a.safetensors")
    assert "list.mp4: the content is not what .mp4 files hold" in line


def test_settings_of_another_type_are_one_line(process, folder, start):
    result = process("fit", start, folder / "long.mp4", "-o", folder / "a.safetensors", "--read", "frames=2.5")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == "ecop: frames = 2.5 is not usable: expected a whole number of at least 2\n"
