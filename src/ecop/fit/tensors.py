"""Between a field and the named tensors of its file."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from ecop.adapt.update import Update
from ecop.core import trees
from ecop.core.errors import BadFieldFile, EcopError
from ecop.core.registry import FIELDS
from ecop.fields.base import Field, create_field
from ecop.signals.base import Signal
from ecop.store.field_file import UPDATE


def to_tensors(field: Field) -> dict[str, np.ndarray]:
    """The array leaves by dotted path, e.g. ``layers.0.weight``."""
    return {name: np.asarray(leaf) for name, leaf in trees.named_leaves(field).items() if eqx.is_array_like(leaf)}


def update_tensors(update: Update) -> dict[str, np.ndarray]:
    """What is learned of an inner update, by dotted path, e.g. ``update.lr.logs.layers.0.weight``."""
    arrays = trees.named_leaves(eqx.filter(update, eqx.is_array))
    return {UPDATE + name: np.asarray(leaf) for name, leaf in arrays.items()}


def field_tensors(tensors: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """All but those of an update."""
    return {name: tensor for name, tensor in tensors.items() if not name.startswith(UPDATE)}


def update_from_tensors(update: Update, tensors: Mapping[str, np.ndarray], path: str | Path) -> Update:
    """The update with what was learned of it.

    Args:
        update: before anything is learned.
        tensors: arrays by dotted path, those of the field among them.
        path: named in errors.

    Raises:
        BadFieldFile: if the tensors are not those of such an update.
    """
    arrays, rest = eqx.partition(update, eqx.is_array)
    expected = {UPDATE + name: leaf.shape for name, leaf in trees.named_leaves(arrays).items()}
    found = {name: tensor.shape for name, tensor in tensors.items() if name.startswith(UPDATE)}
    if expected != found:
        wrong = sorted(set(expected.items()) ^ set(found.items()))[0]
        raise BadFieldFile(path, f"its tensors are not those of its inner update ({wrong[0]})", "create it anew")
    return eqx.combine(trees.with_leaves(arrays, lambda name, _: jnp.asarray(tensors[UPDATE + name])), rest)


def point_sizes(
    field: Field | type[Field], signal: type[Signal], shape: tuple[int, ...], channels: int
) -> tuple[int, int]:
    """Coordinates of a point, and values of a point: those of a sample, or of all samples of a frame of ``shape``."""
    if field.point_axes is None:
        return signal.d_in, channels
    return field.point_axes, math.prod(shape[field.point_axes :]) * channels


def describe_field(field: Field, d_in: int, d_out: int) -> dict[str, Any]:
    """The field's entry in a file: its name, settings, and the sizes that come from the signal."""
    return {"name": FIELDS.name_of(type(field)), "settings": field.settings(), "d_in": d_in, "d_out": d_out}


def from_tensors(
    description: Mapping[str, Any], tensors: Mapping[str, np.ndarray], path: str | Path, blocks: int | None = None
) -> Field:
    """The field that a file describes.

    Args:
        description: what `describe_field` made.
        tensors: arrays by dotted path; with ``blocks``, each has a leading axis of that length.
        path: named in errors.
        blocks: number of blocks, if any.

    Raises:
        BadFieldFile: if the tensors are not those of such a field.
    """
    try:
        field_class = FIELDS[description["name"]]
        sizes = {"d_in": int(description["d_in"]), "d_out": int(description["d_out"])}
        key = jax.random.key(0)
        skeleton = eqx.filter_eval_shape(
            lambda: create_field(field_class, key, settings=dict(description["settings"]), **sizes)
        )
    except (EcopError, KeyError, TypeError, ValueError) as error:
        raise BadFieldFile(path, f"describes a field that cannot be made ({error})", "create it anew") from None
    leading = () if blocks is None else (blocks,)
    expected = {name: (*leading, *leaf.shape) for name, leaf in trees.named_leaves(skeleton).items()}
    found = {name: tensor.shape for name, tensor in tensors.items()}
    if expected != found:
        wrong = sorted(set(expected.items()) ^ set(found.items()))[0]
        raise BadFieldFile(path, f"its tensors are not those of a {description['name']} ({wrong[0]})", "create it anew")
    kind = np.asarray if blocks is not None else jnp.asarray
    return trees.with_leaves(skeleton, lambda name, _: kind(tensors[name]))
