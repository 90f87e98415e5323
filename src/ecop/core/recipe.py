"""A recipe: everything that decides a training run, as frozen dataclasses, read from and written to TOML.

One source for the command line (``--set learner.keep=0.5``), the recipe files that ship, and the Python interface.
"""

import dataclasses
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any, Literal, Self, get_args, get_type_hints

import tomli_w

from ecop.core.errors import BadInput, InvalidSetting, UnknownName
from ecop.core.grids import Convention


@dataclass(frozen=True)
class Part:
    """A registered part by name, with the settings that its class takes."""

    name: str
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class DataSettings:
    """How signals are cut and batched.

    Attributes:
        size: samples along each axis of one training signal, e.g. (178, 178).
        crop: ``centre`` (resize the short side, cut the middle) or ``random`` (a seeded window).
        scales: with random crops, the window is this many times ``size`` before it is resized: (low, high), drawn
            log-uniformly; (1, 1) cuts at the original resolution.
        grid: coordinate convention, ``centres`` or ``corners``.
        channels: channels of every signal (3: grey is repeated, alpha is dropped).
        batch: signals in one outer step.
        validation: share of the files kept for validation; never trained on.
        test: share of the files kept for test; neither trained nor validated on.
        split_seed: seed of the split by file.
        split_file: a text file with lines ``NAME train|validation|test`` instead of a seeded split.
        layout: how the folder is laid out, which says what is for training, validation and test: ``folder`` (as the
            settings above say) or a published data set's own, such as ``celeba``.
        reading: settings for reading files, by name, as the modality has them (a variable, a sample rate).
    """

    size: tuple[int, ...] = (178, 178)
    crop: Literal["centre", "random"] = "centre"
    scales: tuple[float, float] = (1.0, 1.0)
    grid: Convention = "centres"
    channels: int = 3
    batch: int = 8
    validation: float = 0.1
    test: float = 0.1
    split_seed: int = 0
    split_file: str | None = None
    layout: str = "folder"
    reading: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class TrainSettings:
    """The outer loop.

    Attributes:
        steps: outer steps.
        minutes: stop after that time even if steps are left; ``None``: no limit.
        lr: Adam's rate on the initialisation.
        final_lr: rate at the last step, reached along a cosine; equal to ``lr`` by default (constant).
        clip: largest global norm of the meta-gradient.
        seed: seed of the initialisation, the data order, the crops and every scorer's draws.
        validate_every: outer steps between validations.
        checkpoint_every: outer steps between checkpoints.
        log_every: outer steps between lines of ``metrics.jsonl``.
        validation_signals: signals of the validation split that are fitted at each validation.
    """

    steps: int = 150_000
    minutes: float | None = None
    lr: float = 1e-5
    final_lr: float | None = None
    clip: float = 1.0
    seed: int = 0
    validate_every: int = 1000
    checkpoint_every: int = 1000
    log_every: int = 10
    validation_signals: int = 16


