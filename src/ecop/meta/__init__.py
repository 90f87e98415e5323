"""The outer loop: meta-learners and training."""

from ecop.meta.base import MetaLearner
from ecop.meta.ecop import ECoP
from ecop.meta.fomaml import FirstOrderMAML
from ecop.meta.maml import MAML
from ecop.meta.outer import OuterLoop, State, adam
from ecop.meta.reptile import Reptile
from ecop.signals.context import stack

__all__ = ["MAML", "ECoP", "FirstOrderMAML", "MetaLearner", "OuterLoop", "Reptile", "State", "adam", "stack"]
