"""A report as Markdown, and the same as one page of HTML that needs nothing beside it."""

import base64
import html
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from ecop.core.files import atomic_write

STYLE = """
:root { color-scheme: light dark; --ink: #1c1c1e; --paper: #fff; --soft: #6b6b70; --line: #d9d9de; --shade: #f5f5f7 }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8e8ea; --paper: #161618; --soft: #9a9aa0; --line: #3a3a3e; --shade: #202024 }
  img { background: #fff; border-radius: 6px }
}
body { font: 16px/1.55 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 0 auto;
       max-width: 62rem; padding: 2rem 1.2rem 4rem }
h1 { font-size: 1.7rem; line-height: 1.2 } h2 { margin-top: 2.4rem; font-size: 1.25rem } h3 { font-size: 1.05rem }
.wide { overflow-x: auto } table { border-collapse: collapse; font-size: .88rem; font-variant-numeric: tabular-nums }
th, td { padding: .3rem .75rem .3rem 0; text-align: left; border-bottom: 1px solid var(--line); white-space: nowrap }
td:first-child { white-space: normal; min-width: 13rem }
th { color: var(--soft); font-weight: 600 } img { max-width: 100%; height: auto; margin: .6rem 0 }
code { background: var(--shade); padding: .1em .3em; border-radius: 4px } pre code { display: block; padding: .8em;
overflow-x: auto }
"""


class Document:
    """Headings, paragraphs, tables and pictures, in order."""

    def __init__(self, title: str):
        self.title = title
        self._parts: list[str] = [f"# {title}"]

    def heading(self, text: str, level: int = 2) -> None:
        """A heading of level 2 or 3."""
        self._parts.append(f"{'#' * level} {text}")

    def paragraph(self, text: str) -> None:
        """Text, in Markdown."""
        self._parts.append(text)

    def table(self, titles: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """A table of words."""
        lines = [_row(titles), "|" + " --- |" * len(titles), *(_row(row) for row in rows)]
        self._parts.append("\n".join(lines))

    def picture(self, path: Path, about: str) -> None:
        """A picture in the folder ``figures`` beside the report."""
        self._parts.append(f"![{about}](figures/{path.name})")

    def markdown(self) -> str:
        """The report as Markdown."""
        return "\n\n".join(self._parts) + "\n"

    def page(self, folder: Path) -> str:
        """The report as HTML, with the pictures of ``folder`` in it."""
        from markdown_it import MarkdownIt

        body = MarkdownIt("commonmark").enable("table").render(self.markdown())
        body = body.replace("<table>", '<div class="wide"><table>').replace("</table>", "</table></div>")

        def inside(found: re.Match[str]) -> str:
            data = base64.b64encode((folder / html.unescape(found[1])).read_bytes()).decode()
            return f'src="data:image/png;base64,{data}"'

        body = re.sub(r'src="(figures/[^"]+\.png)"', inside, body)
        head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{self.title}</title>'
        head = f"<head>{head}<style>{STYLE}</style></head>"
        return f'<!doctype html>\n<html lang="en">{head}\n<body>\n{body}</body></html>\n'

    def write(self, folder: Path) -> Path:
        """Write ``report.md`` and ``report.html``; returns the latter's path.

        Raises:
            CannotWrite: if the file system refuses.
        """
        for name, text in (("report.md", self.markdown()), ("report.html", self.page(folder))):
            write_text(folder / name, text)
        return folder / "report.html"


def write_text(path: Path, text: str) -> None:
    """Write a text file, whole or not at all."""
    with atomic_write(path) as stream:
        stream.write(text.encode())


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
