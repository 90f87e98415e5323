"""NeRV: a decoder from a moment to a whole frame (Chen et al. 2021, arXiv 2110.13903)."""

import itertools
import math
from collections.abc import Sequence
from typing import Any, ClassVar, Self

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from ecop.core.recipe import check
from ecop.core.sine import sincos
from ecop.fields.base import Affine, LinearHead, Roles, mask_like, require_positive


class Convolution(eqx.Module):
    """A convolution of k × k with stride 1 that keeps the size, zeros outside, and a bias.

    As a matrix product with every pixel's neighbourhood, whose derivatives are matrix products too: XLA's convolutions
    have derivatives that are many times slower on a CPU.

    Attributes:
        patch: from a neighbourhood's k² · in numbers.
        kernel: k, odd.
    """

    patch: Affine
    kernel: int = eqx.field(static=True)

    def __call__(self, x: Float[Array, "n height width in"]) -> Float[Array, "n height width out"]:
        """Apply to n maps."""
        n, height, width, channels = x.shape
        reach = self.kernel // 2
        x = jnp.pad(x, ((0, 0), (reach, reach), (reach, reach), (0, 0)))
        offsets = itertools.product(range(self.kernel), repeat=2)
        patches = jnp.concatenate([x[:, i : i + height, j : j + width] for i, j in offsets], -1)
        return self.patch(patches.reshape(-1, self.kernel**2 * channels)).reshape(n, height, width, -1)


