import json
import shlex
import signal
import subprocess
import sys
import time

import pytest


def losses(run):
    """The log without what the clock says."""
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return [{name: value for name, value in line.items() if name != "seconds"} for line in lines]


def test_a_run_and_what_it_leaves(ecop, photos, recipe, tmp_path):
    result = ecop("train", "--data", photos, "--out", "run", "--recipe", recipe, "--json")
    assert result.code == 0
    document = result.document
    assert document["steps"] == 4
    assert document["best_step"] in (2, 4)
    assert [line["step"] for line in losses(tmp_path / "run")] == [1, 2, 3, 4]
    described = ecop("info", "run", "--json").document
    assert (described["role"], described["step"], described["steps"]) == ("run", 4, 4)
    assert described["best"] == {"step": document["best_step"], "psnr": document["validation_psnr"]}
    assert described["description"]["data"]["test"]["files"] >= 1
    assert ecop("info", "run").code == 0
    assert ecop("fit", "run", photos / "0.png", "-o", "a.safetensors").code == 0
    refusal = ecop("train", "--data", photos, "--out", "run", "--recipe", recipe)
    assert (refusal.code, "a run is there already" in refusal.err) == (2, True)


def test_words_at_the_end(ecop, photos, recipe):
    result = ecop("train", "--data", photos, "--out", "run", "--recipe", recipe, "--steps", "1")
    assert result.out.startswith("run/best.safetensors: validation PSNR ")
    assert " dB after 1 of 1 steps" in result.out


def test_resuming_is_as_if_it_had_never_stopped(ecop, photos, recipe, tmp_path):
    """To the bit: every number of every line, with data order, windows and random draws in them."""
    options = ["--data", photos, "--recipe", recipe, "--set", "learner.scorer=random"]
    assert ecop("train", "--out", "whole", *options).code == 0
    assert ecop("train", "--out", "parts", *options, "--steps", "2").code == 0
    resumed = ecop("train", "--out", "parts", "--data", photos, "--resume", "--steps", "4")
    assert resumed.code == 0, resumed.err
    assert losses(tmp_path / "parts") == losses(tmp_path / "whole")
    names = ("best.safetensors", "last.safetensors")
    whole, parts = ([ecop("info", f"{run}/{name}", "--json").document["sha256"] for name in names]
                    for run in ("whole", "parts"))  # fmt: skip
    assert whole == parts


def test_a_resumed_run_keeps_its_recipe(ecop, refused, photos, recipe):
    options = ["--data", photos, "--out", "run"]
    assert "not the folder of a run" in refused("train", *options, "--resume")
    assert ecop("train", *options, "--recipe", recipe, "--steps", "1").code == 0
    assert "leave out --recipe" in refused("train", *options, "--resume", "--recipe", "quick")
    assert "leave out -y" in refused("train", *options, "--resume", "-y")
    assert "the recipe is not the one" in refused("train", *options, "--resume", "--set", "train.lr=0.5")


def test_minutes_end_a_run(ecop, photos, recipe, tmp_path):
    options = ["--recipe", recipe, "--steps", "100000", "--minutes", "0.0001", "--json"]
    document = ecop("train", "--data", photos, "--out", "run", *options).document
    assert document["steps"] == 1
    assert (tmp_path / "run" / "best.safetensors").is_file()


def test_beginning_from_an_initialisation(ecop, photos, recipe, init, tmp_path):
    options = ["--recipe", recipe, "--steps", "1", "--set", "train.lr=1e-12"]
    assert ecop("train", "--data", photos, "--out", "run", *options, "--init", init).code == 0
    parent = ecop("info", "run/last.safetensors", "--json").document["provenance"]["parent"]
    assert parent["sha256"] == ecop("info", init, "--json").document["sha256"]
    wider = ecop("train", "--data", photos, "--out", "wide", *options, "--set", "field.width=9", "--init", init)
    assert (wider.code, "width" in wider.err) == (2, True)


def test_tensorboard_events(ecop, photos, recipe, tmp_path):
    pytest.importorskip("tensorboardX")
    assert (
        ecop("train", "--data", photos, "--out", "run", "--recipe", recipe, "--steps", "1", "--tensorboard").code == 0
    )
    assert list((tmp_path / "run" / "events").iterdir())


def test_a_run_that_diverges_says_which_setting_to_change(ecop, photos, recipe):
    result = ecop("train", "--data", photos, "--out", "run", "--recipe", recipe, "--set", "learner.inner_lr=1e30")
    assert result.code == 2
    assert "learner.inner_lr" in result.err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_leaves_a_checkpoint_to_go_on_from(process, photos, recipe, tmp_path, number):
    """Stopped between two checkpoints; the message is a command, and the run goes on as if nothing had been.

    All three are processes of their own: in this one, programs are compiled in another way.
    """
    endless = ["--set", "train.checkpoint_every=100000", "train.validate_every=100000"]
    command = ["train", "--data", "photos", "--out", "run", "--recipe", "tiny.toml", "--steps", "100000", *endless]
    child = subprocess.Popen(
        [sys.executable, "-m", "ecop.cli.main", *command], cwd=tmp_path, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    log = tmp_path / "run" / "metrics.jsonl"
    until = time.monotonic() + 100
    while time.monotonic() < until and (not log.exists() or log.read_text().count("\n") < 3):
        time.sleep(0.02)
    child.send_signal(number)
    _, errors = child.communicate(timeout=60)
    assert child.returncode == 130, errors
    (line,) = (line for line in errors.splitlines() if line.startswith("ecop: stopped at step "))
    step = int(line.split()[4].rstrip(";"))
    again = shlex.split(line.partition("go on with: ")[2])
    resumed = process(*again[1:], "--steps", step + 1, cwd=tmp_path)
    assert resumed.returncode == 0, resumed.stderr
    whole = process(*command[:3], "--out", "whole", *command[5:7], *endless, "--steps", step + 1, cwd=tmp_path)
    assert whole.returncode == 0, whole.stderr
    parts, whole = ([line["loss"] for line in losses(tmp_path / run)] for run in ("run", "whole"))
    assert len(parts) == step + 1
    assert parts == whole
