"""The report of a study that trains arms and fits held-out signals: tables, curves, heat maps, and a CSV file."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ecop.core.recipe import Recipe
from ecop.experiments.document import Document, write_text
from ecop.experiments.statistics import Cell, Summary, Table
from ecop.experiments.study import Arm, Scale, Study
from ecop.experiments.trainings import counted_work
from ecop.plots import TWO_COLUMNS, bars, heat_map, lines, new_figure, save_plot

MOST_CURVES = 9
"""More than these are drawn as bars: there are no more colours that can be told apart."""

TITLES = {"psnr": "PSNR", "ssim": "SSIM", "ms_ssim": "MS-SSIM", "lsd": "LSD", "snr": "SNR", "rmse": "RMSE"}


def write(
    study: Study, scale: Scale, documents: Sequence[Mapping[str, Any]], report: Document, folder: Path
) -> dict[str, Any]:
    """Add the sections of a study; returns the numbers of its tables.

    Args:
        study: the study.
        scale: at which it was run.
        documents: of its runs.
        report: is added to.
        folder: of the report; pictures go into its ``figures``.
    """
    table = Table(documents)
    own = [cell for cell in table.cells() if cell.trained == cell.fitted]
    _trained(study, documents, report)
    for cell in own:
        report.heading(str(cell))
        _curves(study, table, cell, report, folder)
        _numbers(study, table, cell, report)
        _others(study, table, cell, report)
        if len(study.map) == 2:
            _map(study, scale, table, cell, report, folder)
        if study.options.get("ratio"):
            _ratio(study, documents, cell, report, folder)
    in_short = _recommendation(study, table, own, report) if len(study.map) == 2 else None
    if study.transfer:
        _matrix(study, table, report, folder)
    rows = list(_long(table, study))
    write_text(folder / "results.csv", _csv(rows))
    return {"rows": rows, "in_short": in_short}


def _trained(study: Study, documents: Sequence[Mapping[str, Any]], report: Document) -> None:
    """What each arm is, and what its training took, by corpus."""
    report.heading("What was compared")
    rows = []
    for arm in study.arms:
        for corpus in study.corpora:
            mine = [d for d in documents if (d["arm"], d["corpus"]) == (arm.name, corpus)]
            if not mine:
                continue
            steps, seconds = mine[0]["outer_steps"], float(np.mean([d["seconds"] for d in mine]))
            each = counted_work(Recipe.from_dict(mine[0]["recipe"]))
            rows.append([arm.label, corpus, str(steps), f"{mine[0]['point_steps']:g} M" if steps else "–",
                         f"{each:g} F" if steps else "–", f"{mine[0]['work'] / 1e3:.1f} k F" if steps else "–",
                         f"{seconds:.0f} s" if steps else "–"])  # fmt: skip
    report.table(
        ["arm", "corpus", "outer steps", "stored by plain autodiff", "work of a step", "work in all", "seconds"], rows
    )
    for document in documents:
        if document["diverged"]:
            arm = study.arm(document["arm"]).label
            report.paragraph(f"{arm}, {document['corpus']}, seed {document['seed']}: {document['diverged']}.")
    report.paragraph(
        "M are the points of a signal, F is a forward pass over them. *Stored by plain autodiff* is γ·K·M, by which "
        "memory is called equal. *Work* is counted, not timed, so that a busy machine does not decide; the seconds are "
        "those of this machine, with whatever else it did."
    )


def _curves(study: Study, table: Table, cell: Cell, report: Document, folder: Path) -> None:
    """PSNR over the test steps."""
    curves, spreads = {}, {}
    for arm, scaling in _shown(study, table, cell):
        found = [table.summary(cell, arm.name, scaling, steps) for steps in table.steps]
        means = [one.mean for one in found if one]
        name = arm.label if len(study.scalings_of(arm)) == 1 or not _several(study) else f"{arm.label}, {scaling}"
        curves[name] = (table.steps, means)
        if all(one and one.spread is not None for one in found):
            width = [one.spread or 0.0 for one in found if one]
            spreads[name] = ([m - w for m, w in zip(means, width, strict=True)],
                             [m + w for m, w in zip(means, width, strict=True)])  # fmt: skip
    path = folder / "figures" / f"psnr-{_file(cell)}.png"
    if len(curves) > MOST_CURVES:
        place = table.steps.index(study.headline)
        figure = new_figure(TWO_COLUMNS, 0.3 + 0.22 * len(curves))
        bars(figure, {name: means[place] for name, (_, means) in curves.items()}, x="PSNR (dB)", number="{:.2f}")
        save_plot(figure, path)
        report.picture(path, f"PSNR after {study.headline} steps, {cell}")
        return
    figure = new_figure(TWO_COLUMNS, 0.5 * TWO_COLUMNS)
    axes = lines(figure, curves, x="test steps", y="PSNR (dB)", log_x=True, spreads=spreads)
    axes.set_xticks(table.steps, [str(one) for one in table.steps])
    axes.minorticks_off()
    save_plot(figure, path)
    report.picture(path, f"PSNR over the test steps, {cell}")


def _shown(study: Study, table: Table, cell: Cell) -> Iterator[tuple[Arm, str]]:
    """What the curves show: each arm's first scaling, and all of them where that is what the study compares."""
    for arm in study.arms:
        scalings = [s for s in study.scalings_of(arm) if s in table.scalings(cell, arm.name)]
        for scaling in scalings if _several(study) else scalings[:1]:
            yield arm, scaling


