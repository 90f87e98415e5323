"""The frame-wise field where its frames have more than one pixel: shapes, its score's bound, its engine, its fits."""

import itertools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import correlate2d

from ecop.adapt import Engine
from ecop.core import trees
from ecop.core.errors import InvalidSetting, UnknownName
from ecop.core.recipe import Recipe
from ecop.fields import NeRV, create_field
from ecop.fields.nerv import pixel_shuffle
from ecop.fit.initialisation import Initialisation, create_recipe_field
from ecop.fit.settings import resolved_fit
from ecop.meta import ECoP
from ecop.signals import Video, context_of

SMALL = {"frame": (4, 6), "stem": 6, "widths": (5, 4), "strides": (2,), "levels": 3}


def small(channels=3, seed=0, **changes):
    settings = {**SMALL, **changes}
    d_out = int(np.prod(settings["frame"])) * channels
    return create_field(NeRV, jax.random.key(seed), 1, d_out, settings)


def clip(frames=6, seed=0, size=(4, 6)):
    return Video.assemble(np.random.default_rng(seed).random((frames, *size, 3)), {"rate": 8.0})


@given(st.integers(1, 4), st.integers(1, 3), st.integers(1, 3), st.sampled_from([1, 3]), st.integers(1, 9))
@settings(max_examples=20)
def test_shapes(height, width, stride, channels, n):
    frame = (height * stride * 2, width * stride * 2)
    field = eqx.filter_eval_shape(lambda: small(channels, frame=frame, strides=(2, stride), widths=(5, 4, 3)))
    features = eqx.filter_eval_shape(lambda f, t: f.features(t), field, jax.ShapeDtypeStruct((n, 1), jnp.float32))
    assert features.shape == (n, 3 * frame[0] * frame[1])
    assert eqx.filter_eval_shape(lambda f, h: f.head(h), field, features).shape == (n, channels * frame[0] * frame[1])


def test_pixel_shuffle_puts_each_group_into_a_square():
    x = jnp.arange(2 * 3 * 4 * 12.0).reshape(2, 3, 4, 12)
    shuffled = pixel_shuffle(x, 2)
    assert shuffled.shape == (2, 6, 8, 3)
    for i, j in itertools.product(range(2), repeat=2):
        group = 2 * i + j
        np.testing.assert_array_equal(shuffled[:, i::2, j::2], x[..., 3 * group : 3 * group + 3])


@pytest.mark.parametrize("kernel", [1, 3, 5])
def test_a_block_is_the_convolution_of_another_library(kernel):
    convolution = small(kernel=kernel).blocks[0]
    x = np.random.default_rng(0).normal(size=(2, 6, 7, 5))
    weight = np.asarray(convolution.patch.weight).reshape(-1, kernel, kernel, 5)
    for sample, out in itertools.product(range(2), range(3)):
        expected = sum(correlate2d(x[sample, ..., c], weight[out, ..., c], "same") for c in range(5))
        expected = expected + convolution.patch.bias[out]
        np.testing.assert_allclose(convolution(jnp.asarray(x))[sample, ..., out], expected, atol=1e-5)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("channels", [1, 3])
def test_the_score_bounds_half_the_head_gradient_of_every_frame(channels):
    """Exact where all pixels err and look alike, as Cauchy and Schwarz have it."""
    field = small(channels)
    features = field.features(jnp.linspace(-1, 1, 9)[:, None])
    values = jnp.asarray(np.random.default_rng(1).random((9, 24 * channels)))
    residual = field.head(features) - values

    def frame_error(field, feature, value):
        return jnp.sum((field.head(feature[None])[0] - value) ** 2)

    gradients = jax.vmap(jax.grad(frame_error), (None, 0, 0))(field, features, values)
    true = np.asarray(eqx.filter_vmap(trees.norm)(gradients))
    bound = 2 * np.asarray(field.head_gradient_norm(residual, features))
    assert np.all(true <= bound * (1 + 1e-12))
    flat, same = jnp.full((1, 24 * 4), 0.3), jnp.full((1, 24 * channels), 0.7)
    exact = trees.norm(jax.grad(frame_error)(field, flat[0], (field.head(flat) - same)[0]))
    np.testing.assert_allclose(2 * field.head_gradient_norm(same, flat)[0], exact, rtol=1e-12)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize(
    "scorer", ["last_layer", *(pytest.param(name, marks=pytest.mark.slow) for name in ("error", "random"))]
)
def test_the_low_memory_engine_equals_plain_autodiff(scorer, assert_same):
    field, context = small(), context_of(clip(), point_axes=1)
    context = jax.tree.map(lambda leaf: leaf.astype(jnp.float64) if leaf.dtype == jnp.float32 else leaf, context)
    results = []
    for engine in (Engine(tile=2), Engine("unrolled")):
        learner = ECoP(inner_steps=2, inner_lr=0.2, keep=0.5, scorer=scorer, bootstrap_steps=1, bootstrap_lr=0.3,
                       bootstrap_weight=10.0, engine=engine)  # fmt: skip

        @eqx.filter_jit
        def run(field, context, learner=learner):
            return learner.signal_gradient(field, context, context, jax.random.key(0), jnp.asarray(0))

        results.append(run(field, context))
    (ours, info), (theirs, reference) = results
    assert_same(ours, theirs, rtol=1e-9)
    np.testing.assert_allclose(info["loss"], reference["loss"], rtol=1e-9)


