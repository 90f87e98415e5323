"""The studies that train arms and fit held-out signals with them: one run for each corpus, arm and seed."""

import dataclasses
import functools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ecop.core.errors import Diverged
from ecop.core.recipe import Recipe
from ecop.experiments.corpora import corrupted_copy, held_out, source
from ecop.experiments.evaluation import evaluate_steps
from ecop.experiments.study import Arm, Scale, Study
from ecop.experiments.trainings import Training, counted_work, decisive, point_steps
from ecop.fit.initialisation import Initialisation
from ecop.fit.settings import resolved_fit

Report = Callable[[str, int, int], None]
"""Called with what is being done, how far it is, and how far it goes."""


@dataclass(frozen=True)
class Place:
    """Where a study finds and leaves things.

    Attributes:
        out: folder of all studies' results.
        data: folders that the user gave, by corpus.
    """

    out: Path
    data: Mapping[str, Path] = dataclasses.field(default_factory=dict)

    @property
    def trainings(self) -> Path:
        """Of everything that was trained; not part of the results."""
        return self.out / "trainings"


@dataclass(frozen=True)
class Run:
    """One cell of a study: an arm, trained on a corpus with a seed, and evaluated.

    Attributes:
        study: it belongs to.
        scale: at which it runs.
        corpus: name of the corpus.
        arm: what is trained.
        seed: of the initialisation, the data order, the windows and the scorer's draws.
        corruption: share of corrupted points.
    """

    study: Study
    scale: Scale
    corpus: str
    arm: Arm
    seed: int = 0
    corruption: float = 0.0

    @property
    def name(self) -> str:
        """Of its file."""
        corrupted = f"+{self.corruption:g}" if self.corruption else ""
        return f"{self.corpus}{corrupted}-{self.arm.name}-{self.seed}"

    def identity(self) -> Any:
        """All that decides its result."""
        corpus, recipe = self.scale.corpus(self.corpus), self.recipe()
        evaluated = {name: [decisive(self._read_as(name, recipe))["data"], self.scale.corpus(name).test,
                            self.scale.corpus(name).windows]
                     for name in self._evaluated_on()}  # fmt: skip
        return [
            self.name, decisive(recipe), self.arm.trained, self.corruption, corpus.data, evaluated,
            self.study.part, list(self.study.steps), list(self.study.scalings_of(self.arm)),
        ]  # fmt: skip

    def recipe(self) -> Recipe:
        """What is trained: the corpus's recipe with the study's changes, then the arm's, and its outer steps."""
        own, reference = self._base(self.arm), self._base(self.study.arm(self.study.reference))
        steps = reference.train.steps
        if self.arm.length == "work":
            steps = max(1, round(steps * counted_work(reference) / counted_work(own)))
        elif self.arm.length != "steps":
            steps = max(1, round(steps * self.arm.length))
        return own.with_settings({"train.steps": steps, "train.seed": self.seed})

    def _base(self, arm: Arm) -> Recipe:
        corpus = self.scale.corpus(self.corpus)
        recipe = _loaded(corpus.recipe).with_settings({**corpus.settings, **self.study.settings})
        return recipe.with_settings({**arm.settings, **arm.on.get(self.corpus, {})})

    def __call__(self, place: Place, report: Report) -> dict[str, Any]:
        """Train, unless it is done already, and evaluate; the document of the run."""
        corpus, recipe = self.scale.corpus(self.corpus), self.recipe()
        folder = source(corpus, place.data, lambda line: report(line, 0, 0))
        evaluations, seconds, diverged = [], 0.0, None
        try:
            initialisation, seconds = self.initialisation(recipe, folder, place, report)
            evaluations = list(self._evaluations(initialisation, recipe, place, report))
        except Diverged as error:  # a result like any other
            diverged = str(error)
        steps = recipe.train.steps if self.arm.trained else 0
        work = counted_work(recipe) * steps if self.arm.trained else 0
        return {
            "corpus": self.corpus, "arm": self.arm.name, "seed": self.seed, "corruption": self.corruption,
            "outer_steps": steps, "work": work, "point_steps": point_steps(recipe), "seconds": seconds,
            "recipe": recipe.to_dict(), "diverged": diverged, "evaluations": evaluations,
        }  # fmt: skip

    def _evaluations(
        self, initialisation: Initialisation, recipe: Recipe, place: Place, report: Report
    ) -> Iterator[dict[str, Any]]:
        for name in self._evaluated_on():
            corpus = self.scale.corpus(name)
            folder, own = source(corpus, place.data), self._read_as(name, recipe)
            signals = held_out(folder, own, corpus, self.study.part, self.corruption)
            for scaling in self.study.scalings_of(self.arm):
                report(f"{self.name}: fitting {name}, scaling {scaling}", 0, 0)
                found = evaluate_steps(
                    initialisation, signals.contexts, signals.targets, signals.names, scaling, self.study.steps
                )
                yield {"corpus": name, **found}

    def initialisation(
        self, recipe: Recipe, folder: Path, place: Place, report: Report
    ) -> tuple[Initialisation, float]:
        """What the arm begins its fits from, trained unless that is done already, and the seconds that it took."""
        if not self.arm.trained:
            return Initialisation.random(recipe, resolved_fit(recipe), self.seed), 0.0
        if self.corruption:
            folder, settings = corrupted_copy(folder, recipe, self.corruption, place.trainings / "corrupted")
            recipe = dataclasses.replace(recipe, data=settings)
        training = Training(recipe, folder, place.trainings)
        steps = recipe.train.steps
        trained = training.run(lambda step, _: report(f"{self.name}: training", step, steps))
        return dataclasses.replace(trained, settings=resolved_fit(recipe)), training.seconds()

    def _evaluated_on(self) -> Iterator[str]:
        yield self.corpus
        if self.study.transfer:
            own = self._base(self.arm)
            for name in self.study.corpora:
                if name != self.corpus and _comparable(own, self._other(name)):
                    yield name

    def _other(self, corpus: str) -> Recipe:
        return dataclasses.replace(self, corpus=corpus)._base(self.arm)

    def _read_as(self, corpus: str, recipe: Recipe) -> Recipe:
        """The recipe with the data settings of the corpus that is evaluated on."""
        return recipe if corpus == self.corpus else dataclasses.replace(recipe, data=self._other(corpus).data)


def runs(study: Study, scale: Scale) -> Iterator[Run]:
    """All runs of a study, the first seed of everything first, and shorter trainings before those that go on."""
    most = max((len(study.seeds_of(name)) for name in study.corpora), default=0)
    arms = sorted(study.arms, key=lambda arm: arm.length != "steps")
    for seed in range(most):
        for corpus in study.corpora:
            for corruption in study.corruptions:
                for arm in arms:
                    if seed in study.seeds_of(corpus) and (not arm.corpora or corpus in arm.corpora):
                        yield Run(study, scale, corpus, arm, seed, corruption)


@functools.cache
def _loaded(name: str) -> Recipe:
    return Recipe.load(name)


def _comparable(first: Recipe, second: Recipe) -> bool:
    """Whether an initialisation of one can fit the signals of the other, which may be of another size."""
    return (first.signal, first.data.channels) == (second.signal, second.data.channels)
