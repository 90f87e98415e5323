"""The web application: the page, what its script asks for, and the guard before both."""

import math
from collections.abc import Iterable
from importlib import resources
from pathlib import Path
from typing import Any

import gradio as gr
from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, PlainTextResponse, Response

from ecop.core.errors import BadInput, EcopError
from ecop.signals.showing import Pixels, Window
from ecop.viewer import downloads, pictures
from ecop.viewer.choices import Choices
from ecop.viewer.curves import curve_picture
from ecop.viewer.events import Events
from ecop.viewer.fits import Fit
from ecop.viewer.guard import Guard
from ecop.viewer.page import build_page, theme
from ecop.viewer.sessions import Session, Sessions
from ecop.viewer.words import problem

LARGEST = 2048
"""Pixels along a side of a window."""

HEAD = '<link rel="stylesheet" href="/ecop/page.css"><script src="/ecop/page.js" defer></script>'
STATIC = {"page.js": "text/javascript", "page.css": "text/css"}
KEEP = {"cache-control": "private, max-age=3600"}
"""A picture's address says all that it depends on."""


def create_app(
    choices: Choices, first: str, root: Path, *, max_upload: int, hosts: Iterable[str] | None
) -> tuple[Guard, Sessions]:
    """The application, guarded, and its sessions.

    Args:
        choices: what the page offers.
        first: the initialisation that it begins with.
        root: a folder for the files of all sessions; Gradio must have been told that it is its own
            (``GRADIO_TEMP_DIR``), so that it serves them from there and makes no copies.
        max_upload: bytes of a file.
        hosts: names under which we are asked; ``None``: any.
    """
    sessions = Sessions(root.resolve())
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    add_answers(app)
    add_routes(app, sessions)
    page = build_page(Events(sessions, choices, first))
    app = gr.mount_gradio_app(
        app, page.queue(default_concurrency_limit=4), path="/", server_name="127.0.0.1", footer_links=[],
        run_history=False, ssr_mode=False, pwa=False, mcp_server=False, enable_monitoring=False, show_error=False,
        max_file_size=max_upload, theme=theme(), head=HEAD,
    )  # fmt: skip
    return Guard(app, sessions, hosts, max_upload), sessions


class Outdated(Exception):
    """A picture of what the page showed before; it is no mistake to have asked for it, and there is no answer."""


def add_answers(app: FastAPI) -> None:
    """The page's own files, and what is answered where nothing is to be had."""

    @app.exception_handler(Outdated)
    def outdated(request: Request, error: Exception) -> Response:
        return Response(status_code=204)

    @app.exception_handler(EcopError)
    def refused(request: Request, error: Exception) -> Response:
        return PlainTextResponse(str(error), 409)

    @app.get("/ecop/{name}")
    def static(name: str) -> Response:
        if name not in STATIC:
            return Response(status_code=404)
        text = (resources.files("ecop.viewer") / name).read_text(encoding="utf-8")
        return Response(text, media_type=STATIC[name])


def add_routes(app: FastAPI, sessions: Sessions) -> None:
    """What the page's script asks for."""

    def session_of(request: Request, key: str, edition: int) -> Session:
        session = sessions.find(request.state.owner, key)
        if session is None:
            raise BadInput("page", "it is closed, or another visitor's", "load it again")
        if session.edition != edition:
            raise Outdated
        return session

    @app.get("/ecop/{key}/{edition}/{what}/{step}/{name}.png")
    def picture(
        request: Request, key: str, edition: int, what: str, step: int, name: str, left: float = 0, top: float = 0,
        right: float = 1, bottom: float = 1, depth: float = 0.5, height: int = 256, width: int = 256,
    ) -> Response:  # fmt: skip
        session = session_of(request, key, edition)
        window = checked(Window(left, top, right, bottom, depth))
        pixels = Pixels(min(max(1, height), LARGEST), min(max(1, width), LARGEST))
        with session.drawing:
            colours, note = draw(session, what, step, name, window, pixels)
        return Response(pictures.png(colours), media_type="image/png", headers={**KEEP, "x-note": note})

    @app.get("/ecop/{key}/{edition}/curve.svg")
    def curve(request: Request, key: str, edition: int, step: int = 0, taken: int = 0) -> Response:
        session = session_of(request, key, edition)
        return Response(curve_picture(session.fits, step), media_type="image/svg+xml", headers=KEEP)

    @app.get("/ecop/{key}/{edition}/{what}/{step}/play")
    def play(request: Request, key: str, edition: int, what: str, step: int) -> Response:
        session = session_of(request, key, edition)
        return FileResponse(downloads.played(session, what, step), headers=KEEP)

    @app.get("/ecop/{key}/{edition}/{what}/{step}/download/{name}")
    def download(
        request: Request, key: str, edition: int, what: str, step: int, name: str, scale: float = 1, layer: int = 0
    ) -> Response:  # fmt: skip
        session = session_of(request, key, edition)
        with session.drawing:
            try:
                path = downloads.MAKERS[name](session, fit_of(session, what), step, scale, layer)
            except EcopError as error:
                return PlainTextResponse(problem(error, session), 409)
        return FileResponse(path, filename=path.name.split("-", 2)[-1])


def fit_of(session: Session, what: str) -> Fit:
    """The fit with a number.

    Raises:
        BadInput: if there is none.
    """
    if not what.isdigit() or int(what) >= len(session.fits) or not session.fits[int(what)].watched:
        raise BadInput("fit", f"there is none with the number {what}", "fit a signal first")
    return session.fits[int(what)]


def draw(session: Session, what: str, step: int, name: str, window: Window, pixels: Pixels) -> tuple[Any, str]:
    """A picture by its name, and a note on it.

    Raises:
        Outdated: for a fit that there is not, or no longer.
        BadInput: for a name that there is not.
        EcopError: if it cannot be drawn.
    """
    if what == "original" and session.signal is not None:
        plane = type(session.signal).show.plane
        if plane is None:
            return session.signal.picture(), ""
        return pictures.signal_window(session.signal, plane, window, pixels), ""
    try:
        fit = fit_of(session, what)
    except BadInput:  # cleared for another signal, between the page's question and this answer
        raise Outdated from None
    watched, plane = fit.at(step), fit.last.signal_class.show.plane
    if name == "window":
        if plane is None:
            return watched.fitted.render().picture(), ""
        return pictures.field_window(watched.fitted, plane, window, pixels), ""
    if not pictures.has_maps(fit.signal) or (name == "kept" and watched.kept is None):
        raise BadInput(name, "there is no such picture of this fit", "look at another")
    assert fit.signal is not None, "it has maps"
    if name == "kept":
        assert watched.kept is not None, "checked above"
        return pictures.kept_map(fit.signal, watched.kept, window.depth), f"{watched.kept.mean():.0%}"
    colours, highest = pictures.error_map(fit.signal, fit.error(step), window.depth)
    return colours, f"0 to {highest:.3g}"


def checked(window: Window) -> Window:
    """A window that is one.

    Raises:
        BadInput: if it is empty, or not inside the picture.
    """
    inside = all(math.isfinite(v) and 0 <= v <= 1 for v in window)
    if not (inside and window.left < window.right and window.top < window.bottom):
        raise BadInput("window", f"{tuple(window)} is none", "give 0 ≤ left < right ≤ 1 and 0 ≤ top < bottom ≤ 1")
    return window
