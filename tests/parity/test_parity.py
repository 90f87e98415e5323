"""Agreement with the reference numbers of the published method, file by file (see README.md in this folder)."""

import functools
import json
import os
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ecop.adapt import Engine, Pruning, descend, parse_scaling, rollout
from ecop.core.recipe import TrainSettings
from ecop.core.registry import SCORERS
from ecop.fields import Siren
from ecop.fields.base import Affine
from ecop.fit.loop import FitPlan, fit_batch
from ecop.meta import MAML, ECoP, FirstOrderMAML, OuterLoop, adam, stack
from ecop.signals.context import point_context

FOLDER = Path(os.environ.get("ECOP_PARITY_DIR", Path(__file__).parent))
FILES = sorted(FOLDER.glob("*.npz"))
ENGINES = [Engine("exact-lowmem", tile=50), Engine("unrolled")]


@pytest.fixture(params=FILES, ids=lambda path: path.stem)
def problem(request):
    with np.load(request.param, allow_pickle=False) as arrays:
        return dict(arrays)


@pytest.fixture(params=ENGINES, ids=lambda engine: engine.kind)
def engine(request):
    return request.param


def settings(problem):
    return json.loads(str(problem["config"]))


def field_of(problem, prefix="theta0", signal=None, dtype=np.float64):
    config = settings(problem)

    def array(name):
        value = problem[f"{prefix}/{name}"]
        return jnp.asarray(value if signal is None else value[signal], dtype)

    depth = sum(key.startswith("theta0/w") for key in problem)
    layers = tuple(Affine(array(f"w{i}"), array(f"b{i}")) for i in range(depth))
    return Siren(layers, float(config["w0"]), float(config["output_offset"]))


def batch_of(problem, dtype=np.float64):
    coords = np.asarray(problem["coords"], dtype)
    return stack([point_context(coords, np.asarray(values, dtype)) for values in problem["values"]])


def learner_of(problem, name, engine):
    config = settings(problem)
    inner = {"inner_steps": config["inner_steps"], "inner_lr": config["inner_lr"], "engine": engine}
    if name != "ecop":
        return {"maml": MAML, "fomaml": FirstOrderMAML}[name](**inner)
    return ECoP(
        **inner, keep=config["keep"], scorer=config["score"], bootstrap_steps=config["bootstrap_steps"],
        bootstrap_lr=config["bootstrap_lr"], bootstrap_weight=config["bootstrap_weight"],
    )  # fmt: skip


@functools.cache
def outer_loop(learner):
    """One object for equal learners, so that files of one shape share a compiled program."""
    return OuterLoop(learner, adam(TrainSettings()))


@eqx.filter_jit
def outer_gradient(loop, state, batch):
    return loop.gradient(state, batch)


@eqx.filter_jit
def outer_losses(learner, field, batch):
    """The same losses without a gradient, (B,)."""
    step = (jnp.asarray(0),) if isinstance(learner, ECoP) else ()
    return jax.lax.map(lambda own: learner.loss(field, own, own, jax.random.key(0), *step)[0], batch)


@eqx.filter_jit
def adapted_and_target(learner, field, batch):
    """θ_K, the kept indices, and θ_boot of every signal."""

    def one(context):
        adapted, _, kept = rollout(
            field, context, pruning=learner.pruning, update=learner.inner_lr, steps=learner.inner_steps,
            key=jax.random.key(0), engine=learner.engine,
        )  # fmt: skip
        boot = descend(
            adapted, context, update=learner.bootstrap_lr, steps=learner.bootstrap_steps, engine=learner.engine
        )
        return adapted, kept, boot

    return jax.lax.map(one, batch)


def assert_field(field, problem, prefix, signal=None, rtol=1e-8):
    expected = field_of(problem, prefix, signal)
    scale = np.sqrt(sum(np.sum(np.square(leaf)) for leaf in jax.tree.leaves(expected)))
    for ours, theirs in zip(jax.tree.leaves(field), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=rtol, atol=rtol * scale / np.sqrt(theirs.size) * 1e-2)


def test_there_are_reference_files():
    assert FILES, f"no .npz file in {FOLDER}"


@pytest.mark.usefixtures("float64")
def test_pruned_inner_loop(problem, engine):
    adapted, kept, boot = adapted_and_target(learner_of(problem, "ecop", engine), field_of(problem), batch_of(problem))
    np.testing.assert_array_equal(np.sort(kept, -1), problem["ecop/selected"])
    for signal in range(len(problem["values"])):
        assert_field(jax.tree.map(lambda a: a[signal], adapted), problem, "ecop/theta_K", signal)
        assert_field(jax.tree.map(lambda a: a[signal], boot), problem, "ecop/theta_boot", signal)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("name", ["ecop", "maml", "fomaml"])
def test_outer_loss_and_meta_gradient(problem, engine, name):
    loop = outer_loop(learner_of(problem, name, engine))
    gradient, info = outer_gradient(loop, loop.init(field_of(problem), jax.random.key(0)), batch_of(problem))
    if name == "ecop":
        np.testing.assert_allclose(info["task_loss"], problem["ecop/task_loss"], rtol=1e-8)
        np.testing.assert_allclose(info["distance"].mean(), problem["ecop/distance"], rtol=1e-8)
    np.testing.assert_allclose(info["loss"].mean(), problem[f"{name}/loss"].mean(), rtol=1e-8)
    assert_field(gradient, problem, f"{name}/meta_grad", rtol=1e-7)


@pytest.mark.parametrize("name", ["ecop", "maml"])
def test_float32_losses(problem, engine, name):
    learner, batch = learner_of(problem, name, engine), batch_of(problem, np.float32)
    losses = outer_losses(learner, field_of(problem, dtype=np.float32), batch)
    assert losses.dtype == jnp.float32
    np.testing.assert_allclose(losses.mean(), problem[f"{name}/loss"].mean(), rtol=1e-3)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize(("name", "scaling"), [("fit_scaled", "norm"), ("fit_unscaled", "none")])
def test_fit(problem, engine, name, scaling):
    config = settings(problem)
    plan = FitPlan(
        Pruning(SCORERS[config["score"]](), config["keep"]), parse_scaling(scaling), config["inner_steps"],
        config["inner_lr"], engine=engine,
    )  # fmt: skip
    theta, info = fit_batch(field_of(problem), batch_of(problem), plan, jax.random.key(0), jnp.asarray(-1.0))
    np.testing.assert_allclose(info.mse[:, -1], problem[f"{name}/mse"], rtol=1e-8)
    if f"{name}/theta_K/w0" in problem:
        for signal in range(len(problem["values"])):
            assert_field(jax.tree.map(lambda a: a[signal], theta), problem, f"{name}/theta_K", signal)
