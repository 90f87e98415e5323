"""Scorers, and the selection of the points that an inner step keeps."""

from ecop.pruning.base import Scorer
from ecop.pruning.error import Error
from ecop.pruning.full import Full
from ecop.pruning.last_layer import LastLayer
from ecop.pruning.naming import parse_scorer, scorer_text
from ecop.pruning.random import Random
from ecop.pruning.sampler import Importance, Sampler, Soft
from ecop.pruning.select import Selection, highest, kept_count

__all__ = [
    "Error",
    "Full",
    "Importance",
    "LastLayer",
    "Random",
    "Sampler",
    "Scorer",
    "Selection",
    "Soft",
    "highest",
    "kept_count",
    "parse_scorer",
    "scorer_text",
]
