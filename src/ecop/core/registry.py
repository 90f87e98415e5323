"""Names for fields, scorers, signals and the rest, loaded only when one is asked for.

A member is an entry point in the group ``ecop.<family>s`` of any installed package, this one included, or is
registered at run time. Listing names imports nothing.
"""

import importlib
from importlib.metadata import entry_points
from typing import Any

from ecop.core.errors import UnknownName


class Registry:
    """Maps the names of one family to ``"module:attribute"`` strings, resolved on first use.

    Example:
        >>> from ecop.core.registry import SCORERS
        >>> "error" in SCORERS.names()
        True
    """

    def __init__(self, family: str):
        self.family = family
        self._registered: dict[str, Any] = {}

    def register(self, name: str, member: Any) -> None:
        """Add ``member`` (an object, or ``"module:attribute"``) under ``name``; a later one replaces an earlier one."""
        self._registered[name] = member

    def names(self) -> tuple[str, ...]:
        """All names of the family, sorted."""
        return tuple(sorted(self._members()))

    def __getitem__(self, name: str) -> Any:
        """The member called ``name``.

        Raises:
            UnknownName: if there is none; the message lists the choices and the nearest.
        """
        members = self._members()
        if name not in members:
            raise UnknownName(self.family, name, members)
        member = members[name]
        if isinstance(member, str):
            module, _, attribute = member.partition(":")
            member = getattr(importlib.import_module(module), attribute)
        return member

    def name_of(self, member: Any) -> str:
        """The name under which the class ``member`` is registered.

        Raises:
            UnknownName: if it is not.
        """
        path = f"{member.__module__}:{member.__qualname__}"
        for name, value in self._members().items():
            if value is member or value == path:
                return name
        raise UnknownName(self.family, path, self._members())

    def _members(self) -> dict[str, Any]:
        installed = {point.name: point.value for point in entry_points(group=f"ecop.{self.family}s")}
        return installed | self._registered


FIELDS = Registry("field")
SCORERS = Registry("scorer")
SCALINGS = Registry("scaling")
LEARNERS = Registry("learner")
UPDATES = Registry("update")
SIGNALS = Registry("signal")
LAYOUTS = Registry("layout")
COMMANDS = Registry("command")
