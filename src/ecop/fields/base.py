"""What every neural field offers: features, a head on them, and which of its leaves the two loops move."""

import abc
import inspect
from typing import Any, ClassVar, NamedTuple, Self

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray, PyTree

from ecop.core.errors import InvalidSetting, UnknownName
from ecop.core.products import product


class Roles(NamedTuple):
    """Two masks over the leaves of a field, each a pytree of booleans with the field's structure.

    Attributes:
        adapted: moved by the inner loop (every signal has its own).
        learned: moved by the outer loop (the initialisation).
    """

    adapted: PyTree[bool]
    learned: PyTree[bool]


class Field(eqx.Module):
    """A network f from coordinates to values, cut into `features` (all but the last layer) and `head`.

    A class says in ``point_axes`` how many leading axes of a grid make a point: ``None`` for all of them, each point
    one sample; 1 for a field that predicts whole frames, all that lies behind the first axis at once.
    """

    point_axes: ClassVar[int | None] = None

    @abc.abstractmethod
    def features(self, coords: Float[Array, "n d_in"]) -> Float[Array, "n h"]:
        """The last hidden layer at n coordinates."""

    @abc.abstractmethod
    def head(self, features: Float[Array, "n h"]) -> Float[Array, "n d_out"]:
        """The prediction from the last hidden layer."""

    @abc.abstractmethod
    def head_gradient_norm(self, residual: Float[Array, "n d_out"], features: Float[Array, "n h"]) -> Float[Array, "n"]:
        """Norm of each point's loss gradient with respect to the head's parameters, up to one constant factor."""

    @abc.abstractmethod
    def width(self) -> int:
        """Numbers in the widest layer for one point: it decides how many points are worked on at a time."""

    @abc.abstractmethod
    def roles(self) -> Roles:
        """Which leaves the inner and the outer loop move."""

    @abc.abstractmethod
    def settings(self) -> dict[str, Any]:
        """The keyword arguments, as JSON values, that `create` needs for the same structure."""

    @classmethod
    @abc.abstractmethod
    def create(cls, key: PRNGKeyArray, *args: Any, d_in: int, d_out: int, **settings: Any) -> Self:
        """A field with random parameters.

        Args:
            key: a JAX random key.
            *args: nothing; beside ``**settings`` it tells type checkers that every class names its own settings.
            d_in: coordinates of a point.
            d_out: values of a point.
            **settings: the class's own.
        """

    def __call__(self, coords: Float[Array, "n d_in"]) -> Float[Array, "n d_out"]:
        """The prediction at n coordinates."""
        return self.head(self.features(coords))


class Affine(eqx.Module):
    """x ↦ x Wᵀ + b on rows."""

    weight: Float[Array, "out in"]
    bias: Float[Array, "out"]

    def __call__(self, x: Float[Array, "n in"]) -> Float[Array, "n out"]:
        """Apply to n rows."""
        return product(x, self.weight) + self.bias

    @classmethod
    def uniform(cls, key: PRNGKeyArray, d_in: int, d_out: int, bound: float) -> Self:
        """Weights and biases drawn from U(−bound, bound)."""
        weight_key, bias_key = jax.random.split(key)
        return cls(
            jax.random.uniform(weight_key, (d_out, d_in), minval=-bound, maxval=bound),
            jax.random.uniform(bias_key, (d_out,), minval=-bound, maxval=bound),
        )


class LinearHead(Field):
    """A field whose head is one linear map, so that least squares can find the best one for given features.

    The features of a point are one row of the map's inputs, or several, row after row: one for every pixel of a frame.
    """

    @abc.abstractmethod
    def last_layer(self) -> Affine:
        """The linear map of the head."""


def affine_gradient_norm(residual: Float[Array, "n d_out"], features: Float[Array, "n h"]) -> Float[Array, "n"]:
    """‖r‖ · sqrt(1 + ‖h‖²): a linear head's per-point gradient r ⊗ (h, 1) is of rank one, so its norm factorises.

    GradNCP's score (arXiv 2302.00617); the per-point gradient itself is never built.
    """
    return jnp.sqrt(jnp.sum(residual**2, -1) * (1 + jnp.sum(features**2, -1)))


def mask_like(field: Field, value: bool) -> PyTree[bool]:
    """A mask over the field's leaves, ``value`` everywhere."""
    return jax.tree.map(lambda _: value, field)


def split_adapted(field: Field) -> tuple[Field, Field]:
    """(θ, the rest): the leaves that the inner loop moves, and all others; `equinox.combine` joins them again."""
    return eqx.partition(field, field.roles().adapted)


def split_learned(field: Field) -> tuple[Field, Field]:
    """(what the outer loop moves, the rest)."""
    return eqx.partition(field, field.roles().learned)


def create_field(field_class: type[Field], key: PRNGKeyArray, d_in: int, d_out: int, settings: dict[str, Any]) -> Field:
    """`Field.create` with unknown settings refused by name.

    Raises:
        UnknownName: for a setting that the class does not take.
        InvalidSetting: for a value outside its range.
    """
    known = setting_names(field_class)
    for name in settings:
        if name not in known:
            raise UnknownName(f"setting of {field_class.__name__}", name, known)
    return field_class.create(key, d_in=d_in, d_out=d_out, **settings)


def setting_names(field_class: type[Field]) -> tuple[str, ...]:
    """The settings that a field class takes."""
    parameters = inspect.signature(field_class.create).parameters
    return tuple(name for name in parameters if name not in ("key", "d_in", "d_out"))


def require_positive(**settings: int | float) -> None:
    """Raise `InvalidSetting` for a setting that is not above 0."""
    for name, value in settings.items():
        if not value > 0:
            raise InvalidSetting(name, value, "a number above 0")
