"""``ecop fit``: signals become fields."""

import itertools
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, NamedTuple

from tyro.conf import Positional, UseAppendAction

from ecop.cli import units
from ecop.cli.command import Command, Lpips, Overwrite, Precise, lpips_measures, option, parse_settings
from ecop.cli.inline_picture import thumbnail
from ecop.cli.outputs import check_writable, is_folder, output_names
from ecop.cli.terminal import Terminal
from ecop.core.errors import BadInput, BadUsage, CannotWrite, Diverged, MissingExtra, TooLarge
from ecop.core.overlap import overlapped
from ecop.core.registry import SIGNALS

if TYPE_CHECKING:
    from ecop.data.folder import Item
    from ecop.fit.fitted import Fitted
    from ecop.fit.initialisation import Initialisation
    from ecop.fit.loop import FitPlan
    from ecop.fit.prepared import Prepared
    from ecop.signals.base import Measure, Signal

OWN_FAULT = (BadInput, TooLarge, Diverged, MissingExtra)
"""Errors of one file, which leave the other files of a call to go on with."""


class Job(NamedTuple):
    """One signal of a call, where its field goes, and which of how many it is."""

    item: "Item"
    out: Path
    place: str


class Ready(NamedTuple):
    """A signal that was read, and what is to be said about that."""

    prepared: "Prepared"
    notes: tuple[str, ...]


class Unjudged(NamedTuple):
    """A fit, and the signal that it is to be judged by."""

    fitted: "Fitted"
    signal: "Signal"


