"""What every registered field must do."""

import json

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jaxtyping import TypeCheckError

from ecop.core import trees
from ecop.core.errors import InvalidSetting, UnknownName
from ecop.core.registry import FIELDS
from ecop.fields import create_field, split_adapted, split_learned
from ecop.fields.base import setting_names


@pytest.fixture(params=FIELDS.names())
def name(request):
    return request.param


def points(n=7, d_in=2, dtype=jnp.float32):
    return jnp.asarray(np.random.default_rng(0).uniform(-1, 1, (n, d_in)), dtype)


@pytest.mark.parametrize(("n", "d_in", "d_out"), [(7, 2, 3), (1, 1, 1), (4, 3, 2)])
def test_shapes(name, n, d_in, d_out, small_field):
    field, coords = small_field(name, d_in, d_out), points(n, d_in)
    features = field.features(coords)
    prediction = field.head(features)
    assert features.ndim == 2
    assert prediction.shape == (n, d_out)
    np.testing.assert_array_equal(field(coords), prediction)
    scores = field.head_gradient_norm(prediction - 0.2, features)
    assert scores.shape == (n,)
    assert jnp.all(scores >= 0)


def test_a_point_does_not_see_the_others(name, small_field):
    field, coords = small_field(name), points()
    one_by_one = jnp.concatenate([field(coords[i : i + 1]) for i in range(len(coords))])
    np.testing.assert_allclose(field(coords), one_by_one, rtol=1e-5, atol=1e-6)


def test_roles_are_masks_over_the_leaves(name, small_field):
    field = small_field(name)
    roles = field.roles()
    for mask in roles:
        assert jax.tree.structure(mask) == jax.tree.structure(field)
        assert all(isinstance(leaf, bool) for leaf in jax.tree.leaves(mask))
    assert any(jax.tree.leaves(roles.adapted))
    assert any(jax.tree.leaves(roles.learned))
    for split in (split_adapted, split_learned):
        np.testing.assert_array_equal(eqx.combine(*split(field))(points()), field(points()))


def test_settings_create_the_same_structure(name, small_field):
    field = small_field(name)
    again = create_field(FIELDS[name], jax.random.key(9), 2, 3, json.loads(json.dumps(field.settings())))
    assert jax.tree.structure(again) == jax.tree.structure(field)
    assert [leaf.shape for leaf in jax.tree.leaves(again)] == [leaf.shape for leaf in jax.tree.leaves(field)]
    assert again.settings() == field.settings()


def test_the_key_decides_the_parameters(name, small_field):
    first, same, other = small_field(name, seed=1), small_field(name, seed=1), small_field(name, seed=2)
    for a, b in zip(jax.tree.leaves(first), jax.tree.leaves(same), strict=True):
        np.testing.assert_array_equal(a, b)
    assert not np.allclose(first(points()), other(points()))


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.float64])
def test_types_and_gradients(name, dtype, small_field):
    with jax.enable_x64(dtype == jnp.float64):
        field, coords = small_field(name, dtype=dtype), points(dtype=dtype)
        value, gradient = eqx.filter_value_and_grad(lambda f: jnp.mean((f(coords) - 0.3) ** 2))(field)
    assert value.dtype == dtype
    for leaf, adapted in zip(jax.tree.leaves(gradient), jax.tree.leaves(field.roles().adapted), strict=True):
        assert leaf.dtype == dtype
        assert np.all(np.isfinite(leaf))
        assert not adapted or np.any(np.asarray(leaf))


@settings(max_examples=15, deadline=None)
@given(st.sampled_from(FIELDS.names()), st.integers(1, 2**31), st.integers(1, 4), st.integers(1, 99))
def test_any_number_of_points_and_channels(small_field, name, n, d_in, d_out):
    coords = jax.ShapeDtypeStruct((n, d_in), jnp.float32)
    result = eqx.filter_eval_shape(lambda x: small_field(name, d_in, d_out)(x), coords)
    assert result.shape == (n, d_out)


def test_a_wrong_shape_fails(name, small_field):
    """The annotations are enforced here: a vector of coordinates, and values for other points."""
    field = small_field(name)
    with pytest.raises(TypeCheckError, match="coords"):
        field.features(jnp.zeros(2))
    with pytest.raises(TypeCheckError, match="features"):
        field.head_gradient_norm(jnp.zeros((5, 3)), jnp.zeros((4, 8)))


def test_unknown_and_bad_settings(name):
    with pytest.raises(UnknownName, match=r"no setting of \w+ 'widht' \(did you mean 'widths?'\?\)"):
        create_field(FIELDS[name], jax.random.key(0), 2, 3, {"widht": 8})
    for bad in ({"width": 0}, {"depth": 1}, {"levels": 0}, {"kernel": 2}):
        if next(iter(bad)) not in setting_names(FIELDS[name]):
            continue
        with pytest.raises(InvalidSetting, match=next(iter(bad))):
            create_field(FIELDS[name], jax.random.key(0), 2, 3, bad)


def test_number_of_parameters():
    """Five layers of the paper: 2·256 + 256, three times 256·256 + 256, 256·3 + 3."""
    assert trees.size(FIELDS["siren"].create(jax.random.key(0), d_in=2, d_out=3)) == 198_915


@pytest.mark.parametrize(("d_in", "width", "w0"), [(2, 256, 30.0), (3, 64, 5.0)])
def test_siren_initialisation(d_in, width, w0):
    """U(−1/d, 1/d), then U(−√(6/n)/w0, √(6/n)/w0), biases likewise: the ranges, and the spread of a uniform draw."""
    field = FIELDS["siren"].create(jax.random.key(0), d_in=d_in, d_out=3, width=width, w0=w0)
    bounds = [1 / d_in] + [np.sqrt(6 / width) / w0] * 4
    for layer, bound in zip(field.layers, bounds, strict=True):
        for leaf in (layer.weight, layer.bias):
            assert 0.5 * bound < jnp.max(jnp.abs(leaf)) <= bound * (1 + 1e-6)
        np.testing.assert_allclose(jnp.std(layer.weight), bound / np.sqrt(3), rtol=0.1)


def test_fourier_features(small_field):
    """The matrix is drawn from N(0, σ²) and moved by neither loop."""
    field = FIELDS["fourier"].create(jax.random.key(0), d_in=2, d_out=3, width=8, frequencies=4000, sigma=7.0)
    np.testing.assert_allclose([jnp.mean(field.matrix), jnp.std(field.matrix)], [0, 7], atol=0.3)
    assert field.roles().adapted.matrix is False
    assert field.roles().learned.matrix is False
    coords = points()
    angles = 2 * np.pi * np.asarray(coords, np.float64) @ np.asarray(small_field("fourier").matrix, np.float64).T
    hidden = np.concatenate([np.sin(angles), np.cos(angles)], 1)
    for layer in small_field("fourier").layers[:-1]:
        hidden = np.maximum(hidden @ np.asarray(layer.weight).T + np.asarray(layer.bias), 0)
    np.testing.assert_allclose(small_field("fourier").features(coords), hidden, rtol=1e-4, atol=1e-5)
