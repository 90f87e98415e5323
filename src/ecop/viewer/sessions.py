"""Who looks at what: each open page has a folder of its own, which goes when the page does."""

import dataclasses
import secrets
import shutil
import threading
import time
from pathlib import Path

from ecop.data.folder import Item
from ecop.signals.base import Signal
from ecop.viewer.fits import Fit

UPLOADS = "uploads"
"""The part of a session's folder that keeps what was uploaded."""

COOKIE = "ecop_view"
"""Names the cookie that tells browsers apart."""

FORGOTTEN = 600.0
"""Seconds after which an upload that no page took up is deleted."""

MOST = 32
"""Pages that are open at once; one more closes the one that was used longest ago."""


@dataclasses.dataclass(eq=False)
class Session:
    """One open page.

    Attributes:
        key: names it in addresses; nobody can guess it.
        owner: the browser that it was opened in, by its cookie.
        folder: for its files alone.
        uploads: what was uploaded, by the title under which it can be chosen.
        signal: what is fitted, as it was read.
        fits: what was made of it, one or two.
        edition: how often there were others.
        drawing: held while something is drawn for it.
    """

    key: str
    owner: str
    folder: Path
    uploads: dict[str, Item] = dataclasses.field(default_factory=dict)
    signal: Signal | None = None
    fits: tuple[Fit, ...] = ()
    edition: int = 0
    drawing: threading.Lock = dataclasses.field(default_factory=threading.Lock)

    def show(self, signal: Signal | None, fits: tuple[Fit, ...]) -> None:
        """Look at something else; what was drawn of the last goes."""
        self.signal, self.fits, self.edition = signal, fits, self.edition + 1
        for drawn in self.folder.glob("drawn-*"):
            drawn.unlink(missing_ok=True)

    def place(self, name: str) -> Path:
        """A path in its folder for something drawn of what it shows now."""
        return self.folder / f"drawn-{self.edition}-{name}"


class Sessions:
    """All open pages.

    Args:
        root: a folder for theirs.
    """

    def __init__(self, root: Path):
        self.root = root
        self._open: dict[tuple[str, str], Session] = {}
        self._lock = threading.Lock()

    def of(self, owner: str, tab: str) -> Session:
        """The session of a browser's tab, opened if it is new."""
        with self._lock:
            found = self._open.pop((owner, tab), None)
            if found is None:
                key = secrets.token_hex(16)
                found = Session(key, owner, self.root / key)
                found.folder.mkdir(mode=0o700)
                (found.folder / UPLOADS).mkdir()
            self._open[owner, tab] = found  # the last of them is the one used last
            surplus = list(self._open)[:-MOST]
        for one in surplus:
            self.close(*one)
        return found

    def find(self, owner: str, key: str) -> Session | None:
        """The session with this key, if it is the owner's."""
        for session in list(self._open.values()):
            if secrets.compare_digest(session.key, key) and secrets.compare_digest(session.owner, owner):
                return session
        return None

    def waiting(self) -> int:
        """How many uploads lie about that no session has taken up; those that were forgotten are deleted."""
        taken = {session.key for session in list(self._open.values())}
        count = 0
        for entry in self.root.iterdir():
            if entry.name in taken:
                continue
            if time.time() - entry.stat().st_mtime > FORGOTTEN:
                shutil.rmtree(entry, ignore_errors=True)
            else:
                count += 1
        return count

    def close(self, owner: str, tab: str) -> None:
        """Forget a tab, and delete its files."""
        with self._lock:
            session = self._open.pop((owner, tab), None)
        if session is not None:
            shutil.rmtree(session.folder, ignore_errors=True)

    def close_tab(self, tab: str) -> None:
        """The same for whichever browser's tab it is: a page that goes says only that."""
        for owner, name in list(self._open):
            if name == tab:
                self.close(owner, name)
