"""What our docstrings mean to Sphinx: names lead to the rooms that offer them, stars and colons stay what they are."""

import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

UNPACKED = re.compile(r"(\(|, |['\"])\*(?=\w)(?![^*]*\w\*)")
INSIDES = re.compile(r"\b(jaxlib\._jax|jaxtyping|numpy)\.(?=[A-Z]|ndarray)")
COLON = "\N{NULL}"


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


def hide_colon(app: Sphinx, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    """Napoleon would take what a property's first line says before a colon for its type."""
    if what in ("attribute", "data", "property") and lines:
        lines[0] = lines[0].replace(":", COLON)


def escape_stars(app: Sphinx, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    """Escape the star of an unpacked shape, ``(*shape, c)``, which would begin an emphasis; bring back the colons."""
    for number, line in enumerate(lines):
        if not line.lstrip().startswith((">>>", "...")):
            lines[number] = UNPACKED.sub(r"\1\\*", line).replace(COLON, ":")


def shorten(
    app: Sphinx, what: str, name: str, thing: Any, options: Any, arguments: str | None, returned: str | None
) -> tuple[str | None, str | None]:
    """Leave the modules of arrays out of signatures."""
    return arguments and INSIDES.sub("", arguments), returned and INSIDES.sub("", returned)


def skip_aliases(app: Sphinx, what: str, name: str, thing: Any, skip: bool, options: Any) -> bool | None:
    """The fields of a named tuple are in its docstring already."""
    return True if str(getattr(thing, "__doc__", "")).startswith("Alias for field number") else None


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect all; the colons before napoleon, which reads the sections, the stars behind it."""
    app.connect("missing-reference", find_public)
    app.connect("autodoc-process-docstring", hide_colon, priority=400)
    app.connect("autodoc-process-docstring", escape_stars, priority=600)
    app.connect("autodoc-process-signature", shorten)
    app.connect("autodoc-skip-member", skip_aliases)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
