"""The state of a training run on disk, through Orbax: the last few steps, each restored to the bit.

Every leaf is stored as a plain host array under its number, and beside them a layout that names each leaf with its
type and shape, and a checksum of it all. So a checkpoint does not depend on devices or on the classes in the state, a
state of another structure is refused before anything is read (Orbax alone would cast to another type in silence), and
so is a checkpoint that was changed on the disk.
"""

import dataclasses
import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Generic, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
import orbax.checkpoint as ocp
from orbax.checkpoint.checkpoint_managers import LatestN

from ecop.core.errors import BadInput, EcopError, InvalidSetting
from ecop.core.files import explained
from ecop.store.documents import plain, write_json

State = TypeVar("State")
Layout = list[dict[str, Any]]


@dataclasses.dataclass(frozen=True)
class Checkpoint(Generic[State]):
    """What `Checkpoints.restore` gives: the step, the state, and the notes that were saved with it."""

    step: int
    state: State
    notes: dict[str, Any]


class Checkpoints:
    """The checkpoints in one folder, of which the last ``keep`` stay.

    Saving writes under a temporary name and renames at the end, so what was interrupted is never taken for a
    checkpoint. Nothing stays open between calls, and no thread runs.

    Args:
        folder: made at the first save; may be moved between runs.
        keep: how many to keep, at least 1.

    Example:
        >>> import tempfile
        >>> checkpoints = Checkpoints(tempfile.mkdtemp())
        >>> checkpoints.save(10, {"weight": jnp.ones(3)}, notes={"best": 31.5})
        >>> restored = checkpoints.restore(like={"weight": jnp.zeros(3)})
        >>> restored.step, float(restored.state["weight"].sum()), restored.notes
        (10, 3.0, {'best': 31.5})
    """

    def __init__(self, folder: str | Path, keep: int = 2):
        if keep < 1:
            raise InvalidSetting("keep", keep, "at least 1 checkpoint")
        self.folder = Path(folder).absolute()
        self.keep = keep

    def steps(self) -> tuple[int, ...]:
        """The steps of all finished checkpoints, in order."""
        if not self.folder.is_dir():
            return ()
        with self._manager() as manager:
            return tuple(sorted(manager.all_steps()))

    def latest(self) -> int | None:
        """The step of the latest finished checkpoint, or ``None``."""
        return max(self.steps(), default=None)

    def save(self, step: int, state: Any, notes: Mapping[str, Any] | None = None) -> None:
        """Save ``state`` at ``step``; returns when it is on disk. Older checkpoints beyond ``keep`` are deleted.

        Args:
            step: later than the latest checkpoint.
            state: a pytree of arrays (JAX or NumPy, keys included); filter anything else out first.
            notes: JSON values to go with it, such as the position of the data or the best score.

        Raises:
            InvalidSetting: if ``step`` is not later than the latest, or a leaf is not an array.
            CannotWrite: if the file system refuses.
        """
        latest = self.latest()
        if step < 0 or (latest is not None and step <= latest):
            raise InvalidSetting("step", step, f"a step after {latest}" if latest is not None else "a step from 0 on")
        layout, arrays = _take_apart(state)
        about = {"layout": layout, "notes": plain(notes or {}, "notes")}
        about["sha256"] = _digest(about, arrays)
        parts = ocp.args.Composite(about=ocp.args.JsonSave(about), leaves=ocp.args.StandardSave(arrays))
        with explained(self.folder), self._manager(writes=True) as manager:
            manager.save(step, args=parts)

    def restore(self, like: State, step: int | None = None) -> Checkpoint[State]:
        """Read a checkpoint back, equal to the bit.

        Args:
            like: a state of the same structure, shapes and types (arrays or ``jax.ShapeDtypeStruct``); NumPy leaves
                come back as NumPy's, all others on the default device.
            step: the latest one by default.

        Raises:
            BadInput: if there is no such checkpoint, it is damaged, or its state is not like ``like``.
        """
        steps = self.steps()
        if not steps:
            raise BadInput(self.folder, "no finished checkpoint in it", "start the training anew")
        step = steps[-1] if step is None else step
        if step not in steps:
            raise BadInput(self.folder, f"no checkpoint of step {step} in it", f"it has {', '.join(map(str, steps))}")
        with self._manager() as manager, self._readable(step):
            about = manager.restore(step, args=ocp.args.Composite(about=ocp.args.JsonRestore()))["about"]
            self._check_layout(about["layout"], like, step)
            targets = {
                _key(i): jax.ShapeDtypeStruct(entry["shape"], jnp.dtype(entry["dtype"]))
                for i, entry in enumerate(about["layout"])
                if 0 not in entry["shape"]
            }
            parts = ocp.args.Composite(leaves=ocp.args.StandardRestore(targets))
            arrays = manager.restore(step, args=parts)["leaves"]
            if about.pop("sha256") != _digest(about, arrays):
                raise ValueError("its checksum does not agree")
        return Checkpoint(step, _put_together(like, about["layout"], arrays), about["notes"])

    @contextmanager
    def _manager(self, writes: bool = False) -> Iterator[ocp.CheckpointManager]:
        # Only the one who writes clears away unfinished saves: a reader could meet a save that is going on.
        options = ocp.CheckpointManagerOptions(
            preservation_policy=LatestN(self.keep),
            enable_async_checkpointing=False,
            cleanup_tmp_directories=writes,
            create=writes,
            lightweight_initialize=True,  # otherwise it warns of an old checkpoint whose deletion was cut off
        )
        handlers = {"about": ocp.JsonCheckpointHandler(), "leaves": ocp.StandardCheckpointHandler()}
        registry = ocp.handlers.DefaultCheckpointHandlerRegistry()
        registry.add("about", ocp.args.JsonSave, handlers["about"])
        registry.add("about", ocp.args.JsonRestore, handlers["about"])
        registry.add("leaves", ocp.args.StandardSave, handlers["leaves"])
        registry.add("leaves", ocp.args.StandardRestore, handlers["leaves"])
        with ocp.CheckpointManager(self.folder, options=options, handler_registry=registry) as manager:
            yield manager

    @contextmanager
    def _readable(self, step: int) -> Iterator[None]:
        try:
            yield
        except EcopError:
            raise
        except Exception as error:  # Orbax and TensorStore have no common class for a damaged checkpoint
            problem = f"the checkpoint of step {step} cannot be read ({str(error).splitlines()[0][:200]})"
            raise BadInput(self.folder, problem, "delete its folder to go on from the one before") from error

    def _check_layout(self, stored: Layout, like: Any, step: int) -> None:
        given = _layout(like)
        if stored == given:
            return
        first = next(pair for pair in zip([*stored, None], [*given, None], strict=False) if pair[0] != pair[1])
        has, expected = (_words(entry) for entry in first)
        problem = f"the checkpoint of step {step} has {has} where the run expects {expected}"
        raise BadInput(self.folder, problem, "resume with the recipe that it was made with")


