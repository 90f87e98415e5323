"""The solved head against NumPy's least squares, in float64, and what it is worth in float32."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ecop.adapt import Engine
from ecop.core.errors import InvalidSetting
from ecop.core.recipe import DataSettings, FitSettings, Part, Recipe
from ecop.core.registry import FIELDS
from ecop.fields import Siren, create_field, split_adapted
from ecop.fit import head
from ecop.fit.head import loss_behind_head, solved_head
from ecop.fit.initialisation import Initialisation
from ecop.fit.loading import load
from ecop.fit.prepared import prepare
from ecop.fit.watching import watch_fit
from ecop.signals.context import Context, StoredPoints, point_context
from ecop.signals.image import Image

ENGINE = Engine()


@eqx.filter_jit
def solved_and_losses(field, context, engine=ENGINE):
    """The field with its solved head, and the loss before and after."""
    theta, rest = split_adapted(field)
    solved = solved_head((theta, rest), context, engine)
    return eqx.combine(solved, rest), [engine.loss((own, rest), context) for own in (theta, solved)]


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("name", FIELDS.names())
def test_it_is_the_least_squares_solution(name, small_field, scattered, monkeypatch):
    """With hardly a ridge, on masked, weighted, padded points in tiles of 7: NumPy's, in the prediction."""
    monkeypatch.setattr(head, "RIDGE", 1e-14)
    field, context = small_field(name), scattered(ragged=True)
    solved, _ = solved_and_losses(field, context, Engine(tile=7))
    coords, values, weights = context.at(jnp.arange(context.size))
    rows = np.asarray(field.features(coords)).reshape(-1, field.last_layer().weight.shape[1])
    design = np.sqrt(weights)[:, None] * np.column_stack([rows, np.ones(len(rows))])
    offset = field.head(field.features(coords[:1])) - field.last_layer()(field.features(coords[:1]))
    wanted = np.sqrt(weights)[:, None] * (values - offset)
    expected = design @ np.linalg.lstsq(design, wanted, rcond=None)[0]
    found = np.sqrt(weights)[:, None] * (solved(coords) - offset)
    np.testing.assert_allclose(found, expected, atol=1e-7)
    np.testing.assert_array_equal(solved.features(coords), field.features(coords))


@pytest.mark.usefixtures("float64")
def test_the_ridge_pulls_towards_the_layer_that_was_there(small_field, scattered, monkeypatch):
    """A large one leaves the field as it is; the loss falls all the way to a small one."""
    field, context, losses = small_field(), scattered(), []
    for ridge in (1e12, 1.0, 1e-3, 1e-9):
        monkeypatch.setattr(head, "RIDGE", ridge)
        jax.clear_caches()  # the ridge is a constant of the program
        _, (before, after) = solved_and_losses(field, context)
        losses.append(float(after))
    np.testing.assert_allclose(losses[0], before, rtol=1e-9)
    assert before > losses[1] > losses[2] > losses[3]


def test_a_field_of_whole_frames_has_a_row_for_every_pixel():
    settings = {"frame": (4, 6), "stem": 8, "widths": (8, 6), "strides": (2,), "levels": 4}
    field = create_field(FIELDS["nerv"], jax.random.key(0), 1, 4 * 6 * 3, settings)
    values = 0.5 + 0.3 * np.sin(np.arange(5 * 72).reshape(5, 72) / 40)
    context = point_context(np.linspace(-1, 1, 5, dtype=np.float32)[:, None], values.astype(np.float32))
    solved, (before, after) = solved_and_losses(field, context, Engine(tile=2))
    assert solved.last.weight.shape == field.last.weight.shape
    assert after < before


def test_float32_is_enough():
    """The loss of the head that float32 finds is that of float64's, to a hundredth of a decibel."""
    field, losses = Siren.create(jax.random.key(0), d_in=2, d_out=3, width=64, depth=3), {}
    rows = np.stack(np.meshgrid(*[np.linspace(-1, 1, 40)] * 2, indexing="ij"), -1).reshape(-1, 2)
    values = 0.5 + 0.4 * np.sin(7 * rows[:, :1] * rows[:, 1:] + np.arange(3))
    for dtype in (jnp.float32, jnp.float64):
        with jax.enable_x64(dtype == jnp.float64):
            own = jax.tree.map(lambda leaf, kind=dtype: leaf.astype(kind), field)
            context = point_context(rows.astype(dtype), values.astype(dtype))
            losses[dtype] = float(solved_and_losses(own, context, Engine(tile=256))[1][1])
    assert abs(10 * np.log10(losses[jnp.float32] / losses[jnp.float64])) < 0.01


