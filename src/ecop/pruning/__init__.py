"""Scorers, and the selection of the points that an inner step keeps."""

from ecop.pruning.base import Scorer
from ecop.pruning.error import Error
from ecop.pruning.full import Full
from ecop.pruning.last_layer import LastLayer
from ecop.pruning.random import Random
from ecop.pruning.select import Selection, highest, kept_count

__all__ = ["Error", "Full", "LastLayer", "Random", "Scorer", "Selection", "highest", "kept_count"]
