"""The report of what an outer step takes in memory."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ecop.experiments.document import Document
from ecop.experiments.programs import METHODS
from ecop.experiments.study import Scale, Study
from ecop.plots import TWO_COLUMNS, lines, new_figure, save_plot

MIB = 2**20


def write(
    study: Study, scale: Scale, documents: Sequence[Mapping[str, Any]], report: Document, folder: Path
) -> dict[str, Any]:
    """Add the sections of a study of this kind; returns its numbers."""
    words = in_short(documents)
    if words:
        report.paragraph(words)
    report.heading("Memory of an outer step, one signal")
    rows = []
    for document in documents:
        measured = document["measured"]
        rows.append([
            study.arm(document["arm"]).label, document["corpus"].replace("x", "×"), _mib(document["planned_bytes"]),
            _mib(measured["program_bytes"]) if measured else document["why"],
            _mib(measured["above_import_bytes"]) if measured else "–",
            f"{measured['seconds']:.1f} s" if measured else f"{document['planned_seconds']:.0f} s planned",
        ])  # fmt: skip
    report.table(["method", "shape", "planned", "measured", "with the compiler, above the import", "time"], rows)
    report.paragraph(
        "*Planned* is the compiled program's own account; *measured* is what the process grew by while the step ran, "
        "in a process of its own. What does not fit, or would take too long, is planned and not run; the table says so."
    )
    curves: dict[str, tuple[list[float], list[float]]] = {}
    for document in documents:
        if document["corpus"].count("x") == 1:
            points, size = curves.setdefault(study.arm(document["arm"]).label, ([], []))
            points.append(float(document["corpus"].split("x")[0]))
            size.append(_bytes(document) / MIB)
    figure = new_figure(TWO_COLUMNS, 0.5 * TWO_COLUMNS)
    axes = lines(figure, curves, x="side of the image (pixels)", y="MiB of an outer step", log_x=True, log_y=True)
    sides = sorted({side for own, _ in curves.values() for side in own})
    axes.set_xticks(sides, [f"{side:g}" for side in sides])
    axes.minorticks_off()
    path = folder / "figures" / "memory.png"
    save_plot(figure, path)
    report.picture(path, "Memory of an outer step over the side of an image: measured, or planned where it was not run")
    rows = [{k: v for k, v in document.items() if k != "machine"} for document in documents]
    return {"rows": rows, "in_short": words}


def in_short(documents: Sequence[Mapping[str, Any]]) -> str:
    """What the engine changes about the paper's argument, at the first shape at which every method is there."""
    for shape in dict.fromkeys(document["corpus"] for document in documents):
        own = {document["arm"]: _mib(_bytes(document)) for document in documents if document["corpus"] == shape}
        if METHODS.keys() <= own.keys():
            return (
                f"At {shape.replace('x', '×')} plain autodiff takes {own['unrolled-k16']} for Learnit with K = 16, "
                f"{own['unrolled-ecop']} for ECoP with K = 16 and a quarter of the points, {own['unrolled-k4']} for "
                "Learnit with K = 4: pruning makes room for a longer inner loop, as the paper argues. With this engine "
                f"the same three take {own['learnit-k16']}, {own['ecop']} and {own['learnit-k4']}: memory does not "
                "decide between them any more, and what pruning still saves is work."
            )
    return ""


def _bytes(document: Mapping[str, Any]) -> int:
    """Measured, or planned where it was not run."""
    measured = document["measured"]
    return measured["program_bytes"] if measured else document["planned_bytes"]


def _mib(count: float) -> str:
    return f"{count / MIB:,.0f} MiB".replace(",", " ")
