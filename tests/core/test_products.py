"""Precision against products of numbers that were rounded beforehand."""

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np
import pytest

from ecop.core.products import SHORT, product


def rounded(array):
    return np.asarray(array).astype(ml_dtypes.bfloat16).astype(np.float64)


@pytest.fixture
def factors():
    rng = np.random.default_rng(0)
    return (rng.normal(size=shape).astype(np.float32) for shape in ((5, 40), (7, 40)))


def test_bfloat16_rounds_the_factors_and_nothing_else(factors):
    x, weight = factors
    with jax.default_matmul_precision("bfloat16"):
        ours = jax.jit(product)(x, weight)
    np.testing.assert_allclose(ours, rounded(x) @ rounded(weight).T, atol=1e-5)
    assert not np.allclose(ours, x @ weight.T, atol=1e-3)


@pytest.mark.parametrize("precision", [None, "float32", "tensorfloat32"])
def test_a_cpu_knows_no_precision_between(factors, precision):
    x, weight = factors
    with jax.default_matmul_precision(precision):
        np.testing.assert_allclose(product(x, weight), x @ weight.T, atol=1e-5)


def test_coordinates_keep_all_their_digits(factors):
    x, weight = (factor[:, : SHORT - 1] for factor in factors)
    with jax.default_matmul_precision("bfloat16"):
        np.testing.assert_allclose(product(x, weight), x @ weight.T, atol=1e-5)


def test_derivatives_have_the_precision_too(factors):
    x, weight = factors
    with jax.default_matmul_precision("bfloat16"):
        gradient = jax.grad(lambda w: jnp.sum(product(x, w)))(weight)
    np.testing.assert_allclose(gradient, np.broadcast_to(rounded(x).sum(0), (7, 40)), rtol=2**-7)
    assert not np.allclose(gradient, np.broadcast_to(x.sum(0), (7, 40)), rtol=1e-5)
