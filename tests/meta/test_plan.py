"""The planner against the programs themselves, against counting by hand, and against its own promises."""

import functools
import json

import equinox as eqx
import jax
import jax.numpy as jnp
import pytest

from ecop.adapt import Engine
from ecop.cli.main import main
from ecop.core import memory
from ecop.core.errors import InvalidSetting, TooLarge
from ecop.core.grids import regular_grid
from ecop.core.recipe import Recipe
from ecop.fields import Siren
from ecop.meta import MAML, ECoP, FirstOrderMAML, Reptile, budget, plan, rates, stack
from ecop.meta.budget import Choice, expected_bytes, plan_for_budget
from ecop.meta.build import build_learner, build_outer_loop
from ecop.meta.plan import abstract_field, compared, cost, fit_plan, fit_seconds, train_seconds
from ecop.meta.rates import Rates, measured_rates
from ecop.signals.context import AffineGrid, Context

SMALL = {"field.width": 16, "field.depth": 2, "data.size": [32, 32], "data.batch": 2, "learner.inner_steps": 4}
UNITS = Rates(score=1, gradient=3, adjoint=8)


@functools.cache
def bytes_once(toml, engine, phase):
    return plan.program_bytes(Recipe.from_toml(toml), engine, phase)


def program_bytes(recipe, engine, phase):
    return bytes_once(recipe.to_toml(), engine, phase)


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("ECOP_CACHE", str(tmp_path))


@pytest.fixture(autouse=True)
def each_program_once(monkeypatch):
    monkeypatch.setattr(budget, "program_bytes", program_bytes)


def small(**changes):
    return Recipe.named("quick").with_settings(SMALL | {name.replace("__", "."): v for name, v in changes.items()})


def test_abstract_shapes_give_the_program_that_training_runs():
    recipe, engine = small(), Engine(tile=128)
    loop = build_outer_loop(recipe, engine)
    state = loop.init(Siren.create(jax.random.key(1), d_in=2, d_out=3, width=16, depth=2), jax.random.key(0))
    signal = Context(AffineGrid.of(regular_grid((32, 32))), jnp.ones((1024, 3)))
    context = stack([signal, signal])
    analysis = eqx.filter_jit(loop.step).lower(state, context).compile().compiled.memory_analysis()
    real = analysis.temp_size_in_bytes + analysis.argument_size_in_bytes + analysis.output_size_in_bytes
    assert abs(program_bytes(recipe, engine, "train") - real) < 1024


def test_planning_needs_no_memory_of_the_points():
    """Two signals of 2²⁵ points are 805 MB."""
    before = memory.peak_resident()
    needed = program_bytes(small(data__size=[8192, 4096]), Engine(), "train")
    assert needed > 2 * 2**25 * 12
    assert memory.peak_resident() - before < 400e6


def test_any_number_of_axes():
    sizes = {"video": [8, 16, 8], "image": [32, 32]}
    ours, flat = (
        program_bytes(small(signal=kind, data__size=size), Engine(tile=128), "train") for kind, size in sizes.items()
    )
    assert 0 <= ours - flat < 10_000  # one more coordinate


def test_a_meta_step_is_78_forward_passes():
    """At K = 16, γ = ¼, L = 5; the 79th gives the loss of the bootstrapped target to the log."""
    assert train_seconds(ECoP(), UNITS) == pytest.approx(78 + 1)
    assert train_seconds(ECoP(bootstrap_steps=0), UNITS) == pytest.approx(16 * (1 + 11 / 4) + 3)
    assert train_seconds(MAML(inner_steps=4), UNITS) == 4 * 11 + 3
    assert train_seconds(MAML(inner_steps=4, head="least-squares"), UNITS) == 4 * 11 + 3 + 1
    assert train_seconds(FirstOrderMAML(inner_steps=4), UNITS) == 4 * 3 + 3
    assert train_seconds(Reptile(inner_steps=4), UNITS) == 4 * 3 + 3


def test_a_fit_is_4_units_a_step():
    recipe = small()
    assert fit_seconds(fit_plan(abstract_field(recipe), recipe, Engine()), UNITS) == 16 * 4 + 1
    plain = recipe.with_settings({"fit.scaling": "none"})
    assert fit_seconds(fit_plan(abstract_field(plain), plain, Engine()), UNITS) == 16 * 3 + 1


def test_orthogonalised_steps_cost_30_n3_for_each_hidden_matrix_and_three_times_that_on_the_way_back():
    """SIREN 5×256 has three hidden matrices, and about 2 |θ| operations in a forward pass over a point."""
    recipe = small(field__width=256, field__depth=5, data__size=[178, 178], learner__inner_steps=16)
    field = abstract_field(recipe)
    turned = recipe.with_settings({"learner.update.name": "orthogonal"})
    update = build_learner(turned).inner_update(field)
    assert update.operations(field) == 3 * 30 * 256**3
    assert build_learner(recipe).inner_update(field).operations(field) == 0
    passes = plan.update_seconds(update, field, UNITS) / 178**2  # in units of F
    assert passes == pytest.approx(30 * 256 / (2 * 178**2), rel=0.02)
    plain, own = (plan.seconds("train", one, Engine(), field, UNITS) for one in (recipe, turned))
    assert own - plain == pytest.approx(2 * 16 * 4 * passes * 178**2)  # two signals
    plain, own = (plan.seconds("fit", one, Engine(), field, UNITS) for one in (recipe, turned))
    assert own - plain == pytest.approx(16 * passes * 178**2)


