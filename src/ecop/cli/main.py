"""The entry point: finds the verb, parses its arguments, runs it, and turns every way out into an exit code.

| code | when |
| --- | --- |
| 0 | it worked |
| 2 | something that a user can mend: one line says what, on the standard error |
| 130 | Ctrl-C or SIGTERM |
| 141 | whoever read the output went away |
| 1 | a fault of ecop's own: the traceback, and a line that says so |
"""

import contextlib
import importlib.metadata
import io
import os
import sys
import traceback
from collections.abc import Sequence

from ecop.cli.command import Command
from ecop.cli.terminal import Terminal
from ecop.core.errors import BadUsage, EcopError
from ecop.core.registry import COMMANDS

ABOUT = "Meta-learned neural fields: a photo becomes a small network in a handful of gradient steps."
EXAMPLES = """\
  ecop fit photo cat.jpg -o cat.safetensors             fit a photo, from the initialisation that ships
  ecop render cat.safetensors -o big.png --scale 4      draw it at four times its size
  ecop train --data photos/ --out run --recipe quick    learn an initialisation of your own
  ecop fit run photos/ -o fields/                       fit a whole folder with it
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line; ``sys.argv`` by default. Returns the exit code."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    try:
        code = dispatch(arguments)
        sys.stdout.flush()
    except EcopError as error:
        if os.environ.get("ECOP_TRACEBACK"):
            traceback.print_exc()
        Terminal().fail(str(error))
        code = 2
    except KeyboardInterrupt as stop:
        Terminal().fail(str(stop) or "interrupted")
        code = 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains when it flushes at exit
        code = 141
    except Exception:
        traceback.print_exc()
        version = importlib.metadata.version("ecop")
        Terminal().fail(f"this is a fault of ecop {version}, not yours; please report the lines above")
        code = 1
    return code


def dispatch(arguments: list[str]) -> int:
    """Run the verb that the first argument names.

    Raises:
        UnknownName: if there is none of that name.
        BadUsage: if its arguments cannot be understood.
    """
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print_overview()
        return 0
    verb, *rest = arguments
    if verb == "--version":
        print(f"ecop {importlib.metadata.version('ecop')}")  # noqa: T201
        return 0
    command = parse(verb, rest)
    return 0 if command is None else command.run(Terminal(json=command.json, quiet=command.quiet))


def parse(verb: str, arguments: list[str]) -> Command | None:
    """A verb with its arguments, or ``None`` if they asked for help, which is printed with the verb's examples."""
    command = COMMANDS[verb]
    import tyro

    printed, refused = io.StringIO(), io.StringIO()
    plain = contextlib.redirect_stdout(printed) if "NO_COLOR" in os.environ else contextlib.nullcontext()
    try:
        with contextlib.redirect_stderr(refused), plain:
            return tyro.cli(command, prog=f"ecop {verb}", args=arguments, config=(tyro.conf.FlagCreatePairsOff,))
    except SystemExit as stop:
        if stop.code:
            raise BadUsage(verb, _one_line(refused.getvalue())) from None
    print(f"{printed.getvalue()}\nexamples:\n{_indented(command.examples)}")  # noqa: T201
    return None


def print_overview() -> None:
    """What ``ecop --help`` shows."""
    lines = [f"  {verb:<8}{_first_line(verb)}" for verb in COMMANDS.names()]
    parts = ["usage: ecop [--version] VERB ...", ABOUT, "verbs:\n" + "\n".join(lines), f"examples:\n{EXAMPLES}"]
    print("\n\n".join(parts) + "\nEvery verb has its own help: ecop VERB --help")  # noqa: T201


def _first_line(verb: str) -> str:
    return (COMMANDS[verb].__doc__ or "").strip().splitlines()[0]


def _indented(text: str) -> str:
    return "\n".join(f"  {line.strip()}" for line in text.strip().splitlines())


def _one_line(boxed: str) -> str:
    """The parser's complaint without its frame and its pointers to the help."""
    lines = [line.strip("╭─╮│╰╯ ") for line in boxed.splitlines()]
    kept: list[str] = []
    for line in lines:
        if line.startswith(("For full helptext", "Argument helptext", "Got errors")):
            break
        if line:
            kept.append(line)
    return " ".join(kept) or "the arguments cannot be understood"


if __name__ == "__main__":
    sys.exit(main())
