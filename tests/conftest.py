"""Shared by all tests: float64 where a test asks for it, and a compilation cache."""

import jax
import pytest


@pytest.fixture
def float64():
    """JAX computes in float64 within the test."""
    with jax.enable_x64(True):
        yield
