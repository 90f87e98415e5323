import numpy as np
import pytest

from ecop.core.errors import BadUsage, TooLarge, UnknownName
from ecop.viewer import fits
from ecop.viewer.fits import Settings, opened, start_fit


@pytest.fixture(scope="module")
def fit(tiny, photo):
    made, steps = start_fit(tiny, "tiny", photo, Settings())
    assert [len(one.watched) for one in steps] == [1, 2, 3, 4]
    return made


def test_it_takes_the_steps_of_any_other_fit(fit, tiny, photo):
    usual = tiny.fit(photo)
    np.testing.assert_allclose(fit.last.psnr_curve, usual.psnr_curve, atol=1e-4)
    np.testing.assert_allclose(fit.last.render().values, usual.render().values, atol=1e-5)
    assert fit.last.metrics["psnr"] == pytest.approx(usual.metrics["psnr"], abs=1e-3)
    assert fit.last.resampled == usual.resampled == (40, 60)
    assert fit.done


def test_every_step_stays(fit):
    assert [fit.at(step).fitted.steps for step in range(6)] == [0, 1, 2, 3, 3, 3]
    first, last = (fit.at(step).fitted.render().values for step in (0, 3))
    assert np.abs(first - last).max() > 1e-4
    assert fit.at(0).kept.shape == fit.signal.shape
    assert fit.at(0).kept.mean() == pytest.approx(0.25, abs=0.01)


def test_errors_are_those_of_the_reconstruction(fit):
    errors = fit.error(2)
    reconstruction = fit.at(2).fitted.render().values
    np.testing.assert_allclose(errors, np.abs(reconstruction - fit.signal.values).mean(-1), atol=1e-6)
    assert errors.shape == fit.signal.shape


def test_settings_of_the_visitor(tiny, photo):
    made, steps = start_fit(tiny, "tiny", photo, Settings(steps=1, keep=0.5, scorer="random", scaling="norm"))
    list(steps)
    assert made.last.steps == 1
    assert made.at(0).kept.mean() == pytest.approx(0.5, abs=0.01)
    unscaled, steps = start_fit(tiny, "tiny", photo, Settings(steps=0, scaling="none"))
    list(steps)
    assert unscaled.at(0).kept is None
    with pytest.raises(UnknownName, match="there is no scaling 'louder'"):
        start_fit(tiny, "tiny", photo, Settings(scaling="louder"))


def test_no_more_is_kept_than_fits(tiny, photo, monkeypatch):
    monkeypatch.setattr(fits, "MOST_NUMBERS", 1000)
    with pytest.raises(TooLarge, match="use 'ecop fit'"):
        start_fit(tiny, "tiny", photo, Settings())


def test_a_field_from_a_file_has_its_end_alone(fit):
    again = opened(fit.last, "chelsea")
    assert again.done
    assert again.at(5).fitted is fit.last
    with pytest.raises(BadUsage, match="does not hold the signal"):
        again.error(0)