@dataclass(frozen=True)
class FitSettings:
    """Test time: how a new signal is fitted.

    Attributes:
        steps: inner steps.
        scaling: ``norm``, ``none``, ``warmup:N``, ``loss`` or ``constant:C``.
        lr: inner rate; ``None`` takes the learner's.
        scorer: ranks the points for the scaling; ``None`` takes the learner's.
        keep: share of the points that the scaling compares with; ``None`` takes the learner's.
        drop: share of the highest scores that is passed over first; ``None`` takes the learner's.
        head: ``least-squares`` solves for the last layer behind the last step; ``steps`` leaves it as the steps did.
    """

    steps: int = 16
    scaling: str = "norm"
    lr: float | None = None
    scorer: str | None = None
    keep: float | None = None
    drop: float | None = None
    head: Literal["steps", "least-squares"] = "steps"


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a training run.

    Example:
        >>> recipe = Recipe.named("quick").with_settings({"learner.keep": 0.5})
        >>> recipe.learner.settings["keep"]
        0.5
    """

    name: str = "custom"
    about: str = ""
    signal: str = "image"
    field: Part = dataclasses.field(default_factory=lambda: Part("siren"))
    learner: Part = dataclasses.field(default_factory=lambda: Part("ecop"))
    data: DataSettings = DataSettings()
    train: TrainSettings = TrainSettings()
    fit: FitSettings = FitSettings()

    def __post_init__(self):
        check(self.train.steps >= 1, "train.steps", self.train.steps, "a whole number ≥ 1")
        check(self.train.lr > 0, "train.lr", self.train.lr, "a rate above 0")
        check(self.train.clip > 0, "train.clip", self.train.clip, "a norm above 0")
        check(self.data.batch >= 1, "data.batch", self.data.batch, "a whole number ≥ 1")
        check(all(n >= 2 for n in self.data.size), "data.size", self.data.size, "at least 2 samples along every axis")
        check(0 < self.data.scales[0] <= self.data.scales[1], "data.scales", self.data.scales, "0 < low ≤ high")
        shares = self.data.validation, self.data.test
        check(min(shares) >= 0 and sum(shares) < 1, "data.validation, data.test", shares, "shares that leave a rest")
        own_list = self.data.split_file is not None and self.data.layout != "folder"
        check(not own_list, "data.split_file", self.data.split_file, "none with a data.layout other than folder")
        check(self.fit.steps >= 1, "fit.steps", self.fit.steps, "a whole number ≥ 1")

    @classmethod
    def named(cls, name: str) -> Self:
        """A recipe that ships with the package.

        Raises:
            UnknownName: if there is none of that name.
        """
        if name not in shipped_recipes():
            raise UnknownName("recipe", name, shipped_recipes())
        return cls.from_toml(resources.files("ecop.recipes").joinpath(f"{name}.toml").read_text(), name)

    @classmethod
    def load(cls, name_or_path: str | Path) -> Self:
        """A recipe by name, or from a ``.toml`` file.

        Raises:
            BadInput: if the file is missing or is not TOML.
            UnknownName: for a name or a key that does not exist.
        """
        path = Path(name_or_path)
        if path.suffix != ".toml":
            return cls.named(str(name_or_path))
        try:
            return cls.from_toml(path.read_text(), path)
        except (OSError, UnicodeDecodeError) as error:
            raise BadInput(path, f"the recipe cannot be read ({error})", "give a TOML file") from None

    @classmethod
    def from_toml(cls, text: str, origin: str | Path = "recipe") -> Self:
        """Parse a recipe; unknown keys are refused with the nearest name."""
        try:
            return cls.from_dict(tomllib.loads(text))
        except tomllib.TOMLDecodeError as error:
            raise BadInput(origin, f"not valid TOML ({error})", "mend the line that it names") from None

    @classmethod
    def from_dict(cls, tree: Mapping[str, Any]) -> Self:
        """Build a recipe from nested mappings of plain values."""
        return _build(cls, tree, "")

    def to_dict(self) -> dict[str, Any]:
        """Nested mappings of plain values, without what is ``None``."""
        return _plain(dataclasses.asdict(self))

    def to_toml(self) -> str:
        """The recipe as TOML that `from_toml` reads back."""
        return tomli_w.dumps(self.to_dict())

    def with_settings(self, changes: Mapping[str, Any]) -> Self:
        """The recipe with dotted keys replaced, e.g. ``{"learner.keep": 0.5, "train.steps": 100}``.

        Raises:
            UnknownName: for a key that does not exist.
        """
        tree = self.to_dict()
        for key, value in changes.items():
            *parents, last = key.split(".")
            node = tree
            for parent in parents:
                node = node.setdefault(parent, {})
                if not isinstance(node, dict):
                    raise InvalidSetting(key, value, f"{parent} has no settings of its own")
            if last == "name" and parents and parents[0] in ("field", "learner"):
                node.clear()  # another part takes other settings
            node[last] = value
        return type(self).from_dict(tree)


def check(holds: bool, name: str, value: object, expected: str) -> None:
    """Raise `InvalidSetting` unless ``holds``."""
    if not holds:
        raise InvalidSetting(name, value, expected)


def shipped_recipes() -> tuple[str, ...]:
    """Names of the recipes that ship with the package."""
    folder = resources.files("ecop.recipes")
    return tuple(sorted(file.name.removesuffix(".toml") for file in folder.iterdir() if file.name.endswith(".toml")))


def parse_value(text: str) -> Any:
    """A value as TOML writes it (``0.5``, ``[64, 64]``, ``true``); anything else is a string."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def check_keys(kind: str, given: Mapping[str, Any], known: Mapping[str, Any] | tuple[str, ...]) -> None:
    """Raise `UnknownName` for a key of ``given`` that is not among ``known``."""
    for key in given:
        if key not in known:
            raise UnknownName(kind, key, known)


