import os
import resource
import signal
import subprocess
import sys

import pytest

from ecop.core.registry import COMMANDS

VERBS = ("data", "demo", "eval", "fit", "info", "list", "render", "train")


def test_overview_shows_every_verb_with_a_line_and_examples(ecop):
    result = ecop("--help")
    assert result.code == 0
    for verb in VERBS:
        assert f"\n  {verb} " in result.out
    assert "examples:" in result.out
    assert ecop().out == result.out


def test_version(ecop):
    from importlib.metadata import version

    assert ecop("--version").out == f"ecop {version('ecop')}\n"


@pytest.mark.parametrize("verb", VERBS)
def test_help_of_a_verb_ends_with_examples_of_itself(ecop, verb, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    result = ecop(verb, "--help")
    assert result.code == 0
    last = result.out.strip().splitlines()[-1]
    assert last.startswith(f"  ecop {verb}")
    assert "--json" in result.out
    assert "None" not in result.out
    assert "\x1b" not in result.out


@pytest.mark.parametrize("verb", VERBS)
def test_examples_parse(verb):
    """Every example is understood by the verb that shows it."""
    import shlex

    from ecop.cli.main import parse

    for line in COMMANDS[verb].examples.strip().splitlines():
        name, shown, *arguments = shlex.split(line)
        assert (name, shown) == ("ecop", verb)
        assert parse(verb, arguments) is not None


def test_unknown_verb_names_the_nearest(refused):
    line = refused("fti")
    assert "did you mean 'fit'?" in line
    assert "train" in line


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["fit", "photo", "a.png"], "--out"),
        (["fit", "photo", "a.png", "-o", "b", "--stepz", "3"], "--stepz"),
        (["fit", "photo", "a.png", "-o", "b", "--steps", "three"], "--steps"),
        (["fit", "photo", "-o", "b"], "FILE"),
        (["fit", "photo", "a.png", "-o", "b", "--dtype", "float8"], "--dtype"),
        (["eval", "photo", "--data", "d", "--split", "tests"], "--split"),
        (["info"], "FILE"),
    ],
)
def test_usage_errors_are_one_line(refused, arguments, word, init):
    arguments = [str(init) if argument == "photo" else argument for argument in arguments]
    line = refused(*arguments)
    assert word in line
    assert line.endswith(f"see 'ecop {arguments[0]} --help'")
    assert not any(mark in line for mark in "╭│╰")


def test_traceback_on_request(ecop, monkeypatch):
    monkeypatch.setenv("ECOP_TRACEBACK", "1")
    result = ecop("info", "nothing.safetensors")
    assert result.code == 2
    assert "Traceback" in result.err
    assert result.err.strip().splitlines()[-1].startswith("ecop: ")


def test_an_unexpected_error_says_that_it_is_ours(ecop, monkeypatch):
    from ecop.cli.list import List

    def broken(self, terminal):
        raise ZeroDivisionError("of course")

    monkeypatch.setattr(List, "run", broken)
    result = ecop("list")
    assert result.code == 1
    assert "ZeroDivisionError: of course" in result.err
    assert "fault of ecop" in result.err


def test_interrupted_is_one_line_and_130(ecop, monkeypatch):
    from ecop.cli.list import List

    def interrupted(self, terminal):
        raise KeyboardInterrupt

    monkeypatch.setattr(List, "run", interrupted)
    result = ecop("list")
    assert (result.code, result.err) == (130, "ecop: interrupted\n")


def test_a_reader_that_goes_away_is_no_error():
    command = f"{sys.executable} -m ecop.cli.main list --json"
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(command.split(), stdout=writer, stderr=subprocess.PIPE, text=True)
    os.close(writer)
    assert (done.returncode, done.stderr) == (128 + signal.SIGPIPE, "")


@pytest.mark.parametrize("arguments", [["--help"], ["list"], ["list", "--json"], ["fit", "--help"], ["data"]])
def test_quick_verbs_import_no_jax(arguments):
    program = (
        "import sys; from ecop.cli.main import main; code = main(sys.argv[1:]); "
        "print(sorted({'jax', 'equinox', 'optax', 'matplotlib', 'skimage'} & set(sys.modules)), code, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True)
    assert done.stderr.strip() == "[] 0"


def test_help_takes_less_than_half_a_second_of_computing(process):
    """The processor's time, which unlike the clock's does not depend on who else computes."""

    def seconds():
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert process("--help").returncode == 0
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    assert min(seconds() for _ in range(3)) < 0.5


def test_no_colour_in_a_pipe(process):
    assert "\x1b" not in process("list").stdout


def test_no_color_is_honoured_by_the_terminal(monkeypatch):
    import io

    from ecop.cli.terminal import Terminal

    class Screen(io.StringIO):
        def isatty(self):
            return True

    for wanted, environment in ((True, {}), (False, {"NO_COLOR": "1"})):
        screen = Screen()
        with monkeypatch.context() as patch:
            patch.setenv("TERM", "xterm-256color")
            patch.delenv("NO_COLOR", raising=False)
            for name, value in environment.items():
                patch.setenv(name, value)
            patch.setattr(sys, "stderr", screen)
            Terminal().warn("careful")
        assert ("\x1b[33m" in screen.getvalue()) == wanted
        assert "careful" in screen.getvalue()
