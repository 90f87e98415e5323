"""The factorised last-layer score against the norm of each point's true gradient."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ecop.core import trees
from ecop.core.registry import FIELDS


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("name", FIELDS.names())
def test_score_is_proportional_to_the_gradient_norm_of_each_point(name, small_field, scattered):
    field, context = small_field(name), scattered(40)
    features = field.features(context.points.coords)
    residual = field.head(features) - context.values

    def point_error(field, feature, value):
        return jnp.sum((field.head(feature[None])[0] - value) ** 2)

    # Of the leaves, only the head's have a gradient, since the features are given.
    gradients = jax.vmap(jax.grad(point_error), (None, 0, 0))(field, features, context.values)
    true = eqx.filter_vmap(trees.norm)(gradients)
    ratio = np.asarray(field.head_gradient_norm(residual, features) / true)
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-12)
    assert np.ptp(np.asarray(true)) > 0.1 * np.mean(true)