def _build(cls: type, tree: Mapping[str, Any], prefix: str) -> Any:
    hints = get_type_hints(cls)
    check_keys(f"setting of [{prefix.rstrip('.')}]" if prefix else "recipe setting", tree, hints)
    values = {}
    for key, value in tree.items():
        name, hint = prefix + key, hints[key]
        if hint is Part:
            check(isinstance(value, Mapping) and "name" in value, name, value, "a table with a name")
            values[key] = Part(value["name"], {k: v for k, v in value.items() if k != "name"})
        elif isinstance(hint, type) and dataclasses.is_dataclass(hint):
            check(isinstance(value, Mapping), name, value, "a table of settings")
            values[key] = _build(hint, value, f"{name}.")
        else:
            values[key] = _coerce(hint, value, name)
    return cls(**values)


def _coerce(hint: Any, value: Any, name: str) -> Any:
    """``value`` as the annotated type, or `InvalidSetting`."""
    choices = get_args(hint)
    if hint is float or (float in choices and hint is not tuple):
        if getattr(hint, "__origin__", None) is tuple:
            return _coerce_tuple(choices, value, name)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
        check(value is None and type(None) in choices, name, value, "a number")
        return value
    if getattr(hint, "__origin__", None) is tuple:
        return _coerce_tuple(choices, value, name)
    if getattr(hint, "__origin__", None) is Literal:
        check(value in choices, name, value, f"one of {', '.join(map(repr, choices))}")
        return value
    if getattr(hint, "__origin__", None) is Mapping:
        check(isinstance(value, Mapping), name, value, "a table of settings")
        return dict(value)
    allowed = choices or (hint,)
    check(isinstance(value, allowed) and not (isinstance(value, bool) and bool not in allowed), name, value,
          "a value of type " + " or ".join(t.__name__ for t in allowed))  # fmt: skip
    return value


def _coerce_tuple(items: tuple[Any, ...], value: Any, name: str) -> tuple[Any, ...]:
    check(isinstance(value, list | tuple) and len(value) > 0, name, value, "a list")
    kinds = [items[0]] * len(value) if items[-1] is Ellipsis else list(items)
    check(len(kinds) == len(value), name, value, f"a list of {len(kinds)}")
    return tuple(_coerce(kind, item, f"{name}[{i}]") for i, (kind, item) in enumerate(zip(kinds, value, strict=True)))


def _plain(tree: Mapping[str, Any]) -> dict[str, Any]:
    plain: dict[str, Any] = {}
    for key, value in tree.items():
        if isinstance(value, Mapping):
            nested = _plain(value)
            if set(value) == {"name", "settings"}:
                nested = {"name": value["name"], **_plain(value["settings"])}
            plain[key] = nested
        elif value is not None:
            plain[key] = list(value) if isinstance(value, tuple) else value
    return plain
