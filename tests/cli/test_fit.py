import json
import math

import numpy as np
import pytest

from ecop.fit.fitted import Fitted
from ecop.signals import Image


def test_one_file(ecop, init, picture, tmp_path):
    picture(tmp_path / "a.png")
    result = ecop("fit", init, "a.png", "-o", "a.safetensors")
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith("a.png → a.safetensors: 3 steps, PSNR ")
    assert "SSIM" in result.out
    assert Fitted.load("a.safetensors").shape == (16, 16)


def test_document(ecop, init, picture, tmp_path):
    """The document's numbers are those of the file, measured here on what it renders."""
    picture(tmp_path / "a.png")
    result = ecop("fit", init, "a.png", "-o", "out.safetensors", "--steps", "2", "--json")
    (entry,) = result.document
    assert {"file", "out", "steps", "psnr", "ssim", "seconds", "bytes"} <= set(entry)
    assert (entry["file"], entry["out"], entry["steps"]) == ("a.png", "out.safetensors", 2)
    assert entry["bytes"] == (tmp_path / "out.safetensors").stat().st_size
    error = Fitted.load("out.safetensors").render().values - Image.read("a.png").values
    assert entry["psnr"] == pytest.approx(-10 * math.log10(np.mean(np.square(error, dtype=float))), abs=1e-3)
    assert entry["resampled_from"] is None


def test_quiet_says_nothing(ecop, init, picture, tmp_path):
    picture(tmp_path / "a.png")
    result = ecop("fit", init, "a.png", "-o", "a.safetensors", "--quiet")
    assert (result.code, result.out, result.err) == (0, "", "")


def test_large_pictures_are_resampled_and_it_says_so(ecop, init, picture, tmp_path):
    picture(tmp_path / "a.png", (32, 64))
    result = ecop("fit", init, "a.png", "-o", "a.safetensors")
    assert "32×64 resampled to 11×23" in result.out
    assert ecop("fit", init, "a.png", "-o", "a.safetensors", "-y", "--json").document[0]["resampled_from"] == [32, 64]


def test_megapixels_in_words(ecop, init, picture, tmp_path):
    picture(tmp_path / "a.png", (1000, 1220))
    result = ecop("fit", init, "a.png", "-o", "a.safetensors")
    assert "1.2 MP resampled to 14×18" in result.out


@pytest.mark.parametrize(("channels", "words"), [(1, "1 channels repeated to 3"), (4, "4 channels reduced to 3")])
def test_other_channels_are_said(ecop, init, picture, tmp_path, channels, words):
    picture(tmp_path / "a.png", channels=channels)
    assert words in ecop("fit", init, "a.png", "-o", "a.safetensors").err


def test_several_files_and_folders_go_to_a_folder(ecop, init, picture, photos, tmp_path):
    picture(tmp_path / "0.png", seed=9)
    result = ecop("fit", init, "photos", "0.png", "photos/1.png", "-o", "fields", "--json", "--steps", "1")
    assert result.code == 0
    found = sorted(path.name for path in (tmp_path / "fields").iterdir())
    assert found == ["0.png.safetensors", "1.safetensors", "2.safetensors", "3.safetensors", "4.safetensors",
                     "photos-0.png.safetensors"]  # fmt: skip
    assert [entry["file"] for entry in result.document][-1] == "0.png"


def test_out_that_ends_in_a_slash_is_a_folder(ecop, init, picture, tmp_path):
    picture(tmp_path / "a.png")
    assert ecop("fit", init, "a.png", "-o", "new/", "--steps", "1").code == 0
    assert (tmp_path / "new" / "a.safetensors").is_file()


def test_nothing_is_overwritten_unasked(ecop, refused, init, picture, tmp_path):
    picture(tmp_path / "a.png")
    (tmp_path / "a.safetensors").write_text("mine")
    assert "exists already; replace it with -y" in refused("fit", init, "a.png", "-o", "a.safetensors")
    assert (tmp_path / "a.safetensors").read_text() == "mine"
    assert ecop("fit", init, "a.png", "-o", "a.safetensors", "-y", "--steps", "1").code == 0
    assert Fitted.load("a.safetensors").steps == 1


def test_keeping_what_exists_fits_only_the_rest(ecop, init, photos, tmp_path):
    (tmp_path / "fields").mkdir()
    (tmp_path / "fields" / "1.safetensors").write_text("mine")
    result = ecop("fit", init, "photos", "-o", "fields", "-n", "--steps", "1", "--json")
    assert len(result.document) == 4
    assert "1 left as it is" in result.err
    assert (tmp_path / "fields" / "1.safetensors").read_text() == "mine"


