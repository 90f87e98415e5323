"""A checkpoint gives back the state to the bit, or says in one line why it does not."""

import errno
import os
import shutil
import threading
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from ecop.core.errors import BadInput, CannotWrite, InvalidSetting
from ecop.store.checkpoints import Checkpoints


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


class Net(eqx.Module):
    weight: jax.Array
    name: str = eqx.field(static=True)


def make_state(seed=0, width=3):
    """Everything that a training state has: modules, optax, typed keys, counters, host arrays, odd values."""
    key = jax.random.key(seed)
    net = Net(jax.random.normal(key, (2, width)), "net")
    optimiser = optax.chain(optax.clip_by_global_norm(1.0), optax.adam(1e-3))
    updates = optimiser.init(net)
    _, updates = optimiser.update(jax.tree.map(jnp.sin, net), updates, net)
    return {
        "net": net,
        "optimiser": updates,
        "key": jax.random.split(key, 4),
        "other": jax.random.key(seed, impl="rbg"),
        "step": jnp.asarray(seed),
        "order": np.arange(5, dtype=np.int64) + 2**40,
        "odd": np.array([np.nan, -0.0, np.inf, 5e-324]),
        "half": jnp.asarray([1.5], jnp.bfloat16),
        "mask": jnp.asarray([True, False]),
        "empty": jnp.zeros((0, 3)),
        "none": None,
    }


def bits(leaf):
    if jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key):
        leaf = jax.random.key_data(leaf)
    return np.asarray(leaf).tobytes()


def assert_same(a, b):
    assert jax.tree.structure(a) == jax.tree.structure(b)
    for one, two in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
        assert (one.dtype, one.shape, isinstance(one, jax.Array)) == (two.dtype, two.shape, isinstance(two, jax.Array))
        assert bits(one) == bits(two)


def test_the_state_comes_back_to_the_bit(tmp_path):
    state = make_state()
    Checkpoints(tmp_path).save(7, state, notes={"best": 31.5, "data": {"position": 12}})
    restored = Checkpoints(tmp_path).restore(like=make_state(seed=1))
    assert (restored.step, restored.notes) == (7, {"best": 31.5, "data": {"position": 12}})
    assert_same(restored.state, state)
    drawn = jax.random.normal(restored.state["key"][2], (3,))
    np.testing.assert_array_equal(drawn, jax.random.normal(state["key"][2], (3,)))


def test_float64_comes_back_to_the_bit(tmp_path, float64):
    state = {"weight": jnp.pi * jnp.arange(4.0)}
    assert state["weight"].dtype == jnp.float64
    Checkpoints(tmp_path).save(0, state)
    assert_same(Checkpoints(tmp_path).restore(like=state).state, state)


def test_the_template_may_be_abstract(tmp_path):
    state = {"weight": jnp.ones((2, 3)), "key": jax.random.key(3)}
    Checkpoints(tmp_path).save(1, state)
    assert_same(Checkpoints(tmp_path).restore(like=jax.eval_shape(lambda: state)).state, state)


def test_the_last_two_are_kept_and_any_of_them_restored(tmp_path):
    checkpoints = Checkpoints(tmp_path)
    for step in (1, 5, 10):
        checkpoints.save(step, {"step": jnp.asarray(step)})
    assert checkpoints.steps() == (5, 10) and checkpoints.latest() == 10
    for step in (5, 10):
        assert int(checkpoints.restore(like={"step": jnp.asarray(0)}, step=step).state["step"]) == step
    with pytest.raises(BadInput, match="no checkpoint of step 1 in it; it has 5, 10"):
        checkpoints.restore(like={"step": jnp.asarray(0)}, step=1)


def test_steps_only_grow(tmp_path):
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save(5, {"a": jnp.zeros(1)})
    for step in (5, 4):
        with pytest.raises(InvalidSetting, match="a step after 5"):
            checkpoints.save(step, {"a": jnp.ones(1)})
    assert float(checkpoints.restore(like={"a": jnp.zeros(1)}).state["a"][0]) == 0


def test_an_unfinished_save_is_never_the_latest(tmp_path, monkeypatch):
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save(1, {"a": jnp.zeros(4)})
    renamed = []

    def killed(source, *rest, **options):
        renamed.append(os.fspath(source))
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", killed)
        patch.setattr(os, "replace", killed)
        with pytest.raises(KeyboardInterrupt):
            checkpoints.save(2, {"a": jnp.ones(4)})
    assert renamed and len(names_in(tmp_path)) == 2  # the finished one, and what was being written
    assert checkpoints.steps() == (1,)
    assert float(checkpoints.restore(like={"a": jnp.zeros(4)}).state["a"][0]) == 0
    checkpoints.save(2, {"a": jnp.ones(4)})
    assert names_in(tmp_path) == ["1", "2"]


def test_leftovers_under_a_temporary_name_are_no_checkpoints(tmp_path):
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save(1, {"a": jnp.zeros(4)})
    shutil.copytree(tmp_path / "1", tmp_path / "9.orbax-checkpoint-tmp")
    assert checkpoints.steps() == (1,)
    assert "9.orbax-checkpoint-tmp" in names_in(tmp_path)  # a reader leaves it: its writer may be alive