def test_time_is_proportional_to_points_and_signals():
    one = cost("ecop", small(), Engine(), "train")
    many = cost("ecop", small(data__size=[64, 64], data__batch=6), Engine(), "train")
    assert many.seconds == pytest.approx(12 * one.seconds)


def one_tile():
    from ecop.adapt import default_tile

    return default_tile(16)


def test_methods():
    methods = [(name, own.learner.name, engine.kind) for name, own, engine in compared(small())]
    assert methods == [
        ("ecop", "ecop", "exact-lowmem"), ("learnit", "maml", "exact-lowmem"), ("unrolled", "maml", "unrolled"),
    ]  # fmt: skip
    learners = {name: own.learner.settings for name, own, _ in compared(small())}
    assert learners["learnit"]["inner_steps"] == 4
    assert learners["unrolled"]["inner_steps"] == learners["ecop"]["inner_steps"] == 4
    reptile = [name for name, _, _ in compared(small(learner__name="reptile"))]
    assert reptile == ["reptile", "ecop", "learnit", "unrolled"]


def test_rates_are_remembered(monkeypatch, tmp_path):
    field = Siren.create(jax.random.key(0), d_in=2, d_out=1, width=8, depth=3)
    first = measured_rates(field, 2, 1, Engine(tile=64))
    assert min(first) > 0
    monkeypatch.setattr(rates, "measure", lambda *_: Rates(1, 2, 3))
    assert measured_rates(field, 2, 1, Engine(tile=64)) == first
    assert measured_rates(field, 2, 1, Engine(tile=32)) == (1, 2, 3)
    assert measured_rates(field, 2, 1, Engine(tile=64), again=True) == (1, 2, 3)
    (tmp_path / "rates.json").write_text("{")
    assert measured_rates(field, 2, 1, Engine(tile=64)) == (1, 2, 3)


def needed(recipe, engine):
    return max(program_bytes(recipe, engine, phase) for phase in ("train", "fit"))


def test_a_budget_that_is_kept_changes_nothing():
    recipe, engine = plan_for_budget(small(), 2**30, process=0)
    assert recipe == small()
    assert engine.tile == one_tile()


def test_a_smaller_budget_costs_tiles_first():
    full = needed(small(), Engine())
    recipe, engine = plan_for_budget(small(), full - 1, process=0)
    assert recipe == small()
    assert engine.tile < one_tile()
    assert needed(recipe, engine) < full


def test_then_the_settings_that_decide_the_memory():
    wanted = small(learner__inner_steps=64, data__batch=1)
    least = needed(wanted, Engine(tile=128))
    recipe, engine = plan_for_budget(wanted, least * 2 // 3, process=0)
    assert needed(recipe, engine) <= least * 2 // 3
    assert recipe.learner.settings["inner_steps"] < 64
    assert recipe.learner.settings["bootstrap_lr"] == wanted.learner.settings["bootstrap_lr"]


def test_the_process_counts():
    with pytest.raises(TooLarge, match="allow more memory"):
        plan_for_budget(small(), 2**20, process=2**20)
    with pytest.raises(InvalidSetting, match="exact-lowmem"):
        plan_for_budget(small(), 2**30, engine=Engine("unrolled"))


def test_the_formula_follows_the_programs():
    """Differences between choices, which is what the search takes from it, to a third."""
    recipe = small(data__size=[128, 128], data__batch=1)
    for low, high in [((128, 1, 0.25, 4), (128, 1, 0.25, 32)), ((128, 1, 0.125, 32), (128, 1, 0.5, 32))]:
        programs = [
            program_bytes(
                recipe.with_settings({"learner.keep": c[2], "learner.inner_steps": c[3]}), Engine(tile=c[0]), "train"
            )
            for c in (low, high)
        ]
        formula = [expected_bytes(recipe, Choice(*c)) for c in (low, high)]
        assert programs[1] - programs[0] == pytest.approx(formula[1] - formula[0], rel=1 / 3)


def test_the_command(capsys):
    settings = [f"{name}={value}" for name, value in SMALL.items() if name != "data.size"]
    arguments = ["plan", "--recipe", "quick", "--shape", "16x32", "--set", *settings]
    assert main([*arguments, "--json", "--memory", "64GiB"]) == 0
    rows = json.loads(capsys.readouterr().out)
    wanted = {"method", "phase", "shape", "batch", "K", "keep", "tile", "peak_bytes", "seconds"}
    assert len(rows) == 6
    assert all(wanted <= row.keys() for row in rows)
    assert [(row["method"], row["phase"]) for row in rows] == [
        (method, phase) for method in ("ecop", "learnit", "unrolled") for phase in ("train", "fit")
    ]
    assert rows[4]["peak_bytes"] > rows[0]["peak_bytes"]
    assert rows[0]["shape"] == [16, 32]
    assert rows[0]["K"] == 4
    assert main([*arguments, "--memory", "64GiB"]) == 0
    shown = capsys.readouterr().out
    assert "16×32" in shown
    assert "the recipe as it is" in shown
    assert main(["plan", "--shape", "16,16"]) == 2
    assert main(["plan", "--memory", "8 apples"]) == 2
    assert "8GiB" in capsys.readouterr().err


def test_zero_is_no_amount():
    for text in ("0", "-1GB", "GB", "1.GB", ""):
        with pytest.raises(InvalidSetting):
            memory.parse_bytes(text)
    assert jnp.asarray(memory.parse_bytes("3 kB")) == 3000
