"""Names, resolved only when they are asked for."""

import subprocess
import sys

import pytest

from ecop.core.errors import UnknownName
from ecop.core.registry import FIELDS, LEARNERS, SCALINGS, SCORERS, SIGNALS, Registry


def test_the_packages_own_members():
    assert {"siren", "fourier"} <= set(FIELDS.names())
    assert {"error", "last_layer", "random", "full"} <= set(SCORERS.names())
    assert {"ecop", "maml", "fomaml", "reptile"} <= set(LEARNERS.names())
    assert {"norm", "none", "warmup", "loss", "constant"} <= set(SCALINGS.names())
    assert "image" in SIGNALS.names()


@pytest.mark.parametrize("registry", [FIELDS, SCORERS, LEARNERS, SCALINGS, SIGNALS], ids=lambda r: r.family)
def test_every_name_resolves_to_a_class_that_knows_its_name(registry):
    for name in registry.names():
        assert isinstance(registry[name], type)
        assert registry.name_of(registry[name]) == name


def test_an_unknown_name_lists_the_choices_and_the_nearest():
    with pytest.raises(UnknownName) as caught:
        FIELDS["sirn"]
    assert str(caught.value).startswith("there is no field 'sirn' (did you mean 'siren'?); choose one of: ")
    assert {"fourier", "siren"} <= set(caught.value.choices)
    with pytest.raises(UnknownName) as caught:
        FIELDS["zzzzzz"]
    assert "did you mean" not in str(caught.value)


def test_registration_at_run_time():
    registry = Registry("sort")
    registry.register("json", "json:JSONDecoder")
    registry.register("ours", test_registration_at_run_time)
    assert registry.names() == ("json", "ours")
    assert registry["json"].__name__ == "JSONDecoder"
    assert registry.name_of(test_registration_at_run_time) == "ours"
    registry.register("ours", "json:JSONEncoder")
    assert registry["ours"].__name__ == "JSONEncoder"
    with pytest.raises(UnknownName, match="sort"):
        registry.name_of(dict)


def test_listing_names_imports_no_jax():
    code = (
        "import sys; from ecop.core.registry import FIELDS, SCORERS, LEARNERS; "
        "print(*FIELDS.names(), *SCORERS.names(), *LEARNERS.names()); "
        "assert not {'jax', 'equinox', 'optax', 'ecop.fields'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "siren" in done.stdout
