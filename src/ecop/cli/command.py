"""What every verb of the command line is: a frozen dataclass of its arguments, with help, examples and a run."""

import abc
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from tyro.conf import UseAppendAction, arg

from ecop.cli.terminal import Terminal
from ecop.core.errors import BadUsage

if TYPE_CHECKING:
    from ecop.signals.base import Measure


def option(metavar: str | None = None, alias: str | None = None) -> Any:
    """How an argument looks in the help: what its value is called, its short form, and its default if it has one.

    The parser's own help would call the value by its Python type and show ``None`` and ``False`` as defaults.
    """

    def hint(default: str) -> str:
        return "" if default in ("None", "False", "") else f"(default: {default})"

    return arg(metavar=metavar, aliases=None if alias is None else [alias], help_behavior_hint=hint)


Overwrite = Annotated[bool, option(alias="-y")]
"""``-y, --overwrite``."""

Precise = Annotated[Literal["float32", "tf32", "bf16"], option()]
"""``--precision``."""

Lpips = Annotated[UseAppendAction[tuple[Path, ...]], option("FILE")]
"""``--lpips``, which may be repeated."""


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


def lpips_measures(verb: str, kind: str, files: tuple[Path, ...]) -> "dict[str, Measure]":
    """LPIPS as a further metric, with the weights in these files; nothing without files.

    Raises:
        BadUsage: for a modality that has no pictures.
        BadInput: for files that do not hold the weights.
    """
    if not files:
        return {}
    if kind not in ("image", "video"):
        raise BadUsage(verb, f"--lpips compares pictures and videos, and the initialisation is one for {kind} signals")
    from ecop.metrics import LpipsWeights
    from ecop.signals.perceptual import PictureLpips

    return {"lpips": PictureLpips(LpipsWeights.load(files))}


def parse_settings(verb: str, flag: str, texts: Iterable[str]) -> dict[str, Any]:
    """``key=value`` texts as settings, the values written as in TOML.

    Raises:
        BadUsage: for a text without ``=``.

    Example:
        >>> parse_settings("train", "--set", ["learner.keep=0.5", "data.size=[64, 64]", "fit.scaling=none"])
        {'learner.keep': 0.5, 'data.size': [64, 64], 'fit.scaling': 'none'}
    """
    from ecop.core.recipe import parse_value

    settings = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not (key and equals):
            raise BadUsage(verb, f"{flag} {text!r} is not KEY=VALUE")
        settings[key.strip()] = parse_value(value)
    return settings