def test_a_deletion_that_was_cut_off_does_not_matter(tmp_path, caplog):
    checkpoints = Checkpoints(tmp_path)
    for step in (1, 2):
        checkpoints.save(step, {"a": jnp.full(2, step)})
    for name in ("_CHECKPOINT_METADATA", "about", "leaves"):
        path = tmp_path / "1" / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
        assert int(checkpoints.restore(like={"a": jnp.zeros(2, int)}).state["a"][0]) == 2
    with pytest.raises(BadInput, match="the checkpoint of step 1 cannot be read"):
        checkpoints.restore(like={"a": jnp.zeros(2, int)}, step=1)
    checkpoints.save(3, {"a": jnp.full(2, 3)})
    assert names_in(tmp_path) == ["2", "3"]
    assert caplog.text == ""


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"net": jnp.zeros((2, 4))}, r"\['net'\]: float32 \(2, 3\) where the run expects \['net'\]: float32 \(2, 4\)"),
        ({"net": jnp.zeros((2, 3), jnp.float16)}, r"where the run expects \['net'\]: float16"),
        ({"more": jnp.zeros(1)}, r"where the run expects \['more'\]: float32 \(1,\)"),
        ({"key": jax.random.key(0, impl="rbg")}, r"threefry2x32 key .* where the run expects \['key'\]: rbg key"),
        ({"key": jnp.zeros(2, jnp.uint32)}, r"where the run expects \['key'\]: uint32"),
    ],
)
def test_a_state_of_another_structure_is_refused(change, message, tmp_path):
    state = {"key": jax.random.key(0), "net": jnp.zeros((2, 3))}
    Checkpoints(tmp_path).save(1, state)
    with pytest.raises(BadInput, match=message):
        Checkpoints(tmp_path).restore(like=state | change)


def test_a_state_with_less_is_refused(tmp_path):
    Checkpoints(tmp_path).save(1, {"a": jnp.zeros(1), "b": jnp.zeros(2)})
    with pytest.raises(BadInput, match="where the run expects nothing more"):
        Checkpoints(tmp_path).restore(like={"a": jnp.zeros(1)})


def test_what_is_no_array_is_refused(tmp_path):
    with pytest.raises(InvalidSetting, match=r"state\['rate'\] = 0.1 .* an array"):
        Checkpoints(tmp_path).save(1, {"rate": 0.1})
    with pytest.raises(InvalidSetting, match="keep"):
        Checkpoints(tmp_path, keep=0)
    assert names_in(tmp_path) == []


def test_damaged_files_are_refused(tmp_path):
    state = {"a": jax.random.normal(jax.random.key(0), (1000,))}
    Checkpoints(tmp_path).save(1, state)
    whole = {file: file.read_bytes() for file in (tmp_path / "1" / "leaves").rglob("*") if file.is_file()}
    refused = 0
    for file, data in whole.items():
        changed = bytearray(data)
        changed[len(changed) // 2] ^= 1
        for damage in (bytes(changed), data[:-9], b""):
            file.write_bytes(damage)
            try:  # Orbax keeps some files that it does not need for reading
                assert_same(Checkpoints(tmp_path).restore(like=state).state, state)
            except BadInput as error:
                refused += 1
                assert "the checkpoint of step 1 cannot be read" in str(error) and "\n" not in str(error)
        file.write_bytes(data)
    assert refused >= 6


def test_changed_notes_are_refused(tmp_path):
    Checkpoints(tmp_path).save(1, {"a": jnp.zeros(1)}, notes={"position": 12})
    (file,) = (file for file in (tmp_path / "1").rglob("*") if file.is_file() and b'"position"' in file.read_bytes())
    file.write_bytes(file.read_bytes().replace(b"12", b"13"))
    with pytest.raises(BadInput, match="its checksum does not agree"):
        Checkpoints(tmp_path).restore(like={"a": jnp.zeros(1)})


def test_nothing_there(tmp_path):
    checkpoints = Checkpoints(tmp_path / "none")
    assert checkpoints.latest() is None
    with pytest.raises(BadInput, match="no finished checkpoint"):
        checkpoints.restore(like={})
    assert names_in(tmp_path) == []


def test_a_full_disk(tmp_path, monkeypatch):
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save(1, {"a": jnp.zeros(4)})

    def full(source, *rest, **options):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", full)
        patch.setattr(os, "replace", full)
        with pytest.raises(CannotWrite, match="the disk is full"):
            checkpoints.save(2, {"a": jnp.ones(4)})
    assert checkpoints.latest() == 1


def test_relative_and_moved_folders_and_no_thread_is_left(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = threading.active_count()
    Checkpoints("run/checkpoints").save(3, {"a": jnp.ones(2)})
    Path("run").rename("moved")
    assert_same(Checkpoints("moved/checkpoints").restore(like={"a": jnp.zeros(2)}).state, {"a": jnp.ones(2)})
    assert threading.active_count() == before
