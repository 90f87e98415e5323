"""What a study's claims come to, and the one page on which the claims of all studies stand."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from ecop.experiments.statistics import Cell, Gain, Table, Verdict
from ecop.experiments.study import Claim, Study

VERDICTS: tuple[Verdict, ...] = get_args(Verdict)

INTRODUCTION = """# What holds

Every number here comes from a report beside this page (`ecop experiment NAME --scale SCALE`), which has the plots, \
all numbers and the settings. Differences are in PSNR (dB) of held-out signals, of the same signals with both methods; \
± is the 95 % interval of the mean over signals. A claim **holds** on a corpus where the interval lies above zero and \
every seed agrees, **fails** where it lies below, and is *open* otherwise. Claims that fail stay in.
"""


@dataclass(frozen=True)
class Found:
    """A claim, and what was found.

    Attributes:
        claim: the claim.
        steps: test steps at which it was measured.
        gains: the difference of the two arms in each cell that has both.
    """

    claim: Claim
    steps: int
    gains: Mapping[Cell, Gain]

    def line(self) -> str:
        """In one line."""
        parts = ", ".join(f"{cell} {gain} dB ({gain.verdict})" for cell, gain in self.gains.items())
        return f"{self.claim.text}: {parts or 'not run yet'}"

    def rows(self) -> Iterator[list[str]]:
        """A row of a table for each cell; words of the claim in the first."""
        first = [self.claim.text, self.claim.claimed or "–"]
        for cell, gain in self.gains.items():
            yield [*first, str(cell), str(gain), f"**{gain.verdict}**", str(gain.seeds), str(gain.signals)]
            first = ["", ""]

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        where = [
            {"corpus": cell.trained, "fitted": cell.fitted, "corruption": cell.corruption, "gain": gain.mean,
             "half_interval": gain.half, "seeds": gain.seeds, "signals": gain.signals, "verdict": gain.verdict,
             "where": str(cell)}
            for cell, gain in self.gains.items()
        ]  # fmt: skip
        claim = self.claim
        return {"text": claim.text, "claimed": claim.claimed, "source": claim.source, "better": claim.better,
                "worse": claim.worse, "steps": self.steps, "where": where}  # fmt: skip


def judged(study: Study, documents: Sequence[Mapping[str, Any]]) -> list[Found]:
    """What a study's claims come to."""
    table = Table(documents)
    found = []
    for claim in study.claims:
        better = claim.better, claim.better_scaling or study.scalings_of(study.arm(claim.better))[0]
        worse = claim.worse, claim.worse_scaling or study.scalings_of(study.arm(claim.worse))[0]
        steps = claim.steps or study.headline
        gains = {cell: table.gain(cell, better, worse, steps) for cell in table.cells() if cell.trained == cell.fitted}
        found.append(Found(claim, steps, {cell: gain for cell, gain in gains.items() if gain is not None}))
    return found


def claims_page(out: Path) -> str:
    """The page of all studies whose results lie in a folder, in Markdown: the paper's claims first, then each study."""
    studies = {
        f"{path.parent.name}/report.md": json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(out.glob("*/results.json"))
    }
    parts = [INTRODUCTION, *_paper(studies)]
    for report, results in studies.items():
        parts.append(f"## [{results['title']}]({report}), {results['scale']}\n")
        measured = [claim for claim in results["claims"] if claim["where"]]
        if results.get("in_short"):
            parts.append(f"{results['in_short']}\n")
        elif not measured:
            parts.append(f"{results['runs']} runs; the numbers are in the [report]({report}).\n")
        if not measured:
            continue
        parts += ["| claim | claimed | measured here | holds |", "| --- | --- | --- | --- |"]
        parts += [_claim_row(claim) for claim in measured]
        parts.append("")
    return "\n".join(parts)


def _paper(studies: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """The paper's own claims, each in a row, with the corpora on which it holds, fails, and is open."""
    rows = []
    for report, results in sorted(studies.items(), key=lambda item: item[1]["study"] != "main"):
        for claim in results["claims"]:
            if _from_paper(claim) and claim["where"]:
                where = {
                    verdict: ", ".join(w["where"] for w in claim["where"] if w["verdict"] == verdict)
                    for verdict in VERDICTS
                }  # fmt: skip
                rows.append(f"| [{claim['text']}]({report}) | " + " | ".join(where[v] or "–" for v in VERDICTS) + " |")
    if rows:
        yield "## In short: what the paper says\n"
        yield from ("| claim | holds on | fails on | open on |", "| --- | --- | --- | --- |", *rows, "")


def _from_paper(claim: Mapping[str, Any]) -> bool:
    return claim["source"].startswith("arXiv 2302.00617")


def _claim_row(claim: Mapping[str, Any]) -> str:
    measured = "; ".join(f"{w['where']} {w['gain']:+.2f} ± {w['half_interval']:.2f}" for w in claim["where"])
    counts = {verdict: sum(w["verdict"] == verdict for w in claim["where"]) for verdict in VERDICTS}
    total = len(claim["where"])
    if counts["holds"] == total:
        verdict = "**holds**" + (f" on all {total}" if total > 1 else "")
    elif counts["fails"] == total:
        verdict = "**fails**" + (f" on all {total}" if total > 1 else "")
    else:
        verdict = ", ".join(f"{word} on {count}" for word, count in counts.items() if count)
    source = "" if _from_paper(claim) else f" ({claim['source']})"
    return f"| {claim['text']}{source} | {claim['claimed'] or '–'} | {measured} | {verdict} |"
