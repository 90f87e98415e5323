"""One held-out signal of each modality, as it is and as the shipped initialisation and random parameters fit it.

    python -m bench.gallery --out docs/images/gallery.png

The data sets are brought first (`ecop data`); a modality without a shipped initialisation is left out.
"""

import argparse
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from bench.overview import for_a_screen
from ecop.core.registry import SIGNALS
from ecop.data.fetch import fetch
from ecop.data.folder import find_files, items_of
from ecop.data.loader import fixed_signals
from ecop.fit.finding import shipped_initialisations
from ecop.fit.fitted import Fitted
from ecop.fit.initialisation import Initialisation
from ecop.signals.base import Signal
from ecop.signals.figures import save, styled

DATA_SETS = {
    "photo": "photos", "audio": "speech", "video": "clips", "sphere": "wind", "volume": "volumes", "shape": "shapes",
}  # fmt: skip
"""What each initialisation was trained on."""


def main() -> None:
    """Fit, draw, save."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("docs/images/gallery.png"))
    arguments = parser.parse_args()
    names = [name for name in DATA_SETS if name in shipped_initialisations()]
    save(drawing({name: fits(Initialisation.load(name), DATA_SETS[name]) for name in names}), arguments.out)
    for_a_screen(arguments.out)


def fits(start: Initialisation, data_set: str) -> tuple[Signal, Fitted, Fitted]:
    """A signal that training never saw, and what both starts make of it with the gradient scaled."""
    signal_class, data = SIGNALS[start.recipe.signal], start.recipe.data
    items = items_of(find_files(fetch(data_set) / "test", signal_class), signal_class, data.reading)
    (signal,) = fixed_signals(items[len(items) // 3 :][:1], signal_class, data)
    chance = Initialisation.random(start.recipe, start.settings)
    return signal, chance.fit(signal, scaling="norm"), start.fit(signal, scaling="norm")


def drawing(found: dict[str, tuple[Signal, Fitted, Fitted]]) -> Figure:
    """A column a modality: the signal, from random parameters, from the initialisation."""
    with styled():
        figure = Figure(figsize=(2.4 * len(found), 6.2), layout="constrained")
        axes = figure.subplots(3, len(found), squeeze=False)
        for column, (name, (signal, chance, fitted)) in zip(axes.T, found.items(), strict=True):
            shown: list[tuple[str, np.ndarray]] = [(name, signal.picture())]
            for one in (chance, fitted):
                shown.append((f"{one.steps} steps, {one.metrics['psnr']:.1f} dB", one.render().picture()))
            for axis, (title, picture) in zip(column, shown, strict=True):
                axis.imshow(np.clip(picture, 0, 1))
                axis.set_title(title, fontsize=9)
                axis.set_axis_off()
        for axis, label in zip(
            axes[:, 0], ("the signal", "from random parameters", "from the initialisation"), strict=True
        ):
            axis.text(-0.06, 0.5, label, rotation=90, ha="right", va="center", transform=axis.transAxes)
    return figure


if __name__ == "__main__":
    main()
