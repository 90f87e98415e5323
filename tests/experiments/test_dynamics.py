"""Spectra and edges."""

import numpy as np
import pytest

from ecop.experiments.dynamics import BANDS, edges, means, medians, missed, spreads


def wave(period, size=64):
    return np.sin(2 * np.pi * np.arange(size) / period)[None, :, None].repeat(size, 0)


@pytest.mark.parametrize(("period", "band"), [(32, 0), (64 / 5, 1), (64 / 11, 2), (64 / 20, 3)])
def test_an_error_is_found_in_its_octave(period, band):
    signal = sum(wave(p) for p in (32, 64 / 5, 64 / 11, 64 / 20))
    shares = missed(signal, signal - wave(period))
    assert len(shares) == BANDS
    assert shares[band] == pytest.approx(1, abs=1e-6)
    assert sum(shares) - shares[band] == pytest.approx(0, abs=1e-6)


def test_nothing_is_missed_of_what_is_right_and_all_of_what_is_not_there():
    signal = np.random.default_rng(0).random((16, 16, 3))
    assert missed(signal, signal) == [0.0] * BANDS
    assert missed(signal, np.zeros_like(signal)) == pytest.approx([1.0] * BANDS)


def test_edges_lie_along_a_step():
    step = np.zeros((20, 20, 1))
    step[:, 10:] = 1
    assert set(np.flatnonzero(edges(step).any(0))) == {9, 10}


def test_numbers_are_of_all_seeds_and_signals_and_their_spread_is_of_the_seeds():
    found = [[[10, 20], [12, 24]], [[14, 20], [20, 24]]]  # two seeds, two signals, two steps
    seeds = [{"signals": [{"psnr": psnr} for psnr in signals]} for signals in found]
    assert means(seeds, "psnr").tolist() == [14, 22]
    assert medians(seeds, "psnr").tolist() == [13, 22]
    assert spreads(seeds, "psnr") == pytest.approx([np.std([11, 17], ddof=1), 0])
    assert spreads(seeds[:1], "psnr") is None