def _layout(tree: Any) -> Layout:
    """For each leaf its name, type and shape as stored, and the kind of random key that it is, if any."""
    layout = []
    for path, leaf in jax.tree_util.tree_leaves_with_path(tree):
        name = jax.tree_util.keystr(path)
        if not hasattr(leaf, "dtype") or not hasattr(leaf, "shape"):
            raise InvalidSetting(f"state{name}", leaf, "an array; filter the state first")
        kind = None
        if jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key):
            kind = _key_kind(leaf)
            leaf = jax.eval_shape(jax.random.key_data, leaf)
        layout.append({"name": name, "dtype": str(leaf.dtype), "shape": list(leaf.shape), "key": kind})
    return layout


def _take_apart(state: Any) -> tuple[Layout, dict[str, np.ndarray]]:
    layout = _layout(state)
    arrays = {}
    for i, (entry, leaf) in enumerate(zip(layout, jax.tree.leaves(state), strict=True)):
        if 0 not in entry["shape"]:  # Orbax refuses empty arrays, and their shape says all
            arrays[_key(i)] = np.asarray(jax.random.key_data(leaf) if entry["key"] else leaf)
    return layout, arrays


def _put_together(like: State, layout: Layout, arrays: Mapping[str, np.ndarray]) -> State:
    templates, structure = jax.tree.flatten(like)
    leaves = []
    for i, (template, entry) in enumerate(zip(templates, layout, strict=True)):
        empty = np.zeros(entry["shape"], jnp.dtype(entry["dtype"]))
        array = np.asarray(arrays.get(_key(i), empty))
        if entry["key"]:
            leaves.append(jax.random.wrap_key_data(jnp.asarray(array), impl=entry["key"]))
        else:
            leaves.append(array if isinstance(template, np.ndarray | np.generic) else jnp.asarray(array))
    return jax.tree.unflatten(structure, leaves)


def _digest(about: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> str:
    """SHA-256 over the layout, the notes and the bytes of all leaves in order."""
    digest = hashlib.sha256(write_json({name: about[name] for name in ("layout", "notes")}).encode())
    for name in sorted(arrays):
        digest.update(np.asarray(arrays[name]).tobytes())
    return digest.hexdigest()


def _key_kind(leaf: Any) -> str:
    """The name of a random key's implementation, also of an abstract one, which only a trace can ask."""
    kinds: list[str] = []
    jax.eval_shape(lambda key: kinds.append(str(jax.random.key_impl(key))), leaf)
    return kinds[0]


def _key(i: int) -> str:
    return f"leaf{i:05}"


def _words(entry: Mapping[str, Any] | None) -> str:
    if entry is None:
        return "nothing more"
    kind = f"{entry['key']} key" if entry["key"] else entry["dtype"]
    return f"{entry['name']}: {kind} {tuple(entry['shape'])}"
