"""Arithmetic on pytrees."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ecop.core import trees

A = {"a": jnp.asarray([3.0, 0.0]), "b": (jnp.asarray(4.0), None)}
B = {"a": jnp.asarray([1.0, 1.0]), "b": (jnp.asarray(2.0), None)}


def test_norm_and_its_derivative():
    assert trees.norm(A) == 5
    gradient = jax.grad(trees.norm)(A)
    np.testing.assert_allclose(gradient["a"], [0.6, 0])
    np.testing.assert_allclose(gradient["b"][0], 0.8)


def test_norm_of_nothing():
    """Zero, with derivatives of every order zero, not NaN."""
    assert trees.norm({}) == 0
    assert jnp.all(jax.grad(trees.norm)(jnp.zeros(3)) == 0)
    assert jnp.all(jax.hessian(trees.norm)(jnp.zeros(2)) == 0)


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.float64, jnp.bfloat16])
def test_norm_keeps_the_type(dtype):
    with jax.enable_x64(True):
        assert trees.norm([jnp.ones(4, dtype)]).dtype == dtype


def test_arithmetic():
    np.testing.assert_array_equal(trees.add(A, B)["a"], [4, 1])
    np.testing.assert_array_equal(trees.subtract(A, B)["b"][0], 2)
    np.testing.assert_array_equal(trees.scale(2, A)["a"], [6, 0])
    assert not jnp.any(trees.zeros_like(A)["a"])
    assert trees.size(A) == 3


def test_stop_gradient():
    assert jax.grad(lambda x: trees.stop_gradient({"x": x, "n": "text"})["x"] * x)(3.0) == 3


def test_leaves_by_name(small_field):
    field = small_field()
    named = trees.named_leaves(field)
    assert list(named) == [f"layers.{i}.{part}" for i in range(3) for part in ("weight", "bias")]
    assert trees.named_leaves(A).keys() == {"a", "b.0"}
    doubled = trees.with_leaves(field, lambda name, leaf: 2 * leaf if name == "layers.1.bias" else leaf)
    np.testing.assert_array_equal(doubled.layers[1].bias, 2 * field.layers[1].bias)
    np.testing.assert_array_equal(doubled.layers[1].weight, named["layers.1.weight"])
