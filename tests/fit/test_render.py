"""Where rendered samples lie: a field that is linear in its coordinates shows any shift or stretch exactly."""

import itertools

import equinox as eqx
import hypothesis
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import strategies

from ecop.core.errors import InvalidSetting, TooLarge
from ecop.core.grids import regular_grid
from ecop.fields.base import Affine, Field, Roles, affine_gradient_norm, mask_like
from ecop.fit import render
from ecop.fit.blocks import cut, sample_grid
from ecop.fit.fitted import Fitted


class Plane(Field):
    """0.5 + W x + b, a field whose value at every coordinate is known."""

    layer: Affine

    def features(self, coords):
        return coords

    def head(self, features):
        return self.layer(features) + 0.5

    def head_gradient_norm(self, residual, features):
        return affine_gradient_norm(residual, features)

    def width(self):
        return 3

    def roles(self):
        return Roles(mask_like(self, True), mask_like(self, True))

    def settings(self):
        return {}

    @classmethod
    def create(cls, key, *, d_in, d_out):
        return cls(Affine.uniform(key, d_in, d_out, 0.2))


WEIGHT = np.array([[0.2, 0.0], [0.0, 0.2], [0.1, -0.1]], np.float32)


def plane():
    return Plane(Affine(jnp.asarray(WEIGHT), jnp.zeros(3)))


def fitted(shape, convention="centres", **more):
    return Fitted(plane(), "image", shape, 3, {"bits": 32}, convention, **more)


def expected(grid):
    return (grid.coordinates() @ WEIGHT.T + 0.5).reshape(*grid.shape, 3)


@pytest.mark.parametrize("convention", ["centres", "corners"])
def test_a_render_at_the_fitted_shape_is_at_the_fitted_samples(convention):
    values = fitted((5, 8), convention).render().values
    np.testing.assert_allclose(values, expected(regular_grid((5, 8), convention)), atol=1e-6)


@hypothesis.settings(max_examples=15, deadline=None)
@hypothesis.given(strategies.tuples(strategies.integers(2, 30), strategies.integers(2, 30)), strategies.integers(2, 4))
def test_a_larger_render_keeps_the_pixels_aligned(shape, factor):
    """Under `centres` the mean over each pixel's own samples is the pixel, for a linear field exactly."""
    small, large = fitted(shape).render().values, fitted(shape).render(scale=factor).values
    assert large.shape == (shape[0] * factor, shape[1] * factor, 3)
    pooled = large.reshape(shape[0], factor, shape[1], factor, 3).mean((1, 3))
    np.testing.assert_allclose(pooled, small, atol=1e-6)


def test_a_region_is_that_part_of_the_whole():
    whole = fitted((20, 40)).render(scale=2).values
    part = fitted((20, 40)).render(scale=2, region=(0.25, 0.5, 0.75, 1.0)).values
    np.testing.assert_allclose(part, whole[20:40, 20:60], atol=1e-6)


def test_strips_join_to_the_whole(monkeypatch):
    monkeypatch.setattr(render, "CHUNK", 64)
    grid = regular_grid((37, 11))
    strips = [strip.shape for strip in render.strips(grid, points=50)]
    assert strips == [(4, 11)] * 9 + [(1, 11)]
    joined = np.concatenate(list(render.render_strips(plane(), render.View(grid, None), grid)))
    np.testing.assert_allclose(joined, expected(grid), atol=1e-6)


@pytest.mark.parametrize("convention", ["centres", "corners"])
@pytest.mark.parametrize("scale", [1.0, 2.0, 3.7, 0.4])
def test_blocks_that_agree_render_without_a_seam(convention, scale):
    """Each block's plane is the whole's in the block's own coordinates, so that any misplacement would show."""
    shape, source = (23, 31), regular_grid((23, 31), convention)
    blocks = cut(shape, (10, 12), 3)
    own = regular_grid(blocks.shape, convention)
    layers = []
    for start in blocks.starts:
        # local = own.origin + (p − start)·own.spacing and global = source.origin + p·source.spacing
        ratio = np.array(source.spacing) / np.array(own.spacing)
        shift = np.array(source.origin) + np.array(start) * source.spacing - ratio * np.array(own.origin)
        layers.append(Affine(jnp.asarray(WEIGHT * ratio), jnp.asarray(WEIGHT @ shift)))
    fields = Plane(jax.tree.map(lambda *leaves: np.stack(leaves).astype(np.float32), *layers))
    field = Fitted(fields, "image", shape, 3, {"bits": 32}, convention, blocks)
    found = field.render(scale=scale)
    np.testing.assert_allclose(found.values, expected(regular_grid(found.shape, convention)), atol=3e-6)


@hypothesis.given(strategies.tuples(strategies.integers(1, 60), strategies.integers(1, 60)), strategies.integers(0, 5))
def test_blocks_cover_every_sample_and_overlap(shape, overlap):
    blocks = cut(shape, (8, 9), overlap)
    covered = np.zeros(shape, int)
    for start in blocks.starts:
        part = tuple(slice(s, s + n) for s, n in zip(start, blocks.shape, strict=True))
        assert all(s.stop <= n for s, n in zip(part, shape, strict=True))
        covered[part] += 1
    assert covered.min() >= 1
    for axis in (0, 1):
        starts = sorted({start[axis] for start in blocks.starts})
        assert all(
            b - a <= blocks.shape[axis] - min(overlap, blocks.shape[axis]) for a, b in itertools.pairwise(starts)
        )


def test_sample_grid_counts_in_samples():
    source = regular_grid((4,))
    assert sample_grid(source, source).axes()[0].tolist() == [0, 1, 2, 3]
    assert sample_grid(regular_grid((8,)), source).axes()[0][:3].tolist() == [-0.25, 0.25, 0.75]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"shape": (0, 4)}, InvalidSetting),
        ({"shape": (-3, 4)}, InvalidSetting),
        ({"shape": (4,)}, InvalidSetting),
        ({"shape": (10**6, 10**6)}, TooLarge),
        ({"scale": 0.0}, InvalidSetting),
        ({"scale": float("nan")}, InvalidSetting),
        ({"scale": 1e30}, InvalidSetting),
        ({"scale": 2.0, "shape": (4, 4)}, InvalidSetting),
        ({"region": (0.5, 0.0, 0.5, 1.0)}, InvalidSetting),
        ({"region": (0.0, 0.0, 1.5, 1.0)}, InvalidSetting),
    ],
)
def test_what_cannot_be_rendered_is_refused(arguments, error):
    with pytest.raises(error):
        fitted((5, 8)).render(**arguments)


def test_evaluate_pads_to_one_compiled_size():
    axes = [np.linspace(-1, 1, 5), np.linspace(-1, 1, 3)]
    values = render.evaluate_axes(plane(), axes, render.View(regular_grid((5, 3), "corners"), None))
    assert values.shape == (5, 3, 3)
    np.testing.assert_allclose(values[4, 0], 0.5 + WEIGHT @ [1, -1], atol=1e-6)
    assert eqx.is_array_like(values)
