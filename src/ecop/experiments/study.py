"""A study: one question, the arms that are compared to answer it, and the claims that it puts to the test.

Studies are TOML files. Those that ship lie in `studies/`, and anyone's own works just as well; at what size a study
runs is said by a scale (`Scale`), so that one study is the same question in minutes on two cores and in days on a GPU.
"""

import dataclasses
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any, Literal, Self

from ecop.core.errors import BadInput, UnknownName
from ecop.core.recipe import check, check_keys

Length = Literal["steps", "work"] | float


@dataclass(frozen=True)
class Arm:
    """One of the things that a study compares.

    Attributes:
        name: short, for files and tables.
        label: for people.
        settings: changes to the scale's recipe, by dotted key.
        length: trained for as many outer ``steps`` as the reference, for as much counted ``work``, or, a number, for so
            many times its steps.
        trained: whether it is trained at all; otherwise it is the random initialisation.
        scalings: gradient scalings that it is evaluated with, instead of the study's.
        corpora: the only ones that it is for; empty: all.
        on: further changes to the recipe on single corpora, by the corpus's name.
    """

    name: str
    label: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    length: Length = "steps"
    trained: bool = True
    scalings: tuple[str, ...] = ()
    corpora: tuple[str, ...] = ()
    on: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Claim:
    """Something that is said of the method, in a form that a study can contradict.

    Attributes:
        text: the claim.
        better: the arm that is said to be better, in mean PSNR.
        worse: the arm that it is compared with.
        claimed: the number that the source gives, if any.
        source: who claims it.
        better_scaling: of the better arm's fits; the study's first by default.
        worse_scaling: of the worse arm's fits; that arm's first by default.
        steps: test steps; the study's headline by default.
    """

    text: str
    better: str
    worse: str
    claimed: str = ""
    source: str = "arXiv 2302.00617"
    better_scaling: str | None = None
    worse_scaling: str | None = None
    steps: int | None = None


@dataclass(frozen=True)
class Study:
    """A study as its file describes it.

    Attributes:
        name: of the file.
        title: a headline.
        question: what it asks, in a sentence or two.
        kind: how it is run: ``compare`` (train arms, fit held-out signals), ``dynamics`` or ``memory``.
        corpora: names of the scale's corpora that it runs on.
        reference: the arm whose outer steps, and whose work, the others get; gains are against it.
        arms: what is compared.
        seeds: number of seeds for a corpus by name; 1 for those that are not named.
        steps: inner steps of the fits at which they are measured, ascending.
        headline: the one of them that tables and claims are about.
        scalings: gradient scalings of the fits; the first is that of tables and claims.
        settings: changes to the scale's recipe for all arms.
        transfer: whether every arm is also evaluated on the other corpora of its modality.
        corruptions: shares of points replaced by noise, in training and in the contexts of the fits; every corpus is
            run with each. Results are measured against the clean signals (but at a share of 1, where none is left).
        claims: what it puts to the test.
        part: the split whose signals are fitted: ``test``, or ``validation`` where settings are chosen by the results.
        map: two settings by which the arms are laid out as a heat map, or empty.
        options: settings of the kind.
    """

    name: str
    title: str
    question: str
    corpora: tuple[str, ...]
    kind: str = "compare"
    reference: str = ""
    arms: tuple[Arm, ...] = ()
    seeds: Mapping[str, int] = field(default_factory=dict)
    steps: tuple[int, ...] = (4, 8, 16, 32, 64)
    headline: int = 16
    scalings: tuple[str, ...] = ("norm", "none")
    settings: Mapping[str, Any] = field(default_factory=dict)
    transfer: bool = False
    corruptions: tuple[float, ...] = (0.0,)
    claims: tuple[Claim, ...] = ()
    part: Literal["test", "validation"] = "test"
    map: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self):
        names = [arm.name for arm in self.arms]
        check(len(set(names)) == len(names), "arms", names, "names that differ")
        check(self.headline in self.steps, "headline", self.headline, f"one of the steps {list(self.steps)}")
        check(list(self.steps) == sorted(set(self.steps)), "steps", self.steps, "ascending numbers")
        for arm in (self.reference, *(name for claim in self.claims for name in (claim.better, claim.worse))):
            if arm and arm not in names:
                raise UnknownName(f"arm of the study {self.name!r}", arm, names)

    @classmethod
    def load(cls, name_or_path: str | Path) -> Self:
        """A study that ships, by name, or from a ``.toml`` file.

        Raises:
            UnknownName: for a name or a key that does not exist.
            BadInput: if the file cannot be read or is not a study.
        """
        path = Path(name_or_path)
        if path.suffix != ".toml":
            if str(name_or_path) not in shipped_studies():
                raise UnknownName("study", str(name_or_path), shipped_studies())
            tree = tomllib.loads(_shipped("studies").joinpath(f"{name_or_path}.toml").read_text(encoding="utf-8"))
            return cls.from_dict(str(name_or_path), tree)
        return cls.from_dict(path.stem, read_toml(path, "study"))

    @classmethod
    def from_dict(cls, name: str, tree: Mapping[str, Any]) -> Self:
        """Build a study from nested mappings of plain values."""
        values = {"name": name, **_known(cls, tree, f"study {name!r}")}
        values["arms"] = tuple(Arm(**_known(Arm, arm, "arm")) for arm in tree.get("arms", ()))
        values["claims"] = tuple(Claim(**_known(Claim, claim, "claim")) for claim in tree.get("claims", ()))
        try:
            return cls(**values)
        except TypeError as error:
            raise BadInput(name, f"the study is not complete ({error})", "give it what is missing") from None

    def arm(self, name: str) -> Arm:
        """The arm of that name."""
        return next(arm for arm in self.arms if arm.name == name)

    def scalings_of(self, arm: Arm) -> tuple[str, ...]:
        """Gradient scalings that an arm is evaluated with."""
        return arm.scalings or self.scalings

    def seeds_of(self, corpus: str) -> range:
        """Seeds of a corpus."""
        return range(self.seeds.get(corpus, 1))