def _several(study: Study) -> bool:
    """Whether scalings are what the study is about: there are more than the two that it has by default."""
    return len(study.scalings) > 2


def _numbers(study: Study, table: Table, cell: Cell, report: Document) -> None:
    """PSNR of every arm and scaling at all steps, and the gain over the reference."""
    reference = study.arm(study.reference), study.scalings_of(study.arm(study.reference))[0]
    rows = []
    for arm in study.arms:
        for scaling in study.scalings_of(arm):
            found = [table.summary(cell, arm.name, scaling, steps) for steps in table.steps]
            if not any(found):
                continue
            own, against = (arm.name, scaling), (reference[0].name, reference[1])
            gain = None if own == against else table.gain(cell, own, against, study.headline)
            rows.append([arm.label, scaling, *(_word(one) for one in found), "–" if gain is None else str(gain)])
    report.table(
        ["arm", "scaling", *(f"{steps} steps" for steps in table.steps), f"against {reference[0].label}"], rows
    )
    report.paragraph(
        f"PSNR in dB, ± standard deviation over seeds; the last column at {study.headline} steps, ± the 95 % interval "
        "of the mean over signals."
    )


def _others(study: Study, table: Table, cell: Cell, report: Document) -> None:
    """The modality's other metrics at the headline's steps."""
    metrics = table.metrics(cell)[1:]
    if not metrics:
        return
    rows = []
    for arm in study.arms:
        scaling = study.scalings_of(arm)[0]
        found = [table.summary(cell, arm.name, scaling, study.headline, metric) for metric in metrics]
        if all(found):
            rows.append([arm.label, *(f"{one.mean:.3f}" for one in found if one)])
    report.table([f"at {study.headline} steps", *(TITLES.get(metric, metric) for metric in metrics)], rows)


def _map(study: Study, scale: Scale, table: Table, cell: Cell, report: Document, folder: Path) -> None:
    """The arms laid out by two of their settings."""
    recipe = Recipe.load(scale.corpus(cell.trained).recipe)
    own = {arm.name: tuple(float(_setting(recipe, arm, key)) for key in study.map) for arm in study.arms}
    columns, rows = (sorted({place[axis] for place in own.values()}) for axis in (0, 1))
    values = np.full((len(rows), len(columns)), np.nan)
    for arm in study.arms:
        found = table.summary(cell, arm.name, study.scalings_of(arm)[0], study.headline)
        if found:
            values[rows.index(own[arm.name][1]), columns.index(own[arm.name][0])] = found.mean
    figure = new_figure(TWO_COLUMNS, 0.42 * TWO_COLUMNS)
    heat_map(figure, values, columns=columns, rows=rows, x=study.map[0], y=study.map[1], label="PSNR (dB)",
             number="{:.2f}")  # fmt: skip
    path = folder / "figures" / f"map-{_file(cell)}.png"
    save_plot(figure, path)
    report.picture(path, f"PSNR by {study.map[0]} and {study.map[1]}, {cell}")


def _recommendation(study: Study, table: Table, cells: Sequence[Cell], report: Document) -> str | None:
    """How far each arm falls short of the best of its corpus; returns in words which does so least over all."""
    which = [(arm.name, study.scalings_of(arm)[0]) for arm in study.arms]
    short = [table.short_of_best(cell, which, study.headline) for cell in cells]
    everywhere = {name: [gains[name] for gains in short] for name, _ in which if all(name in gains for gains in short)}
    if len(everywhere) < 2:  # nothing to choose from yet
        return None
    report.heading("Recommendation")
    mean = {name: float(np.mean([gain.mean for gain in gains])) for name, gains in everywhere.items()}
    order = sorted(mean, key=lambda name: mean[name])
    rows = [
        [study.arm(name).label, *("best" if gain.mean == 0 else str(gain) for gain in everywhere[name]),
         f"{mean[name]:.2f}"]
        for name in order
    ]  # fmt: skip
    report.table(["dB short of the best", *(str(cell) for cell in cells), "mean"], rows)
    close = [
        study.arm(name).label for name in order
        if all(gain.mean == 0 or gain.verdict == "open" for gain in everywhere[name])
    ]  # fmt: skip
    told = "; ".join(close) if close else "no setting"
    seeds = min(gain.seeds for gains in everywhere.values() for gain in gains)
    signals = min(gain.signals for gains in everywhere.values() for gain in gains)
    first, second = (study.arm(name).label for name in order[:2])
    words = (
        f"**{first}** falls short by the least over {len(cells)} corpora, at {study.headline} steps: by "
        f"{mean[order[0]]:.2f} dB on the mean; the next, {second}, by {mean[order[1]]:.2f} dB. Not told apart from the "
        f"best on any corpus: {told}. ± is the 95 % interval over at least {signals} signals of {seeds} "
        f"seed{'s' if seeds > 1 else ''}. That the best was chosen from {len(everywhere)} on the same signals flatters "
        "it: a difference near its interval is none."
    )
    report.paragraph(words)
    return words


