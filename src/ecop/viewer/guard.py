"""What stands before the page: who may ask for what, how much may be sent, and that nothing leads outside."""

import re
import secrets
from collections.abc import Iterable
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from ecop.viewer.sessions import COOKIE, Sessions

POLICY = "; ".join(
    (
        "default-src 'self'", "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:",
        "style-src 'self' 'unsafe-inline'", "img-src 'self' data: blob:", "media-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self' data: blob:", "worker-src 'self' blob:", "object-src 'none'", "base-uri 'self'",
        "form-action 'self'", "frame-ancestors 'none'",
    )
)  # fmt: skip
"""The browser itself then refuses whatever would go to another host."""

HEADERS = (
    (b"content-security-policy", POLICY.encode()), (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"), (b"cross-origin-resource-policy", b"same-origin"),
)  # fmt: skip
FILES = re.compile(r"^(?:/gradio_api)?/file(?:=|/)(.*)$", re.DOTALL)
CLOSED = re.compile(r"^(?:/gradio_api)?/(?:proxy=|stream/|runs|mcp|monitoring)")
UPLOAD = re.compile(r"^(?:/gradio_api)?/upload/?$")
MOST_WAITING = 32
"""Uploads of all visitors that no page has taken up yet."""

ENVELOPE = 64 * 1024
"""Bytes of a request around the file in it, and of any other request at most sixteen times as many."""


class Guard:
    """An ASGI application around another.

    A browser gets a cookie that nobody can guess. Files are served to the browser whose session they belong to; an
    address that names another host than ours is refused, so that no page from elsewhere can reach this one under a name
    of its own.

    Args:
        app: what is guarded.
        sessions: whose files there are.
        hosts: names under which we are asked; ``None``: any.
        max_upload: bytes of a file.
    """

    def __init__(self, app: Any, sessions: Sessions, hosts: Iterable[str] | None, max_upload: int):
        self.app, self.sessions, self.max_upload = app, sessions, max_upload
        self.hosts = None if hosts is None else frozenset(hosts)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Refuse it, or pass it on and sign the answer."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self.app(scope, receive, send)
            return
        headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        owner = cookie_of(headers.get(b"cookie", ""))
        refused = self._refused(scope, headers, owner)
        if refused is not None:
            await _answer(send, *refused)
            return
        fresh = None
        if owner is None:
            fresh = owner = secrets.token_hex(16)
        scope = {**scope, "state": {**scope.get("state", {}), "owner": owner}}

        async def signed(message: Any) -> None:
            if message["type"] == "http.response.start":
                own = [*message.get("headers", ()), *HEADERS]
                if fresh is not None:
                    own.append((b"set-cookie", f"{COOKIE}={fresh}; Path=/; HttpOnly; SameSite=Strict".encode()))
                message = {**message, "headers": own}
            await send(message)

        await self.app(scope, receive, signed)

    def _refused(self, scope: Any, headers: dict[bytes, str], owner: str | None) -> tuple[int, str] | None:
        """Status and sentence for what is not allowed."""
        path = scope["path"]
        host = re.sub(r":\d+$", "", headers.get(b"host", ""))
        if self.hosts is not None and host not in self.hosts:
            return 421, f"this page is not {host}; open it by the address that 'ecop view' printed"
        if CLOSED.match(path):
            return 404, "there is nothing here"
        named = FILES.match(path)
        if named is not None and not self._owns(owner, named.group(1)):
            return 404, "there is no such file, or it is another visitor's"
        if scope["method"] not in ("POST", "PUT", "PATCH"):
            return None
        too_much = self._too_much(path, headers)
        if too_much is None and owner is None:  # as a form on a page from elsewhere would send
            return 403, "load the page first"
        return too_much

    def _too_much(self, path: str, headers: dict[bytes, str]) -> tuple[int, str] | None:
        length = headers.get(b"content-length", "")
        if not length.isdigit():
            return 411, "say how long it is"
        limit = self.max_upload + ENVELOPE if UPLOAD.match(path) else 16 * ENVELOPE
        if int(length) > limit:
            return 413, f"{length} bytes are over the limit of {limit}; raise it with 'ecop view --max-upload'"
        if UPLOAD.match(path) and self.sessions.waiting() >= MOST_WAITING:
            return 429, "too many uploads wait; try again in some minutes"
        return None

    def _owns(self, owner: str | None, named: str) -> bool:
        path = Path("/" + unquote(named).lstrip("/")).resolve()
        if owner is None or not path.is_relative_to(self.sessions.root):
            return False
        folder = path.relative_to(self.sessions.root).parts[:1]
        return bool(folder) and self.sessions.find(owner, folder[0]) is not None


def cookie_of(header: str) -> str | None:
    """The browser's token, if it has one of ours."""
    try:
        found = SimpleCookie(header).get(COOKIE)
    except CookieError:
        return None
    return found.value if found is not None and re.fullmatch(r"[0-9a-f]{32}", found.value) else None


async def _answer(send: Any, status: int, text: str) -> None:
    content = text.encode()
    head = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(content)).encode()), *HEADERS]
    await send({"type": "http.response.start", "status": status, "headers": head})
    await send({"type": "http.response.body", "body": content})
