"""Timing in turns: what is compared runs alternately in one process, so that the machine's moods hit all alike."""

import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

import jax


def in_turns(functions: Mapping[str, Callable[[], Any]], rounds: int) -> dict[str, float]:
    """Median seconds of each function; every one is called once before, to be compiled."""
    for run in functions.values():
        jax.block_until_ready(run())
    seconds: dict[str, list[float]] = {name: [] for name in functions}
    for _ in range(rounds):
        for name, run in functions.items():
            begun = time.perf_counter()
            jax.block_until_ready(run())
            seconds[name].append(time.perf_counter() - begun)
    return {name: statistics.median(own) for name, own in seconds.items()}
