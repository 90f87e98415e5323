"""One file for an initialisation or a fitted field: its tensors, and what is needed to use and to judge them.

Only NumPy and safetensors are needed, so that a program without JAX can read a field. ``docs/format.md`` is the
specification, and ``examples/read_with_numpy.py`` a reader that does not use this package.
"""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self, get_args

import numpy as np

from ecop.core.errors import BadFieldFile, Diverged, EcopError
from ecop.core.files import atomic_write
from ecop.core.recipe import check
from ecop.store.documents import plain
from ecop.store.sealed import DTYPES, payload_sha256, seal, unseal

Role = Literal["initialisation", "fitted"]
Dtype = Literal["float16", "float32", "float64"]

UPDATE = "update."
"""What the names of an inner update's tensors begin with; no field has leaves of such names."""

_FIELD_KEYS = ("name", "settings")
_SIGNAL_KEYS = ("kind", "shape", "channels", "grid")
_BLOCK_KEYS = ("shape", "overlap", "starts")
_DOCUMENTS = ("field", "signal", "recipe", "fit", "provenance", "metrics")


@dataclasses.dataclass(frozen=True, eq=False)
class FieldFile:
    """The content of a field file, checked and turned into plain JSON values when it is made.

    Attributes:
        tensors: arrays by name, e.g. ``layers.0.weight`` (out, in); finite floating-point numbers; with ``blocks``,
            each has a leading axis of as many entries as there are blocks.
        role: ``initialisation`` or ``fitted``.
        field: ``name`` in the registry of fields and the ``settings`` that its class takes.
        signal: ``kind``, ``shape``, ``channels`` and ``grid`` (a mapping with the ``convention``); ``about`` for what
            its modality needs to place its samples and to write it.
        blocks: ``None``, or for a signal fitted as patches the ``shape`` of a block, the ``overlap`` of neighbours and
            the ``starts`` (the first sample of each block).
        recipe: the recipe of the training, as nested mappings.
        fit: the resolved settings of the test-time fit.
        provenance: data and licences, steps, seconds, versions, checksum of the parent; whatever is worth knowing.
        metrics: what was reached; NaN and infinity become ``None``.

    Raises:
        InvalidSetting: for an unknown role, a missing key, tensors of another type or values that JSON cannot write.

    Example:
        >>> signal = {"kind": "image", "shape": [8, 8], "channels": 1, "grid": {"convention": "centres"}}
        >>> field = {"name": "siren", "settings": {"width": 2}}
        >>> content = FieldFile({"head.bias": np.zeros(1)}, role="fitted", field=field, signal=signal)
        >>> content.nbytes("float16") < content.nbytes("float32")
        True
    """

    tensors: Mapping[str, np.ndarray]
    role: Role
    field: Mapping[str, Any]
    signal: Mapping[str, Any]
    blocks: Mapping[str, Any] | None = None
    recipe: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    fit: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    provenance: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    metrics: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def __post_init__(self):
        check(self.role in get_args(Role), "role", self.role, f"one of {', '.join(get_args(Role))}")
        for name in _DOCUMENTS:
            object.__setattr__(self, name, _mapping(getattr(self, name), name))
        _need_keys(self.field, _FIELD_KEYS, "field")
        _need_keys(self.signal, _SIGNAL_KEYS, "signal")
        object.__setattr__(self, "tensors", _arrays(self.tensors))
        if self.blocks is not None:
            object.__setattr__(self, "blocks", _mapping(self.blocks, "blocks"))
            _check_blocks(self.blocks, self.tensors)

    @property
    def dtype(self) -> str:
        """The type that holds every tensor exactly: ``float16``, ``float32`` or ``float64``."""
        return np.result_type(*self.tensors.values()).name

    @property
    def sha256(self) -> str:
        """Checksum of the tensors, by which a fitted field names its initialisation: the payload's, in `dtype`."""
        return payload_sha256(self._as(self.dtype))

    def upcast(self) -> dict[str, np.ndarray]:
        """The tensors for computing: float16 as float32, the others as they are."""
        return {
            name: tensor.astype(np.float32) if tensor.dtype == np.float16 else tensor
            for name, tensor in self.tensors.items()
        }

    def to_bytes(self, dtype: Dtype = "float32") -> bytes:
        """The bytes of the file, the same for the same content.

        Raises:
            InvalidSetting: for another type, or for values beyond the range of ``dtype``.
            Diverged: if a tensor holds NaN or infinity.
            TooLarge: if the description is larger than a reader accepts.
        """
        for name, tensor in self.tensors.items():
            if not np.isfinite(tensor).all():
                raise Diverged(f"tensor {name} holds NaN or infinity, so it was not stored; lower the inner rate")
        document = {name: getattr(self, name) for name in ("role", *_DOCUMENTS, "blocks")}
        return seal(self._as(dtype), {**document, "dtype": dtype})

    def nbytes(self, dtype: Dtype = "float32") -> int:
        """Bytes that the file takes."""
        return len(self.to_bytes(dtype))

    def save(self, path: str | Path, dtype: Dtype = "float32") -> None:
        """Write the file: under a temporary name first, so that an existing one survives a failure.

        Raises:
            CannotWrite: if the file system refuses; and as `to_bytes`.
        """
        data = self.to_bytes(dtype)
        with atomic_write(path) as file:
            file.write(data)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a file, all of it checked; tensors keep the type in which they were stored.

        Raises:
            BadFieldFile: if it is missing, not ours, from a newer version, incomplete or changed in any byte.
        """
        path = Path(path)
        tensors, document = unseal(path)
        try:
            content = cls(tensors, document["role"], **{name: document[name] for name in (*_DOCUMENTS, "blocks")})
        except (KeyError, EcopError) as error:
            problem = f"no {error} in it" if isinstance(error, KeyError) else str(error)
            raise _incomplete(path, problem) from None
        if {tensor.dtype.name for tensor in tensors.values()} != {document.get("dtype")}:
            raise _incomplete(path, f"tensors that are not {document.get('dtype')!r}")
        for name, tensor in tensors.items():
            if not np.isfinite(tensor).all():
                raise _incomplete(path, f"NaN or infinity in {name}")
        return content

    def _as(self, dtype: str) -> dict[str, np.ndarray]:
        check(dtype in DTYPES.values(), "dtype", dtype, f"one of {', '.join(DTYPES.values())}")
        with np.errstate(over="ignore"):
            cast = {name: tensor.astype(dtype) for name, tensor in self.tensors.items()}
        for name, tensor in cast.items():
            largest = np.finfo(dtype).max
            check(bool(np.isfinite(tensor).all()), "dtype", dtype, f"a type that holds {name}, beyond ±{largest:g}")
        return cast


def _mapping(value: Any, name: str) -> dict[str, Any]:
    check(isinstance(value, Mapping), name, value, "a mapping")
    return plain(value, name, gaps=name == "metrics")


def _need_keys(value: Mapping[str, Any], keys: tuple[str, ...], name: str) -> None:
    missing = [key for key in keys if key not in value]
    check(not missing, name, sorted(value), f"also {', '.join(missing)}")


def _arrays(tensors: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    arrays = {name: np.asarray(tensor) for name, tensor in tensors.items()}
    check(len(arrays) > 0, "tensors", arrays, "at least one")
    for name, array in arrays.items():
        check(isinstance(name, str) and name != "__metadata__", "tensors", name, "a name other than __metadata__")
        check(array.dtype.name in DTYPES.values(), name, array.dtype.name, "float16, float32 or float64")
    return arrays


def _check_blocks(blocks: Mapping[str, Any], tensors: Mapping[str, np.ndarray]) -> None:
    _need_keys(blocks, _BLOCK_KEYS, "blocks")
    starts = blocks["starts"]
    check(isinstance(starts, list) and len(starts) > 0, "blocks.starts", starts, "the first sample of each block")
    for name, tensor in tensors.items():
        check(tensor.shape[:1] == (len(starts),), name, tensor.shape, f"a leading axis of {len(starts)} blocks")


def _incomplete(path: Path, problem: str) -> BadFieldFile:
    return BadFieldFile(path, f"not a complete field file ({problem})", "create it anew")
