"""What the outer loop learns: a field, or a field together with the inner update that moves it."""

from typing import Any

import equinox as eqx
import jax

from ecop.adapt.update import Update
from ecop.fields.base import Field, split_learned


class Start(eqx.Module):
    """A field, and the inner update with the rates that are learned for it.

    Attributes:
        field: θ_0.
        update: how a gradient moves θ.
    """

    field: Field
    update: Update


def split_start(start: Field | Start) -> tuple[Any, Any]:
    """(what the outer loop moves, the rest): the learned leaves of the field, and every array of the update."""
    if not isinstance(start, Start):
        return split_learned(start)
    return eqx.partition(start, Start(start.field.roles().learned, jax.tree.map(eqx.is_inexact_array, start.update)))


def learned_part(update: Update) -> Any:
    """What the outer loop moves of an update."""
    return eqx.filter(update, eqx.is_inexact_array)
