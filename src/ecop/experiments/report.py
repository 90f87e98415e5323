"""A study's report: what was asked, what was found, which claims hold; and the page that says it of all studies."""

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ecop.experiments import report_compare, report_dynamics, report_memory
from ecop.experiments.claims import Found, claims_page, judged
from ecop.experiments.document import Document, write_text
from ecop.experiments.runner import folder_of, results
from ecop.experiments.study import Scale, Study
from ecop.store.documents import plain, write_json

Section = Callable[[Study, Scale, Sequence[Mapping[str, Any]], Document, Path], dict[str, Any]]
"""Writes a kind's part of a report, pictures into the folder; returns its numbers, and their meaning ``in_short``."""

SECTIONS: dict[str, Section] = {
    "compare": report_compare.write, "dynamics": report_dynamics.write, "memory": report_memory.write,
}  # fmt: skip


@dataclass(frozen=True)
class Written:
    """A report that was written.

    Attributes:
        path: of its page.
        done: runs that it is about.
        verdicts: a line for each claim.
        claims: the claims as JSON values.
    """

    path: Path
    done: int
    verdicts: tuple[str, ...]
    claims: list[dict[str, Any]]


def write_report(study: Study, scale: Scale, out: Path) -> Written:
    """Write a study's report from the runs that are there, and the page of all studies' claims.

    Raises:
        BadInput: if no run is there.
        CannotWrite: if the file system refuses.
    """
    documents = results(study, scale, out)
    folder = folder_of(study, scale, out)
    shutil.rmtree(folder / "figures", ignore_errors=True)
    (folder / "figures").mkdir(parents=True)
    found = judged(study, documents) if study.kind == "compare" else []
    report = Document(f"{study.title} ({scale.name})")
    report.paragraph(study.question)
    report.paragraph(_how(study, scale, documents))
    _claims(report, found)
    numbers = SECTIONS[study.kind](study, scale, documents, report, folder)
    report.heading("To run it again")
    report.paragraph(f"```bash\necop experiment {study.name} --scale {scale.name}\n```")
    path = report.write(folder)
    claims = [one.document() for one in found]
    whole = {
        "study": study.name, "title": study.title, "scale": scale.name, "runs": len(documents), "claims": claims,
        "in_short": numbers.pop("in_short", None), "numbers": numbers, "machines": _machines(documents),
    }  # fmt: skip
    write_text(folder / "results.json", write_json(plain(whole, "results", gaps=True), indent=1) + "\n")
    write_text(out / "README.md", claims_page(out))
    return Written(path, len(documents), tuple(one.line() for one in found), claims)


def _how(study: Study, scale: Scale, documents: Sequence[Mapping[str, Any]]) -> str:
    machines = "; ".join(_machines(documents))
    about = study.options.get("about", scale.about)
    return f"{len(documents)} runs at the scale *{scale.name}*: {about}. Computed on: {machines}."


def _machines(documents: Sequence[Mapping[str, Any]]) -> list[str]:
    """Every machine that a run was computed on, in words."""
    return sorted(
        {
            f"{m['processor']}, {m['cores']} cores, {m['memory_gib']:.0f} GiB, {m['device']}, JAX {m['jax']}"
            for m in (document["machine"] for document in documents)
        }
    )


def _claims(report: Document, found: Sequence[Found]) -> None:
    if not found:
        return
    report.heading("What holds")
    report.table(
        ["claim", "claimed", "where", "difference in PSNR (dB)", "verdict", "seeds", "signals"],
        [row for one in found for row in one.rows()],
    )
    report.paragraph(
        "A difference is of the same signals, averaged over seeds; ± is the 95 % interval of its mean over signals "
        "(Student's t). A claim *holds* where the interval lies above zero and every seed's mean does too, *fails* "
        "where both lie below, and is *open* otherwise."
    )