@dataclass(frozen=True, kw_only=True)
class Fit(Command):
    """Fit signals: each becomes a small network in its own file.

    A signal with more points than the initialisation was trained for is resampled to as many, at its own aspect
    ratio, and along time, whose rate is kept, cut into blocks, unless --native or --patches says otherwise. Of
    several files, one that cannot be read is reported and the others go on; the exit code is then 2. While one is
    fitted, the next is read, and the last is measured and written.
    """

    examples: ClassVar[str] = """
        ecop fit photo cat.jpg -o cat.safetensors
        ecop fit photo holidays/ extra.png -o fields/ --dtype float16
        ecop fit runs/mine cat.jpg -o cat.safetensors --until-psnr 40
        ecop fit photo cat.jpg -o cat.safetensors --patches -y --json
        ecop fit sphere winds.nc -o winds/ --var uwnd
        ecop fit random:photo cat.jpg -o scratch.safetensors --steps 0 --adam-steps 1000
    """

    init: Annotated[Positional[str], option("INIT")]
    """initialisation: a file, a run's folder, the name of one that ships (see ecop list), or random:RECIPE"""
    files: Annotated[Positional[tuple[Path, ...]], option("FILE...")]
    """signals to fit; a folder stands for all in it and its subfolders"""
    out: Annotated[str, option("OUT", "-o")]
    """a file for one input; a folder for several, or if it ends in / or is one"""
    steps: Annotated[int | None, option("N")] = None
    """gradient steps; by default those that the initialisation was trained for"""
    adam_steps: Annotated[int, option("N")] = 0
    """steps of Adam behind them; with --steps 0 and random:RECIPE, ordinary training from scratch"""
    until_psnr: Annotated[float | None, option("DB")] = None
    """go on behind the trained steps, with Adam, until this PSNR"""
    limit: Annotated[int, option("N")] = 500
    """most steps in all with --until-psnr"""
    scaling: Annotated[str | None, option("NAME")] = None
    """gradient scaling: norm, none, warmup:N, loss or constant:C"""
    head: Annotated[Literal["steps", "least-squares"] | None, option("steps|least-squares")] = None
    """the last layer at the end: as the steps leave it, or solved for; the initialisation's by default"""
    native: Annotated[bool, option()] = False
    """fit one field to all points, however many; says first how long it will take"""
    patches: Annotated[bool, option()] = False
    """fit one field to each block of the trained size, all in one file"""
    dtype: Annotated[Literal["float32", "float16"], option()] = "float32"
    """how the parameters are stored; float16 takes half the bytes"""
    precision: Precise = "float32"
    """of matrix products; tf32 and bf16 are faster on GPUs"""
    lpips: Lpips = ()
    """measure LPIPS, too, with the weights in this file; AlexNet and LPIPS's own layers may lie in two"""
    seed: Annotated[int, option("N")] = 0
    """for scorers that draw"""
    var: Annotated[str | None, option("NAME")] = None
    """variable of a NetCDF, Zarr or GRIB file; short for --read var=NAME"""
    time: Annotated[str | None, option("TIME")] = None
    """one time of a file with several; short for --read time=TIME"""
    read: Annotated[UseAppendAction[tuple[tuple[str, ...], ...]], option("KEY=VALUE")] = ()
    """settings for reading the files, as the modality has them, e.g. rate=8000"""
    no_picture: Annotated[bool, option()] = False
    """no small picture of the result in the terminal"""
    overwrite: Overwrite = False
    """replace outputs that exist"""
    keep_existing: Annotated[bool, option(alias="-n")] = False
    """never overwrite: leave out inputs whose output exists"""

    def run(self, terminal: Terminal) -> int:
        """Fit them one after another; beside it the next is read and the last is written."""
        from ecop.cli.runtime import prepare_jax

        prepare_jax()
        from ecop.fit.initialisation import Initialisation

        initialisation = Initialisation.load(self.init)
        if self.head is not None:
            initialisation = initialisation.with_fit(head=self.head)
        self._check(initialisation)
        measures = lpips_measures("fit", initialisation.recipe.signal, self.lpips)
        pairs = self._pairs(initialisation, terminal)
        places = [f" ({number + 1} of {len(pairs)})" if len(pairs) > 1 else "" for number in range(len(pairs))]
        jobs = [Job(*pair, place) for pair, place in zip(pairs, places, strict=True)]
        fits = overlapped(
            jobs,
            lambda job: self._read(initialisation, job),
            lambda job, ready: self._fit(initialisation, job, ready, terminal),
            lambda job, unjudged: judge_and_save(job, unjudged, measures),
        )
        results, failures = [], 0
        with closing(fits):
            for job, written in fits:
                try:
                    fitted = written.result()
                except OWN_FAULT as error:
                    if len(jobs) == 1:
                        raise
                    terminal.fail(str(error))
                    failures += 1
                    continue
                results.append(describe(str(job.item), job.out, fitted))
                terminal.say(in_words(results[-1]))
                if len(jobs) == 1 and not self.no_picture:
                    terminal.picture(lambda fitted=fitted: thumbnail(fitted))
        terminal.document(results)
        return 2 if failures else 0

    def _check(self, initialisation: "Initialisation") -> None:
        """Refuse what cannot be before any file is read."""
        if not self.files:
            raise BadUsage("fit", "no FILE to fit")
        if self.native and self.patches:
            raise BadUsage("fit", "--native and --patches exclude each other")
        if self.overwrite and self.keep_existing:
            raise BadUsage("fit", "-y and -n exclude each other")
        self._plan(initialisation)

    def _reading(self, initialisation: "Initialisation") -> dict[str, Any]:
        """The recipe's settings for reading files, and those of this call over them."""
        short = {"var": self.var, "time": self.time}
        given = {name: value for name, value in short.items() if value is not None}
        own = parse_settings("fit", "--read", (text for group in self.read for text in group))
        return {**initialisation.recipe.data.reading, **own, **given}

    def _pairs(self, initialisation: "Initialisation", terminal: Terminal) -> list[tuple["Item", Path]]:
        """Every input with its output, checked to be writable."""
        from ecop.data.folder import find_files, items_of

        signal = SIGNALS[initialisation.recipe.signal]
        found = {given: find_files(given, signal) for given in self.files}
        distinct: dict[Path, Path] = {}
        for file in itertools.chain.from_iterable(found.values()):
            distinct.setdefault(file.absolute(), file)
        items = items_of(distinct.values(), signal, self._reading(initialisation))
        whole_folder = any(given.is_dir() and files != [given] for given, files in found.items())
        to_folder = len(items) > 1 or is_folder(self.out) or whole_folder
        names = [Path(self.out, name) for name in output_names([output_path(i) for i in items], ".safetensors")]
        outs = names if to_folder else [Path(self.out)]
        pairs = []
        for item, out in zip(items, outs, strict=True):
            if out.name.lower().endswith(signal.suffixes):
                raise CannotWrite(
                    out, f"a fitted field is no {signal.kind}", "name it .safetensors, and draw it by ecop render"
                )
            if self.keep_existing and out.exists():
                continue
            check_writable(out, overwrite=self.overwrite)
            pairs.append((item, out))
        if left := len(items) - len(pairs):
            terminal.note(f"{left} left as {'it is' if left == 1 else 'they are'}: the output exists")
        return pairs

    def _plan(self, initialisation: "Initialisation") -> "FitPlan":
        return initialisation.fit_plan(
            self.steps, self.scaling, self.adam_steps, self.until_psnr, self.limit, self.precision
        )

    def _read(self, initialisation: "Initialisation", job: Job) -> Ready:
        """The signal at the size that is fitted; the one of the file, which may be far larger, is let go of."""
        from ecop.fit.prepared import prepare

        signal = job.item.read(SIGNALS[initialisation.recipe.signal], self._reading(initialisation))
        file, wanted, notes = str(job.item), initialisation.recipe.data.channels, []
        if signal.channels != wanted:
            how = "repeated" if signal.channels < wanted else "reduced"
            notes.append(f"{file}: {signal.channels} channels {how} to {wanted}")
        if "changed" in signal.about:
            notes.append(f"{file}: {signal.about['changed']}")
        return Ready(prepare(initialisation, signal, self.native, self.patches), tuple(notes))

    def _fit(self, initialisation: "Initialisation", job: Job, ready: Ready, terminal: Terminal) -> Unjudged:
        from ecop.fit.fit import fit_prepared

        file, signal, plan = str(job.item), ready.prepared.signal, self._plan(initialisation)
        for note in ready.notes:
            terminal.note(note)
        if self.native:
            from ecop.cli.estimate import estimate_seconds

            seconds = estimate_seconds(initialisation, signal, plan)
            if seconds > 2:
                most = "at most " if self.until_psnr is not None else ""
                terminal.note(
                    f"{file}: one field for all {units.points(signal.shape)}; {most}{plan.total} steps "
                    f"take about {units.duration(seconds)}"
                )
        with terminal.progress(f"fitting {Path(file).name}{job.place}", unit="steps") as advance:
            fitted = fit_prepared(
                initialisation, ready.prepared, plan, until_psnr=self.until_psnr, dtype=self.dtype, seed=self.seed,
                progress=lambda done, total, psnr: advance(done, total=total, note=f"PSNR {units.decibels(psnr)}"),
            )  # fmt: skip
        return Unjudged(fitted, signal)


