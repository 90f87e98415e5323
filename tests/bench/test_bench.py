"""Every benchmark in its small form: it runs, says what it must, and keeps what it is told to keep."""

import json
import os
import subprocess
import sys
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Runs a benchmark as a command in a process of its own; its JSON, and the folder with its results."""
    cache = tmp_path_factory.mktemp("cache")

    def command(name, *arguments):
        folder = tmp_path_factory.mktemp(name)
        given = [] if name == "compare" else ["--small", "--out", str(folder)]
        done = subprocess.run(
            [sys.executable, "-m", f"bench.{name}", "--json", *given, *arguments],
            cwd=ROOT, env=environment(cache), capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout), folder

    return command


def environment(cache):
    """Programs are compiled as quickly as those of the tests themselves."""
    flags = f"--xla_cpu_use_fusion_emitters=false {os.environ.get('XLA_FLAGS', '')}"
    quick = {"JAX_DISABLE_MOST_OPTIMIZATIONS": "1", "XLA_FLAGS": flags}
    return os.environ | {"ECOP_CACHE": str(cache), "JAX_PLATFORMS": "cpu"} | quick


def assert_kept(result, folder, name):
    (path,) = folder.glob(f"{name}-*.json")
    assert json.loads(path.read_text()) == result
    assert path.with_suffix(".png").stat().st_size > 1000
    assert result["machine"]["cores"] >= 1


def test_roofline(run):
    result, folder = run("roofline")
    assert_kept(result, folder, "roofline")
    assert result["gemm_gflops"] > 0
    assert list(result["fractions"]) == ["score", "gradient", "hvp", "meta_step_b1", "meta_step_b4", "fit"]
    assert all(0 < fraction < 5 for fraction in result["fractions"].values())
    forward = result["gflop"]["score"]
    assert result["gflop"]["gradient"] == pytest.approx(3 * forward)
    assert result["gflop"]["hvp"] == pytest.approx(8 * forward)
    assert result["gflop"]["meta_step_b1"] == pytest.approx((2 * (1 + 11 / 4) + 18) * forward)
    assert result["gflop"]["meta_step_b4"] == pytest.approx(4 * result["gflop"]["meta_step_b1"])


def test_the_numerator_of_the_paper_is_979_gflop():
    """78 F at 178², SIREN 5×256: what `engine` documents as the fixed numerator."""
    from bench import roofline

    forward = 2 * 198_915 * 178**2
    assert 78 * forward / 1e9 == pytest.approx(983, abs=1)
    settings = roofline.Roofline()
    assert settings.steps * (1 + 0.25 * 11) + 3 * 5 + 3 == 78
    assert settings.shrunk() is settings


def test_scaling(run):
    result, folder = run("scaling", "--quantities", "points", "cores")
    assert_kept(result, folder, "scaling")
    assert [row["value"] for row in result["rows"]] == [64, 256, 1, 2]
    assert all(row["seconds"] > 0 and row["bytes"] > 0 for row in result["rows"])
    assert result["slopes"].keys() == {"points", "cores"}


def test_memory_says_what_it_does_not_run(run):
    result, folder = run("memory", "--methods", "ecop", "unrolled-k4", "--memory", "300kB")
    assert_kept(result, folder, "memory")
    small, large = result["rows"]
    assert small["measured"]["program_bytes"] > 0
    assert large["measured"] is None
    assert large["why"] == "does not fit: planned, not run"


@pytest.mark.parametrize(
    ("method", "settings"),
    [("ecop", {"learner__inner_steps": 4}), ("unrolled-k4", {"learner__inner_steps": 3})],
)
def test_the_plan_is_what_is_measured(method, settings, tmp_path):
    """Within 15 % or 64 MiB, as planned for steps that take 33 and 300 MB."""
    from ecop.experiments.programs import recipe_of
    from ecop.meta.plan import program_bytes

    recipe, engine = recipe_of(method, (64, 64), **settings)
    planned = program_bytes(recipe, engine, "train")
    arguments = json.dumps({"method": method, "shape": [64, 64], "settings": settings})
    done = subprocess.run(
        [sys.executable, "-m", "ecop.experiments.one_step", arguments],
        cwd=ROOT, env=environment(tmp_path), capture_output=True, text=True, check=True,
    )  # fmt: skip
    measured = json.loads(done.stdout.splitlines()[-1])["program_bytes"]
    assert abs(measured - planned) <= max(0.15 * measured, 64 * 2**20)


def test_startup(run):
    result, folder = run("startup", "--repeats", "1")
    assert_kept(result, folder, "startup")
    assert 0 < result["seconds"]["version"] < result["seconds"]["fit_cold"]


def test_no_gpu_is_said(run):
    result, folder = run("gpu")
    assert_kept(result, folder, "gpu")
    assert result["note"].startswith("no GPU")


def test_gpu_form_runs_anywhere(run):
    result, _ = run("gpu", "--anywhere", "--precisions", "bf16")
    assert [(row["precision"], row["signals"]) for row in result["rows"]] == [("bf16", "scan"), ("bf16", "vmap")]
    assert all(row["psnr"] > 0 for row in result["rows"])


def test_precision(run):
    result, folder = run("precision")
    assert_kept(result, folder, "precision")
    exact, tf32, bf16 = result["rows"]
    assert (exact["precision"], exact["lost"]) == ("float32", 0)
    assert tf32["psnr"] == exact["psnr"]
    assert abs(bf16["lost"]) < 1
    assert bf16["photos"].keys() == {"astronaut", "chelsea", "coffee", "rocket"}
    assert bf16["photos"] != exact["photos"]


def test_compare(run, tmp_path):
    rows = [{"method": "ecop", "shape": "8x8", "bytes": 10}, {"method": "learnit", "shape": "8x8", "bytes": 20}]
    machine = {"cores": 2, "date": "2026-01-01"}
    for day, (rate, order, cores) in enumerate([(1.0, 1, 2), (1.5, -1, 4)], 1):
        result = {"rate": rate, "same": 3, "rows": rows[::order], "machine": machine | {"cores": cores}}
        (tmp_path / f"x-2026-01-0{day}.json").write_text(json.dumps(result))
    result, _ = run("compare", "x", "--folder", str(tmp_path))
    assert result["changes"] == {
        "rate": {"before": 1.0, "after": 1.5, "ratio": 1.5}, "machine.cores": {"before": 2, "after": 4, "ratio": 2.0},
    }  # fmt: skip
    assert result["machine"] == {"cores": [2, 4]}


def test_products_are_what_they_claim():
    """h stays what it was (W is a rotation), and hᵀ h W is summed."""
    from bench.products import product_chain

    compute, operations = product_chain(8, 4, 3)
    hidden, total = compute()
    one, _ = product_chain(8, 4, 1)[0]()
    np.testing.assert_allclose(hidden, one, atol=1e-5)
    np.testing.assert_allclose(total, 3 * product_chain(8, 4, 1)[0]()[1], rtol=1e-4, atol=1e-4)
    assert operations == 3 * 3 * 2 * 8 * 4 * 4
    assert jnp.linalg.norm(hidden) > 0
