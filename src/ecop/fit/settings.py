"""Test-time settings, resolved: what a recipe leaves open is taken from its learner."""

from typing import Any

from ecop.adapt.rule import UpdateRule
from ecop.core.errors import InvalidSetting, UnknownName
from ecop.core.recipe import FitSettings, Recipe
from ecop.core.registry import LEARNERS
from ecop.pruning.naming import scorer_text


def resolved_fit(recipe: Recipe) -> FitSettings:
    """The test-time settings with nothing left open; ``None`` for ``drop``: nothing is passed over.

    Raises:
        UnknownName, InvalidSetting: as `checked_learner`.
    """
    learner, own = described_learner(recipe), recipe.fit
    return FitSettings(
        steps=own.steps,
        scaling=own.scaling,
        lr=own.lr if own.lr is not None else learner.inner_lr,
        scorer=own.scorer or scorer_text(learner.pruning.scorer),
        keep=own.keep if own.keep is not None else learner.pruning.keep,
        drop=(own.drop if own.drop is not None else learner.pruning.drop) or None,
        head=own.head,
    )


def described_learner(recipe: Recipe) -> Any:
    """The learner of a recipe, to be asked for its settings alone.

    Raises:
        UnknownName, InvalidSetting: as `checked_learner`.
    """
    return checked_learner(recipe)(**recipe.learner.settings)


def checked_learner(recipe: Recipe) -> type[Any]:
    """The class of a recipe's learner, which takes all of the recipe's settings for it.

    Raises:
        UnknownName: for a learner or a setting that does not exist.
        InvalidSetting: for a setting of another type.
    """
    learner_class = LEARNERS[recipe.learner.name]
    known = {name: field for name, field in learner_class.__dataclass_fields__.items() if name != "engine"}
    for name, value in recipe.learner.settings.items():
        if name not in known:
            raise UnknownName(f"setting of the learner {recipe.learner.name!r}", name, known)
        _check_kind(f"learner.{name}", value, known[name].default)
    return learner_class


def _check_kind(name: str, value: Any, default: Any) -> None:
    if isinstance(default, UpdateRule):
        UpdateRule.of(value)
        return
    kinds = (int, float) if isinstance(default, float) else type(default)
    if not isinstance(value, kinds) or (isinstance(value, bool) and not isinstance(default, bool)):
        expected = "a number" if isinstance(default, float) else f"a value of type {type(default).__name__}"
        raise InvalidSetting(name, value, expected)
