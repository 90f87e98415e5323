"""How a sound looks: its waveform above its spectrogram, as an array of colours or as a figure."""

from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from ecop.metrics.spectral import FLOOR, spectrogram
from ecop.signals.figures import save, styled

WIDTH, WAVEFORM_ROWS, SPECTROGRAM_ROWS = 400, 96, 160
HEIGHT = WAVEFORM_ROWS + SPECTROGRAM_ROWS
BLUE, PAPER, RULE = (0.0, 0.447, 0.698), 1.0, 0.75
SECONDS = 0.032  # of a window of the spectrogram
COLUMNS = 2000  # at most, in a figure


def sound_picture(values: np.ndarray, rate: float, width: int = WIDTH) -> np.ndarray:
    """A picture of one height for sounds of all lengths, of the mean of the channels.

    Args:
        values: (samples, channels) in [0, 1]; NaN is drawn as silence.
        rate: samples a second.
        width: columns of the picture.

    Returns:
        (256, width, 3) float32 in [0, 1]: the waveform's extremes in every column, in blue, above the levels from 0 to
        −80 dB of the spectrogram up to half the rate, in cividis.
    """
    samples = _mono(values)
    low, high = _extremes(samples, width)
    rows = np.linspace(1, -1, WAVEFORM_ROWS)[:, None]
    margin = 1 / WAVEFORM_ROWS  # so that silence is a line
    wave = np.full((WAVEFORM_ROWS, width, 3), PAPER, np.float32)
    wave[[0, WAVEFORM_ROWS // 2, -1]] = RULE
    wave[(rows >= low - margin) & (rows <= high + margin)] = BLUE
    levels = _levels(samples, rate, width)
    rows = np.linspace(levels.shape[1] - 1, 0, SPECTROGRAM_ROWS).round().astype(int)
    columns = ((np.arange(width) + 0.5) * len(levels) / width).astype(int)
    shades = mpl.colormaps["cividis"](1 - levels[columns][:, rows].T / FLOOR)[..., :3]
    return np.concatenate([wave, shades.astype(np.float32)])


def write_figure(path: Path, values: np.ndarray, rate: float) -> None:
    """The same with axes, in the format that the suffix names.

    Raises:
        CannotWrite: if the file system refuses.
    """
    samples = _mono(values)
    seconds, nyquist = len(samples) / rate, rate / 2000
    low, high = _extremes(samples, COLUMNS)
    with styled():
        figure = Figure(figsize=(7, 4.5), layout="constrained")
        wave, spectrum = figure.subplots(2, 1, sharex=True, height_ratios=[1, 1.6])
        time = (np.arange(len(low)) + 0.5) * seconds / len(low)
        wave.fill_between(time, low, high, linewidth=0.5, edgecolor=BLUE, facecolor=BLUE)
        peak = max(0.01, float(np.abs(samples).max()))
        wave.set(ylabel="amplitude", ylim=(-1.05 * peak, 1.05 * peak), xlim=(0, seconds))
        image = spectrum.imshow(
            _levels(samples, rate, COLUMNS).T, origin="lower", aspect="auto", extent=(0, seconds, 0, nyquist),
            vmin=FLOOR, vmax=0, interpolation="nearest",
        )  # fmt: skip
        spectrum.set(xlabel="time (s)", ylabel="frequency (kHz)")
        figure.colorbar(image, ax=spectrum, label="level (dB)")
    save(figure, path)


def _mono(values: np.ndarray) -> np.ndarray:
    return np.nan_to_num(2 * values.mean(axis=-1, dtype=np.float32) - 1, nan=0.0)


def _extremes(samples: np.ndarray, columns: int) -> tuple[np.ndarray, np.ndarray]:
    """Smallest and largest sample of each of at most ``columns`` equal parts, with the first sample of the next."""
    columns = max(2, columns)
    starts = np.arange(columns) * len(samples) // columns
    ends = np.minimum(np.maximum((np.arange(columns) + 1) * len(samples) // columns, starts + 1) + 1, len(samples))
    pairs = np.stack([starts, ends], -1).ravel()
    closed = np.append(samples, samples[-1])  # so that an end may lie behind the last sample
    return np.minimum.reduceat(closed, pairs)[::2], np.maximum.reduceat(closed, pairs)[::2]


def _levels(samples: np.ndarray, rate: float, most: int) -> np.ndarray:
    """(windows, bins) dB, no more windows than ``most`` or so, and at least one."""
    window = min(len(samples), max(2, round(SECONDS * rate)))
    hop = max(1, window // 8, (len(samples) - window) // most)
    return spectrogram(samples, window, hop)
