"""Files of torch, written here by hand as torch writes them, honest and hostile; torch itself is not needed."""

import io
import pickle
import struct
import zipfile
from collections import OrderedDict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecop.core.errors import BadInput, TooLarge
from ecop.metrics import torch_file
from ecop.metrics.torch_file import MAGIC, PROTOCOL, read_torch

TENSORS = {
    "a.weight": np.arange(24, dtype=np.float32).reshape(2, 3, 4),
    "b": np.linspace(-1, 1, 5).astype(np.float16),
    "steps": np.array([7], np.int64),
    "nothing": np.zeros((0, 3), np.float32),
}
STORAGES = {"float32": "FloatStorage", "float16": "HalfStorage", "float64": "DoubleStorage", "int64": "LongStorage"}


class Called:
    """Pickled as the call of something by its name."""

    def __init__(self, name, arguments):
        self.name, self.arguments = name, arguments


class Stored:
    """Pickled as a reference to numbers."""

    def __init__(self, reference):
        self.reference = reference


def pickled(value):
    """A pickle of protocol 2, as torch writes it, in which names need not exist."""
    stream = io.BytesIO()

    class Pickler(pickle._Pickler):
        def persistent_id(self, obj):
            return obj.reference if isinstance(obj, Stored) else None

        def save(self, obj, *rest, **more):
            if isinstance(obj, Called) and obj.arguments is None:
                module, name = obj.name.rsplit(".", 1)
                self.write(b"c" + f"{module}\n{name}\n".encode())
            elif isinstance(obj, Called):
                self.save(Called(obj.name, None))
                self.save(obj.arguments)
                self.write(b"R")
            else:
                super().save(obj, *rest, **more)

    Pickler(stream, protocol=2).dump(value)
    return stream.getvalue()


