"""Neural fields: networks from coordinates to values."""

from ecop.fields.base import Field, Roles, create_field, split_adapted, split_learned
from ecop.fields.fourier import Fourier
from ecop.fields.nerv import NeRV
from ecop.fields.siren import Siren

__all__ = ["Field", "Fourier", "NeRV", "Roles", "Siren", "create_field", "split_adapted", "split_learned"]
