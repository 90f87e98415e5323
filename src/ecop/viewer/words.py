"""What the page says: one line on how it stands, and the description that its script draws from."""

import html
import json
from typing import Any

from ecop.core.errors import EcopError
from ecop.viewer.fits import Fit
from ecop.viewer.pictures import has_maps
from ecop.viewer.sessions import UPLOADS, Session

ACRONYMS = {"psnr": "PSNR", "ssim": "SSIM", "ms": "MS", "iou": "IoU", "snr": "SNR", "lsd": "LSD", "rmse": "RMSE"}


def status(text: str, kind: str = "plain", share: float | None = None) -> str:
    """A line, as HTML.

    Args:
        text: in words.
        kind: ``plain``, ``busy`` or ``error``.
        share: of the work that is done, for a bar.
    """
    role = "alert" if kind == "error" else "status"
    bar = "" if share is None else f'<progress max="1" value="{share:.3f}"></progress>'
    return f'<div class="ecop-status {kind}" role="{role}"><p>{html.escape(text)}</p>{bar}</div>'


def problem(error: Exception, session: Session) -> str:
    """What went wrong, in the words of the command line, without the place of the session's folder."""
    if isinstance(error, EcopError):
        text = str(error).replace(f"{session.folder / UPLOADS}/", "").replace(f"{session.folder}/", "")
        return " ".join(text.split())
    return f"This is a fault of ecop's own, not yours: {type(error).__name__}. The terminal has the details."


def summary(fits: tuple[Fit, ...]) -> str:
    """What finished fits reached, a line each."""
    return "\n".join(_result(fit) for fit in fits)


def under_way(fits: tuple[Fit, ...]) -> tuple[str, float]:
    """How far fits are, in words and as a share."""
    done, total = (sum(count) for count in zip(*((len(f.watched), f.total + 1) for f in fits), strict=True))
    reached = [f"{fit.title} {fit.last.psnr_curve[-1]:.1f} dB" for fit in fits if fit.watched]
    step = max(0, *(len(fit.watched) - 1 for fit in fits), 0)
    return f"Step {step} of {max(fit.total for fit in fits)}: {', '.join(reached)}", done / total


def description(session: Session, step: int | None = None) -> dict[str, Any]:
    """All that the page's script has to know of what a session shows.

    Args:
        session: whose.
        step: to go to; ``None``: stay.
    """
    shown = _shown(session)
    if shown is None:
        return {"key": session.key, "edition": session.edition, "fits": [], "original": False}
    shape, about, show = shown
    plane = show.plane
    return {
        "key": session.key,
        "edition": session.edition,
        "original": session.signal is not None,
        "size": [1, 2] if plane is None else list(plane.size(shape, about)),
        "zooms": "none" if plane is None else plane.zooms,
        "layers": 1 if plane is None else plane.layers(shape, about),
        "layer": "" if plane is None else plane.layer,
        "player": show.player,
        "step": step,
        "fits": [
            {
                "title": fit.title, "total": fit.total, "psnr": [round(v, 2) for v in fit.last.psnr_curve],
                "steps": len(fit.watched) - 1, "done": fit.done, "maps": has_maps(fit.signal),
                "kept": fit.watched[0].kept is not None, "opened": fit.signal is None,
                "fitted": list(fit.last.shape[-2:]), "bytes": fit.last.nbytes,
            }
            for fit in session.fits if fit.watched
        ],
    }  # fmt: skip


def state(session: Session, step: int | None = None) -> str:
    """The description where the page's script looks for it."""
    text = html.escape(json.dumps(description(session, step)), quote=True)
    return f'<div id="ecop-state" data-state="{text}"></div>'


def _shown(session: Session) -> tuple[Any, Any, Any] | None:
    """Shape and ``about`` of the grid that is looked at, and how its modality is shown."""
    if session.signal is not None and session.signal.coordinates is None:
        signal = session.signal
        return signal.shape, signal.about, type(signal).show
    if session.signal is not None:
        return session.signal.resolution, session.signal.about, type(session.signal).show
    if session.fits and session.fits[0].watched:
        fitted = session.fits[0].last
        return fitted.shape, fitted.about, fitted.signal_class.show
    return None


def _result(fit: Fit) -> str:
    fitted = fit.last
    reached = ", ".join(f"{_name(name)} {_number(name, value)}" for name, value in fitted.metrics.items())
    size = " × ".join(map(str, fitted.fitted_shape))
    points = "points" if fitted.points is not None else "samples"
    shrunk = "" if fitted.resampled is None else f", resampled from {' × '.join(map(str, fitted.resampled))}"
    fields = "" if fitted.blocks is None else f", {len(fitted.blocks.starts)} fields"
    return f"{fit.title}: {reached or 'a field'}; {size} {points}{shrunk}{fields}, {fitted.steps} steps"


def _name(metric: str) -> str:
    return " ".join(ACRONYMS.get(word, word) for word in metric.split("_"))


def _number(metric: str, value: float) -> str:
    return f"{value:.1f} dB" if metric.endswith(("psnr", "snr", "lsd")) else f"{value:.3g}"
