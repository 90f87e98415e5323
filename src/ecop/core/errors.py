"""Every error that a user can cause: one class per kind of mistake, one clear line each.

A message says what was wrong, what was expected and what to do. The command line prints it and exits with code 2.
"""

import difflib
from collections.abc import Iterable
from pathlib import Path


class EcopError(Exception):
    """A mistake that a user can mend; its text is one complete line."""


class UnknownName(EcopError):
    """A name that is not among the choices; the message gives the nearest one and the whole list."""

    def __init__(self, family: str, name: str, choices: Iterable[str]):
        self.name, self.choices = name, sorted(choices)
        nearest = difflib.get_close_matches(name, self.choices, n=1, cutoff=0.5)
        hint = f" (did you mean {nearest[0]!r}?)" if nearest else ""
        rest = f"choose one of: {', '.join(self.choices)}" if self.choices else "there are none by name"
        super().__init__(f"there is no {family} {name!r}{hint}; {rest}")


class InvalidSetting(EcopError):
    """A setting outside its range."""

    def __init__(self, name: str, value: object, expected: str):
        super().__init__(f"{name} = {value!r} is not usable: expected {expected}")


class BadInput(EcopError):
    """A file or folder that cannot be read as what it was given for."""

    def __init__(self, path: str | Path, problem: str, remedy: str):
        super().__init__(f"{path}: {problem}; {remedy}")


class BadFieldFile(BadInput):
    """A field or initialisation file that is not ours, is damaged, or comes from a newer version."""


class TooLarge(EcopError):
    """Something would exceed a limit; the message says how to raise it."""

    def __init__(self, what: str, size: str, limit: str, remedy: str):
        super().__init__(f"{what} is {size}, over the limit of {limit}; {remedy}")


class BadUsage(EcopError):
    """Arguments of a command that cannot be understood or do not go together."""

    def __init__(self, verb: str, problem: str):
        super().__init__(f"{problem}; see 'ecop {verb} --help'")


class CannotWrite(EcopError):
    """An output that cannot be written."""

    def __init__(self, path: str | Path, problem: str, remedy: str = "choose another place with -o"):
        super().__init__(f"cannot write {path}: {problem}; {remedy}")


class MissingExtra(EcopError):
    """An optional dependency that is not installed."""

    def __init__(self, what: str, extra: str):
        super().__init__(f"{what} needs an optional part: pip install 'ecop[{extra}]'")


class CannotFetch(EcopError):
    """A data set or package that cannot be had."""

    def __init__(self, what: str, problem: str, remedy: str):
        super().__init__(f"cannot fetch {what}: {problem}; {remedy}")


class Diverged(EcopError):
    """Training or fitting left the finite numbers; the message names the setting to change."""
