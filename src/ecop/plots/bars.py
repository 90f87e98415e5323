"""Horizontal bars, each with its number."""

from collections.abc import Mapping

from matplotlib.axes import Axes

from ecop.plots.style import COLOURS, Place, new_axes, styled


@styled()
def bars(
    place: Place,
    values: Mapping[str, float],
    *,
    x: str,
    title: str = "",
    errors: Mapping[str, float] | None = None,
    marks: Mapping[str, float] | None = None,
    log: bool = False,
    number: str = "{:.3g}",
) -> Axes:
    """A bar for each value, from the top down.

    Args:
        place: a figure, or a part of one.
        values: by name.
        x: label of the values, with their unit.
        title: above the axes.
        errors: half the length of a whisker, by name.
        marks: values to reach, drawn as a line across the bar, by name.
        log: logarithmic.
        number: how a value is written behind its bar.

    Example:
        >>> from ecop.plots import bars, new_figure
        >>> axes = bars(new_figure(), {"ecop": 28.04, "Learnit": 25.66}, x="PSNR (dB)")
        >>> [label.get_text() for label in axes.get_yticklabels()]
        ['Learnit', 'ecop']
    """
    return grouped_bars(
        place, {"": values}, x=x, title=title, errors={"": errors or {}}, marks=marks, log=log, number=number
    )


@styled()
def grouped_bars(
    place: Place,
    series: Mapping[str, Mapping[str, float]],
    *,
    x: str,
    title: str = "",
    errors: Mapping[str, Mapping[str, float]] | None = None,
    marks: Mapping[str, float] | None = None,
    log: bool = False,
    number: str = "{:.3g}",
) -> Axes:
    """For each category a bar of each series, which have a colour and a line in the legend.

    Args:
        place: a figure, or a part of one.
        series: for each its values by category; a category that it lacks stays free.
        x: label of the values, with their unit.
        title: above the axes.
        errors: as in `bars`, by series.
        marks: as in `bars`, by category.
        log: logarithmic.
        number: how a value is written behind its bar.
    """
    axes = new_axes(place, x=x, title=title, log_x=log)
    categories = list(dict.fromkeys(name for values in series.values() for name in values))[::-1]
    thickness = 0.8 / len(series)
    for order, ((name, values), colour) in enumerate(zip(series.items(), COLOURS.values(), strict=False)):
        own = [category for category in categories if category in values]
        offset = (len(series) / 2 - order - 0.5) * thickness
        spread = (errors or {}).get(name, {})
        drawn = axes.barh(
            [categories.index(category) + offset for category in own], [values[category] for category in own],
            0.9 * thickness, color=colour, label=name,
            xerr=[spread.get(category, 0.0) for category in own] if spread else None,
            error_kw={"elinewidth": 0.8, "ecolor": "black"},
        )  # fmt: skip
        axes.bar_label(drawn, [number.format(values[category]) for category in own], padding=3, fontsize=7)
    for name, mark in (marks or {}).items():
        height = categories.index(name)
        axes.plot([mark, mark], [height - 0.45, height + 0.45], color=COLOURS["vermillion"], linestyle="-")
    axes.set_yticks(range(len(categories)), categories)
    axes.tick_params(axis="y", length=0)
    axes.margins(x=0.15)
    if len(series) > 1:
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=min(4, len(series)), borderaxespad=0.2)
    return axes
