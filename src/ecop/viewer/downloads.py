"""Files to play and to take away, made in the session's own folder when they are asked for."""

import zipfile
from collections.abc import Callable
from pathlib import Path

from ecop.core.errors import BadInput
from ecop.signals.showing import Pixels, Window, layer_depth
from ecop.viewer import pictures
from ecop.viewer.curves import curve_picture
from ecop.viewer.fits import Fit
from ecop.viewer.sessions import Session

SCALES = (1.0, 2.0, 4.0, 8.0)
SIDE = 1024
"""Pixels of the longer side of a picture in the archive."""


def played(session: Session, what: str, step: int) -> Path:
    """What the modality's player plays: of the signal (``original``), or of a fit after some steps.

    Raises:
        BadInput: if there is no such fit.
        EcopError: if it cannot be rendered or written.
    """
    if what == "original" and session.signal is not None:
        signal, path = session.signal, session.place("original")
    else:
        if not what.isdigit() or int(what) >= len(session.fits):
            raise BadInput("fit", f"there is none with the number {what}", "fit a signal first")
        path, signal = session.place(f"{what}-{step}"), None
    with session.drawing:
        if signal is None:
            fitted = session.fits[int(what)].at(step).fitted
            show, make = fitted.signal_class.show, fitted.render
        else:
            show, make = type(signal).show, lambda: signal
        path = path.with_name(path.name + show.suffix)
        if not path.is_file():
            show.play(make(), path)
    return path


def field_file(session: Session, fit: Fit, step: int, scale: float, layer: int) -> Path:
    """The field after a step, as `ecop fit` writes it."""
    path = session.place(f"{_stem(fit)}-{step}.safetensors")
    fit.at(step).fitted.save(path)
    return path


def render_file(session: Session, fit: Fit, step: int, scale: float, layer: int) -> Path:
    """The signal in its modality's own format, so many times as fine.

    Raises:
        BadInput: for a scale that is not offered.
        TooLarge: for more samples than the limit.
    """
    if scale not in SCALES:
        raise BadInput("scale", f"{scale:g} is not offered", f"choose {', '.join(f'{s:g}' for s in SCALES)}")
    fitted = fit.at(step).fitted
    path = session.place(f"{_stem(fit)}-{step}-x{scale:g}{fitted.signal_class.preferred_suffix}")
    fitted.render_to(path, scale=scale)
    return path


def picture_archive(session: Session, fit: Fit, step: int, scale: float, layer: int) -> Path:
    """All pictures that the page shows of a fit, as PNG and SVG files in a ZIP archive."""
    path = session.place(f"{_stem(fit)}-{step}-pictures.zip")
    fitted = fit.at(step).fitted
    plane = fitted.signal_class.show.plane
    drawn: dict[str, bytes] = {"psnr.svg": curve_picture(session.fits, step)} if fitted.psnr_curve else {}
    depth = 0.5
    if plane is None:
        drawn["reconstruction.png"] = pictures.png(fitted.render().picture())
        if session.signal is not None:
            drawn["original.png"] = pictures.png(session.signal.picture())
    else:
        depth = layer_depth(plane.layers(fitted.shape, fitted.about), layer)
        window, own = Window(depth=depth), plane.size(fitted.shape, fitted.about)
        pixels = Pixels(*(max(1, round(n * SIDE / max(own))) for n in own))
        drawn["reconstruction.png"] = pictures.png(pictures.field_window(fitted, plane, window, pixels))
        if session.signal is not None:
            drawn["original.png"] = pictures.png(pictures.signal_window(session.signal, plane, window, pixels))
    if fit.signal is not None and pictures.has_maps(fit.signal):
        drawn["error.png"] = pictures.png(pictures.error_map(fit.signal, fit.error(step), depth)[0])
        kept = fit.at(step).kept
        if kept is not None:
            drawn["kept_points.png"] = pictures.png(pictures.kept_map(fit.signal, kept, depth))
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in drawn.items():
            archive.writestr(name, content)
    return path


MAKERS: dict[str, Callable[[Session, Fit, int, float, int], Path]] = {
    "field": field_file, "render": render_file, "pictures": picture_archive,
}  # fmt: skip


def _stem(fit: Fit) -> str:
    return "".join(c if c.isalnum() else "-" for c in fit.title).strip("-")
