"""Studies and scales as files."""

import pytest

from ecop.core.errors import BadInput, InvalidSetting, UnknownName
from ecop.core.recipe import Recipe
from ecop.core.registry import LEARNERS
from ecop.experiments.compare import runs
from ecop.experiments.programs import METHODS
from ecop.experiments.runner import KINDS, pieces
from ecop.experiments.study import Scale, Study, shipped_scales, shipped_studies
from ecop.experiments.trainings import counted_work, point_steps


@pytest.mark.parametrize("name", shipped_studies())
@pytest.mark.parametrize("scale", shipped_scales())
def test_every_study_that_ships_makes_sense_at_every_scale(name, scale):
    study, scale = Study.load(name), Scale.load(scale)
    assert study.kind in KINDS and study.title and study.question.endswith((".", "?"))
    every = pieces(study, scale)
    assert len({piece.name for piece in every}) == len(every) > 0
    for piece in every:
        piece.identity()
        if study.kind == "memory":
            assert piece.arm.name in METHODS
        else:
            assert scale.corpus(piece.corpus).recipe


@pytest.mark.parametrize("scale", shipped_scales())
def test_arms_of_equal_work_take_as_much_of_it_as_the_reference(scale):
    chosen = [run for run in runs(Study.load("main"), Scale.load(scale)) if run.corpus == "faces" and run.seed == 0]
    reference = next(run.recipe() for run in chosen if run.arm.name == "ecop")
    equal = [run.recipe() for run in chosen if run.arm.length == "work"]
    assert len(equal) == 4
    for recipe in equal:
        wanted = counted_work(reference) * reference.train.steps
        assert counted_work(recipe) * recipe.train.steps == pytest.approx(wanted, abs=counted_work(recipe) / 2 + 1e-6)


def test_equal_memory_means_as_many_point_steps():
    scale, study = Scale.load("small"), Study.load("main")
    recipes = {run.arm.name: run.recipe() for run in runs(study, scale) if run.corpus == "photos" and run.seed == 0}
    assert point_steps(recipes["ecop"]) == point_steps(recipes["learnit-4"]) == 4
    assert point_steps(recipes["learnit-16"]) == 16
    assert recipes["learnit-4"].learner.name == "maml" and recipes["learnit-4"].learner.name in LEARNERS.names()


def test_work_counts_the_passes_of_the_engines_table():
    photo = Recipe.named("photo")
    boot, kept = 5, 16 * 0.25
    assert counted_work(photo) == 16 + 1 + 3 * (kept + boot + 1) + 8 * kept
    assert counted_work(Recipe.named("learnit-photo")) == 3 * (4 + 1) + 8 * 4


def test_what_is_wrong_in_a_study_is_named(tmp_path):
    path = tmp_path / "mine.toml"
    for text, error, word in (
        ('title = "t"\nquestion = "q?"\ncorpora = []\ncolour = 1', UnknownName, "colour"),
        ('title = "t"', BadInput, "not complete"),
        ("title = ", BadInput, "cannot be read"),
        ('title = "t"\nquestion = "q?"\ncorpora = []\nreference = "x"', UnknownName, "x"),
        ('title = "t"\nquestion = "q?"\ncorpora = []\nheadline = 5', InvalidSetting, "headline"),
        ('title = "t"\nquestion = "q?"\ncorpora = []\nsteps = [16, 4]', InvalidSetting, "ascending"),
        (
            'title = "t"\nquestion = "q?"\ncorpora = []\n[[arms]]\nname = "a"\nlabel = "b"\nsize = 1',
            UnknownName,
            "size",
        ),
    ):
        path.write_text(text)
        with pytest.raises(error, match=word):
            Study.load(path)
    with pytest.raises(UnknownName, match="did you mean 'main'"):
        Study.load("maim")
    with pytest.raises(UnknownName, match="scale"):
        Scale.load("huge")
    with pytest.raises(UnknownName, match="corpus"):
        Scale.load("small").corpus("cats")