def test_where_no_point_counts_nothing_is_corrected(small_field):
    field = small_field()
    context = Context(StoredPoints(jnp.zeros((9, 2))), jnp.ones((9, 3)), jnp.zeros(9))
    solved, _ = solved_and_losses(field, context)
    np.testing.assert_array_equal(solved.layers[-1].weight, field.layers[-1].weight)


@pytest.fixture(scope="module")
def start():
    recipe = Recipe(field=Part("siren", {"width": 16, "depth": 3}), data=DataSettings(size=(16, 16)))
    return Initialisation.random(recipe, FitSettings(steps=3, lr=1e-2, scorer="error", keep=0.25))


def test_a_fit_ends_with_it(start, tmp_path):
    """The steps are the same; the last number of the curve is with the head, and higher; its file says so."""
    rows, columns = np.mgrid[0:16, 0:16]
    picture = Image.assemble(0.5 + 0.4 * np.sin(rows / 3 + np.cos(columns / 4))[..., None].repeat(3, -1), {"bits": 8})
    plain, solved = start.fit(picture), start.with_fit(head="least-squares").fit(picture)
    assert solved.psnr_curve[:-1] == plain.psnr_curve[:-1]
    assert solved.psnr_curve[-1] > plain.psnr_curve[-1] + 1
    assert solved.metrics["psnr"] > plain.metrics["psnr"] + 1
    start.with_fit(head="least-squares").save(tmp_path / "solved.safetensors")
    assert load(tmp_path / "solved.safetensors").settings.head == "least-squares"


def test_a_head_that_is_not_there_is_refused(start):
    class Shared(Siren):
        def roles(self):
            roles = super().roles()
            return roles._replace(adapted=eqx.tree_at(lambda f: f.layers[-1].bias, roles.adapted, False))

    shared = Shared.create(jax.random.key(0), d_in=2, d_out=3, width=16, depth=3)
    for changed in (
        start.with_fit(head="least"),
        dataclasses.replace(start.with_fit(head="least-squares"), field=shared),
    ):
        with pytest.raises(InvalidSetting, match=r"fit\.head"):
            changed.plan()


def test_a_watched_fit_ends_with_it(start):
    rows, columns = np.mgrid[0:16, 0:16]
    picture = Image.assemble(0.5 + 0.4 * np.sin(rows / 3 + np.cos(columns / 4))[..., None].repeat(3, -1), {"bits": 8})
    solved = start.with_fit(head="least-squares")
    *_, last = watch_fit(solved, prepare(solved, picture), solved.plan())
    assert last.fitted.psnr_curve == pytest.approx(solved.fit(picture).psnr_curve, abs=1e-3)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("name", FIELDS.names())
def test_the_loss_behind_the_head_needs_no_derivative_of_the_solve(name, small_field, scattered, assert_same):
    """Its gradient is plain autodiff's through Cholesky; the value lies between the losses before and behind."""
    field, context = small_field(name), scattered(ragged=True)

    def loss(field, engine):
        return loss_behind_head(split_adapted(field), context, engine)[0]

    found, expected = (
        eqx.filter_jit(eqx.filter_value_and_grad(loss))(field, engine)
        for engine in (Engine(tile=7), Engine("unrolled"))
    )
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-9)
    assert_same(found[1], expected[1])
    _, (before, after) = solved_and_losses(field, context)
    assert after <= found[0] <= before


@pytest.mark.usefixtures("float64")
def test_no_gradient_flows_through_the_layer_itself(small_field, scattered):
    field, context = small_field(), scattered()

    def layer(field):
        theta = loss_behind_head(split_adapted(field), context)[1]
        return jnp.sum(theta.last_layer().weight ** 2)

    assert not any(jnp.any(leaf) for leaf in jax.tree.leaves(eqx.filter_grad(layer)(field)))
