"""JAX made ready for a command: compiled programs are kept between runs, and its harmless remarks are not shown."""

import logging
import os

from ecop.core.cache import cache_folder


def prepare_jax() -> None:
    """Call before anything compiles; a second run of the same shapes then starts at once.

    Compiled programs go to ``compiled`` in the cache folder, unless ``JAX_COMPILATION_CACHE_DIR`` names another.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # XLA's remarks on its own cache; errors still show
    import jax

    logging.getLogger("jax._src.xla_bridge").setLevel(logging.ERROR)  # "a GPU may be present": on a CPU install
    if not jax.config.values["jax_compilation_cache_dir"]:
        jax.config.update("jax_compilation_cache_dir", str(cache_folder() / "compiled"))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