def tensor(key, array, offset=0, shape=None, strides=None, legacy=False):
    """A tensor as torch pickles it."""
    kind = Called(f"torch.{STORAGES[array.dtype.name]}", None)
    storage = Stored(("storage", kind, key, "cpu", array.size, *([None] if legacy else [])))
    shape = array.shape if shape is None else shape
    steps = tuple(step // array.itemsize for step in array.strides) if strides is None else strides
    return Called("torch._utils._rebuild_tensor_v2", (storage, offset, shape, steps, False, OrderedDict()))


def archive(path, value, contents, byteorder="little", compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as file:
        file.writestr("model/data.pkl", pickled(value))
        file.writestr("model/byteorder", byteorder)
        for key, content in contents.items():
            file.writestr(f"model/data/{key}", content)
        file.writestr("model/version", "3\n")
    return path


def of(tensors, legacy=False):
    value = OrderedDict((name, tensor(str(i), array, legacy=legacy)) for i, (name, array) in enumerate(tensors.items()))
    return value, {str(i): array.tobytes() for i, array in enumerate(tensors.values())}


def older(path, tensors, little=True):
    value, contents = of(tensors, legacy=True)
    system = {"protocol_version": PROTOCOL, "little_endian": little, "type_sizes": {"short": 2, "int": 4, "long": 4}}
    with path.open("wb") as stream:
        for part in (MAGIC, PROTOCOL, system, value, sorted(contents)):
            stream.write(pickled(part))
        for key in sorted(contents):
            array = list(tensors.values())[int(key)]
            stream.write(struct.pack("<q", array.size) + contents[key])
    return path


@pytest.mark.parametrize("write", [lambda path, tensors: archive(path, *of(tensors)), older])
def test_every_tensor_comes_back(tmp_path, write):
    found = read_torch(write(tmp_path / "a.pth", TENSORS))
    assert list(found) == list(TENSORS)
    for name, array in TENSORS.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)


def test_views_of_one_storage(tmp_path):
    numbers = np.arange(12, dtype=np.float32)
    views = {"turned": tensor("0", numbers, 0, (4, 3), (1, 4)), "end": tensor("0", numbers, 8, (4,), (1,))}
    found = read_torch(archive(tmp_path / "a.pth", views, {"0": numbers.tobytes()}))
    np.testing.assert_array_equal(found["turned"], numbers.reshape(3, 4).T)
    np.testing.assert_array_equal(found["end"], numbers[8:])


class Trap:
    """Would create a file if it were unpickled."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return open, (self.path, "w")


@pytest.mark.parametrize("name", ["builtins.eval", "os.system", "torch.load", "torch._utils._rebuild_parameter"])
def test_a_hostile_call_is_refused_by_its_name(tmp_path, name):
    path = archive(tmp_path / "a.pth", {"a": Called(name, ("1",))}, {})
    with pytest.raises(BadInput, match=rf"its pickle names '{name}', which tensors do not need; do not trust it"):
        read_torch(path)


def test_nothing_is_unpickled(tmp_path):
    content = pickle.dumps({"a": Trap(tmp_path / "sprung")}, protocol=2)
    with zipfile.ZipFile(tmp_path / "a.pth", "w") as file:
        file.writestr("model/data.pkl", content)
    (tmp_path / "b.pth").write_bytes(pickle.dumps(MAGIC, 2) + pickle.dumps(PROTOCOL, 2) + content)
    for protocol in (0, 1, 2, 3, 4, 5):
        (tmp_path / f"c{protocol}.pth").write_bytes(pickle.dumps(Trap(tmp_path / "sprung"), protocol))
    for path in sorted(tmp_path.glob("*.pth")):
        with pytest.raises(BadInput, match="tensors do not need"):
            read_torch(path)
    assert not (tmp_path / "sprung").exists()
    pickle.loads(content)["a"].close()  # noqa: S301 (our own: the trap works)
    assert (tmp_path / "sprung").exists()


NUMBERS = np.arange(12, dtype=np.float32)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"offset": 1}, "beyond its storage"),
        ({"shape": (13,), "strides": (1,)}, "beyond its storage"),
        ({"shape": (10**9, 10**9), "strides": (0, 0)}, "beyond its storage"),
        ({"offset": -1}, "below 0"),
        ({"shape": (2, 6), "strides": (-6, 1)}, "below 0"),
        ({"shape": (2, 6), "strides": (6,)}, "stride for each axis"),
        ({"shape": (True,), "strides": (1,)}, "another type"),
        ({"shape": (2.0,), "strides": (1,)}, "another type"),
    ],
)
def test_a_tensor_beyond_its_numbers_is_refused(tmp_path, change, problem):
    path = archive(tmp_path / "a.pth", {"a": tensor("0", NUMBERS, **change)}, {"0": NUMBERS.tobytes()})
    with pytest.raises(BadInput, match=problem):
        read_torch(path)


def test_numbers_that_are_not_there(tmp_path):
    value = {"a": tensor("0", NUMBERS)}
    for contents, problem in (({}, "no item named"), ({"0": b"1234"}, "truncated"), ({"0": bytes(99)}, "99 bytes")):
        with pytest.raises(BadInput, match=problem):
            read_torch(archive(tmp_path / "a.pth", value, contents))


def test_what_is_packed_is_not_unpacked_before_its_size_is_known(tmp_path, monkeypatch):
    bomb = archive(tmp_path / "a.pth", {"a": tensor("0", NUMBERS)}, {"0": bytes(10**7)}, "little", zipfile.ZIP_DEFLATED)
    assert bomb.stat().st_size < 20_000
    with pytest.raises(BadInput, match="has 10000000 bytes, where 48 were"):
        read_torch(bomb)
    monkeypatch.setattr(torch_file, "LARGEST_FILE", 1000)
    with pytest.raises(TooLarge, match="over the limit of 1000 bytes"):
        read_torch(bomb)
    many = {str(i): tensor(str(i), NUMBERS) for i in range(30)}
    packed = archive(tmp_path / "b.pth", many, {}, "little", zipfile.ZIP_DEFLATED)
    monkeypatch.setattr(torch_file, "LARGEST_FILE", 1400)
    assert packed.stat().st_size < 1400
    with pytest.raises(TooLarge, match="1440 bytes of tensors"):
        read_torch(packed)


def test_more_than_tensors(tmp_path):
    for value in ({"a": 1}, [1, 2], 3):
        with pytest.raises(BadInput, match="more than a dictionary of tensors"):
            read_torch(archive(tmp_path / "a.pth", value, {}))


def test_the_other_order_of_bytes(tmp_path):
    with pytest.raises(BadInput, match="big-endian"):
        read_torch(archive(tmp_path / "a.pth", *of(TENSORS), byteorder="big"))
    with pytest.raises(BadInput, match="big-endian"):
        read_torch(older(tmp_path / "b.pth", TENSORS, little=False))


def test_a_pickle_that_never_ends(tmp_path, monkeypatch):
    monkeypatch.setattr("ecop.metrics.torch_pickle.MOST_INSTRUCTIONS", 50)
    with pytest.raises(BadInput, match="more than 50 instructions"):
        read_torch(archive(tmp_path / "a.pth", list(range(100)), {}))


@pytest.mark.parametrize("form", ["archive", "older"])
@settings(max_examples=80, deadline=None)
@given(place=st.floats(0, 1, exclude_max=True), value=st.integers(0, 255), cut=st.booleans())
def test_damage_raises_nothing_but_our_errors(tmp_path_factory, form, place, value, cut):
    path = tmp_path_factory.mktemp("damaged") / "a.pth"
    archive(path, *of(TENSORS)) if form == "archive" else older(path, TENSORS)
    content = bytearray(path.read_bytes())
    where = int(place * len(content))
    if cut:
        del content[where:]
    else:
        content[where] = value
    path.write_bytes(content)
    try:
        found = read_torch(path)
    except (BadInput, TooLarge) as error:
        assert "\n" not in str(error)
        return
    assert all(isinstance(array, np.ndarray) for array in found.values())


def test_no_such_file(tmp_path):
    with pytest.raises(BadInput, match="No such file"):
        read_torch(tmp_path / "a.pth")
