"""The low-memory engine against plain autodiff through the unrolled loop, in float64."""

import dataclasses
import itertools
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from ecop.adapt import Engine, GradientDescent, InnerUpdate, Pruning, rollout
from ecop.core.errors import EcopError
from ecop.core.grids import regular_grid
from ecop.core.registry import FIELDS, LEARNERS, SCORERS
from ecop.core.sine import sine
from ecop.fields import Siren
from ecop.fields.base import Affine, Field, Roles, affine_gradient_norm, mask_like, split_adapted
from ecop.meta import ECoP, OuterLoop, stack
from ecop.pruning import LastLayer
from ecop.signals.context import AffineGrid, Context

pytestmark = pytest.mark.usefixtures("float64")
SMALL = {"inner_steps": 3, "keep": 0.4, "bootstrap_steps": 2}


def cases():
    """Every learner and scorer on one field, and every field in one learner; the whole product takes its time."""
    for field_name, name in itertools.product(FIELDS.names(), LEARNERS.names()):
        settings = {field.name for field in dataclasses.fields(LEARNERS[name])}
        for scorer in SCORERS.names() if "scorer" in settings else [None]:
            chosen = {key: value for key, value in SMALL.items() if key in settings}
            chosen |= {"scorer": scorer} if scorer else {}
            quick = field_name == "siren" or (name, scorer) == ("ecop", "last_layer")
            yield pytest.param(
                LEARNERS[name], chosen, field_name, marks=[] if quick else pytest.mark.slow,
                id="-".join(filter(None, (name, scorer, field_name))),
            )  # fmt: skip


@eqx.filter_jit
def meta_gradient(learner, field, context, target):
    return learner.signal_gradient(field, context, target, jax.random.key(3), jnp.asarray(0))


@pytest.mark.parametrize(("learner", "settings", "field_name"), [*cases()])
def test_every_learner_field_and_scorer(learner, settings, field_name, small_field, scattered, assert_same):
    """On masked, weighted, padded points, 30 of them in tiles of 7, with targets of their own."""
    field, context, target = small_field(field_name), scattered(ragged=True), scattered(20, seed=1, ragged=True)
    ours, info = meta_gradient(learner(**settings, engine=Engine(tile=7)), field, context, target)
    theirs, reference = meta_gradient(learner(**settings, engine=Engine("unrolled")), field, context, target)
    assert_same(ours, theirs)
    assert info.keys() == reference.keys()
    for name in info:
        np.testing.assert_allclose(info[name], reference[name], rtol=1e-9, err_msg=name)


@pytest.mark.parametrize("name", ["ecop", "maml"])
def test_a_head_in_closed_form(name, small_field, scattered, assert_same):
    """What the outer loss is measured with is solved for: plain autodiff goes through the solve."""
    known = {field.name for field in dataclasses.fields(LEARNERS[name])}
    settings = {key: value for key, value in SMALL.items() if key in known} | {"head": "least-squares"}
    field, context = small_field(), scattered(ragged=True)
    ours, info = meta_gradient(LEARNERS[name](**settings, engine=Engine(tile=7)), field, context, context)
    theirs, reference = meta_gradient(LEARNERS[name](**settings, engine=Engine("unrolled")), field, context, context)
    plain, _ = meta_gradient(LEARNERS[name](**settings | {"head": "steps"}), field, context, context)
    assert_same(ours, theirs)
    for key in info:
        np.testing.assert_allclose(info[key], reference[key], rtol=1e-9, err_msg=key)
    assert any(jnp.any(abs(a - b) > 1e-3 * abs(b)) for a, b in zip(*map(jax.tree.leaves, (ours, plain)), strict=True))


class Modulated(Field):
    """sin(Wx + b + latent), then a head: W and b are shared (learned alone), the latent is adapted alone."""

    shared: Affine
    latent: jax.Array
    last: Affine

    def features(self, coords):
        return sine(5 * self.shared(coords) + self.latent)

    def head(self, features):
        return self.last(features)

    def head_gradient_norm(self, residual, features):
        return affine_gradient_norm(residual, features)

    def width(self):
        return 8

    def roles(self):
        everything = mask_like(self, True)
        shared = lambda field: (field.shared.weight, field.shared.bias)  # noqa: E731
        return Roles(
            eqx.tree_at(shared, everything, (False, False)), eqx.tree_at(lambda f: f.latent, everything, False)
        )

    def settings(self) -> dict[str, Any]:
        return {}

    @classmethod
    def create(cls, key, *, d_in, d_out):
        return cls(Affine.uniform(key, d_in, 8, 1.0), jnp.zeros(8), Affine.uniform(key, 8, d_out, 0.3))


class Momentum(InnerUpdate):
    """Heavy ball with a learned rate and friction."""

    lr: jax.Array
    friction: jax.Array

    def init(self, theta):
        return jax.tree.map(jnp.zeros_like, theta)

    def __call__(self, theta, state, gradient, step):
        state = jax.tree.map(lambda m, g: self.friction * m + g, state, gradient)
        return jax.tree.map(lambda p, m: p - self.lr * m / (1 + step), theta, state), state


@eqx.filter_jit
def every_cotangent(operands, engine, keep=0.4):
    """Gradients of an outer loss with respect to the field, both contexts, and the update's rates."""

    def loss(operands):
        field, context, target, update = operands
        adapted, _, _ = rollout(
            field, context, pruning=Pruning(LastLayer(), keep), update=update, steps=3, key=jax.random.key(0),
            engine=engine,
        )  # fmt: skip
        return engine.loss(split_adapted(adapted), target)

    return eqx.filter_grad(loss)(operands)


