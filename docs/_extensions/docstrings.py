"""What our docstrings mean to Sphinx: names lead to the rooms that offer them, and ``(*shape, c)`` is no emphasis."""

import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

UNPACKED = re.compile(r"(\(|, |['\"])\*(?=\w)(?![^*]*\w\*)")


def find_public(app: Sphinx, env: Any, node: Any, content: nodes.TextElement) -> nodes.Node | None:
    """The link to where the reference has what ``node`` names: `ecop.adapt.Engine` for ``ecop.adapt.engine.Engine``.

    A name without a room is looked for in the room of the docstring, then in the package.
    """
    if node.get("refdomain") != "py":
        return None
    words = node["reftarget"].split(".")
    if words[0] == "ecop":
        names = [".".join([*words[:2], words[-1]]), f"ecop.{words[-1]}"]
    else:
        names = [f"{node.get('py:module')}.{node['reftarget']}", f"ecop.{node['reftarget']}"]
    python = env.domains["py"]
    for name in names:
        if name in python.objects:
            page = node.get("refdoc", env.docname)
            return python.resolve_xref(env, page, app.builder, "obj", name, node, content)
    return None


def escape_stars(app: Sphinx, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    """Escape the star of an unpacked shape, which would begin an emphasis."""
    for number, line in enumerate(lines):
        if not line.lstrip().startswith((">>>", "...")):
            lines[number] = UNPACKED.sub(r"\1\\*", line)


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect both; the stars behind napoleon, which reads the sections."""
    app.connect("missing-reference", find_public)
    app.connect("autodoc-process-docstring", escape_stars, priority=600)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
