"""PSNR over the inner steps, as the page shows it."""

import io
from collections.abc import Sequence

from ecop.plots import lines, new_figure
from ecop.plots.style import GREY, styled
from ecop.viewer.fits import Fit


def curve_picture(fits: Sequence[Fit], step: int) -> bytes:
    """An SVG file: a line for each fit, and a mark at the step that is looked at."""
    curves = {
        fit.title: (range(len(fit.last.psnr_curve)), fit.last.psnr_curve) for fit in fits if fit.watched
    }  # fmt: skip
    figure = new_figure(3.0, 1.9)
    axes = lines(figure, curves, x="inner step", y="PSNR (dB)", named=len(curves) > 1)
    axes.set_xlim(0, max(1, *(fit.total for fit in fits)))
    axes.axvline(step, color=GREY, linewidth=0.8, zorder=0)
    content = io.BytesIO()
    with styled():
        figure.savefig(content, format="svg", bbox_inches="tight", metadata={"Date": None})
    return content.getvalue()
