"""Arithmetic on whole pytrees of arrays, and on the batches of them."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PyTree

Tree = PyTree[Any]


def norm(tree: Tree) -> Float[Array, ""]:
    """Euclidean norm over all leaves together, with derivative 0 (not NaN) where the norm is 0."""
    square = jnp.asarray(sum((jnp.sum(leaf * leaf) for leaf in jax.tree.leaves(tree)), start=0.0))
    positive = square > 0
    return jnp.where(positive, jnp.sqrt(jnp.where(positive, square, 1)), 0)


def add(a: Tree, b: Tree) -> Tree:
    """a + b, leaf by leaf."""
    return jax.tree.map(jnp.add, a, b)


def subtract(a: Tree, b: Tree) -> Tree:
    """a − b, leaf by leaf."""
    return jax.tree.map(jnp.subtract, a, b)


def scale(factor: Any, tree: Tree) -> Tree:
    """factor · tree."""
    return jax.tree.map(lambda leaf: factor * leaf, tree)


def zeros_like(tree: Tree) -> Tree:
    """Zeros of the same shapes."""
    return jax.tree.map(jnp.zeros_like, tree)


def stop_gradient(tree: Tree) -> Tree:
    """The same numbers, through which no gradient flows."""
    return jax.tree.map(lambda leaf: jax.lax.stop_gradient(leaf) if eqx.is_array(leaf) else leaf, tree)


def size(tree: Tree) -> int:
    """Number of array elements."""
    return sum(leaf.size for leaf in jax.tree.leaves(tree) if hasattr(leaf, "size"))


def named_leaves(tree: Tree) -> dict[str, Any]:
    """Array leaves by dotted path, e.g. ``layers.0.weight``, in tree order."""
    leaves, _ = jax.tree_util.tree_flatten_with_path(tree)
    return {".".join(str(_key(k)) for k in path): leaf for path, leaf in leaves}


def with_leaves(tree: Tree, replace: Callable[[str, Any], Any]) -> Tree:
    """The tree with every leaf replaced by ``replace(dotted path, leaf)``."""
    return jax.tree_util.tree_map_with_path(
        lambda path, leaf: replace(".".join(str(_key(k)) for k in path), leaf), tree
    )


def _key(entry: Any) -> Any:
    return next(getattr(entry, name) for name in ("name", "idx", "key") if hasattr(entry, name))
