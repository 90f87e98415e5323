"""A study from beginning to end: what is trained, what is kept, what goes on, what the report says."""

import csv
import dataclasses
import json
import re

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ecop.core.errors import BadInput
from ecop.data.loader import Batch
from ecop.experiments.compare import Place, runs
from ecop.experiments.corpora import corrupted, corrupted_copy, held_out
from ecop.experiments.evaluation import evaluate_steps
from ecop.experiments.programs import METHODS
from ecop.experiments.report import write_report
from ecop.experiments.report_memory import MIB, in_short
from ecop.experiments.runner import folder_of, pieces, results, run
from ecop.experiments.statistics import Table
from ecop.fit.initialisation import Initialisation
from ecop.fit.loop import fit_batch
from ecop.meta.build import batch_context


@pytest.fixture(scope="module")
def finished(study, scale, place):
    """The study, run in two sittings."""
    first = run(study, scale, place, arms=["untrained"])
    second = run(study, scale, place)
    return first, second


def test_what_was_interrupted_goes_on(study, scale, place, finished):
    first, second = finished
    assert (first.ran, first.done, first.all) == (2, 2, 6)
    assert (second.ran, second.done) == (4, 6)
    assert run(study, scale, place).ran == 0
    assert run(study, scale, Place(place.out / "elsewhere", place.data), seconds=0.0).ran == 0


def test_arms_are_trained_as_long_as_they_should_be(study, scale, place, finished):
    documents = {(d["arm"], d["seed"]): d for d in results(study, scale, place.out)}
    assert documents["ecop", 0]["outer_steps"] == 2
    assert documents["learnit", 0]["outer_steps"] == round(2 * (3 + 3 * (0.5 + 1 + 1) + 8 * 0.5) / (3 * 2 + 8))
    assert documents["untrained", 0]["work"] == 0
    psnr = [documents["ecop", seed]["evaluations"][0]["signals"][0]["psnr"] for seed in (0, 1)]
    assert psnr[0] != psnr[1]


def test_a_longer_training_goes_on_from_a_shorter_one(study, scale, place, finished):
    """Also where the recipe says what it is by default, which it left out when the shorter one was begun."""
    from ecop.experiments.trainings import Training

    recipe = next(runs(study, scale)).recipe()
    folder = place.data["pictures"]
    whole = Training(recipe.with_settings({"train.steps": 3}), folder, place.out / "whole").run()
    said = {"train.steps": 3, "learner.update.name": "descent"}
    longer = Training(recipe.with_settings(said), folder, place.trainings)
    assert longer.folder == Training(recipe, folder, place.trainings).folder
    resumed = longer.run()
    for one, other in zip(jax.tree.leaves(whole.field), jax.tree.leaves(resumed.field), strict=True):
        np.testing.assert_array_equal(one, other)
    assert Training(recipe, folder, place.trainings).path.is_file()


def test_the_report_has_every_number_and_needs_nothing_beside_it(study, scale, place, finished):
    written = write_report(study, scale, place.out)
    folder = folder_of(study, scale, place.out)
    document = json.loads((folder / "results.json").read_text())
    (claim,) = document["claims"]
    assert claim["where"][0]["seeds"] == 2 and written.verdicts[0].startswith("ECoP is better than nothing: pictures")
    rows = list(csv.DictReader((folder / "results.csv").read_text().splitlines()))
    table = {(row["arm"], row["scaling"], row["steps"], row["metric"]): row for row in rows}
    signals = [d["evaluations"][0]["signals"] for d in results(study, scale, place.out) if d["arm"] == "ecop"]
    mean = np.mean([[one["psnr"][1] for one in own] for own in signals])
    assert float(table["ecop", "norm", "2", "psnr"]["mean"]) == pytest.approx(mean)
    page, text = (folder / "report.html").read_text(), (folder / "report.md").read_text()
    assert f"{mean:.2f}" in page and f"{mean:.2f}" in text
    assert not re.findall(r'(?:src|href)="(?!data:)', page)
    for name in re.findall(r"\((figures/[^)]+)\)", text):
        assert (folder / name).is_file()
    summary = (place.out / "README.md").read_text()
    assert "ECoP is better than nothing" in summary and "surely" in summary
    verdict = claim["where"][0]["verdict"]
    columns = ["pictures" if verdict == one else "–" for one in ("holds", "fails", "open")]
    short = f"| [ECoP is better than nothing]({folder.name}/report.md) | {' | '.join(columns)} |"
    assert short in summary


