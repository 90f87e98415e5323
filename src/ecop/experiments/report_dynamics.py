"""The report of what fits do, step by step: pictures, spectra of the error, and what is kept."""

from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from ecop.experiments.document import Document
from ecop.experiments.dynamics import BANDS, DRAWN, EDGES, means, medians, spreads
from ecop.experiments.study import Scale, Study
from ecop.plots import TWO_COLUMNS, lines, new_figure, save_plot


def write(
    study: Study, scale: Scale, documents: Sequence[Mapping[str, Any]], report: Document, folder: Path
) -> dict[str, Any]:
    """Add the sections of a study of this kind; returns its numbers."""
    numbers = []
    for corpus, arm in product(study.corpora, study.arms):
        seeds = [document for document in documents if (document["corpus"], document["arm"]) == (corpus, arm.name)]
        if not seeds:
            continue
        label, stem = arm.label, f"{corpus}-{arm.name}"
        report.heading(f"{label}, {corpus}")
        if drawn := [document for document in seeds if document["signals"][0]["pictures"]]:
            path = folder / "figures" / f"steps-{stem}.png"
            _pictures(drawn[0], path)
            report.picture(path, f"After some of the steps: reconstructions, and below them the kept points; {label}")
        path = folder / "figures" / f"bands-{stem}.png"
        bands = medians(seeds, "bands")
        figure = new_figure(TWO_COLUMNS, 0.4 * TWO_COLUMNS)
        curves = {_octave(place): (range(len(bands)), bands[:, place]) for place in range(BANDS)}
        lines(figure, curves, x="inner step", y="share of power missed", log_y=True)
        save_plot(figure, path)
        report.picture(path, f"What the reconstruction still misses, by octave (cycles a pixel); {label}")
        numbers.append({"corpus": corpus, "arm": arm.name, **_numbers(seeds, report)})
    return {"rows": numbers, "in_short": in_short([row for row in numbers if row["arm"] == study.reference])}


def in_short(rows: Sequence[Mapping[str, Any]], after: int = 2) -> str:
    """Whether structure comes before detail, and where the kept points lie."""
    return " ".join(
        f"{row['corpus'].capitalize()}: after {after} steps "
        f"{100 * row['bands'][after][0]:.1f} % of the power below 1/{2**BANDS} cycles a pixel is still missing, and "
        f"{100 * row['bands'][after][-1]:.0f} % of that above 1/4; the kept points lie on edges "
        f"{row['edges'][-1] / EDGES:.1f} times as often as random ones, and in the last step "
        f"{100 * row['overlap'][-1]:.0f} % of them are those of the step before."
        for row in rows
    )


def _numbers(seeds: Sequence[Mapping[str, Any]], report: Document) -> dict[str, Any]:
    psnr, spread, bands = means(seeds, "psnr"), spreads(seeds, "psnr"), medians(seeds, "bands")
    own = {"seeds": len(seeds), "psnr": psnr, "bands": bands} | ({} if spread is None else {"psnr_seeds_std": spread})
    steps = [step for step in DRAWN if step < len(psnr)]
    rows = [["PSNR (dB)", *(f"{psnr[s]:.1f}" + ("" if spread is None else f" ± {spread[s]:.1f}") for s in steps)]]
    rows += [
        [f"missed, {_octave(place)}", *(f"{100 * bands[step, place]:.1f} %" for step in steps)]
        for place in range(BANDS)
    ]
    signals = seeds[0]["signals"]
    if signals[0]["edges"]:
        edges, overlap = means(seeds, "edges"), means(seeds, "overlap")
        own |= {"edges": edges, "overlap": overlap}
        rows.append(["kept points on edges", *(f"{100 * edges[s]:.0f} %" if s < len(edges) else "–" for s in steps)])
        rows.append(["kept as the step before", *(
            f"{100 * overlap[s - 1]:.0f} %" if 0 < s <= len(overlap) else "–" for s in steps)])  # fmt: skip
    report.table(["step", *map(str, steps)], rows)
    report.paragraph(
        f"Edges are the {100 * EDGES:.0f} % of points with the largest gradient: of points chosen at random as many "
        f"would lie on them. Means over {len(signals)} signals"
        + (f" and {len(seeds)} seeds, ± standard deviation over seeds" if len(seeds) > 1 else "")
        + "; of what is missed, the median."
    )
    return own


def _octave(place: int) -> str:
    """A band's name."""
    upper = 2 ** (BANDS - place)
    return f"below 1/{upper}" if place == 0 else f"1/{2 * upper} to 1/{upper}" if place < BANDS - 1 else "above 1/4"


def _pictures(document: Mapping[str, Any], path: Path) -> None:
    """For each signal that was kept a row of reconstructions and one of kept points."""
    shown = [one for one in document["signals"] if one["pictures"]]
    steps = [step for step in DRAWN if str(step) in shown[0]["pictures"]]
    kept = bool(shown[0]["kept"])
    height = len(shown) * (2 if kept else 1)
    figure = new_figure(TWO_COLUMNS, TWO_COLUMNS / len(steps) * height + 0.3)
    axes = np.atleast_2d(figure.subplots(height, len(steps)))
    for axis in axes.flat:
        axis.set_axis_off()
    for number, one in enumerate(shown):
        for column, step in enumerate(steps):
            picture = np.asarray(one["pictures"][str(step)], float) / 255
            row = number * (2 if kept else 1)
            axes[row, column].imshow(
                picture[..., 0] if picture.shape[-1] == 1 else picture, cmap="gray", vmin=0, vmax=1
            )
            if number == 0:
                axes[0, column].set_title(f"step {step}")
            if str(step) in one["kept"]:
                axes[row + 1, column].imshow(one["kept"][str(step)], cmap="gray_r", interpolation="nearest")
    save_plot(figure, path)
