"""What a torch pickle says of its tensors, read without unpickling: no name in it is ever looked up, let alone called.

A pickle is a program for a small stack machine. The standard library takes it apart into instructions; here those few
are followed that describe a dictionary of tensors, into plain values, and anything else is refused.
"""

import math
import pickletools
from collections.abc import Callable
from dataclasses import dataclass
from io import BufferedIOBase
from pathlib import Path
from typing import IO, Any, cast

import numpy as np

from ecop.core.errors import BadInput

MOST_INSTRUCTIONS = 200_000
"""A dictionary of a thousand tensors has about thirty thousand."""

STORAGES = {
    "FloatStorage": "<f4", "DoubleStorage": "<f8", "HalfStorage": "<f2", "LongStorage": "<i8", "IntStorage": "<i4",
    "ShortStorage": "<i2", "CharStorage": "i1", "ByteStorage": "u1", "BoolStorage": "?",
}  # fmt: skip
"""Names of torch's storages, and the type of their numbers."""

DICTIONARY, TENSOR = "collections OrderedDict", "torch._utils _rebuild_tensor_v2"
REMEDY = "give the file of a state_dict, or save it as safetensors"
_MARK = object()


@dataclass(frozen=True)
class Name:
    """A name that a pickle may mention; only a word."""

    text: str


@dataclass(frozen=True)
class Storage:
    """Numbers that lie elsewhere in the file.

    Attributes:
        key: by which the file names them.
        dtype: of the numbers.
        count: how many.
    """

    key: str
    dtype: np.dtype
    count: int


@dataclass(frozen=True)
class Tensor:
    """A part of a storage, seen as an array.

    Attributes:
        storage: where its numbers lie.
        offset: of the first of them.
        shape: along each axis.
        strides: from one number to the next along each axis, in numbers.
    """

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def of(self, numbers: np.ndarray) -> np.ndarray:
        """The array, a copy, from the storage's ``count`` numbers."""
        steps = tuple(step * numbers.itemsize for step in self.strides)
        return np.lib.stride_tricks.as_strided(numbers[self.offset :], self.shape, steps, writeable=False).copy()


def read_pickle(stream: BufferedIOBase, path: Path) -> Any:
    """The value that a pickle describes: numbers, texts, tuples, lists, dictionaries and `Tensor`; nothing is executed.

    The stream is left behind the pickle.

    Raises:
        BadInput: for an instruction or a name that a dictionary of tensors does not need.
        ValueError, IndexError, TypeError, AttributeError: for a damaged pickle.
    """
    machine = _Machine(path)
    for number, (opcode, argument, _) in enumerate(pickletools.genops(cast(IO[bytes], stream))):
        if number >= MOST_INSTRUCTIONS:
            raise BadInput(path, f"its pickle has more than {MOST_INSTRUCTIONS} instructions", REMEDY)
        if opcode.name == "STOP":
            break
        machine.follow(opcode.name, argument)
    (value,) = machine.stack
    return value


