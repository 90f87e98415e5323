"""The inner loop and its exact, low-memory derivative."""

from ecop.adapt.engine import Engine
from ecop.adapt.gradient import error_gradient, summed_error
from ecop.adapt.orthogonal import Orthogonal
from ecop.adapt.rollout import Pruning, StepInfo, descend, rollout
from ecop.adapt.rule import UpdateRule
from ecop.adapt.scaling import Scaling, parse_scaling
from ecop.adapt.start import Start
from ecop.adapt.tiles import default_tile
from ecop.adapt.update import GradientDescent, InnerUpdate, Update

__all__ = [
    "Engine",
    "GradientDescent",
    "InnerUpdate",
    "Orthogonal",
    "Pruning",
    "Scaling",
    "Start",
    "StepInfo",
    "Update",
    "UpdateRule",
    "default_tile",
    "descend",
    "error_gradient",
    "parse_scaling",
    "rollout",
    "summed_error",
]
