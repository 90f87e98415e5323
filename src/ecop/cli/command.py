"""What every verb of the command line is: a frozen dataclass of its arguments, with help, examples and a run."""

import abc
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from tyro.conf import arg

from ecop.cli.terminal import Terminal


def option(metavar: str | None = None, alias: str | None = None) -> Any:
    """How an argument looks in the help: what its value is called, its short form, and its default if it has one.

    The parser's own help would call the value by its Python type and show ``None`` and ``False`` as defaults.
    """

    def hint(default: str) -> str:
        return "" if default in ("None", "False", "") else f"(default: {default})"

    return arg(metavar=metavar, aliases=None if alias is None else [alias], help_behavior_hint=hint)


Overwrite = Annotated[bool, option(alias="-y")]
"""``-y, --overwrite``."""


@dataclass(frozen=True, kw_only=True)
class Command(abc.ABC):
    """One verb. The first line of its docstring is its line in ``ecop --help``; a member of ``ecop.commands``."""

    examples: ClassVar[str]
    """Command lines that its ``--help`` ends with, one a line."""

    json: Annotated[bool, option()] = False
    """print one JSON document and nothing else on the standard output"""
    quiet: Annotated[bool, option()] = False
    """print nothing but errors, and the document of --json"""

    @abc.abstractmethod
    def run(self, terminal: Terminal) -> int:
        """Do it; returns the exit code.

        Raises:
            EcopError: for whatever a user can mend.
        """
