"""Runs one outer step in this process and prints what it took; started by studies and benchmarks, with JSON arguments.

``{"method", "shape", "settings", "cores", "repeats"}``: ``cores`` restricts the process to so many.
"""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any


def resident(name: str) -> int:
    """A size of this process in bytes, as Linux names it: ``VmRSS`` now, ``VmHWM`` at most."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith(name))


def forget_peak() -> None:
    """Give freed memory back to the system, and let ``VmHWM`` begin again from what is in use."""
    import ctypes

    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")


def main(arguments: dict[str, Any]) -> dict[str, Any]:
    """Import, compile, run."""
    if arguments.get("cores"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: arguments["cores"]])  # before XLA starts its threads
    import jax

    from ecop.experiments.programs import recipe_of
    from ecop.meta.plan import compile_abstract, train_program

    key = jax.block_until_ready(jax.random.key(0))
    imported = resident("VmRSS")
    recipe, engine = recipe_of(arguments["method"], tuple(arguments["shape"]), **arguments.get("settings", {}))
    step, shapes = train_program(recipe, engine)
    program = compile_abstract(step, *shapes)
    compiled = resident("VmHWM")
    forget_peak()
    before = resident("VmRSS")
    given = jax.tree.map(lambda shape: _numbers(shape, key), shapes)
    seconds = []
    for _ in range(arguments.get("repeats", 1)):
        begun = time.perf_counter()
        jax.block_until_ready(program(given))
        seconds.append(time.perf_counter() - begun)
    highest = resident("VmHWM")
    return {
        "seconds": min(seconds), "import_bytes": imported, "program_bytes": highest - before,
        "above_import_bytes": max(highest, compiled) - imported, "compiled_bytes": compiled - imported,
    }  # fmt: skip


def _numbers(shape: Any, key: Any) -> Any:
    """Ordinary numbers of a shape, made without compiling anything."""
    import jax
    import jax.numpy as jnp
    import numpy as np

    if jnp.issubdtype(shape.dtype, jax.dtypes.prng_key):
        return key
    if np.issubdtype(shape.dtype, np.integer):
        return jax.device_put(np.full(shape.shape, 32, shape.dtype))
    return jax.device_put(np.random.default_rng(0).normal(0, 0.02, shape.shape).astype(shape.dtype))


if __name__ == "__main__":
    print(json.dumps(main(json.loads(sys.argv[1]))))  # noqa: T201
