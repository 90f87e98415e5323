import dataclasses
import re
import shlex
from pathlib import Path
from typing import Annotated, get_args, get_origin, get_type_hints

import pytest

from ecop.cli.main import parse
from ecop.core.registry import COMMANDS

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "cli.md").read_text()
VERBS = COMMANDS.names()


def section(verb):
    return re.search(rf"^## {verb}\n(.*?)(?=^## |\Z)", DOCUMENT, re.DOTALL | re.MULTILINE).group(1)


def lines_of(text):
    blocks = re.findall(r"^```bash\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    return [re.split(" [#>]", line)[0] for block in blocks for line in block.splitlines()]


def command_lines(document):
    """The words behind ``ecop`` of each line that calls it; of `ecop VERB ...`, which explains, none."""
    words = [shlex.split(line) for line in lines_of((ROOT / document).read_text())]
    return [line[1:] for line in words if line[:1] == ["ecop"] and line[1:2] != ["VERB"] and line[1:] != ["--version"]]


def documents_with_command_lines():
    documents = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("docs/*/*.md")]
    return [name for name in sorted(str(path.relative_to(ROOT)) for path in documents) if command_lines(name)]


@pytest.mark.parametrize("document", documents_with_command_lines())
def test_every_command_line_of_the_documents_is_understood(document):
    for verb, *arguments in command_lines(document):
        assert parse(verb, arguments) is not None, (verb, arguments)


def test_command_lines_are_found():
    assert ["fit", "photo", "cat.jpg", "-o", "cat.safetensors"] in command_lines("docs/start/image.md")
    assert {"README.md", "docs/cli.md", "docs/start/audio.md"} <= set(documents_with_command_lines())


@pytest.mark.parametrize("verb", VERBS)
def test_every_flag_is_documented(verb):
    command = COMMANDS[verb]
    hints = get_type_hints(command, include_extras=True)
    flags = {field.name for field in dataclasses.fields(command)} - positional(hints)
    assert "json" in flags
    assert "init" not in flags or verb in ("train", "plot")
    text = section(verb) + DOCUMENT.partition("## fit")[0]
    assert [name for name in flags if f"--{name.replace('_', '-')}" not in text] == []


def positional(hints):
    """Those whose annotation says so."""
    return {
        name for name, hint in hints.items() if get_origin(hint) is Annotated and "Positional" in str(get_args(hint))
    }
