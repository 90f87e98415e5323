"""Small signals fitted together are fitted as one by one."""

import dataclasses

import numpy as np
import pytest

from ecop.core.errors import Diverged, InvalidSetting
from ecop.core.recipe import Recipe
from ecop.fit import batches
from ecop.fit.batches import fit_alike
from ecop.fit.fit import fit_prepared
from ecop.fit.initialisation import Initialisation
from ecop.fit.prepared import prepare
from ecop.fit.settings import resolved_fit
from ecop.signals import Audio, Image


def start(**changes):
    recipe = Recipe.named("quick").with_settings(
        {"field.width": 8, "field.depth": 3, "data.size": [8, 8], "fit.steps": 2} | changes
    )
    return Initialisation.random(recipe, resolved_fit(recipe))


def pictures(*shapes):
    rng = np.random.default_rng(0)
    return [Image.assemble(rng.random((*shape, 3)), {}, f"{i}") for i, shape in enumerate(shapes)]


@pytest.fixture
def programs(monkeypatch):
    """How many signals each call of the batch's program fits."""
    calls, own = [], batches._fit_first

    def counted(field, contexts, count, *rest):
        calls.append((int(count), contexts.values.shape[0]))
        return own(field, contexts, count, *rest)

    monkeypatch.setattr(batches, "_fit_first", counted)
    return calls


def test_together_as_one_by_one(programs):
    """Seven squares and an oblong of as many points: 64 points are padded to 256, of which three fit into a batch."""
    initialisation = start(**{"fit.scorer": "random", "fit.keep": 0.5})
    signals = [prepare(initialisation, one) for one in pictures(*[(8, 8)] * 4, (4, 16), *[(8, 8)] * 2)]
    plan = initialisation.plan()
    size = signals[0].context(signals[0].signal, initialisation.field).size
    found = list(fit_alike(initialisation, signals, plan, seed=3, points=3 * size))
    assert [ready for ready, _ in found] == signals
    assert programs == [(3, 3), (3, 3), (1, 3)]
    for ready, fitted in found:
        alone = fit_prepared(initialisation, ready, plan, seed=3)
        assert fitted.shape == alone.shape
        assert fitted.psnr_curve == pytest.approx(alone.psnr_curve, abs=1e-4)
        np.testing.assert_allclose(fitted.render().values, alone.render().values, atol=1e-5)
        assert described(fitted) == described(alone)


def described(fitted):
    """All that a fit says of itself but its numbers."""
    numbers = ("field", "seconds", "psnr_curve")
    return {
        field.name: getattr(fitted, field.name) for field in dataclasses.fields(fitted) if field.name not in numbers
    }


def test_large_ones_and_those_in_blocks_are_fitted_by_themselves(programs):
    initialisation = start()
    signals = [prepare(initialisation, one) for one in pictures((8, 8), (8, 8))]
    assert len(list(fit_alike(initialisation, signals, initialisation.plan(), points=1))) == 2
    assert programs == []
    speech = start(signal="audio", **{"data.size": [64], "data.channels": 1})
    sounds = [Audio.assemble(np.zeros((n, 1)), {"rate": 8000}) for n in (64, 64, 200, 64)]
    found = list(fit_alike(speech, [prepare(speech, sound) for sound in sounds], speech.plan(), points=10**4))
    assert [fitted.blocks is not None for _, fitted in found] == [False, False, True, False]
    assert [count for count, _ in programs] == [2, 1]


def test_missing_values_make_another_program(programs):
    """A context with weights has another structure than one without."""
    initialisation = start(signal="volume", **{"data.size": [4, 4, 4], "data.channels": 1})
    from ecop.signals import Volume

    whole = Volume.assemble(np.full((4, 4, 4, 1), 0.5), {})
    values = whole.values.copy()
    values[0] = np.nan
    signals = [prepare(initialisation, one) for one in (whole, Volume.assemble(values, {}), whole)]
    found = list(fit_alike(initialisation, signals, initialisation.plan(), points=10**4))
    assert [count for count, _ in programs] == [1, 1, 1]
    assert all(np.isfinite(fitted.psnr_curve).all() for _, fitted in found)


def test_no_signal_is_read_before_its_batch():
    initialisation, read = start(), []

    def signals():
        for one in pictures(*[(8, 8)] * 5):
            read.append(one.source)
            yield prepare(initialisation, one)

    size = 2 * prepare(initialisation, pictures((8, 8))[0]).context(pictures((8, 8))[0], initialisation.field).size
    fits = fit_alike(initialisation, signals(), initialisation.plan(), points=size)
    next(fits)
    assert read == ["0", "1"]


def test_what_diverges_is_said():
    initialisation = start(**{"fit.lr": 1e30, "fit.scaling": "none"})
    signals = [prepare(initialisation, one) for one in pictures((8, 8), (8, 8))]
    with pytest.raises(Diverged, match="the fit diverged"):
        list(fit_alike(initialisation, signals, initialisation.plan()))
    with pytest.raises(InvalidSetting, match="points"):
        next(fit_alike(initialisation, signals, initialisation.plan(), points=0))
