"""What training warns of: each sentence where it belongs, and none where all is well."""

import pytest

from ecop.meta.warnings import FIRST, LAST, GradientGrowth, Watch, warnings

WELL = {"initial_loss": 0.1, "task_loss": 1e-3, "target_loss": 5e-4, "overlap": 0.6, "kept_error": 0.5, "ratio": 3.0}


def test_nothing_is_said_where_all_is_well():
    assert warnings(WELL, 1e-2) == []
    assert warnings({"task_loss": 1.0}, 1e-2) == []


@pytest.mark.parametrize(
    ("changes", "growth", "advice"),
    [
        ({"task_loss": 0.2, "target_loss": 0.1}, 1.0, "lower learner.inner_lr (now 0.01)"),
        ({"target_loss": 2e-3}, 1.0, "lower learner.bootstrap_lr"),
        ({"overlap": 0.999}, 1.0, "raise learner.inner_lr or learner.keep"),
        ({"ratio": 200.0}, 1.0, "fit.scaling=none"),
        ({}, 101.0, "lower train.lr"),
    ],
)
def test_what_looks_wrong_is_said_with_the_setting_to_change(changes, growth, advice):
    (sentence,) = warnings(WELL | changes, 1e-2, growth)
    assert advice in sentence


def test_growth_is_of_many_steps_not_of_one():
    growth = GradientGrowth()
    assert {growth.after(norm) for norm in [40.0, 60.0] * (FIRST // 2)} == {1.0}
    assert max(growth.after(1e6 if step == 5 else 50.0) for step in range(3 * LAST)) == 1.0
    found = [growth.after(1e6) for _ in range(LAST)]
    assert found[LAST // 2 - 2] == 1.0
    assert found[-1] == pytest.approx(1e6 / 50)


def test_a_run_that_goes_on_remembers_how_it_began():
    assert GradientGrowth([50.0] * FIRST + [1e6] * LAST).after(1e6) == pytest.approx(1e6 / 50)
    assert GradientGrowth([0.0] * FIRST + [1.0] * LAST).after(1.0) == 1.0


def test_each_thing_is_said_once_and_a_log_that_goes_on_counts():
    said = []
    logged = [{"gradient_norm": 50.0}] * FIRST + [{"gradient_norm": None}] + [{"gradient_norm": 1e6}] * LAST
    watch = Watch(1e-2, said.append, logged)
    for task in (0.2, 0.3):
        watch(WELL | {"task_loss": task, "target_loss": 0.1, "gradient_norm": 1e6})
    assert [sentence.split(" (")[0] for sentence in said] == [
        "the inner loop makes the loss worse", "the meta-gradient has become longer"
    ]  # fmt: skip