class NeRV(LinearHead):
    """t ↦ encoding ↦ two-layer stem ↦ small map ↦ blocks of convolution, pixel shuffle and GELU ↦ 1 × 1 head.

    A point is a moment, its value the whole frame, flattened row by row with the channels last: context pruning leaves
    out frames, not pixels. The encoding of t in [−1, 1] is sin and cos of π bⁱ (t + 1) / 2, i = 0 … levels − 1.

    Attributes:
        stem: two linear maps with GELU behind each.
        blocks: convolutions, each followed by a pixel shuffle by its stride and GELU.
        last: the head, a 1 × 1 convolution, which is a linear map of every pixel.
        frame: (height, width).
        strides: of the blocks' shuffles.
        base: b of the encoding.
        levels: frequencies of the encoding.
        output_offset: added to the prediction.

    Example:
        >>> field = NeRV.create(jax.random.key(0), d_in=1, d_out=8 * 12 * 3, frame=(8, 12), widths=(8, 6), strides=(4,))
        >>> field(jnp.zeros((5, 1))).shape
        (5, 288)
    """

    point_axes: ClassVar[int | None] = 1

    stem: tuple[Affine, Affine]
    blocks: tuple[Convolution, ...]
    last: Affine
    frame: tuple[int, int] = eqx.field(static=True)
    strides: tuple[int, ...] = eqx.field(static=True)
    base: float = eqx.field(static=True)
    levels: int = eqx.field(static=True)
    output_offset: float = eqx.field(static=True)

    @classmethod
    def create(
        cls,
        key: PRNGKeyArray,
        *,
        d_in: int,
        d_out: int,
        frame: Sequence[int] = (256, 256),
        stem: int = 128,
        widths: Sequence[int] = (64, 48, 32, 16),
        strides: Sequence[int] = (4, 2, 2),
        kernel: int = 3,
        base: float = 1.25,
        levels: int = 24,
        output_offset: float = 0.5,
    ) -> Self:
        """He-uniform weights, U(−√(6/n), √(6/n)), small biases; the head U(−√(1/n), √(1/n)).

        Args:
            key: a JAX random key.
            d_in: coordinates of a moment, 1 for time.
            d_out: values of a frame, height · width · channels.
            frame: (height, width), multiples of the product of the strides; in a recipe ``data.size`` says it.
            stem: units of the stem's hidden layer.
            widths: channels of the map behind the stem, and behind each block.
            strides: by how much each block enlarges its map.
            kernel: side of the blocks' convolutions, odd.
            base: b of the encoding.
            levels: frequencies of the encoding.
            output_offset: added to the prediction.

        Raises:
            InvalidSetting: for a setting of 0 or less, a frame that the strides do not divide or that does not make up
                ``d_out``, or another number of widths than one more than the strides.
        """
        require_positive(stem=stem, kernel=kernel, base=base, levels=levels)
        check(kernel % 2 == 1, "kernel", kernel, "an odd number")
        check(len(strides) >= 1 and min(strides) >= 1, "strides", strides, "whole numbers of at least 1, one a block")
        check(len(widths) == len(strides) + 1 and min(widths) >= 1, "widths", widths,
              f"{len(strides) + 1} numbers of channels, one more than the strides")  # fmt: skip
        enlarged = math.prod(strides)
        divides = len(frame) == 2 and min(frame) >= 1 and all(n % enlarged == 0 for n in frame)
        check(
            divides, "frame", tuple(frame), f"a height and a width that are multiples of {enlarged}, as the strides are"
        )
        check(d_out % math.prod(frame) == 0, "frame", tuple(frame), f"as many pixels as make up {d_out} values")
        small = math.prod(frame) // enlarged**2
        stem_keys, *keys = jax.random.split(key, len(strides) + 2)
        first, second = jax.random.split(stem_keys)
        affine = (
            _affine(first, 2 * levels * d_in, stem, 6),
            _affine(second, stem, small * widths[0], 6),
        )
        blocks = tuple(
            Convolution(_affine(own, kernel**2 * before, after * stride**2, 6), kernel)
            for own, before, after, stride in zip(keys[:-1], widths[:-1], widths[1:], strides, strict=True)
        )
        last = _affine(keys[-1], widths[-1], d_out // math.prod(frame), 1)
        height, width = frame
        return cls(affine, blocks, last, (height, width), tuple(strides), float(base), levels, float(output_offset))

    def features(self, coords: Float[Array, "n d_in"]) -> Float[Array, "n h"]:
        """The last map, (height · width · channels) numbers for each moment."""
        frequencies = np.pi * self.base ** np.arange(self.levels)
        angles = ((coords + 1) / 2)[..., None] * jnp.asarray(frequencies, coords.dtype)
        hidden = jnp.concatenate(sincos(angles.reshape(len(coords), -1)), -1)
        for layer in self.stem:
            hidden = jax.nn.gelu(layer(hidden))
        height, width = (n // math.prod(self.strides) for n in self.frame)
        hidden = hidden.reshape(len(coords), height, width, -1)
        for convolution, stride in zip(self.blocks, self.strides, strict=True):
            hidden = jax.nn.gelu(pixel_shuffle(convolution(hidden), stride))
        return hidden.reshape(len(coords), -1)

    def head(self, features: Float[Array, "n h"]) -> Float[Array, "n d_out"]:
        """The linear map of every pixel, and the offset."""
        pixels = features.reshape(-1, self.last.weight.shape[-1])
        return (self.last(pixels) + self.output_offset).reshape(len(features), -1)

    def head_gradient_norm(self, residual: Float[Array, "n d_out"], features: Float[Array, "n h"]) -> Float[Array, "n"]:
        """‖e‖ · sqrt(‖f‖² + P), a bound on half the norm of each frame's gradient in the head, P pixels.

        With E (P, channels) the frame's error and F (P, width) its features, the gradient of ‖e‖² with respect to the
        head's weights and biases is 2 Eᵀ[F, 1]. Its norm is at most 2 ‖E‖ ‖[F, 1]‖ (Cauchy and Schwarz), twice what is
        returned, with equality where all pixels err and look alike, as in a frame of one pixel. This is the bound
        ‖e ∘ x‖ · ‖f‖ of context pruning by frames (arXiv 2302.00617), x being the derivative of an output activation,
        1 here; the term P is the biases'.
        """
        pixels = math.prod(self.frame)
        return jnp.sqrt(jnp.sum(residual**2, -1) * (jnp.sum(features**2, -1) + pixels))

    def last_layer(self) -> Affine:
        """The map of each pixel, without the offset."""
        return self.last

    def width(self) -> int:
        """Of the largest map; the maps grow towards the frame."""
        height, width = (n // math.prod(self.strides) for n in self.frame)
        sizes = [self.stem[0].weight.shape[-2], self.stem[1].weight.shape[-2]]
        for convolution, stride in zip(self.blocks, self.strides, strict=True):
            sizes.append(height * width * convolution.patch.bias.shape[-1])
            height, width = height * stride, width * stride
        return max(sizes)

    def roles(self) -> Roles:
        """Every leaf is adapted and learned."""
        return Roles(mask_like(self, True), mask_like(self, True))

    def settings(self) -> dict[str, Any]:
        """All settings of `create`."""
        kernel = self.blocks[0].kernel
        behind = [b.patch.bias.shape[-1] // s**2 for b, s in zip(self.blocks, self.strides, strict=True)]
        return {
            "frame": list(self.frame),
            "stem": self.stem[0].weight.shape[-2],
            "widths": [self.blocks[0].patch.weight.shape[-1] // kernel**2, *behind],
            "strides": list(self.strides),
            "kernel": kernel,
            "base": self.base,
            "levels": self.levels,
            "output_offset": self.output_offset,
        }


def pixel_shuffle(x: Float[Array, "n height width channels"], stride: int) -> Float[Array, "n tall wide fewer"]:
    """Channels to space: each pixel's stride² groups of channels become a square of pixels.

    Example:
        >>> pixel_shuffle(jnp.arange(4.0).reshape(1, 1, 1, 4), 2)[0, ..., 0].tolist()
        [[0.0, 1.0], [2.0, 3.0]]
    """
    n, height, width, channels = x.shape
    squares = x.reshape(n, height, width, stride, stride, channels // stride**2)
    return squares.swapaxes(2, 3).reshape(n, height * stride, width * stride, -1)


def _affine(key: PRNGKeyArray, d_in: int, d_out: int, gain: float) -> Affine:
    layer = Affine.uniform(key, d_in, d_out, (gain / d_in) ** 0.5)
    return Affine(layer.weight, 0.1 * layer.bias)
