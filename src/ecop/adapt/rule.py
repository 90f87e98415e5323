"""The inner update that a recipe names under ``learner.update``."""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ecop.adapt.update import Update
from ecop.core.errors import InvalidSetting
from ecop.core.recipe import check, check_keys
from ecop.core.registry import UPDATES
from ecop.fields.base import Field


@dataclass(frozen=True)
class UpdateRule:
    """An inner update by name, before there is a field that it moves.

    Attributes:
        name: as registered.
        settings: what its class takes, as pairs.
        outer_factor: its arrays are learned at this many times the outer rate of the initialisation.

    Example:
        >>> UpdateRule.of({"name": "orthogonal", "rates": "layer"})
        UpdateRule(name='orthogonal', settings=(('rates', 'layer'),), outer_factor=30.0)
    """

    name: str = "descent"
    settings: tuple[tuple[str, Any], ...] = ()
    outer_factor: float = 30.0

    def __post_init__(self):
        check(self.outer_factor >= 0, "learner.update.outer_factor", self.outer_factor, "a factor ≥ 0")
        known = inspect.signature(UPDATES[self.name].create).parameters
        own = tuple(name for name in known if name not in ("theta", "args", "lr", "steps"))
        check_keys(f"setting of the update {self.name!r}", dict(self.settings), own)
        for name, value in self.settings:
            kind = type(known[name].default)
            check(type(value) is kind, f"learner.update.{name}", value, f"a value of type {kind.__name__}")

    @classmethod
    def of(cls, given: "UpdateRule | Mapping[str, Any]") -> "UpdateRule":
        """The rule that a table of a recipe describes: its ``name``, ``outer_factor``, and the settings of the class.

        Raises:
            UnknownName: for an update or a setting that does not exist.
            InvalidSetting: for anything but a table.
        """
        if isinstance(given, UpdateRule):
            return given
        if not isinstance(given, Mapping):
            expected = "a table with a name, as in learner.update.name=orthogonal"
            raise InvalidSetting("learner.update", given, expected)
        settings = dict(given)
        head = {name: settings.pop(name) for name in ("name", "outer_factor") if name in settings}
        return cls(**head, settings=tuple(sorted(settings.items())))

    def create(self, theta: Field, lr: float, steps: int) -> Update:
        """The update of these adapted leaves, before anything is learned.

        Args:
            theta: the adapted leaves; only their shapes and types matter.
            lr: α.
            steps: K, inner steps of training.

        Raises:
            InvalidSetting: for a setting outside its range.
        """
        return UPDATES[self.name].create(theta, lr=lr, steps=steps, **dict(self.settings))
