"""What a compiled outer step needs, by the compiled program's own account, in float32.

Temporaries = K·|θ| + K + 1 selections of n indices + three of the kind of M bits + M scores + one signal's values + a
constant: one tile, one chunk of the selection and a few copies of the parameters. Nothing else grows with K or M.
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

KEEP, TILE, WIDTH, CHANNELS = 0.25, 64, 16, 3
CONSTANT = 320 * 1024
FIELD = functools.cache(lambda: Siren.create(jax.random.key(0), d_in=2, d_out=CHANNELS, width=WIDTH, depth=3))
CASES = [((side, side), steps) for side in (128, 256, 512) for steps in (4, 16, 64)]
QUICK = [((128, 128), 4), ((512, 512), 16)]


@functools.cache
def temporaries(shape, steps, kind="exact-lowmem", signals=2, head="steps"):
    engine = Engine(kind, TILE if kind == "exact-lowmem" else None)
    learner = ECoP(inner_steps=steps, keep=KEEP, bootstrap_steps=2, head=head, engine=engine)
    loop = OuterLoop(learner, adam(TrainSettings()))
    signal = Context(AffineGrid.of(regular_grid(shape)), jnp.zeros((shape[0] * shape[1], CHANNELS)))
    state = loop.init(FIELD(), jax.random.key(0))
    lowered = eqx.filter_jit(loop.step).lower(state, stack([signal] * signals))
    return lowered.compile().compiled.memory_analysis().temp_size_in_bytes


def formula(shape, steps):
    points = shape[0] * shape[1]
    selection = 4 * kept_count(points, KEEP)
    scores, values, bits = 4 * points, 4 * CHANNELS * points, 3 * points // 8
    return steps * 4 * trees.size(FIELD()) + (steps + 1) * selection + bits + scores + values


def assert_formula(shape, steps):
    assert 0 <= temporaries(shape, steps) - formula(shape, steps) <= CONSTANT


@pytest.mark.parametrize(("shape", "steps"), QUICK)
def test_the_formula(shape, steps):
    assert_formula(shape, steps)


@pytest.mark.slow
@pytest.mark.parametrize(("shape", "steps"), [*(case for case in CASES if case not in QUICK), ((251, 509), 16)])
def test_the_formula_at_every_size(shape, steps):
    """Sizes that no tile and no chunk divides, too."""
    assert_formula(shape, steps)


def test_more_signals_need_no_more():
    assert temporaries((64, 64), 4, signals=5) - temporaries((64, 64), 4) < 1024


def test_a_head_in_closed_form_needs_a_matrix_more():
    """Of (h + 1)² numbers, and its factor; nothing grows with the points."""
    more = temporaries((128, 128), 4, head="least-squares") - temporaries((128, 128), 4)
    assert more < 8 * 4 * (WIDTH + 1) ** 2 + 4 * TILE * (WIDTH + 1)


def test_plain_autodiff_needs_what_the_engine_saves():
    """The check can fail: the unrolled loop keeps every activation."""
    assert temporaries((64, 64), 16, "unrolled") > 20 * temporaries((64, 64), 16)
