"""Means over signals and seeds, and the intervals of paired differences."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from ecop.experiments.claims import judged
from ecop.experiments.statistics import Cell, Gain, Table, half_interval
from ecop.experiments.study import Study


def document(arm, seed, values, scaling="norm", corpus="c", names=None):
    """A run's document, with PSNR after one step and after two."""
    names = names or [f"{n}.png" for n in range(len(values))]
    signals = [{"file": name, "psnr": [0.0, float(v)]} for name, v in zip(names, values, strict=True)]
    evaluation = {"corpus": corpus, "steps": [1, 2], "scaling": scaling, "signals": signals, "ratio": [1.0]}
    return {"corpus": corpus, "arm": arm, "seed": seed, "corruption": 0.0, "evaluations": [evaluation]}


@given(st.lists(st.floats(-50, 50), min_size=3, max_size=30))
def test_the_interval_is_students(values):
    low, high = stats.t.interval(0.95, len(values) - 1, np.mean(values), stats.sem(values) + 1e-300)
    assert 2 * half_interval(values) == pytest.approx(high - low, abs=1e-9)


def test_a_mean_is_over_signals_then_over_seeds():
    table = Table([document("a", 0, [1, 3]), document("a", 1, [5, 7])])
    found = table.summary(Cell("c", "c", 0.0), "a", "norm", 2)
    assert found is not None
    assert (found.mean, found.spread, found.seeds, found.signals) == (4.0, np.std([2, 6], ddof=1), 2, 2)
    assert table.summary(Cell("c", "c", 0.0), "b", "norm", 2) is None


def test_a_gain_is_paired():
    better, worse = [11.0, 22.0, 33.0], [10.0, 20.0, 30.0]
    table = Table([document("a", 0, better), document("b", 0, worse), document("b", 1, [0, 0, 0])])
    gain = table.gain(Cell("c", "c", 0.0), ("a", "norm"), ("b", "norm"), 2)
    assert gain is not None
    assert gain.mean == 2 and gain.half == pytest.approx(half_interval([1, 2, 3]))
    assert (gain.low, gain.high, gain.seeds, gain.signals) == (2, 2, 1, 3)  # the second seed has no partner


def test_windows_of_a_file_count_as_one_signal():
    names = ["a.png@0", "a.png@1", "b.png@0", "b.png@1"]
    table = Table([document("a", 0, [1, 3, 5, 7], names=names), document("b", 0, [0, 0, 0, 0], names=names)])
    gain = table.gain(Cell("c", "c", 0.0), ("a", "norm"), ("b", "norm"), 2)
    assert gain is not None
    assert gain.signals == 2 and gain.mean == 4 and gain.half == pytest.approx(half_interval([2, 6]))


def test_the_best_is_short_of_nothing():
    runs = {"a": [10, 20, 33], "b": [11, 22, 33], "c": [0, 0, 0]}
    table = Table([document(arm, 0, values) for arm, values in runs.items()])
    pairs = [(arm, "norm") for arm in (*runs, "never run")]
    short = table.short_of_best(Cell("c", "c", 0.0), pairs, 2)
    assert {arm: gain.mean for arm, gain in short.items()} == {"a": 1, "b": 0, "c": 22}
    assert short["a"].half == pytest.approx(half_interval([1, 2, 0])) and short["b"].verdict == "open"


@pytest.mark.parametrize(
    ("mean", "half", "low", "high", "verdict"),
    [
        (2, 1, 1.5, 2.5, "holds"), (2, 3, 1.5, 2.5, "open"), (2, 1, -0.1, 4, "open"),
        (-2, 1, -3, -1, "fails"), (-2, 1, -5, 1, "open"),
    ],
)  # fmt: skip
def test_a_claim_holds_where_the_interval_and_every_seed_say_so(mean, half, low, high, verdict):
    assert Gain(mean, half, low, high, 3, 10).verdict == verdict


def test_claims_take_the_scaling_and_the_steps_that_they_name():
    tree = {
        "title": "t", "question": "q?", "corpora": ["c"], "steps": [1, 2], "headline": 2,
        "arms": [{"name": "a", "label": "A"}],
        "claims": [{"text": "scaling helps", "better": "a", "worse": "a", "worse_scaling": "none"}],
    }  # fmt: skip
    documents = [document("a", 0, [3, 4, 5])]
    documents[0]["evaluations"] += document("a", 0, [1, 2, 3.5], scaling="none")["evaluations"]
    (found,) = judged(Study.from_dict("s", tree), documents)
    (gain,) = found.gains.values()
    assert gain.mean == pytest.approx((2 + 2 + 1.5) / 3) and gain.verdict == "holds"
    assert "scaling helps: c +1.83" in found.line()