def test_one_bad_file_among_many(ecop, init, photos, tmp_path):
    (photos / "2.png").write_bytes(b"not a picture")
    result = ecop("fit", init, "photos", "-o", "fields", "--steps", "1", "--json")
    assert result.code == 2
    assert len(result.document) == 4
    assert result.err.startswith("ecop: photos/2.png: ")
    assert not (tmp_path / "fields" / "2.safetensors").exists()


def test_until_psnr_goes_on_behind_the_trained_steps(ecop, init, picture, tmp_path):
    picture(tmp_path / "a.png")
    short = ecop("fit", init, "a.png", "-o", "a.safetensors", "--json").document[0]
    command = ["fit", init, "a.png", "-o", "a.safetensors", "-y", "--json", "--until-psnr"]
    reached = ecop(*command, short["psnr"] + 0.2).document[0]
    assert 3 < reached["steps"] < 500
    assert reached["psnr"] >= short["psnr"] + 0.15
    assert ecop(*command, 90, "--limit", 7).document[0]["steps"] == 7


def test_training_from_scratch(ecop, recipe, picture, tmp_path):
    picture(tmp_path / "a.png")
    command = ["fit", f"random:{recipe}", "a.png", "-o", "a.safetensors", "-y", "--json", "--steps", "0"]
    before, after = (ecop(*command, "--adam-steps", steps).document[0] for steps in (0, 40))
    assert (before["steps"], after["steps"]) == (0, 40)
    assert after["psnr"] > before["psnr"] + 0.1


def test_patches_and_native_fit_all_points(ecop, init, picture, tmp_path):
    picture(tmp_path / "a.png", (24, 30))
    native = ecop("fit", init, "a.png", "-o", "n.safetensors", "--native", "--json").document[0]
    assert (native["shape"], native["fields"], native["resampled_from"]) == ([24, 30], 1, None)
    patches = ecop("fit", init, "a.png", "-o", "p.safetensors", "--patches", "--json").document[0]
    assert (patches["shape"], patches["fields"], patches["resampled_from"]) == ([24, 30], 6, None)


def test_a_long_native_fit_says_how_long(ecop, init, picture, tmp_path, monkeypatch):
    monkeypatch.setattr("ecop.cli.estimate.estimate_seconds", lambda *arguments: 150.0)
    picture(tmp_path / "a.png", (24, 30))
    result = ecop("fit", init, "a.png", "-o", "n.safetensors", "--native")
    assert "one field for all 24×30; 3 steps take about 2 min 30 s" in result.err


def test_estimate_grows_with_points_and_steps(tiny):
    """A fake clock: the timed step takes a second, so that 16 384 points take as many seconds as there are steps."""
    from ecop.cli import estimate

    class Clock:
        now = 0.0

        def perf_counter(self):
            self.now += 1.0
            return self.now

    signal = Image.assemble(np.zeros((256, 128, 3)), {})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(estimate, "time", Clock())
        assert estimate.estimate_seconds(tiny, signal, tiny.plan(steps=5)) == pytest.approx(2 * 5)


def test_float16_halves_the_parameters(ecop, init, picture, tmp_path):
    picture(tmp_path / "a.png")
    ecop("fit", init, "a.png", "-o", "a.safetensors", "--dtype", "float16")
    described = ecop("info", "a.safetensors", "--json").document
    assert (described["role"], described["dtype"], described["parameters"]) == ("fitted", "float16", 24 + 72 + 27)


def test_scaling_is_used(ecop, init, picture, tmp_path):
    picture(tmp_path / "a.png")
    psnr = {
        name: ecop("fit", init, "a.png", "-o", "a.safetensors", "-y", "--json", "--scaling", name).document[0]["psnr"]
        for name in ("none", "constant:1", "constant:3")
    }
    assert psnr["none"] == pytest.approx(psnr["constant:1"], abs=1e-4)
    assert psnr["constant:3"] > psnr["none"] + 0.1


def test_a_second_process_compiles_nothing(process, init, picture, tmp_path):
    """All compiled programs of the first run are there for the second: it adds no file and is quicker."""
    picture(tmp_path / "a.png")
    import os

    environment = os.environ | {"ECOP_CACHE": str(tmp_path / "cache")}

    def run():
        done = process("fit", init, "a.png", "-o", "a.safetensors", "-y", "--json", cwd=tmp_path, env=environment)
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
        return json.loads(done.stdout)[0], {path.name for path in (tmp_path / "cache" / "compiled").iterdir()}

    first, programs = run()
    second, again = run()
    assert any(name.startswith("jit__advance") for name in programs)
    assert again == programs
    assert second["psnr"] == first["psnr"]


