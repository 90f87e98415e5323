"""What the drawing functions put into axes, and files that a printer takes."""

import io
import itertools
import re

import matplotlib as mpl
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from PIL import Image

from ecop.core.errors import CannotWrite
from ecop.plots import (
    COLOURS,
    ONE_COLUMN,
    bars,
    distribution,
    grouped_bars,
    heat_map,
    lines,
    new_figure,
    new_panels,
    save_plot,
    styled,
)  # fmt: skip
from ecop.plots.distribution import mean_and_interval
from ecop.plots.lines import spaced

CURVES = {"one": ([0, 1, 2], [1.0, 2.0, 4.0]), "two": ([0, 1], [3.0, np.nan])}


def test_lines_have_the_order_of_colours_and_names_at_their_ends():
    axes = lines(new_figure(), {"none": ([], []), **CURVES}, x="step", y="PSNR (dB)")
    assert [line.get_color() for line in axes.lines] == list(COLOURS.values())[:3]
    np.testing.assert_array_equal(axes.lines[1].get_xydata(), [[0, 1], [1, 2], [2, 4]])
    assert {text.get_text(): text.get_color() for text in axes.texts} == {
        "one": COLOURS["vermillion"], "two": COLOURS["green"]}  # fmt: skip
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("step", "PSNR (dB)")
    named = {text.get_text(): text.xy[1] for text in axes.texts}
    low, high = axes.get_ylim()
    assert named["one"] == pytest.approx((4 - low) / (high - low))


def test_panels_of_lines_stand_in_line_and_may_be_logarithmic():
    figure = new_figure(6.9, 4)
    for axes in new_panels(figure, 2, 2).flat:
        assert lines(axes, CURVES, x="x", y="y", log_x=True, log_y=True, named=False) is axes
        assert (axes.get_xscale(), axes.get_yscale(), list(axes.texts)) == ("log", "log", [])
    assert len(figure.axes) == 4


def test_a_band_lies_about_its_line():
    axes = lines(new_figure(), CURVES, x="x", y="y", spreads={"one": ([0, 1, 3], [2, 3, 5])})
    (band,) = axes.collections
    assert band.get_datalim(axes.transData).bounds == (0, 0, 2, 5)


@given(st.lists(st.floats(0, 1), max_size=12), st.floats(0.001, 0.3))
def test_names_lie_apart_in_the_same_order_about_the_same_middle(heights, gap):
    found = spaced(heights, gap)
    order = np.argsort(heights, kind="stable")
    assert np.all(np.diff(found[order]) >= gap - 1e-9)
    assert np.sum(found) == pytest.approx(np.sum(heights))
    if len(heights) > 1 and np.diff(np.sort(heights)).min() >= gap:
        np.testing.assert_allclose(found, heights)


def test_bars_are_as_long_as_their_values():
    axes = bars(new_figure(), {"a": 2.0, "b": 3.5}, x="dB", errors={"a": 0.5}, marks={"b": 4}, number="{:.1f}")
    assert {bar.get_width() for bar in axes.patches} == {2.0, 3.5}
    assert [label.get_text() for label in axes.get_yticklabels()] == ["b", "a"]
    assert {text.get_text() for text in axes.texts} == {"2.0", "3.5"}
    assert axes.get_legend() is None


def test_groups_leave_room_for_what_a_series_lacks():
    axes = grouped_bars(new_figure(), {"x": {"a": 1.0, "b": 2.0}, "y": {"a": 3.0}}, x="dB")
    assert len(axes.patches) == 3
    spans = sorted((bar.get_y(), bar.get_y() + bar.get_height()) for bar in axes.patches)
    assert all(above[0] > below[1] for below, above in itertools.pairwise(spans))
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["x", "y"]


def luminance(colour):
    """Relative, by WCAG 2."""
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in mpl.colors.to_rgb(colour)]
    return float(np.dot([0.2126, 0.7152, 0.0722], linear))


@pytest.mark.parametrize("centred", [False, True])
def test_heat_maps_write_numbers_that_can_be_read(centred):
    """Each against its own cell with a contrast of 4.5, which WCAG asks for small letters."""
    values = np.append(np.linspace(-4, 10, 29), np.nan).reshape(5, 6)
    sizes = {"columns": range(6), "rows": list("abcde")}
    axes = heat_map(new_figure(), values, **sizes, x="x", y="y", label="dB", centred=centred)
    assert axes.images[0].get_clim() == ((-10, 10) if centred else (-4, 10))
    assert len(axes.texts) == 29
    for text in axes.texts:
        column, row = (int(place) for place in text.get_position())
        assert text.get_text() == f"{values[row, column]:.1f}"
        cell = axes.images[0].to_rgba(values[row, column])[:3]
        low, high = sorted([luminance(cell), luminance(text.get_color())])
        assert (high + 0.05) / (low + 0.05) >= 4.5
    assert [label.get_text() for label in axes.get_yticklabels()] == list("abcde")


