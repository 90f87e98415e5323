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
    return [line.partition(" #")[0] for block in blocks for line in block.splitlines()]


@pytest.mark.parametrize("document", ["README.md", "docs/cli.md", "docs/extend.md"])
def test_every_command_line_of_the_documents_is_understood(document):
    understood = 0
    for line in lines_of((ROOT / document).read_text()):
        words = shlex.split(line)
        if words[:1] == ["ecop"] and len(words) > 1 and words[1] in VERBS:
            assert parse(words[1], words[2:]) is not None, line
            understood += 1
    assert understood > 0 or document == "docs/extend.md"


@pytest.mark.parametrize("verb", VERBS)
def test_every_flag_is_documented(verb):
    command = COMMANDS[verb]
    hints = get_type_hints(command, include_extras=True)
    flags = {field.name for field in dataclasses.fields(command)} - positional(hints)
    assert "json" in flags
    assert "init" not in flags or verb == "train"
    text = section(verb) + DOCUMENT.partition("## fit")[0]
    assert [name for name in flags if f"--{name.replace('_', '-')}" not in text] == []


def positional(hints):
    """Those whose annotation says so."""
    return {
        name for name, hint in hints.items() if get_origin(hint) is Annotated and "Positional" in str(get_args(hint))
    }
