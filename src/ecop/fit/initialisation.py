"""An initialisation: what training makes, a file holds, and every fit starts from."""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import equinox as eqx
import jax

from ecop.adapt.engine import Engine
from ecop.adapt.gradient import Precision
from ecop.adapt.rollout import Pruning
from ecop.adapt.scaling import parse_scaling
from ecop.adapt.update import Update
from ecop.core.errors import BadFieldFile, UnknownName
from ecop.core.recipe import FitSettings, Recipe, check
from ecop.core.registry import FIELDS, SIGNALS
from ecop.fields.base import Field, create_field, split_adapted
from ecop.fit.finding import find_initialisation
from ecop.fit.fitted import Fitted
from ecop.fit.head import check_head
from ecop.fit.loop import FitPlan
from ecop.fit.settings import described_learner, resolved_fit
from ecop.fit.tensors import (
    describe_field,
    field_tensors,
    from_tensors,
    point_sizes,
    to_tensors,
    update_from_tensors,
    update_tensors,
)
from ecop.pruning.naming import parse_scorer
from ecop.signals.base import Measure, Signal
from ecop.store.field_file import Dtype, FieldFile

RANDOM = "random:"

Progress = Callable[[int, int, float], None]
"""Called with the work done and all work, in steps or signals, and the PSNR in dB so far; NaN where none is known."""


