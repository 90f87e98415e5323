import io

import numpy as np
import pytest
from PIL import Image as Pillow

from ecop.signals.showing import PICTURE, Pixels, Window
from ecop.viewer import pictures


@pytest.fixture(scope="module")
def fitted(tiny, photo):
    return tiny.fit(photo, steps=1)


def test_all_of_a_signal_is_its_picture(photo):
    shown = pictures.signal_window(photo, PICTURE, Window(), Pixels(40, 60))
    np.testing.assert_allclose(shown, photo.picture(), atol=1e-6)


def test_a_window_shows_its_samples_enlarged(photo):
    shown = pictures.signal_window(photo, PICTURE, Window(0.5, 0.25, 0.75, 0.5), Pixels(40, 60))
    np.testing.assert_array_equal(shown, photo.picture()[10:20, 30:45].repeat(4, 0).repeat(4, 1))


def test_a_smaller_picture_is_averaged(photo):
    shown = pictures.signal_window(photo, PICTURE, Window(), Pixels(4, 6))
    assert shown.mean() == pytest.approx(photo.picture().mean(), abs=0.01)


def test_a_window_of_a_field_is_evaluated_there(fitted):
    shown = pictures.field_window(fitted, PICTURE, Window(0.25, 0.5, 0.5, 1.0), Pixels(30, 20))
    np.testing.assert_array_equal(shown, fitted.render((30, 20), region=(0.25, 0.5, 0.5, 1.0)).picture())
    whole = fitted.render((60, 80)).picture()
    np.testing.assert_allclose(shown, whole[30:, 20:40], atol=1e-4)


def test_kept_points_are_marked(photo):
    kept = np.zeros(photo.shape, bool)
    kept[5, 7] = True
    shown = pictures.kept_map(photo, kept, 0.5)
    assert shown.shape == (40, 60, 3)
    np.testing.assert_allclose(shown[5, 7], pictures.KEPT)
    grey = np.delete(shown.reshape(-1, 3), 5 * 60 + 7, axis=0)
    np.testing.assert_allclose(grey, grey[:, :1].repeat(3, 1), atol=1e-6)


def test_errors_are_coloured_up_to_the_hundredth_largest(photo):
    errors = np.linspace(0, 1, 2400).reshape(photo.shape)
    shown, highest = pictures.error_map(photo, errors, 0.5)
    assert highest == pytest.approx(0.99, abs=1e-3)
    brightness = shown.mean(-1).ravel()
    assert brightness[0] < 0.02 < 0.7 < brightness[-1]
    assert (np.diff(brightness[::100]) > 0).all()


def test_numbers_along_a_line_become_a_strip():
    from ecop.signals import Audio

    sound = Audio.assemble(np.full((500, 1), 0.5), {"rate": 500})
    marks = pictures.laid_out(sound, np.arange(500.0), 0.5)
    assert marks.shape == (pictures.STRIP, 512)
    assert (np.diff(marks, axis=1) >= 0).all()
    assert (np.diff(marks, axis=0) == 0).all()


def test_png(photo):
    again = np.asarray(Pillow.open(io.BytesIO(pictures.png(photo.picture()))))
    np.testing.assert_array_equal(again, np.rint(photo.picture() * 255))
