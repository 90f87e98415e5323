"""``ecop view``: a page in the browser."""

import contextlib
import webbrowser
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

from tyro.conf import Positional

from ecop.cli.command import Command, option
from ecop.cli.terminal import Terminal
from ecop.core.errors import InvalidSetting


@dataclass(frozen=True, kw_only=True)
class View(Command):
    """Open a page in the browser: fit a signal, look at every step, zoom, listen, compare, download.

    Only this machine reaches the page, and nothing is asked of any other. What is uploaded lies in a folder of its
    own that is deleted when the page is closed.
    """

    examples: ClassVar[str] = """
        ecop view
        ecop view photo cat.jpg
        ecop view runs/mine holidays/
        ecop view --port 8000 --no-open
    """

    init: Annotated[Positional[str | None], option("INIT")] = None
    """initialisation to begin with: a file, a run's folder, one that ships, or random:RECIPE"""
    files: Annotated[Positional[tuple[Path, ...]], option("FILE...")] = ()
    """signals to offer, or folders of them"""
    host: Annotated[str, option("HOST")] = "127.0.0.1"
    """the interface; another than 127.0.0.1 lets others in, who then see the files named here"""
    port: Annotated[int | None, option("N")] = None
    """the port; by default the first free one from 7860 on, and 0 for any"""
    no_open: Annotated[bool, option()] = False
    """do not open a browser"""
    max_upload: Annotated[float, option("MB")] = 64.0
    """largest file that can be uploaded, in megabytes"""

    def run(self, terminal: Terminal) -> int:
        """Serve until Ctrl-C."""
        if not 0 < self.max_upload <= 4096:
            raise InvalidSetting("--max-upload", self.max_upload, "megabytes, above 0 and at most 4096")
        from ecop.viewer.server import Address, check_installed, serve

        check_installed()
        address = Address(self.host, self.port)
        if not address.is_loopback:
            terminal.warn(f"whoever reaches {self.host} can use this page")
        from ecop.cli.runtime import prepare_jax

        prepare_jax()

        def ready(url: str) -> None:
            terminal.say(f"ecop view is at {url} (Ctrl-C ends it)")
            terminal.document({"url": url})
            if not self.no_open:
                webbrowser.open(url)

        terminal.note("starting ...")
        with contextlib.suppress(KeyboardInterrupt):  # how a visitor of the terminal ends it
            serve(address, self.init, self.files, max_upload=round(self.max_upload * 1e6), ready=ready)
        return 0
