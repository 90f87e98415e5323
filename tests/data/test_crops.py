import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow
from skimage import data

from ecop.data import centre_cut, random_window
from ecop.data.crops import centre_window
from ecop.signals import Image

shapes = st.tuples(st.integers(2, 200), st.integers(2, 200))
BOTH = (True, True)


@given(shapes, shapes)
def test_the_centre_window_is_the_largest_of_its_proportions_in_the_middle(shape, size):
    start, window = centre_window(shape, size, BOTH)
    for n, i, w in zip(shape, start, window, strict=True):
        assert 0 <= i <= i + w <= n
        assert abs((n - w) - 2 * i) <= 1
    assert any(n == w for n, w in zip(shape, window, strict=True))
    factor = min(n / s for n, s in zip(shape, size, strict=True))
    assert all(abs(w - s * factor) <= 1 for s, w in zip(size, window, strict=True))


@given(shapes, shapes, st.floats(0.2, 1), st.floats(1, 8), st.integers(0, 99))
def test_a_random_window_lies_inside_and_follows_its_generator(shape, size, low, high, seed):
    start, window = random_window(shape, size, BOTH, (low, high), np.random.default_rng(seed))
    assert all(0 <= i <= i + w <= n and w >= 1 for n, i, w in zip(shape, start, window, strict=True))
    assert random_window(shape, size, BOTH, (low, high), np.random.default_rng(seed)) == (start, window)
    assert all(w <= s * high + 1 for s, w in zip(size, window, strict=True))


def test_scales_are_log_uniform_and_places_uniform():
    generator = np.random.default_rng(0)
    drawn = [random_window((4000, 4000), (100, 100), BOTH, (1, 16), generator) for _ in range(2000)]
    factors = np.log2([window[0] / 100 for _, window in drawn])
    np.testing.assert_allclose(np.quantile(factors, [0.25, 0.5, 0.75]), [1, 2, 3], atol=0.2)
    places = np.array([start[1] / (4000 - window[1]) for start, window in drawn])
    np.testing.assert_allclose(np.quantile(places, [0.25, 0.5, 0.75]), [0.25, 0.5, 0.75], atol=0.05)


def test_the_cut_is_what_pillow_makes():
    pixels = data.astronaut()[:400] // 2 + 64  # away from 0 and 255, where Pillow clips between its two passes
    cut = centre_cut(Image.assemble(pixels / 255, {}), (64, 64))
    expected = np.asarray(Pillow.fromarray(pixels[:, 56:456]).resize((64, 64), Pillow.Resampling.LANCZOS)) / 255
    np.testing.assert_allclose(cut.values, expected, atol=1.51 / 255)


def test_a_cut_of_the_same_height_moves_no_pixel():
    image = Image.assemble(data.astronaut()[:218, :178] / 255, {})
    np.testing.assert_array_equal(centre_cut(image, (178, 178)).values, image.values[20:198])


@settings(max_examples=30, deadline=None)
@given(shapes, shapes)
def test_a_cut_has_the_size_asked_for_whatever_the_image(shape, size):
    assert centre_cut(Image.assemble(np.zeros((*shape, 1)), {}), size).shape == size


class Timed(Image):
    """An image whose columns are moments: they keep their rate."""

    elastic = (True, False)


@given(shapes, shapes, st.integers(0, 99))
def test_along_an_axis_that_keeps_its_rate_a_window_is_the_size_or_all_there_is(shape, size, seed):
    start, window = random_window(shape, size, Timed.elastic, (0.5, 4), np.random.default_rng(seed))
    assert window[1] == min(shape[1], size[1])
    assert 0 <= start[1] <= shape[1] - window[1]


def test_what_is_too_short_there_is_missing_behind_its_end():
    signal = Timed.assemble(np.linspace(0, 1, 60).reshape(6, 10, 1), {})
    cut = centre_cut(signal, (6, 16))
    assert cut.shape == (6, 16)
    np.testing.assert_array_equal(cut.values[:, :10], signal.values)
    assert np.isnan(cut.values[:, 10:]).all()