def test_many_files_as_one_by_one(ecop, init, photos, tmp_path):
    """Reading and writing beside the fit change nothing, neither numbers nor order."""
    together = ecop("fit", init, "photos", "-o", "together", "--json").document
    assert [entry["file"] for entry in together] == [f"photos/{n}.png" for n in range(4)] + ["photos/sub/4.png"]
    for entry in together:
        alone = ecop("fit", init, entry["file"], "-o", "alone.safetensors", "-y", "--json").document[0]
        assert (alone["psnr"], alone["metrics"]) == (entry["psnr"], entry["metrics"])
        ours, theirs = Fitted.load("alone.safetensors"), Fitted.load(entry["out"])
        np.testing.assert_array_equal(ours.render().values, theirs.render().values)


def test_an_interrupt_leaves_whole_files_only(ecop, init, photos, tmp_path, monkeypatch):
    from ecop.fit import fit

    own, calls = fit.fit_prepared, []

    def interrupted(*arguments, **settings):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return own(*arguments, **settings)

    monkeypatch.setattr(fit, "fit_prepared", interrupted)
    assert ecop("fit", init, "photos", "-o", "fields", "--steps", "1").code == 130
    found = sorted(path.name for path in (tmp_path / "fields").iterdir())
    assert found in ([], ["0.safetensors"], ["0.safetensors", "1.safetensors"])
    assert all(Fitted.load(tmp_path / "fields" / name).steps == 1 for name in found)


def test_an_output_that_cannot_be_written_ends_the_call(ecop, init, photos, monkeypatch):
    from ecop.core.errors import CannotWrite

    own = Fitted.save

    def full(self, path):
        if path.name == "1.safetensors":
            raise CannotWrite(path, "the disk is full", "free some space")
        own(self, path)

    monkeypatch.setattr(Fitted, "save", full)
    result = ecop("fit", init, "photos", "-o", "fields", "--steps", "1")
    assert result.code == 2
    assert result.err == "ecop: cannot write fields/1.safetensors: the disk is full; free some space\n"
    assert result.out.count("→") == 1


def test_the_precision_is_noted_and_matters(ecop, recipe, picture, tmp_path):
    """On a CPU bf16 rounds the factors of products of 16 terms and more, in fits and in renders."""
    picture(tmp_path / "in" / "a.png")
    recipe.write_text(recipe.read_text().replace("width = 8", "width = 32"))
    init, curves = f"random:{recipe}", {}
    for precision in ("float32", "bf16"):
        ecop("fit", init, "in/a.png", "-o", f"{precision}.safetensors", "--precision", precision)
        fitted = Fitted.load(f"{precision}.safetensors")
        assert fitted.provenance["precision"] == precision
        curves[precision] = np.array(fitted.psnr_curve)
    assert 1e-5 < np.abs(curves["bf16"] - curves["float32"]).max() < 0.3
    found = ecop("eval", init, "--data", "in", "--precision", "bf16", "--json").document["files"][0]["psnr_curve"]
    np.testing.assert_allclose(found, curves["bf16"], atol=1e-5)
    exact, rough = fitted.render().values, fitted.render(precision="bf16").values
    assert 1e-6 < np.abs(exact - rough).max() < 0.02
    ecop("render", "bf16.safetensors", "-o", "out.tif", "--precision", "bf16")
    assert Image.read("out.tif").values == pytest.approx(rough, abs=0.5 / 255 + 1e-6)


def test_a_further_metric_of_ones_own(tiny, picture, tmp_path):
    image = Image.read(picture(tmp_path / "a.png"))
    measures = {
        "largest": lambda ours, theirs: float(np.abs(ours.values - theirs.values).max()),
        "none": lambda *_: None,
    }
    fitted = tiny.fit(image, steps=1, measures=measures)
    assert fitted.metrics["largest"] == pytest.approx(float(np.abs(image.values - fitted.render().values).max()))
    assert "none" not in fitted.metrics


def test_the_last_layer_solved_for(ecop, init, picture, tmp_path):
    picture(tmp_path / "a.png")
    command = ["fit", init, "a.png", "--json", "-y", "-o", "a.safetensors"]
    plain, solved = (ecop(*command, *head).document[0]["psnr"] for head in ([], ["--head", "least-squares"]))
    assert solved > plain
    assert ecop(*command, "--head", "steps").document[0]["psnr"] == plain
