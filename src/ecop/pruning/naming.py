"""Between a scorer and its text in a recipe: its name, with its argument behind a colon."""

import dataclasses

from ecop.core.errors import InvalidSetting
from ecop.core.registry import SCORERS
from ecop.pruning.base import Scorer


def parse_scorer(text: str) -> Scorer:
    """A scorer from its text: ``error``, ``soft:0.5``.

    Raises:
        UnknownName: for a name that is not registered.
        InvalidSetting: for an argument that is superfluous or out of range.

    Example:
        >>> parse_scorer("soft:0.5").temperature
        0.5
    """
    name, colon, argument = text.partition(":")
    scorer = SCORERS[name]
    try:
        return scorer(argument) if colon else scorer()
    except (TypeError, ValueError):
        expected = (
            "a number behind the colon where the scorer takes one, as in soft:0.5, and nothing where it takes none"
        )
        raise InvalidSetting("scorer", text, expected) from None


def scorer_text(scorer: Scorer) -> str:
    """The text that `parse_scorer` makes the same scorer from.

    Raises:
        UnknownName: if its class is not registered.
    """
    name = SCORERS.name_of(type(scorer))
    return ":".join([name, *(f"{getattr(scorer, field.name)!r}" for field in dataclasses.fields(scorer))])