def test_every_number_of_a_distribution_is_there_with_the_mean():
    values = np.random.default_rng(0).normal(30, 2, 50)
    axes = distribution(new_figure(), {"one": values, "single": [3.0]}, x="dB", zero=True)
    dots = [line for line in axes.lines if line.get_marker() == "o"]
    np.testing.assert_allclose(dots[1].get_xdata(), np.sort(values))
    assert [text.get_text() for text in axes.texts] == ["3.00", f"{values.mean():.2f}"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["single", "one"]


def test_the_interval_is_that_of_scipy():
    from scipy.stats import norm, sem

    values = [1.0, 2.5, 7.0, 3.0]
    mean, half = mean_and_interval(values)
    assert (mean, half) == (pytest.approx(np.mean(values)), pytest.approx(norm.ppf(0.975) * sem(values), rel=1e-3))


@pytest.fixture
def figure():
    figure = new_figure()
    lines(figure, CURVES, x="step", y="γ")
    return figure


def test_a_pdf_holds_its_fonts_as_truetype(figure, tmp_path):
    save_plot(figure, tmp_path / "a.pdf")
    content = (tmp_path / "a.pdf").read_bytes()
    assert b"/Type3" not in content
    assert b"/FontFile2" in content
    width = float(re.search(rb"/MediaBox \[ 0 0 ([\d.]+)", content).group(1))
    assert width == pytest.approx(72 * ONE_COLUMN)
    assert b"CreationDate" not in content


def test_a_png_has_200_dots_an_inch_and_files_do_not_depend_on_the_day(figure, tmp_path):
    for suffix in (".png", ".pdf", ".svg"):
        for name in "ab":
            save_plot(figure, tmp_path / f"{name}{suffix}")
        assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()
    with Image.open(io.BytesIO((tmp_path / "a.png").read_bytes())) as image:
        assert image.width == round(200 * ONE_COLUMN)
        assert image.info["dpi"] == pytest.approx((200, 200), abs=0.1)


def test_other_formats_are_refused(figure, tmp_path):
    with pytest.raises(CannotWrite, match=r"no plot is saved as '.jpg'; name it .pdf, .png, .svg"):
        save_plot(figure, tmp_path / "a.jpg")


def test_the_style_is_matplotlibs_too_and_forgets_a_users_own():
    with mpl.rc_context({"font.size": 30.0, "pdf.fonttype": 3}):
        with styled():
            assert (mpl.rcParams["font.size"], mpl.rcParams["pdf.fonttype"]) == (8, 42)
        with mpl.style.context("ecop.core.ecop"):
            assert (mpl.rcParams["font.size"], mpl.rcParams["image.cmap"]) == (8, "cividis")
            assert isinstance(new_figure(), Figure)
        assert mpl.rcParams["font.size"] == 30


def test_neighbouring_colours_differ_for_the_colour_blind():
    """In lightness or hue by more than can be missed: CIELAB distances after Viénot's simulation of protanopia and
    deuteranopia (1999).
    """
    from skimage.color import rgb2lab

    to_lms = np.array([[17.8824, 43.5161, 4.11935], [3.45565, 27.1554, 3.86714], [0.0299566, 0.184309, 1.46709]])
    missing = {
        "protanopia": np.array([[0, 2.02344, -2.52581], [0, 1, 0], [0, 0, 1]]),
        "deuteranopia": np.array([[1, 0, 0], [0.494207, 0, 1.24827], [0, 0, 1]]),
    }
    colours = np.array([mpl.colors.to_rgb(colour) for colour in COLOURS.values()])
    for change in missing.values():
        seen = np.clip(colours**2.2 @ (np.linalg.inv(to_lms) @ change @ to_lms).T, 0, 1) ** (1 / 2.2)
        lab = rgb2lab(seen[None])[0]
        distances = np.linalg.norm(lab[:, None] - lab[None], axis=-1)[np.triu_indices(len(lab), 1)]
        assert distances.min() > 9


@pytest.mark.parametrize(
    ("shape", "coordinates", "rows"), [((300,), None, 1), ((9, 12), None, 9), ((4, 6, 8), None, 6), ((200,), 3, 8)]
)
def test_kept_points_of_every_kind_of_signal(shape, coordinates, rows, tmp_path):
    """Shares that keep their mean, and a figure."""
    from ecop.plots.inner_steps import InnerSteps, as_picture, draw_kept_points, kept_numbers

    rng = np.random.default_rng(0)

    class Any:
        values = rng.random((*shape, 1))

    Any.coordinates = None if coordinates is None else rng.uniform(-1, 1, (*shape, coordinates))
    masks = [rng.random(shape) < 0.25 for _ in range(5)]
    picture = as_picture(masks[0], Any.coordinates)
    assert picture.shape[0] == rows
    assert np.nanmin(picture) >= 0
    assert np.nanmax(picture) <= 1
    if coordinates is None:
        np.testing.assert_allclose(picture.mean(), masks[0].mean(), atol=0.01)
    found = InnerSteps([10.0, 20, 22, 23, 24, 24.5], masks, Any())
    assert kept_numbers(found)["overlap"][0] == pytest.approx((masks[0] & masks[1]).sum() / masks[1].sum())
    figure = new_figure(6.9, 4.8)
    draw_kept_points(figure, found)
    save_plot(figure, tmp_path / "a.png")
    assert (tmp_path / "a.png").stat().st_size > 10_000
