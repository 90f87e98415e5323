"""The page on a port of this machine, until Ctrl-C."""

import contextlib
import logging
import os
import socket
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ecop.core.errors import InvalidSetting, MissingExtra

FIRST_PORT, PORTS = 7860, 100
LOOPBACK = ("127.0.0.1", "localhost", "[::1]", "::1")


@dataclass(frozen=True)
class Address:
    """Where the page is.

    Attributes:
        host: the interface's name or number.
        port: a number; ``None``: the first free one from 7860 on; 0: any.
    """

    host: str = "127.0.0.1"
    port: int | None = None

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine reaches it."""
        return self.host in LOOPBACK

    def listen(self) -> socket.socket:
        """A socket that listens there.

        Raises:
            InvalidSetting: for a port that is taken or not allowed, or a host that this machine does not have.
        """
        tried = range(FIRST_PORT, FIRST_PORT + PORTS) if self.port is None else [self.port]
        problem: Exception | None = None
        for port in tried:
            family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
            listening = socket.socket(family, socket.SOCK_STREAM)
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listening.bind((self.host.strip("[]"), port))
                listening.listen(128)
                return listening
            except (OSError, OverflowError) as error:
                listening.close()
                problem = error
        raise InvalidSetting("--host, --port", f"{self.host}:{tried[0]}", f"a free port of this machine ({problem})")


def check_installed() -> None:
    """Raise `MissingExtra` without Gradio."""
    import importlib.util

    if importlib.util.find_spec("gradio") is None:
        raise MissingExtra("ecop view", "viewer")


def serve(
    address: Address,
    init: str | None,
    files: Sequence[Path],
    *,
    max_upload: int,
    ready: Callable[[str], None],
) -> None:
    """Serve the page until the process is interrupted; all files of its visitors are deleted then.

    Args:
        address: where.
        init: the initialisation to begin with.
        files: signals to offer.
        max_upload: bytes of an uploaded file.
        ready: called with the page's address when it is about to answer.

    Raises:
        EcopError: if the initialisation, a file or the address is not usable.
        MissingExtra: without the extra ``viewer``.
    """
    check_installed()
    with contextlib.closing(address.listen()) as listening, tempfile.TemporaryDirectory(prefix="ecop-view-") as root:
        # Gradio reads these when it is imported and when a page is made.
        os.environ.update(GRADIO_ANALYTICS_ENABLED="False", GRADIO_TEMP_DIR=str(Path(root).resolve()))
        os.environ.update(HF_HUB_OFFLINE="1", HF_HUB_DISABLE_TELEMETRY="1", GRADIO_SHARE="False")
        import uvicorn

        class Server(uvicorn.Server):
            async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
                """Quietly: that somebody's picture is cut short is no error then."""
                logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
                await super().shutdown(sockets)

        from ecop.viewer.app import create_app
        from ecop.viewer.choices import choices_of

        choices, first = choices_of(init, files)
        hosts = LOOPBACK if address.is_loopback else None
        guarded, _ = create_app(choices, first, Path(root), max_upload=max_upload, hosts=hosts)
        host = f"[{address.host}]" if ":" in address.host and "[" not in address.host else address.host
        url = f"http://{host}:{listening.getsockname()[1]}/"

        ready(url)  # who asks already waits on the socket for the moment that is left
        Server(uvicorn.Config(guarded, log_level="warning", timeout_graceful_shutdown=1)).run([listening])