@dataclass(frozen=True)
class Initialisation:
    """A field to start from, and how to fit with it.

    Attributes:
        field: θ_0.
        recipe: how it was trained.
        settings: the resolved test-time settings.
        provenance: data and licences, steps, seconds, versions.
        metrics: what it reached in validation.
        name: of the file or of the shipped initialisation.
        update: how a gradient moves θ, with what training learned of it; ``None``: as the recipe says, nothing learned.
    """

    field: Field
    recipe: Recipe
    settings: FitSettings
    provenance: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    metrics: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    name: str = ""
    update: Update | None = None

    @classmethod
    def random(cls, recipe: Recipe, settings: FitSettings, seed: int = 0) -> Self:
        """The field that training with ``recipe`` would start from: random parameters."""
        field = create_recipe_field(recipe, jax.random.key(seed))
        return cls(field, recipe, settings, name="random")

    @classmethod
    def load(cls, name_or_path: str | Path) -> Self:
        """An initialisation that ships, by name; or a file; or a run folder, whose best one it takes.

        ``random:RECIPE`` stands for the random parameters that training with that recipe would start from.

        Raises:
            UnknownName: if it is none of these.
            BadFieldFile: if the file is damaged, newer, or not an initialisation.
        """
        if str(name_or_path).startswith(RANDOM):
            recipe = Recipe.load(str(name_or_path).removeprefix(RANDOM))
            return cls.random(recipe, resolved_fit(recipe))
        path = find_initialisation(name_or_path)
        content = FieldFile.load(path)
        if content.role != "initialisation":
            raise BadFieldFile(path, "holds a fitted field, not an initialisation", "render it, or give another file")
        try:
            recipe, settings = Recipe.from_dict(content.recipe), FitSettings(**content.fit)
        except (TypeError, UnknownName) as error:
            raise BadFieldFile(path, f"its settings cannot be read ({error})", "create it anew") from None
        tensors = content.upcast()
        field = from_tensors(content.field, field_tensors(tensors), path)
        name = path.parent.name if path.stem in ("best", "last") else path.stem
        start = cls(field, recipe, settings, {**content.provenance, "sha256": content.sha256}, content.metrics, name)
        return dataclasses.replace(start, update=update_from_tensors(start.inner_update(), tensors, path))

    def save(self, path: str | Path, dtype: Dtype = "float32") -> None:
        """Write it to one file.

        Raises:
            CannotWrite: if that is not possible.
            Diverged: if a parameter is not finite.
        """
        data = self.recipe.data
        FieldFile(
            to_tensors(self.field) | update_tensors(self.inner_update()),
            role="initialisation",
            field=describe_field(self.field, *field_sizes(self.recipe)),
            signal={
                "kind": self.recipe.signal, "shape": list(data.size), "channels": data.channels,
                "grid": {"convention": data.grid},
            },
            recipe=self.recipe.to_dict(),
            fit={name: value for name, value in dataclasses.asdict(self.settings).items() if value is not None},
            provenance={k: v for k, v in self.provenance.items() if k != "sha256"},
            metrics=self.metrics,
        ).save(path, dtype)  # fmt: skip

    def plan(
        self, steps: int | None = None, scaling: str | None = None, limit: int = 0, engine: Engine = Engine()
    ) -> FitPlan:
        """The resolved settings as a plan; arguments that are not ``None`` replace them.

        Raises:
            InvalidSetting: for fewer than 0 steps, or a head that cannot be solved for.
            UnknownName: for a scaling or scorer that is not registered.
        """
        own = resolved_fit(dataclasses.replace(self.recipe, fit=self.settings))
        assert own.scorer is not None and own.keep is not None, "resolved"
        pruning = Pruning(parse_scorer(own.scorer), own.keep, own.drop or 0.0)
        steps = own.steps if steps is None else steps
        if own.head == "least-squares":
            check_head(self.field)
        update = self.inner_update().over(steps)
        return FitPlan(
            pruning, parse_scaling(scaling or own.scaling), steps, update, limit, head=own.head, engine=engine
        )

    def inner_update(self) -> Update:
        """How a gradient moves θ: at the rate of the settings, with what training learned of it."""
        learner, own = described_learner(self.recipe), resolved_fit(dataclasses.replace(self.recipe, fit=self.settings))
        plain = learner.update.create(split_adapted(self.field)[0], own.lr, learner.inner_steps)
        return plain if self.update is None else eqx.combine(eqx.filter(self.update, eqx.is_array), plain)

    def with_fit(self, **changes: Any) -> Self:
        """The same start with other test-time settings, e.g. ``head="least-squares"``.

        Raises:
            TypeError: for a setting that `FitSettings` does not have.
        """
        return dataclasses.replace(self, settings=dataclasses.replace(self.settings, **changes))

    def fit_plan(
        self,
        steps: int | None,
        scaling: str | None,
        adam_steps: int = 0,
        until_psnr: float | None = None,
        limit: int = 0,
        precision: Precision = "float32",
    ) -> FitPlan:
        """The plan that `fit` follows."""
        check(adam_steps >= 0, "adam_steps", adam_steps, "a whole number ≥ 0")
        trained = self.settings.steps if steps is None else steps
        most = max(trained + adam_steps, 0 if until_psnr is None else limit)
        return self.plan(steps, scaling, most, Engine(precision=precision))

    def fit(
        self,
        signal: Signal | str | Path,
        steps: int | None = None,
        *,
        scaling: str | None = None,
        adam_steps: int = 0,
        until_psnr: float | None = None,
        limit: int = 500,
        native: bool = False,
        patches: bool = False,
        dtype: Dtype = "float32",
        seed: int = 0,
        precision: Precision = "float32",
        reading: Mapping[str, Any] | None = None,
        progress: Progress | None = None,
        measures: Mapping[str, Measure] | None = None,
    ) -> Fitted:
        """Turn a signal into a field.

        Args:
            signal: a signal, or the path of its file.
            steps: inner steps; as the initialisation was trained for by default.
            scaling: ``norm``, ``none``, ``warmup:N``, ``loss`` or ``constant:C``; the initialisation's by default.
            adam_steps: steps of Adam on the full context behind them; with ``steps=0`` and random parameters this is
                ordinary training of one field from scratch.
            until_psnr: go on behind the trained steps, with Adam, until this PSNR in dB or ``limit`` steps.
            limit: most steps in all, with ``until_psnr``.
            native: fit one field to all points, however many.
            patches: fit one field to each block of the recipe's size.
            dtype: how the parameters are stored: ``float32``, or ``float16`` for half the bytes.
            seed: for scorers that draw.
            precision: of the fit's matrix products: ``tf32`` and ``bf16`` are faster on GPUs, see
                `ecop.adapt.engine.Engine`. Metrics are those of a render in float32.
            reading: settings for reading the file, such as a variable or a time, over those of the recipe.
            progress: called as the work goes on.
            measures: further metrics by name, each a function of the signal and its reconstruction, such as
                `ecop.signals.perceptual.PictureLpips`.

        Returns:
            The fitted signal; with neither ``native`` nor ``patches`` a signal of more points than the recipe's is
            first resampled to as many, at its own aspect ratio (`Fitted.resampled` says so), or along time, whose
            rate is kept, cut into blocks (`Fitted.blocks`).

        Raises:
            BadInput: for a file that cannot be read.
            UnknownName: for a reading setting that the modality does not know.
            InvalidSetting: for ``native`` together with ``patches``, or a setting outside its range.
            Diverged: if the fit leaves the finite numbers.

        Example:
            >>> import ecop
            >>> from skimage import data
            >>> from ecop.signals import Image
            >>> picture = Image.assemble(data.astronaut()[::16, ::16] / 255, about={})
            >>> fitted = ecop.load("photo").fit(picture, steps=4)
            >>> fitted.render(scale=2).shape
            (64, 64)
        """
        from ecop.fit.fit import fit_signal  # the two name each other

        check(not (native and patches), "--native --patches", "both", "one of the two")
        plan = self.fit_plan(steps, scaling, adam_steps, until_psnr, limit, precision)
        opened = signal if isinstance(signal, Signal) else self.read(signal, reading or {})
        return fit_signal(
            self, opened, plan, until_psnr=until_psnr, native=native, patches=patches, dtype=dtype, seed=seed,
            progress=progress, measures=measures,
        )  # fmt: skip

    def read(self, path: str | Path, reading: Mapping[str, Any]) -> Signal:
        """A file of the initialisation's modality, with the recipe's reading settings and these over them."""
        return SIGNALS[self.recipe.signal].open(path, {**self.recipe.data.reading, **reading})


def create_recipe_field(recipe: Recipe, key: Any) -> Field:
    """The random field that a recipe describes; one of whole frames has those of ``data.size``.

    Raises:
        InvalidSetting: for a ``field.frame`` that is another than that.
    """
    field_class, settings = FIELDS[recipe.field.name], dict(recipe.field.settings)
    if field_class.point_axes is not None:
        frame = list(recipe.data.size[field_class.point_axes :])
        given = list(settings.setdefault("frame", frame))
        check(given == frame, "field.frame", given, f"{frame}, what data.size has behind its first axis")
    return create_field(field_class, key, *field_sizes(recipe), settings)


def field_sizes(recipe: Recipe) -> tuple[int, int]:
    """`point_sizes` of the field that a recipe describes.

    Raises:
        InvalidSetting: if ``data.size`` has not the modality's number of axes, or is not the one number of scattered
            points.
    """
    signal, size = SIGNALS[recipe.signal], recipe.data.size
    wanted = "1 number (of points)" if signal.scattered else f"{signal.dimensions} numbers"
    check(len(size) == len(signal.elastic), "data.size", size, f"{wanted} for {recipe.signal}")
    return point_sizes(FIELDS[recipe.field.name], signal, size, recipe.data.channels)
