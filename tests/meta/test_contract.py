"""What every registered meta-learner must do."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ecop.adapt import Engine, Pruning
from ecop.core.errors import InvalidSetting
from ecop.core.recipe import TrainSettings
from ecop.core.registry import LEARNERS
from ecop.fields.base import split_learned
from ecop.meta import OuterLoop, adam, stack

SMALL = {"inner_steps": 2, "keep": 0.4, "bootstrap_steps": 1, "bootstrap_weight": 1.0, "engine": Engine(tile=11)}


@pytest.fixture(params=LEARNERS.names())
def learner(request):
    known = {field.name for field in dataclasses.fields(LEARNERS[request.param])}
    return LEARNERS[request.param](**{key: value for key, value in SMALL.items() if key in known})


def outer_steps(learner, field, batch, steps):
    loop = OuterLoop(learner, adam(TrainSettings(lr=1e-3)))
    step, state, infos = eqx.filter_jit(loop.step), loop.init(field, jax.random.key(0)), []
    for _ in range(steps):
        state, info = step(state, batch)
        infos.append(info)
    return state, infos


def test_an_outer_step(learner, small_field, scattered):
    """Every learned leaf moves, in its own type; the info is finite; training lowers the loss; runs repeat exactly."""
    field, batch = small_field(), stack([scattered(seed=seed) for seed in range(2)])
    state, infos = outer_steps(learner, field, batch, 40)
    again, _ = outer_steps(learner, field, batch, 40)
    assert int(state.step) == 40
    for before, after, repeated in zip(*map(jax.tree.leaves, (field, state.field, again.field)), strict=True):
        assert before.dtype == after.dtype == jnp.float32
        assert before.shape == after.shape
        assert jnp.any(before != after)
        np.testing.assert_array_equal(after, repeated)
    assert all(jnp.all(jnp.isfinite(info["loss"])) for info in infos)
    assert infos[0]["gradient_norm"].shape == ()
    assert {"loss", "task_loss", "initial_loss"} <= infos[0].keys()
    assert all(value.shape == (2,) for name, value in infos[0].items() if name != "gradient_norm")
    assert infos[-1]["task_loss"].mean() < infos[0]["task_loss"].mean()


def test_the_gradient_has_the_learned_leaves_and_no_others(learner, small_field, scattered):
    field = small_field("fourier")
    shapes, _ = eqx.filter_eval_shape(
        learner.signal_gradient, field, scattered(), scattered(), jax.random.key(0), jnp.asarray(0)
    )
    assert jax.tree.structure(shapes) == jax.tree.structure(split_learned(field)[0])
    assert shapes.matrix is None


def test_settings(learner):
    assert isinstance(learner.pruning, Pruning)
    assert hash(learner.engine) is not None
    for bad in ({"inner_steps": 0}, {"inner_lr": 0.0}, {"inner_lr": -1.0}, {"inner_lr": float("nan")}):
        with pytest.raises(InvalidSetting, match=next(iter(bad))):
            type(learner)(**bad)