class _Machine:
    """The stack, and what each instruction does to it."""

    def __init__(self, path: Path):
        self.path = path
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}
        self.instructions: dict[str, Callable[[Any], None]] = {
            "PROTO": lambda _: None,
            "MARK": lambda _: self.stack.append(_MARK),
            "NONE": lambda _: self.stack.append(None),
            "NEWTRUE": lambda _: self.stack.append(True),
            "NEWFALSE": lambda _: self.stack.append(False),
            "EMPTY_TUPLE": lambda _: self.stack.append(()),
            "EMPTY_LIST": lambda _: self.stack.append([]),
            "EMPTY_DICT": lambda _: self.stack.append({}),
            "TUPLE": lambda _: self.stack.append(tuple(self._above_mark())),
            "TUPLE1": lambda _: self._tuple(1),
            "TUPLE2": lambda _: self._tuple(2),
            "TUPLE3": lambda _: self._tuple(3),
            "APPEND": lambda _: self._extend(self._popped(1)),
            "APPENDS": lambda _: self._extend(self._above_mark()),
            "SETITEM": lambda _: self._update(self._popped(2)),
            "SETITEMS": lambda _: self._update(self._above_mark()),
            "GLOBAL": self._name,
            "BINPERSID": lambda _: self.stack.append(self._storage(*self.stack.pop())),
            "REDUCE": lambda _: self._reduce(*self._popped(2)),
            "BUILD": lambda _: self._forget(*self._popped(1)),
        }
        for name in ("BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT"):
            self.instructions[name] = self.stack.append
        for name in ("BINUNICODE", "SHORT_BINSTRING", "BINSTRING"):
            self.instructions[name] = self.stack.append
        for name in ("PUT", "BINPUT", "LONG_BINPUT"):
            self.instructions[name] = self._remember
        for name in ("GET", "BINGET", "LONG_BINGET"):
            self.instructions[name] = lambda place: self.stack.append(self.memo[place])

    def follow(self, name: str, argument: Any) -> None:
        if name not in self.instructions:
            raise BadInput(self.path, f"its pickle has the instruction {name}, which tensors do not need", REMEDY)
        self.instructions[name](argument)

    def _popped(self, count: int) -> list[Any]:
        if len(self.stack) < count or any(value is _MARK for value in self.stack[-count:]):
            raise IndexError("an instruction without its arguments")
        values = self.stack[-count:]
        del self.stack[-count:]
        return values

    def _above_mark(self) -> list[Any]:
        values = []
        while (value := self.stack.pop()) is not _MARK:
            values.append(value)
        return values[::-1]

    def _remember(self, place: int) -> None:
        self.memo[place] = self.stack[-1]

    def _tuple(self, count: int) -> None:
        self.stack.append(tuple(self._popped(count)))

    def _extend(self, values: list[Any]) -> None:
        self._top(list).extend(values)

    def _update(self, values: list[Any]) -> None:
        # Texts and numbers alone are keys: a tuple of tuples of tuples can take for ever to hash.
        for key, value in zip(values[::2], values[1::2], strict=True):
            self._top(dict)[_checked(key, (str, int), "a key")] = value

    def _top(self, kind: type[Any]) -> Any:
        return _checked(self.stack[-1], kind, "what is filled")

    def _name(self, text: str) -> None:
        module, _, name = text.partition(" ")
        if text not in (DICTIONARY, TENSOR) and not (module == "torch" and name in STORAGES):
            problem = f"its pickle names {text.replace(' ', '.')!r}, which tensors do not need"
            raise BadInput(self.path, problem, f"do not trust it; {REMEDY}")
        self.stack.append(Name(text))

    def _reduce(self, name: Any, arguments: Any) -> None:
        text = _checked(name, Name, "a call").text
        if text == DICTIONARY:
            self.stack.append(_dictionary(*arguments))
        elif text == TENSOR:
            self.stack.append(_tensor(*arguments))
        else:
            raise TypeError(f"{text} is called")

    def _forget(self, state: Any) -> None:
        """A dictionary's attributes, of which torch's have ``_metadata``, are not needed."""
        self._top(dict)
        _checked(state, dict, "a state")

    def _storage(self, word: Any, kind: Any, key: Any, place: Any, count: Any, view: Any = None) -> Storage:
        name = _checked(kind, Name, "a storage").text.removeprefix("torch ")
        if word != "storage" or view is not None or _checked(count, int, "a count") < 0:
            raise ValueError("a reference that is no storage")
        _checked(place, str, "a device")
        return Storage(str(_checked(key, (str, int), "a key")), np.dtype(STORAGES[name]), count)


def _dictionary(pairs: Any = ()) -> dict[Any, Any]:
    """Empty, or from a list of pairs, as Python 2 wrote it."""
    return {_checked(key, (str, int), "a key"): value for key, value in pairs}


def _tensor(storage: Any, offset: Any, shape: Any, strides: Any, needs_gradient: Any, hooks: Any) -> Tensor:
    _checked(storage, Storage, "a storage")
    for number in (offset, *shape, *strides):
        if _checked(number, int, "a size") < 0:
            raise ValueError("a size below 0")
    if len(shape) != len(strides):
        raise ValueError("a stride for each axis is missing")
    if math.prod(shape):
        last = offset + sum((n - 1) * step for n, step in zip(shape, strides, strict=True))
        # No tensor of weights repeats numbers; one that does can be far larger than its file.
        if last >= storage.count or math.prod(shape) > storage.count:
            raise ValueError("a tensor beyond its storage")
    elif offset > storage.count:
        raise ValueError("a tensor beyond its storage")
    return Tensor(storage, offset, tuple(shape), tuple(strides))


def _checked(value: Any, kind: Any, what: str) -> Any:
    if not isinstance(value, kind) or isinstance(value, bool):
        raise TypeError(f"{what} of another type")
    return value