def judge_and_save(job: Job, unjudged: Unjudged, measures: "Mapping[str, Measure]") -> "Fitted":
    """Measure a fit, and write its file."""
    from ecop.fit.fit import judged

    fitted = judged(unjudged.fitted, unjudged.signal, measures)
    fitted.save(job.out)
    return fitted


def output_path(item: "Item") -> Path:
    """What names an item's output: its path, with the part of it in the stem."""
    label = "".join(c if c.isalnum() or c in "-=." else "-" for c in item.label)
    return item.path.with_name(f"{item.path.stem}-{label}{item.path.suffix}") if label else item.path


def describe(file: str, out: Path, fitted: "Fitted") -> dict[str, Any]:
    """One entry of the document that ``ecop fit --json`` prints."""
    return {
        "file": file, "out": str(out), "steps": fitted.steps, "psnr": fitted.metrics["psnr"],
        "ssim": fitted.metrics.get("ssim"), "seconds": round(fitted.seconds, 3), "bytes": out.stat().st_size,
        "shape": fitted.fitted_shape, "resampled_from": fitted.resampled,
        "fields": 1 if fitted.blocks is None else len(fitted.blocks.starts), "metrics": dict(fitted.metrics),
    }  # fmt: skip


def in_words(result: dict[str, Any]) -> str:
    """The same as a line for a person."""
    return f"{result['file']} → {result['out']}: " + ", ".join(_parts(result))


def _parts(result: dict[str, Any]) -> Iterator[str]:
    if result["resampled_from"] is not None:
        yield f"{units.points(result['resampled_from'])} resampled to {units.shape(result['shape'])}"
    if result["fields"] > 1:
        yield f"{result['fields']} fields"
    yield f"{result['steps']} steps"
    yield from (f"{units.metric_name(name)} {units.metric(name, value)}" for name, value in result["metrics"].items())
    yield units.duration(result["seconds"])
    yield units.size(result["bytes"])