def test_a_study_with_a_map_recommends_what_falls_short_by_the_least(study, scale, place, finished):
    mapped = dataclasses.replace(study, map=("learner.inner_steps", "field.width"))
    text = write_report(mapped, scale, place.out).path.with_suffix(".md").read_text()
    table = Table(results(mapped, scale, place.out))
    (cell,) = table.cells()
    means = {arm.label: table.summary(cell, arm.name, mapped.scalings_of(arm)[0], 2).mean for arm in mapped.arms}
    first, second, _ = sorted(means, key=lambda label: -means[label])
    assert f"**{first}** falls short by the least over 1 corpora, at 2 steps: by 0.00 dB" in text
    assert f"the next, {second}, by {means[first] - means[second]:.2f} dB" in text


def test_the_page_says_what_memory_comes_to_where_every_method_is_there():
    documents = [
        {"corpus": "8x8", "arm": arm, "planned_bytes": n * MIB, "measured": None} for n, arm in enumerate(METHODS, 2)
    ]
    documents[0]["measured"] = {"program_bytes": 9 * MIB}
    words = in_short(documents)
    assert "At 8×8 plain autodiff takes 7 MiB for Learnit with K = 16, 5 MiB for ECoP" in words
    assert "6 MiB for Learnit with K = 4" in words and "the same three take 4 MiB, 9 MiB and 3 MiB" in words
    assert in_short(documents[1:]) == ""


def test_a_changed_study_is_run_again(scale, place, study, finished):
    longer = dataclasses.replace(study, steps=(1, 2, 3))
    assert not {piece.identity().__repr__() for piece in pieces(longer, scale)} & {
        piece.identity().__repr__() for piece in pieces(study, scale)
    }
    with pytest.raises(BadInput, match="no run"):
        results(dataclasses.replace(study, name="never"), scale, place.out)


@pytest.mark.parametrize("schedule", [False, True])
def test_snapshots_of_a_long_fit_are_the_shorter_fits(study, scale, place, finished, schedule):
    """A learned schedule is gone through by the fit of two steps, too."""
    recipe = next(runs(study, scale)).recipe()
    if schedule:
        rates = {"learner.inner_steps": 3, "learner.update.rates": "layer", "learner.update.per_step": True}
        recipe = recipe.with_settings(rates)
    init = Initialisation.random(
        recipe, Initialisation.load(next(place.trainings.glob("*/after-2.safetensors"))).settings
    )
    if schedule:
        update = init.inner_update()
        ramp = jax.tree.map(lambda log: jnp.arange(len(log)) / 3 + 0.5, update.lr.logs)
        init = dataclasses.replace(init, update=eqx.tree_at(lambda own: own.lr.logs, update, ramp))
    corpus = scale.corpus("pictures")
    signals = held_out(place.data["pictures"], recipe, corpus, "test")
    found = evaluate_steps(init, signals.contexts, signals.targets, signals.names, "norm", (2, 4))
    contexts = batch_context(Batch.of(signals.contexts, recipe.data.grid), recipe)
    for place_, steps in enumerate((2, 4)):
        theta, _ = fit_batch(init.field, contexts, init.plan(steps, "norm"), jax.random.key(0), np.float32(-1))
        for number, signal in enumerate(signals.targets):
            field = jax.tree.map(lambda leaf, n=number: leaf[n], theta)
            values = np.asarray(field(_coords(contexts, number)))
            expected = -10 * np.log10(np.mean((np.clip(values, 0, 1).reshape(8, 8, 3) - signal.values) ** 2))
            assert found["signals"][number]["psnr"][place_] == pytest.approx(expected, abs=1e-3)


def _coords(contexts, number):
    one = jax.tree.map(lambda leaf: leaf[number], contexts)
    return one.points.at(jnp.arange(64))


def test_windows_are_cut_from_the_test_split_alone_and_always_the_same(pictures, study, scale):
    recipe = next(runs(study, scale)).recipe()
    first, again = (held_out(pictures, recipe, scale.corpus("pictures"), "test") for _ in range(2))
    assert first.names == ("test/6.png@0", "test/6.png@1", "test/7.png@0", "test/7.png@1")
    for one, other in zip(first.targets, again.targets, strict=True):
        assert one.shape == (8, 8)
        np.testing.assert_array_equal(one.values, other.values)


def test_corruption_replaces_the_share_it_says(pictures, study, scale, tmp_path):
    recipe = next(runs(study, scale)).recipe().with_settings({"data.size": [16, 16]})
    signals = held_out(pictures, recipe.with_settings({"data.crop": "centre"}), scale.corpus("pictures"), "test", 0.25)
    clean, noisy = signals.targets[0], signals.contexts[0]
    changed = (clean.values != noisy.values).any(-1)
    assert 0.12 < changed.mean() < 0.38
    np.testing.assert_array_equal(corrupted(clean, 0.25, "test/6.png").values, noisy.values)
    folder, settings = corrupted_copy(pictures, recipe, 1.0, tmp_path)
    assert len(list((folder / "train").iterdir())) == 4 and settings.crop == "centre"
