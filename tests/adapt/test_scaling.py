"""What every registered gradient scaling must do, and what each says."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ecop.adapt import parse_scaling
from ecop.adapt.scaling import Compared, Scaling
from ecop.core.errors import InvalidSetting, UnknownName
from ecop.core.registry import SCALINGS

WRITTEN = {"warmup": "warmup:3", "constant": "constant:1.5"}


def compared(kept_norm=6.0, full_norm=2.0, kept_loss=8.0, full_loss=2.0):
    return Compared(*map(jnp.asarray, (kept_norm, full_norm, kept_loss, full_loss)))


@pytest.mark.parametrize("name", SCALINGS.names())
@pytest.mark.parametrize("case", [compared(), compared(0.0, 0.0, 0.0, 0.0)])
def test_the_factor_is_a_finite_number_even_of_nothing(name, case):
    scaling = parse_scaling(WRITTEN.get(name, name))
    assert isinstance(scaling, Scaling)
    factor = jax.jit(scaling.factor)(case, jnp.asarray(0))
    assert factor.shape == ()
    assert jnp.isfinite(factor)
    assert factor > 0


@pytest.mark.parametrize(
    ("text", "factors"),
    [("norm", [3, 3, 3]), ("none", [1, 1, 1]), ("warmup:2", [3, 3, 1]), ("warmup:0", [1, 1, 1]), ("loss", [2, 2, 2]),
     ("constant:1.5", [1.5, 1.5, 1.5])],
)  # fmt: skip
def test_factors(text, factors):
    scaling = parse_scaling(text)
    ours = [scaling.factor(compared(), jnp.asarray(step)) for step in range(3)]
    np.testing.assert_allclose(ours, factors, rtol=1e-6)


def test_nothing_over_nothing_is_one():
    zero = compared(0.0, 0.0, 0.0, 0.0)
    for text in ("norm", "warmup:9", "loss"):
        assert parse_scaling(text).factor(zero, jnp.asarray(0)) == 1


@pytest.mark.parametrize(
    "text", ["warmup", "constant", "norm:2", "none:", "warmup:x", "warmup:2.5", "constant:", "warmup:-1", "constant:0",
             "constant:nan", "constant:-2", "constant:inf"],
)  # fmt: skip
def test_arguments_that_are_missing_superfluous_or_no_numbers(text):
    with pytest.raises(InvalidSetting, match=f"scaling = '{text}' is not usable: expected a number behind the colon"):
        parse_scaling(text)


def test_an_unknown_name():
    with pytest.raises(
        UnknownName, match=r"'nrom' \(did you mean 'norm'\?\); choose one of: constant, loss, none, norm"
    ):
        parse_scaling("nrom")