@dataclass(frozen=True)
class Corpus:
    """Signals to train and test on, and the recipe for them at some scale.

    Attributes:
        name: of the corpus.
        data: name of a data set of ``ecop data``; empty where the user has to give a folder.
        recipe: name of the recipe.
        settings: changes to it, by dotted key.
        test: held-out signals that are fitted, at most.
        windows: windows that are cut from each of them, where the recipe trains on windows; 1: its middle.
    """

    name: str
    recipe: str
    data: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    test: int = 16
    windows: int = 1


@dataclass(frozen=True)
class Scale:
    """The sizes at which studies run.

    Attributes:
        name: ``small``, ``medium`` or ``paper``.
        about: what it takes.
        corpora: by name; the file's ``settings`` are those of all of them, before their own.
    """

    name: str
    about: str
    corpora: Mapping[str, Corpus]

    @classmethod
    def load(cls, name_or_path: str | Path) -> Self:
        """A scale that ships, by name, or from a ``.toml`` file.

        Raises:
            UnknownName, BadInput: as `Study.load`.
        """
        path = Path(name_or_path)
        if path.suffix == ".toml":
            tree, name = read_toml(path, "scale"), path.stem
        elif str(name_or_path) in shipped_scales():
            name = str(name_or_path)
            tree = tomllib.loads(_shipped("scales").joinpath(f"{name}.toml").read_text(encoding="utf-8"))
        else:
            raise UnknownName("scale", str(name_or_path), shipped_scales())
        check_keys("key of the scale", tree, ("about", "settings", "corpora"))
        corpora = {}
        for key, entry in tree.get("corpora", {}).items():
            own = _known(Corpus, entry, "corpus")
            settings = {**tree.get("settings", {}), **own.get("settings", {})}
            corpora[key] = Corpus(**{"name": key, **own, "settings": settings})
        return cls(name, tree.get("about", ""), corpora)

    def corpus(self, name: str) -> Corpus:
        """The corpus of that name.

        Raises:
            UnknownName: if the scale has none.
        """
        if name not in self.corpora:
            raise UnknownName(f"corpus of the scale {self.name!r}", name, self.corpora)
        return self.corpora[name]


def shipped_studies() -> tuple[str, ...]:
    """Names of the studies that ship with the package."""
    return tuple(_names("studies"))


def shipped_scales() -> tuple[str, ...]:
    """Names of the scales that ship with the package."""
    return tuple(_names("scales"))


def read_toml(path: Path, what: str) -> dict[str, Any]:
    """A user's TOML file.

    Raises:
        BadInput: if it cannot be read, or is not TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadInput(path, f"the {what} cannot be read ({error})", "give a TOML file") from None


def _known(cls: type, tree: Mapping[str, Any], what: str) -> dict[str, Any]:
    """The entries of a table as arguments of a dataclass: its own keys only, lists as tuples."""
    names = tuple(item.name for item in dataclasses.fields(cls))
    check_keys(f"key of the {what}", tree, names)
    return {key: tuple(value) if isinstance(value, list) else value for key, value in tree.items()}


def _shipped(folder: str) -> Any:
    return resources.files("ecop.experiments").joinpath(folder)


def _names(folder: str) -> Iterator[str]:
    files = (file.name for file in _shipped(folder).iterdir())
    return iter(sorted(name.removesuffix(".toml") for name in files if name.endswith(".toml")))
