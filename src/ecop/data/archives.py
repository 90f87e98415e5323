"""Packages brought by their ordinary clients, and told apart from anything else by their SHA-256."""

import contextlib
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ecop.core.cache import offline
from ecop.core.errors import CannotFetch
from ecop.core.files import explained

LOOK_EVERY = 0.2
"""Seconds between two looks at how much a client has brought."""


@dataclass(frozen=True)
class Archive:
    """One package of one version.

    Attributes:
        client: ``pip`` or ``apt-get``.
        package: its name there.
        version: its version there.
        bytes: size of the archive.
        sha256: checksum of the archive, in hexadecimal.
        options: of the client, to choose one archive where a package has several, one for each system, say.
    """

    client: str
    package: str
    version: str
    bytes: int
    sha256: str
    options: tuple[str, ...] = ()

    @property
    def file_name(self) -> str:
        """Its name in our cache."""
        return f"{self.package}-{self.version}.{'whl' if self.client == 'pip' else 'deb'}".replace(":", "_")

    def obtain(
        self, kept: Path, progress: Callable[[str], None], brought: Callable[[int], None] = lambda count: None
    ) -> Path:
        """The archive's path, after its checksum was found right: in the folders at hand, else from the client.

        Args:
            kept: our folder of finished downloads; a new one appears there only when it is complete.
            progress: takes lines that say what goes on.
            brought: called as the client goes on, with the bytes that are here.

        Raises:
            CannotFetch: without the client, offline, if the client fails, or if the checksum is wrong.
            CannotWrite: if the cache cannot be written.
        """
        for folder in (kept, os.environ.get("ECOP_ARCHIVES")):
            found = self._find(Path(folder)) if folder else None
            if found:
                brought(self.bytes)
                return found
        if offline():
            remedy = "unset ECOP_OFFLINE, or put the archive into a folder and name it in ECOP_ARCHIVES"
            raise CannotFetch(self._label, "it is not in the cache, and ECOP_OFFLINE forbids the network", remedy)
        progress(f"{self._label}: {self.bytes / 1e6:.1f} MB by {self.client}")
        with explained(kept):
            kept.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix=".partial-", dir=kept) as folder:
                _run(self._command(), Path(folder), self._label, lambda: brought(min(self.bytes, _size(folder))))
                found = self._find(Path(folder))
                if not found:
                    problem = "what the client brought has not the checksum that this version of ecop knows"
                    raise CannotFetch(self._label, problem, "try again; it is not used")
                return found.replace(kept / self.file_name)

    @property
    def _label(self) -> str:
        return f"{self.package} {self.version}"

    def _find(self, folder: Path) -> Path | None:
        """The file of this size and checksum in ``folder``, whatever its name."""
        if not folder.is_dir():
            return None
        same_size = (path for path in sorted(folder.iterdir()) if path.is_file() and path.stat().st_size == self.bytes)
        return next((path for path in same_size if _sha256(path) == self.sha256), None)

    def _command(self) -> list[str]:
        if self.client == "pip":
            if importlib.util.find_spec("pip") is None:
                raise CannotFetch(self._label, "pip is missing in this Python", f"run {sys.executable} -m ensurepip")
            wanted = f"{self.package}=={self.version}"
            return [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
                    "--only-binary=:all:", *self.options, wanted]  # fmt: skip
        return [_client("apt-get", self._label), "download", f"{self.package}={self.version}"]


@contextlib.contextmanager
def unpacked_debs(archives: list[Path], folder: Path) -> Iterator[Path]:
    """A folder beside ``folder`` with the files of these Debian packages, gone at the end."""
    with tempfile.TemporaryDirectory(dir=folder.parent) as unpacked:
        for archive in archives:
            _run([_client("dpkg-deb", archive.name), "--extract", str(archive), unpacked], folder, archive.name)
        yield Path(unpacked)


def _client(name: str, what: str) -> str:
    path = shutil.which(name)
    if path is None:
        remedy = "use a Debian or Ubuntu system, or a folder of your own files"
        raise CannotFetch(what, f"the package client {name} is missing on this machine", remedy)
    return path


def _run(command: list[str], folder: Path, what: str, look: Callable[[], None] = lambda: None) -> None:
    """Run a client, which keeps its own temporary files in ``folder``, too; ``look`` is called every so often."""
    environment = os.environ | {"TMPDIR": str(folder)}
    with subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            errors = None
            while errors is None:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    errors = process.communicate(timeout=LOOK_EVERY)[1]
                look()
        except BaseException:
            process.kill()
            raise
    if process.returncode:
        lines = [line.strip() for line in errors.splitlines() if line.startswith(("E:", "ERROR", "dpkg"))]
        problem = lines[-1] if lines else f"exit code {process.returncode}"
        remedy = "check the network" + ("; apt-get update may be due" if command[0].endswith("apt-get") else "")
        raise CannotFetch(what, f"{Path(command[0]).name} failed ({problem})", remedy)


def _size(folder: str) -> int:
    """Bytes of the files in it, which come and go."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                total += Path(parent, name).lstat().st_size
    return total


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