def _setting(recipe: Recipe, arm: Arm, key: str) -> Any:
    part, _, name = key.partition(".")
    own = recipe.with_settings(arm.settings).to_dict()
    return own[part][name]


def _ratio(study: Study, documents: Sequence[Mapping[str, Any]], cell: Cell, report: Document, folder: Path) -> None:
    """The scaling's factor over the test steps."""
    curves: dict[str, tuple[list[float], list[float]]] = {}
    for document in documents:
        for found in document["evaluations"]:
            same = (document["corpus"], found["corpus"], document["seed"]) == (cell.trained, cell.fitted, 0)
            if same and found["scaling"] in ("norm", "loss"):
                values = [np.nan if value is None else value for value in found["ratio"]]
                label = study.arm(document["arm"]).label
                curves[f"{label}, {found['scaling']}"] = ([float(k) for k in range(len(values))], values)
    if not curves:
        return
    figure = new_figure(TWO_COLUMNS, 0.42 * TWO_COLUMNS)
    lines(figure, curves, x="test step", y="factor on the gradient", log_y=True)
    path = folder / "figures" / f"ratio-{_file(cell)}.png"
    save_plot(figure, path)
    report.picture(path, f"The factor on the gradient at each step, mean over signals, {cell}")


def _matrix(study: Study, table: Table, report: Document, folder: Path) -> None:
    """Trained on the one, fitted to the other, for each arm."""
    report.heading("From one domain to another")
    for arm in study.arms:
        scaling = study.scalings_of(arm)[0]
        cells = [cell for cell in table.cells() if table.summary(cell, arm.name, scaling, study.headline)]
        rows, columns = ([n for n in study.corpora if n in {cell[axis] for cell in cells}] for axis in (0, 1))
        values = np.full((len(rows), len(columns)), np.nan)
        for cell in cells:
            found = table.summary(cell, arm.name, scaling, study.headline)
            assert found is not None, "chosen because it is there"
            values[rows.index(cell.trained), columns.index(cell.fitted)] = found.mean
        figure = new_figure(TWO_COLUMNS, 0.42 * TWO_COLUMNS)
        heat_map(figure, values, columns=columns, rows=rows, x="fitted to", y="trained on", label="PSNR (dB)",
                 title=f"{arm.label}, {study.headline} steps")  # fmt: skip
        path = folder / "figures" / f"transfer-{arm.name}.png"
        save_plot(figure, path)
        report.picture(path, f"Trained on one, fitted to another: {arm.label}")
        titles = ["trained on", *(f"fitted to {name}" for name in columns)]
        words = [["–" if np.isnan(v) else f"{v:.2f}" for v in row] for row in values]
        report.table(titles, [[name, *row] for name, row in zip(rows, words, strict=True)])


def _long(table: Table, study: Study) -> Iterator[dict[str, Any]]:
    """One row for each cell, arm, scaling, number of steps and metric."""
    for cell in table.cells():
        for arm in study.arms:
            for scaling in table.scalings(cell, arm.name):
                for metric in table.metrics(cell):
                    for steps in table.steps:
                        found = table.summary(cell, arm.name, scaling, steps, metric)
                        assert found is not None, "its scaling is there"
                        yield {
                            "trained_on": cell.trained, "fitted_to": cell.fitted, "corruption": cell.corruption,
                            "arm": arm.name, "scaling": scaling, "steps": steps, "metric": metric,
                            "mean": found.mean, "seeds_std": found.spread, "seeds": found.seeds,
                            "signals": found.signals,
                        }  # fmt: skip


def _csv(rows: Sequence[Mapping[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _word(found: Summary | None) -> str:
    if found is None:
        return "–"
    return f"{found.mean:.2f}" + ("" if found.spread is None else f" ± {found.spread:.2f}")


def _file(cell: Cell) -> str:
    """A file's name for a cell."""
    corrupted = f"-{cell.corruption:g}" if cell.corruption else ""
    return f"{cell.trained}{'' if cell.trained == cell.fitted else '-' + cell.fitted}{corrupted}"
