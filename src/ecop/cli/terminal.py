"""Where a command's words go: results to the standard output, progress and warnings to the standard error."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from rich.table import Table

UNFOLDED = 200
"""Columns of a table whose reader is a file or a program."""

Advance = Callable[..., None]
"""Called with the work done, and with ``total=`` or ``note=`` when they change."""


class Terminal:
    """Prints for a person, or one JSON document for a program.

    Args:
        json: only `document` reaches the standard output.
        quiet: only `document` reaches anything.

    Rich decides about colour: none where ``NO_COLOR`` is set or the output is no terminal.
    """

    def __init__(self, *, json: bool = False, quiet: bool = False):
        from rich.console import Console

        self.json, self.quiet = json, quiet
        self._err = Console(stderr=True, highlight=False)
        self._out = Console(highlight=False, width=None if sys.stdout.isatty() else UNFOLDED)

    def say(self, text: str) -> None:
        """A line of the result, in words."""
        if not (self.json or self.quiet):
            self._out.print(text, markup=False, soft_wrap=True)

    def note(self, text: str) -> None:
        """A line about the work, beside the result."""
        if not self.quiet:
            self._err.print(text, markup=False, soft_wrap=True)

    def warn(self, text: str) -> None:
        """A line about something that looks wrong."""
        if not self.quiet:
            self._err.print(f"[yellow]warning:[/] {_escaped(text)}", soft_wrap=True)

    def fail(self, text: str) -> None:
        """The one line of an error; never silenced."""
        self._err.print(f"[bold red]ecop:[/] {_escaped(' '.join(text.split()))}", soft_wrap=True)

    def table(self, table: "Table") -> None:
        """A table of results."""
        if not (self.json or self.quiet):
            self._out.print(table)

    def picture(self, make: "Callable[[], np.ndarray]") -> None:
        """A small picture beside the result, where a terminal can show one; else it is not even made.

        Args:
            make: returns (height, width, 3) in [0, 1].
        """
        from ecop.cli.inline_picture import drawn, way_to_draw

        file = self._out.file
        way = way_to_draw(os.environ, is_terminal=file.isatty())
        unwritable = way == "blocks" and not (getattr(file, "encoding", None) or "utf-8").lower().startswith("utf")
        if not (self.json or self.quiet or way is None or unwritable):
            file.write(drawn(make(), way, self._out.width))

    def document(self, value: Any) -> None:
        """The one document of ``--json``, with ``null`` for NaN and infinity; nothing without that flag."""
        if self.json:
            import json

            from ecop.store.documents import plain

            print(json.dumps(plain(value, "document", gaps=True), indent=2), file=self._out.file)

    @contextmanager
    def progress(self, what: str, total: float | None = None, unit: str = "") -> Iterator[Advance]:
        """A bar with the time left, on a terminal only; it goes away when the work is done.

        Args:
            what: what is being done, before the bar.
            total: the work in all; ``None`` until it is known.
            unit: what the work is counted in, to say how much of it is done and how fast.

        Yields:
            A function to call with the work done so far.
        """
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
        from rich.table import Column

        pace = Pace(unit)
        columns = (
            SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(bar_width=16),
            TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn(compact=True),
            TextColumn("{task.fields[note]}", markup=False, table_column=Column()),  # folds where it is narrow
        )  # fmt: skip
        shown = self._err.is_terminal and not self.quiet
        with Progress(*columns, console=self._err, disable=not shown, transient=True) as bar:
            task = bar.add_task(what, total=total, note="")

            def advance(done: float, *, note: str = "", **changes: Any) -> None:
                all_of_it = changes.get("total", bar.tasks[task].total)
                words = " · ".join(filter(None, (pace(done, all_of_it), note)))
                bar.update(task, completed=done, note=words, **changes)

            yield advance


class Pace:
    """How much is done, and how fast, in words; what was done before the first call does not count as speed."""

    def __init__(self, unit: str):
        self._unit = unit
        self._first: tuple[float, float] | None = None

    def __call__(self, done: float, total: float | None) -> str:
        """Words for the work done; none without a unit."""
        if not self._unit:
            return ""
        now = time.monotonic()
        begun, at_first = self._first = self._first or (now, done)
        speed = (done - at_first) / max(now - begun, 1e-9)
        share = f"{done:g}" if total is None else f"{done:g}/{total:g}"
        return f"{share} {self._unit}" + (f" · {speed:.3g} {self._unit}/s" if done > at_first else "")


def _escaped(text: str) -> str:
    from rich.markup import escape

    return escape(text)
