"""A study so small that it runs within a test, and a folder of pictures for it."""

import numpy as np
import pytest

from ecop.experiments.compare import Place
from ecop.experiments.study import Scale, Study
from ecop.signals import Image

STUDY = """
title = "A small study"
question = "Does it run?"
corpora = ["pictures"]
reference = "ecop"
steps = [1, 2]
headline = 2
seeds = { pictures = 2 }

[[arms]]
name = "ecop"
label = "ECoP"

[[arms]]
name = "learnit"
label = "Learnit, equal work"
settings = { "learner.name" = "maml", "learner.inner_steps" = 1 }
length = "work"
scalings = ["none"]

[[arms]]
name = "untrained"
label = "random"
trained = false

[[claims]]
text = "ECoP is better than nothing"
better = "ecop"
worse = "untrained"
claimed = "surely"
"""

SCALE = """
about = "as little as possible"

[settings]
"field.width" = 8
"field.depth" = 3
"learner.inner_steps" = 2
"learner.bootstrap_steps" = 1
"data.size" = [8, 8]
"data.batch" = 1
"train.steps" = 2
"train.lr" = 1e-3
"train.final_lr" = 1e-3
"train.validation_signals" = 1

[corpora.pictures]
recipe = "quick"
test = 2
windows = 2
"""


@pytest.fixture(scope="session")
def pictures(tmp_path_factory):
    """Eight pictures: four to train on, two to validate, two to test."""
    folder = tmp_path_factory.mktemp("experiments") / "pictures"
    generator = np.random.default_rng(0)
    for number, part in enumerate(["train"] * 4 + ["validation"] * 2 + ["test"] * 2):
        path = folder / part / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.assemble(generator.random((16, 16, 3)), {}).write(path)
    return folder


@pytest.fixture(scope="session")
def study(tmp_path_factory):
    path = tmp_path_factory.mktemp("study") / "tiny.toml"
    path.write_text(STUDY)
    return Study.load(path)


@pytest.fixture(scope="session")
def scale(tmp_path_factory):
    path = tmp_path_factory.mktemp("scale") / "least.toml"
    path.write_text(SCALE)
    return Scale.load(path)


@pytest.fixture(scope="session")
def place(tmp_path_factory, pictures):
    return Place(tmp_path_factory.mktemp("results"), {"pictures": pictures})
