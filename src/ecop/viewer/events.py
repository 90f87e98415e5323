"""What happens when a visitor chooses, uploads, fits or moves a slider: from the page's values to its values."""

import itertools
import logging
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr

from ecop.core.errors import BadInput
from ecop.data.folder import items_of
from ecop.fit.fitted import Fitted
from ecop.store.field_file import FieldFile
from ecop.viewer import words
from ecop.viewer.choices import Choices, titled
from ecop.viewer.fits import Settings, opened, start_fit
from ecop.viewer.sessions import COOKIE, UPLOADS, Session, Sessions

NOBODY = "nothing"
"""The choice of no initialisation to compare with."""

MOST_UPLOADS = 8
"""Files of a page; one more deletes the first."""

FIELD_SUFFIX = ".safetensors"


class Events:
    """The page's events, for all who look at it.

    Args:
        sessions: of everybody.
        choices: what the page offers.
        first: the initialisation that it begins with.
    """

    def __init__(self, sessions: Sessions, choices: Choices, first: str):
        self.sessions, self.choices, self.first = sessions, choices, first

    def session(self, request: gr.Request) -> Session:
        """Whose page it is."""
        return self.sessions.of(request.cookies.get(COOKIE, ""), request.session_hash or "")

    def open(self, request: gr.Request) -> list[Any]:
        """A page opens: the first initialisation, and the first signal for it."""
        return [gr.update(value=self.first), *self.choose(request, self.first)]

    def leave(self, request: gr.Request) -> None:
        """A page goes, and its files with it."""
        self.sessions.close_tab(request.session_hash or "")

    def choose(self, request: gr.Request, init: str, title: str | None = None) -> list[Any]:
        """Another initialisation: signals, partners and settings that go with it; then `look`.

        Returns:
            Updates of signal, partner, steps, γ, scorer, scaling, and those of `look`.
        """
        session = self.session(request)
        try:
            titles = self.choices.signals(init, session.uploads)
            partners = [(self.choices.label(other), other) for other in self.choices.partners(init)]
            own = self.choices.load(init).plan()
            settings = self.choices.load(init).settings
        except Exception as error:
            return [gr.skip()] * 6 + self._failed(session, error)
        title = title or titles[0]
        return [
            gr.update(choices=titles, value=title), gr.update(choices=[NOBODY, *partners], value=NOBODY),
            gr.update(value=own.steps), gr.update(value=own.pruning.keep), gr.update(value=settings.scorer),
            gr.update(value=settings.scaling), *self.look(request, init, title),
        ]  # fmt: skip

    def look(self, request: gr.Request, init: str, title: str) -> list[Any]:
        """Another signal, which nothing has been fitted to yet.

        Returns:
            Status, state, and updates of both sliders.
        """
        session = self.session(request)
        try:
            signal = self.choices.read(init, title, session.uploads, session.folder)
        except Exception as error:
            return self._failed(session, error)
        session.show(signal, ())
        size = " × ".join(map(str, signal.shape)) + (" samples" if signal.coordinates is None else " points")
        changed = f"; {signal.about['changed']}" if "changed" in signal.about else ""
        return self._shown(session, words.status(f"{title}: {size}{changed}. Press Fit."), 0)

    def receive(self, request: gr.Request, file: str | None, init: str) -> list[Any]:
        """A file was uploaded: a signal, or a fitted field.

        Returns:
            Updates of the upload, the initialisation, and those of `choose`.
        """
        if file is None:
            return [gr.skip()] * 12
        session = self.session(request)
        kept: list[Any] = [gr.update(value=None), gr.skip(), *[gr.skip()] * 6]
        path = session.folder / UPLOADS / Path(file).name
        try:
            shutil.move(file, path)
            Path(file).parent.rmdir()
            if path.suffix.lower() == FIELD_SUFFIX:
                return kept + self._open_field(session, path)
            init = self.choices.suited(path, init)
            kind = self.choices.kind(init)
            items = titled(items_of([path], kind, self.choices.load(init).recipe.data.reading))
            title = next(iter(items))
            self.choices.read(init, title, items, session.folder)  # before it is offered
        except Exception as error:
            path.unlink(missing_ok=True)
            session.uploads = {name: item for name, item in session.uploads.items() if item.path != path}
            return kept + self._failed(session, error)
        session.uploads = {**items, **session.uploads}
        for surplus in list(dict.fromkeys(item.path for item in session.uploads.values()))[MOST_UPLOADS:]:
            session.uploads = {name: item for name, item in session.uploads.items() if item.path != surplus}
            surplus.unlink(missing_ok=True)
        return [kept[0], gr.update(value=init), *self.choose(request, init, title)]

    def fit(
        self, request: gr.Request, init: str, title: str, partner: str, steps: float, keep: float, scorer: str,
        scaling: str,
    ) -> Iterator[list[Any]]:  # fmt: skip
        """Fit from one initialisation, or from two in turn, step by step.

        The settings are those on the page; a partner takes them too.

        Yields:
            As `look` returns, before the first step and after each.
        """
        session = self.session(request)
        settings = Settings(int(steps), float(keep), scorer, scaling)
        try:
            signal = self.choices.read(init, title, session.uploads, session.folder)
            names = [init] if partner in (NOBODY, None) else [init, partner]
            begun = [start_fit(self.choices.load(name), self.choices.label(name), signal, settings) for name in names]
            fits = tuple(fit for fit, _ in begun)
            session.show(signal, fits)
            yield self._shown(session, words.status("Getting ready: the first fit of a size takes longer", "busy", 0.0))
            for _ in itertools.zip_longest(*(taken for _, taken in begun)):
                text, share = words.under_way(fits)
                yield self._shown(session, words.status(text, "busy", share), len(fits[0].watched) - 1)
            yield self._shown(session, words.status(words.summary(fits)), fits[0].total)
        except Exception as error:
            yield self._failed(session, error)

    def stop(self, request: gr.Request) -> str:
        """The fit was stopped; what it made so far stays."""
        fits = [fit for fit in self.session(request).fits if fit.watched]
        taken = max((len(fit.watched) - 1 for fit in fits), default=0)
        return words.status(f"Stopped after {taken} steps")

    def models(self, request: gr.Request, step: float) -> list[Any]:
        """Three-dimensional models of the signal and of each fit after some steps; nothing where there are none.

        Returns:
            Updates of the signal's, the first and the second fit's.
        """
        session = self.session(request)
        fits = [fit for fit in session.fits if fit.watched]
        shown = session.signal or (fits[0].last.render() if fits else None)
        if shown is None or type(shown).show.player != "model":
            return [gr.update(value=None, elem_classes=[])] * 3
        makers: list[Any] = [None if session.signal is None else ("the signal", "original", lambda: session.signal)]
        for number, fit in enumerate(fits):
            name = f"{number}-{int(step)}"
            makers.append((f"{fit.title}, step {int(step)}", name, lambda fit=fit: fit.at(int(step)).fitted.render()))
        made = []
        for maker in [*makers, None, None][:3]:
            made.append(gr.update(value=None, elem_classes=[]) if maker is None else self._model(session, *maker))
        return made

    def _model(self, session: Session, label: str, name: str, make: Any) -> Any:
        path = session.place(f"{name}.glb")
        try:
            if not path.is_file():
                signal = make()
                type(signal).show.play(signal, path)
        except Exception as error:
            problem = f"{label}: {words.problem(error, session)}"
            return gr.update(value=None, label=problem, elem_classes=["ecop-problem"])
        return gr.update(value=str(path), label=label, elem_classes=[])

    def _open_field(self, session: Session, path: Path) -> list[Any]:
        if FieldFile.load(path).role != "fitted":
            problem = "holds an initialisation, not a fitted field"
            raise BadInput(path, problem, "start with it: ecop view FILE")
        fit = opened(Fitted.load(path), path.stem)
        session.show(None, (fit,))
        return self._shown(session, words.status(words.summary((fit,))), 0)

    def _shown(self, session: Session, line: str, step: int | None = None) -> list[Any]:
        """Status, state, and the two sliders."""
        about = words.description(session, step)
        total = max((fit["steps"] for fit in about["fits"]), default=0)
        layers = about.get("layers", 1)
        return [
            line,
            words.state(session, step),
            gr.update(maximum=max(1, total), value=min(step or 0, total), visible=total > 0),
            gr.update(
                maximum=max(1, layers - 1), value=layers // 2, visible=layers > 1,
                label=about.get("layer", "").capitalize(),
            ) if step in (0, None) else gr.skip(),
        ]  # fmt: skip

    def _failed(self, session: Session, error: Exception) -> list[Any]:
        """What went wrong, and nothing else changes."""
        from ecop.core.errors import EcopError

        if not isinstance(error, EcopError):
            logging.getLogger("ecop.viewer").exception("an event of the page failed")
        return [words.status(words.problem(error, session), "error"), gr.skip(), gr.skip(), gr.skip()]
