"""The learners against a plain loop that was written from the equations, without any of the library's parts."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ecop.adapt import Engine
from ecop.meta import MAML, ECoP, FirstOrderMAML, Reptile

pytestmark = pytest.mark.usefixtures("float64")
ALPHA, ALPHA_BOOT, LAMBDA, K, L, KEPT = 0.02, 0.05, 10.0, 3, 2, 7


def forward(theta, x):
    for weight, bias in theta[:-1]:
        x = jnp.sin(30.0 * (x @ weight.T + bias))
    weight, bias = theta[-1]
    return x, x @ weight.T + bias + 0.5


def mean_error(theta, x, y):
    return jnp.mean((forward(theta, x)[1] - y) ** 2)


def descend(theta, x, y, rate):
    return jax.tree.map(lambda p, g: p - rate * g, theta, jax.grad(mean_error)(theta, x, y))


def adapt(theta, x, y, scorer):
    for _ in range(K):
        hidden, prediction = forward(theta, x)
        error = jnp.linalg.norm(prediction - y, axis=1)
        scores = {"error": error, "last_layer": error * jnp.sqrt(1 + jnp.sum(hidden**2, 1)), "full": None}[scorer]
        kept = jnp.arange(len(x)) if scores is None else jnp.argsort(-scores)[:KEPT]
        theta = descend(theta, x[kept], y[kept], ALPHA)
    return theta


def outer_loss(theta, x, y, scorer, bootstrap):
    end = adapt(theta, x, y, scorer)
    boot = end
    for _ in range(bootstrap):
        boot = descend(boot, x, y, ALPHA_BOOT)
    moved = [p - jax.lax.stop_gradient(q) for p, q in zip(jax.tree.leaves(end), jax.tree.leaves(boot), strict=True)]
    distance = jnp.sqrt(sum(jnp.sum(m**2) for m in moved)) if bootstrap else 0.0
    return mean_error(end, x, y) + LAMBDA * distance


@pytest.fixture
def problem(small_field, scattered):
    field, context = small_field(), scattered(29)
    return field, context, [(layer.weight, layer.bias) for layer in field.layers]


def library(learner, field, context):
    @eqx.filter_jit
    def run(field, context):
        return learner.signal_gradient(field, context, context, jax.random.key(0), jnp.asarray(0))

    gradient, info = run(field, context)
    return [(layer.weight, layer.bias) for layer in gradient.layers], info


@pytest.mark.parametrize(("scorer", "bootstrap"), [("error", L), ("last_layer", L), ("error", 0)])
def test_ecop(problem, scorer, bootstrap, assert_same):
    field, context, theta = problem
    learner = ECoP(
        inner_steps=K, inner_lr=ALPHA, keep=0.25, scorer=scorer, bootstrap_steps=bootstrap, bootstrap_lr=ALPHA_BOOT,
        bootstrap_weight=LAMBDA, engine=Engine(tile=8),
    )  # fmt: skip
    ours, info = library(learner, field, context)
    loss, gradient = jax.jit(
        jax.value_and_grad(lambda t: outer_loss(t, context.points.coords, context.values, scorer, bootstrap))
    )(theta)
    np.testing.assert_allclose(info["loss"], loss, rtol=1e-12)
    assert_same(ours, gradient)


def test_the_unpruned_learners(problem, assert_same):
    """MAML's gradient, first-order MAML's and Reptile's, each from its own equation; all three differ."""
    field, context, theta = problem
    x, y = context.points.coords, context.values
    settings = {"inner_steps": K, "inner_lr": ALPHA, "engine": Engine(tile=8)}
    maml, fomaml, reptile = (library(kind(**settings), field, context)[0] for kind in (MAML, FirstOrderMAML, Reptile))
    end = jax.jit(lambda t: adapt(t, x, y, "full"))(theta)
    assert_same(maml, jax.jit(jax.grad(lambda t: outer_loss(t, x, y, "full", 0)))(theta))
    assert_same(fomaml, jax.grad(mean_error)(end, x, y))
    assert_same(reptile, jax.tree.map(lambda a, b: (a - b) / ALPHA, theta, end))
    for other in (fomaml, reptile):
        assert not np.allclose(maml[1][0], other[1][0], rtol=1e-3)
