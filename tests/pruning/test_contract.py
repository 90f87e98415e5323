"""What every registered scorer must do."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats

from ecop.adapt import Engine, Pruning, rollout
from ecop.adapt.engine import Errors
from ecop.core.registry import SCORERS
from ecop.fields import split_adapted
from ecop.pruning import Scorer


@pytest.fixture(params=SCORERS.names())
def scorer(request):
    return SCORERS[request.param]()


def scores_of(scorer, field, context, key=0, tile=None):
    engine = Engine("unrolled") if tile is None else Engine(tile=tile)
    return engine.scores(split_adapted(field), context, scorer, jax.random.key(key), 0)


def test_scores_are_finite_and_one_a_point(scorer, small_field, scattered):
    scores, errors = scores_of(scorer, small_field(), scattered())
    assert isinstance(scorer, Scorer)
    assert scores.shape == (30,)
    assert jnp.all(jnp.isfinite(scores))
    residual = small_field()(scattered().points.coords) - scattered().values
    own = np.sum(np.asarray(residual) ** 2, 1)
    np.testing.assert_allclose(errors.total, own.sum(), rtol=1e-5)
    np.testing.assert_allclose(errors.entropy(), scipy.stats.entropy(own), rtol=1e-5)


@pytest.mark.parametrize("ragged", [False, True])
@pytest.mark.parametrize("tile", [1, 7, 30, 99])
def test_scores_do_not_depend_on_the_tiles(scorer, tile, ragged, small_field, scattered):
    context = scattered(ragged=ragged)
    whole, tiled = (scores_of(scorer, small_field(), context, tile=t) for t in (None, tile))
    np.testing.assert_allclose(tiled[0][:30], whole[0][:30], rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(tiled[1], whole[1], rtol=1e-5)


def test_no_error_has_no_entropy():
    assert Errors(jnp.zeros(()), jnp.zeros(())).entropy() == 0


def test_the_same_key_gives_the_same_scores(scorer, small_field, scattered):
    first, again = (scores_of(scorer, small_field(), scattered(), key=4)[0] for _ in range(2))
    np.testing.assert_array_equal(first, again)


def test_random_scores_are_uniform_and_new_at_each_step(small_field, scattered):
    field, context = small_field(), scattered(4000)
    scores, other = (scores_of(SCORERS["random"](), field, context, key=key)[0] for key in (0, 1))
    np.testing.assert_allclose(np.quantile(scores, [0.1, 0.5, 0.9]), [0.1, 0.5, 0.9], atol=0.03)
    assert abs(np.corrcoef(scores, other)[0, 1]) < 0.06
    _, info, kept = rollout(
        field, context, pruning=Pruning(SCORERS["random"](), 0.25), update=1e-3, steps=3, key=jax.random.key(0)
    )
    assert not np.array_equal(kept[0], kept[1])
    np.testing.assert_allclose(info.overlap[1:], 0.25, atol=0.05)


def test_error_and_last_layer_by_hand():
    residual, features = jnp.asarray([[3.0, 4.0], [0.0, 0.0]]), jnp.asarray([[2.0, 2.0], [5.0, 5.0]])
    arguments = {"index": jnp.arange(2), "key": jax.random.key(0), "step": jnp.asarray(0)}
    np.testing.assert_allclose(SCORERS["error"]().score(None, residual, features, **arguments), [25, 0])
    field = type("Linear", (), {"head_gradient_norm": staticmethod(lambda r, h: (r, h))})
    assert SCORERS["last_layer"]().score(field, residual, features, **arguments)[1] is features
