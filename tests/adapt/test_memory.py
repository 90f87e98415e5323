"""What a compiled outer step needs, by the compiled program's own account, in float32.

Temporaries = K·|θ| + K selections of 4·n bytes + for each of the M points one signal's values and 40 bytes (scores,
errors, masks and what the selection sorts out) + one tile, and nothing else that grows with K or M.
"""

import functools

import equinox as eqx
import jax
import jax.numpy as jnp
import pytest

from ecop.adapt import Engine
from ecop.core import trees
from ecop.core.grids import regular_grid
from ecop.core.recipe import TrainSettings
from ecop.fields import Siren
from ecop.meta import ECoP, OuterLoop, adam, stack
from ecop.pruning import kept_count
from ecop.signals.context import AffineGrid, Context

pytestmark = pytest.mark.usefixtures("quick_compile")  # of which the sizes do not depend
KEEP, TILE, WIDTH, CHANNELS = 0.25, 256, 64, 3
POINT_BYTES = 4 * CHANNELS + 40
FIELD = functools.cache(lambda: Siren.create(jax.random.key(0), d_in=2, d_out=CHANNELS, width=WIDTH, depth=3))


@functools.cache
def temporaries(side, steps, kind="exact-lowmem", signals=2):
    engine = Engine(kind, TILE if kind == "exact-lowmem" else None)
    learner = ECoP(inner_steps=steps, keep=KEEP, bootstrap_steps=2, engine=engine)
    loop = OuterLoop(learner, adam(TrainSettings()))
    signal = Context(AffineGrid.of(regular_grid((side, side))), jnp.zeros((side**2, CHANNELS)))
    state = loop.init(FIELD(), jax.random.key(0))
    lowered = eqx.filter_jit(loop.step).lower(state, stack([signal] * signals))
    return lowered.compile().compiled.memory_analysis().temp_size_in_bytes


def allowed_growth(smaller, larger):
    """Bytes that the formula grants between two (side, steps)."""

    def formula(side, steps):
        return steps * (4 * trees.size(FIELD()) + 4 * kept_count(side**2, KEEP)) + POINT_BYTES * side**2

    return formula(*larger) - formula(*smaller) + 1024


def assert_growth(smaller, larger):
    assert temporaries(*larger) - temporaries(*smaller) <= allowed_growth(smaller, larger)


@pytest.mark.parametrize("larger", [(64, 16), (256, 16)])
def test_growth_with_steps_and_points(larger):
    assert_growth((64, 4), larger)


def test_the_rest_is_one_tile_and_a_few_copies_of_the_parameters():
    steps, side, parameters = 4, 64, 4 * trees.size(FIELD())
    rest = temporaries(side, steps) - steps * (parameters + side**2)
    assert rest <= 10 * parameters + 20 * 4 * TILE * WIDTH


def test_more_signals_need_no_more():
    assert temporaries(64, 4, signals=5) - temporaries(64, 4) < 1024


def test_plain_autodiff_needs_what_the_engine_saves():
    """The check can fail: the unrolled loop keeps every activation."""
    assert temporaries(64, 16, "unrolled") > 20 * temporaries(64, 16)


@pytest.mark.slow
@pytest.mark.parametrize("side", [128, 256, 512])
@pytest.mark.parametrize("steps", [4, 16, 64])
def test_growth_at_size(side, steps):
    assert_growth((64, 4), (side, steps))