def test_a_tile_may_be_one_frame():
    large = eqx.filter_eval_shape(lambda: NeRV.create(jax.random.key(0), d_in=1, d_out=256 * 256 * 3, frame=(256, 256)))
    assert large.width() == 256 * 256 * 16
    assert Engine().resolved_tile(large) == 1
    assert small().width() == 4 * 6 * 4


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"frame": (4, 7)}, "a height and a width that are multiples of 2"),
        ({"frame": (4,)}, "a height and a width that are multiples of 2"),
        ({"widths": (5,)}, "2 numbers of channels, one more than the strides"),
        ({"strides": ()}, "whole numbers of at least 1, one a block"),
        ({"kernel": 2}, "an odd number"),
        ({"stem": 0}, "above 0"),
    ],
)
def test_settings_that_make_no_field(changes, words):
    with pytest.raises(InvalidSetting, match=words):
        create_field(NeRV, jax.random.key(0), 1, 72, {**SMALL, **changes})
    with pytest.raises(InvalidSetting, match="as many pixels as make up 70 values"):
        create_field(NeRV, jax.random.key(0), 1, 70, SMALL)
    with pytest.raises(UnknownName, match="did you mean 'strides'"):
        create_field(NeRV, jax.random.key(0), 1, 72, {**SMALL, "stride": 2})


RECIPE = """
signal = "video"
[field]
name = "nerv"
stem = 6
widths = [5, 4]
strides = [2]
levels = 3
[learner]
name = "ecop"
keep = 0.5
inner_steps = 2
inner_lr = 0.2
[data]
size = [4, 4, 6]
[fit]
steps = 3
"""


@pytest.fixture(scope="module")
def initialisation():
    recipe = Recipe.from_toml(RECIPE)
    return Initialisation.random(recipe, resolved_fit(recipe))


def test_a_recipe_gives_the_frame(initialisation):
    assert initialisation.field.frame == (4, 6)
    wrong = Recipe.from_toml(RECIPE).with_settings({"field.frame": [6, 4]})
    with pytest.raises(InvalidSetting, match=r"field.frame = \[6, 4\] is not usable: expected \[4, 6\]"):
        create_recipe_field(wrong, jax.random.key(0))


def test_a_fit_stretches_frames_to_the_field_and_cuts_time(initialisation, tmp_path):
    """Ten frames of 9×8: blocks of four frames of 4×6 each; drawn at the clip's own size and twice its rate."""
    fitted = initialisation.fit(clip(10, size=(9, 8)))
    assert (fitted.shape, fitted.resampled) == ((10, 4, 6), (10, 9, 8))
    assert fitted.blocks is not None
    assert fitted.blocks.shape == (4, 4, 6)
    fitted.save(tmp_path / "a.safetensors")
    drawn = type(fitted).load(tmp_path / "a.safetensors").render((20, 9, 8))
    assert drawn.shape == (20, 9, 8)
    assert drawn.about["rate"] == 16
    np.testing.assert_allclose(fitted.render().values, type(fitted).load(tmp_path / "a.safetensors").render().values)


def test_a_fit_refuses_frames_of_another_size(initialisation):
    for how in ({"native": True}, {"patches": True}):
        with pytest.raises(InvalidSetting, match=r"neither for a field of whole frames"):
            initialisation.fit(clip(4, size=(9, 8)), **how)
    assert initialisation.fit(clip(9), native=True).shape == (9, 4, 6)


def test_missing_frames_count_for_nothing_but_holes_in_frames_are_refused():
    values = clip(4).values.copy()
    values[3] = np.nan
    context = context_of(Video(values, {}), point_axes=1)
    np.testing.assert_array_equal(context.weights, [1, 1, 1, 0])
    assert np.all(np.isfinite(context.values))
    values[0, 0, 0] = np.nan
    with pytest.raises(InvalidSetting, match="some missing in a frame"):
        context_of(Video(values, {}), point_axes=1)
