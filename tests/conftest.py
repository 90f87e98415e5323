"""Shared by all tests: annotations are enforced, shapes included, and programs are compiled quickly."""

import contextlib
import os
from unittest import mock

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from jaxtyping import install_import_hook

# Must come before the first import of the package. beartype knows `Self` only in classes that it decorates itself,
# while the hook decorates functions: `Self` is not checked.
# The rooms that meet a user's files and words check these themselves, which their tests prove with wrong types.
install_import_hook(
    ["ecop.core.sine", "ecop.core.trees", "ecop.core.grids"]
    + [f"ecop.{room}" for room in ("adapt", "data", "fields", "fit", "meta", "metrics", "pruning", "signals")],
    "beartype.beartype(conf=beartype.BeartypeConf(is_pep484_tower=True, hint_overrides=beartype.FrozenDict("
    "{__import__('typing').Self: __import__('typing').Any})))",
)

# A busy machine is no failure: how long an example takes is not what the property tests are about.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")

SMALL = {
    "width": 8, "depth": 3, "frequencies": 6, "sigma": 1.0,
    "frame": (1, 1), "stem": 8, "widths": (8, 6), "strides": (1,), "levels": 4,
}  # fmt: skip
"""Settings that make any registered field small; a field takes those that it knows. A frame of one sample makes a field
of whole frames one of points, of which all holds that holds for points."""


def leave_out_fusion_emitters():
    """Programs compile in half the time without these parts of the compiler, which leave the mathematics alone.

    In this process: commands that tests start as processes compile as those of a user do.
    """
    flags = f"--xla_cpu_use_fusion_emitters=false {os.environ.get('XLA_FLAGS', '')}"
    with mock.patch.dict(os.environ, XLA_FLAGS=flags):
        jax.devices()  # which reads the flags, once and for all


def pytest_configure(config):
    """Slow tests run only where a marker expression asks for them; compiled programs are kept for the next run."""
    leave_out_fusion_emitters()
    config.option.markexpr = config.option.markexpr or "not slow"
    if config.pluginmanager.hasplugin("cacheprovider"):
        jax.config.update("jax_compilation_cache_dir", str(config.cache.mkdir("compiled")))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.1)


@pytest.fixture(autouse=True, scope="module")
def no_programs_left():
    """Behind each file its compiled programs are let go: thousands of them in one process exhaust its memory maps."""
    yield
    jax.clear_caches()


@pytest.fixture(autouse=True, scope="module")
def quick_programs():
    """Nothing costly is optimised: what tests compute is small, and compiling it is most of what they take."""
    with optimised_to(False):
        yield


@pytest.fixture
def optimised():
    """For a test that computes more than it compiles."""
    with optimised_to(True):
        yield


@contextlib.contextmanager
def optimised_to(wanted):
    before = jax.config.values["jax_disable_most_optimizations"]
    jax.config.update("jax_disable_most_optimizations", not wanted)
    yield
    jax.config.update("jax_disable_most_optimizations", before)


@pytest.fixture
def float64():
    """JAX computes in float64 within the test."""
    with jax.enable_x64(True):
        yield


@pytest.fixture(autouse=True)
def registries():
    """What a test registers at run time is gone behind it."""
    from ecop.core import registry

    every = [member for member in vars(registry).values() if isinstance(member, registry.Registry)]
    before = [dict(member._registered) for member in every]
    yield
    for member, registered in zip(every, before, strict=True):
        member._registered = registered


@pytest.fixture(scope="session")
def small_field():
    """Makes a small field of a registered name, in the widest float that is enabled unless told otherwise."""
    from ecop.core.registry import FIELDS
    from ecop.fields.base import create_field, setting_names

    def make(name="siren", d_in=2, d_out=3, seed=0, dtype=None):
        known = setting_names(FIELDS[name])
        settings = {key: value for key, value in SMALL.items() if key in known}
        field = create_field(FIELDS[name], jax.random.key(seed), d_in, d_out, settings)
        return field if dtype is None else jax.tree.map(lambda leaf: leaf.astype(dtype), field)

    return make


@pytest.fixture(scope="session")
def scattered():
    """Makes a context of scattered points; ``ragged``: weights from 0 to 2, and rows of padding."""
    from ecop.signals.context import padded, point_context

    def make(points=30, d_in=2, d_out=3, seed=0, ragged=False, dtype=None):
        rng = np.random.default_rng(seed)
        coords, values = rng.uniform(-1, 1, (points, d_in)), rng.uniform(0, 1, (points, d_out))
        weights = np.where(rng.uniform(size=points) < 0.2, 0, rng.uniform(0.5, 2, points)) if ragged else None
        context = point_context(coords, values, weights)
        if dtype is not None:
            context = jax.tree.map(lambda leaf: jnp.asarray(leaf, dtype), context)
        return padded(context, points + 5) if ragged else context

    return make


@pytest.fixture(scope="session")
def assert_same():
    """Asserts that two trees agree, each leaf in the norm, and that there is something to agree on."""

    def check(ours, theirs, rtol=1e-9):
        ours, theirs = jax.tree.leaves(ours), jax.tree.leaves(theirs)
        assert len(ours) == len(theirs)
        assert sum(float(jnp.sum(jnp.abs(leaf))) for leaf in theirs) > 0
        for a, b in zip(ours, theirs, strict=True):
            assert a.shape == b.shape
            assert a.dtype == b.dtype
            difference = np.linalg.norm(np.ravel(a) - np.ravel(b))
            assert difference <= rtol * np.linalg.norm(np.ravel(b)), (a, b)

    return check