def operands_of(field, scattered, momentum=False):
    """A ragged context of stored points, a target on a grid, and rates for each element."""
    grid = AffineGrid.of(regular_grid((4, 5)))
    target = Context(grid, scattered(20, seed=1).values, jnp.linspace(0.0, 1.9, 20))
    rates = jax.tree.map(lambda leaf: jnp.linspace(0.005, 0.02, leaf.size).reshape(leaf.shape), split_adapted(field)[0])
    update = Momentum(jnp.asarray(0.01), jnp.asarray(0.9)) if momentum else GradientDescent(rates)
    return field, scattered(ragged=True), target, update


def fields_of(small_field):
    return {name: small_field(name) for name in FIELDS.names()} | {
        "modulated": Modulated.create(jax.random.key(5), d_in=2, d_out=3)
    }


@pytest.mark.parametrize("name", [*FIELDS.names(), "modulated"])
def test_everything_that_is_differentiable_gets_its_cotangent(name, small_field, scattered, assert_same):
    operands = operands_of(fields_of(small_field)[name], scattered)
    ours = every_cotangent(operands, Engine(tile=7))
    assert_same(ours, every_cotangent(operands, Engine("unrolled")))
    field, context, target, update = ours
    parts = [context.values, context.weights, context.points.coords, target.values, target.points.origin, update]
    assert all(any(jnp.any(leaf != 0) for leaf in jax.tree.leaves(part)) for part in [*parts, field])
    assert not jnp.any(context.values[30:])


@pytest.mark.parametrize("tile", [1, 11, 35, 64])
def test_every_tile_size(tile, small_field, scattered, assert_same):
    """One point a tile, tiles that do and do not divide the points, one tile, and one that is larger than all."""
    operands = operands_of(small_field(), scattered)
    assert_same(every_cotangent(operands, Engine(tile=tile)), every_cotangent(operands, Engine("unrolled")))


def test_an_update_with_state_and_learned_rates(small_field, scattered, assert_same):
    operands = operands_of(small_field(), scattered, momentum=True)
    ours = every_cotangent(operands, Engine(tile=7))
    assert_same(ours, every_cotangent(operands, Engine("unrolled")))
    assert ours[3].friction != 0


def test_plain_contexts_unpruned(small_field, scattered, assert_same):
    field, update = small_field(), GradientDescent(jnp.asarray(0.02))
    operands = field, scattered(31), scattered(17, seed=1), update
    ours = every_cotangent(operands, Engine(tile=8), keep=1.0)
    assert_same(ours, every_cotangent(operands, Engine("unrolled"), keep=1.0))


def test_only_learned_leaves_get_a_meta_gradient(scattered):
    field = Modulated.create(jax.random.key(5), d_in=2, d_out=3)
    gradient, _ = meta_gradient(ECoP(**SMALL, engine=Engine(tile=7)), field, scattered(), scattered())
    assert gradient.latent is None
    assert float(jnp.abs(gradient.shared.weight).sum()) > 0


def test_signals_one_after_another_or_all_at_once(small_field, scattered, assert_same):
    """Signals of different lengths and weights, walked through by scan, by vmap, and by hand."""
    learner, field = ECoP(**SMALL, engine=Engine(tile=7)), small_field()
    signals = [scattered(seed=seed, ragged=True) for seed in range(2)]
    signals = [
        eqx.tree_at(lambda c: c.length, c, jnp.asarray(n, jnp.int32)) for c, n in zip(signals, (30, 9), strict=True)
    ]
    loops = [OuterLoop(learner, optax.sgd(0.1), how) for how in ("scan", "vmap")]
    state = loops[0].init(field, jax.random.key(0))
    (scanned, info), (mapped, mapped_info) = (eqx.filter_jit(loop.gradient)(state, stack(signals)) for loop in loops)
    assert_same(scanned, mapped)
    assert_same(info, mapped_info)
    assert info["loss"].shape == (2,)


def test_the_value_beside_the_gradient_refuses_to_be_differentiated(small_field, scattered):
    from ecop.adapt import error_gradient

    theta, rest = split_adapted(small_field())
    with pytest.raises((NotImplementedError, EcopError), match="summed_error"):
        jax.grad(lambda t: error_gradient((t, rest, scattered()), None, 7, "float32")[1])(theta)


@pytest.mark.parametrize("kind", ["exact-lowmem", "unrolled"])
def test_precision_reaches_scores_losses_gradients_and_their_derivatives(kind, scattered):
    """In the seven bits of bf16 every result differs, and by no more than a rounding of each factor can do."""
    field = Siren.create(jax.random.key(0), d_in=2, d_out=3, width=32, depth=3)
    context, parts = scattered(), split_adapted(field)
    results = []
    for precision in ("float32", "bf16"):
        engine = Engine(kind, 7 if kind == "exact-lowmem" else None, precision)
        (theta, rest) = parts
        gradient, pull = jax.vjp(lambda t, e=engine: e.gradient((t, rest), context)[0], theta)
        scores, _ = engine.scores(parts, context, LastLayer(), jax.random.key(0), 0)
        results.append([engine.loss(parts, context), gradient, pull(gradient)[0], scores])
    for exact, coarse in zip(*results, strict=True):
        difference = optax.tree.norm(optax.tree.sub(exact, coarse)) / optax.tree.norm(exact)
        assert 1e-5 < difference < 0.1
