"""The paired sine against numpy's in float64."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecop.core.sine import sincos, sine

RNG = np.random.default_rng(0)
ARGUMENTS = np.concatenate(
    [RNG.uniform(-1e4, 1e4, 200_000), RNG.uniform(-10, 10, 50_000), np.arange(-6366, 6367) * np.pi / 2]
).astype(np.float32)


def test_float32():
    """Within 2e-6 of the true sine and cosine of the given argument, for |x| ≤ 1e4."""
    for ours, true in zip(jax.jit(sincos)(ARGUMENTS), (np.sin, np.cos), strict=True):
        assert ours.dtype == jnp.float32
        assert np.max(np.abs(ours - true(ARGUMENTS.astype(np.float64)))) <= 2e-6


def test_large_arguments():
    """The documented 2e-6 up to 1e5."""
    x = RNG.uniform(-1e5, 1e5, 100_000).astype(np.float32)
    assert np.max(np.abs(sine(jnp.asarray(x)) - np.sin(x.astype(np.float64)))) <= 2e-6


@pytest.mark.usefixtures("float64")
def test_float64():
    x = np.concatenate([RNG.uniform(-1e4, 1e4, 10_000), RNG.uniform(-4, 4, 10_000)])
    for ours, true in zip(sincos(jnp.asarray(x)), (np.sin, np.cos), strict=True):
        assert ours.dtype == jnp.float64
        assert np.max(np.abs(ours - true(x))) <= 1e-14


@pytest.mark.parametrize("x", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("enable", [False, True])
def test_what_is_no_number_stays_none(x, enable):
    with jax.enable_x64(enable):
        assert all(np.isnan(part) for part in sincos(jnp.asarray(x)))


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 2e-6), (np.float64, 1e-14)])
def test_derivatives_of_any_order(dtype, tolerance):
    """sin, cos, −sin, −cos, sin: by forward, reverse, and mixed differentiation."""
    x = np.linspace(-30, 30, 301).astype(dtype)
    with jax.enable_x64(dtype == np.float64):
        function = sine
        for order in range(1, 5):
            function = jax.jit((jax.grad, jax.jacfwd)[order % 2](function))
            exact = np.sin(x.astype(np.float64) + order * np.pi / 2)
            np.testing.assert_allclose(jax.vmap(function)(jnp.asarray(x)), exact, atol=tolerance + 1e-14 * 30)


def test_zero_and_signs():
    assert sine(jnp.zeros(())) == 0
    x = ARGUMENTS[:1000]
    np.testing.assert_allclose(sine(jnp.asarray(-x)), -sine(jnp.asarray(x)), atol=2e-6)


@settings(deadline=None)
@given(st.floats(-1e4, 1e4, width=32))
def test_sine_and_cosine_lie_on_the_circle(x):
    s, c = sincos(jnp.asarray(x, jnp.float32))
    np.testing.assert_allclose(s**2 + c**2, 1, atol=4e-6)


def test_shapes_and_half_precision():
    for shape in [(), (0,), (2, 3, 4)]:
        assert sine(jnp.zeros(shape)).shape == shape
    x = jnp.linspace(-3, 3, 20, dtype=jnp.bfloat16)
    assert sine(x).dtype == jnp.bfloat16
    np.testing.assert_allclose(sine(x).astype(jnp.float32), np.sin(np.asarray(x, np.float64)), atol=1e-2)
