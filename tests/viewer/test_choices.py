import pytest

from ecop.core.errors import BadFieldFile, BadInput, UnknownName
from ecop.data.folder import Item
from ecop.fit.finding import shipped_initialisations
from ecop.viewer.choices import choices_of


@pytest.fixture(scope="module")
def tiny_file(place):
    return str(place / "tiny.safetensors")


@pytest.fixture(scope="module")
def choices(place, tiny_file):
    made, first = choices_of(tiny_file, [place / "chelsea.png"])
    assert first == tiny_file
    return made


def test_what_ships_is_offered_with_its_random_start():
    choices, first = choices_of(None, [])
    assert first == "photo"
    assert set(choices.initialisations) == {
        name for shipped in shipped_initialisations() for name in (shipped, f"random:{shipped}")
    }
    assert choices.partners("photo") == ["random:photo"]
    assert choices.kinds["random:audio"] == "audio"


def test_the_command_line_comes_first(choices, tiny_file):
    assert choices.initialisations[0] == tiny_file
    assert choices.label(tiny_file) == "tiny"
    assert choices.signals(tiny_file, {})[0] == "chelsea.png"
    assert "chelsea.png" not in choices.signals("audio", {})


def test_the_first_file_chooses_the_initialisation(place):
    _, first = choices_of(None, [place / "chelsea.png"])
    assert first == "photo"


def test_samples_are_read(choices, tiny_file, tmp_path):
    signal = choices.read(tiny_file, "A cat", {}, tmp_path)
    assert signal.shape == (300, 451)
    assert choices.read(tiny_file, "chelsea.png", {}, tmp_path).shape == (40, 60)


def test_only_what_is_offered_is_opened(choices, tiny_file, place, tmp_path):
    with pytest.raises(BadInput, match="no initialisation of that name is offered"):
        choices.load("/etc/passwd")
    with pytest.raises(BadInput, match="nothing of that name is here"):
        choices.read(tiny_file, str(place / "wrong.png"), {}, tmp_path)


def test_files_find_their_initialisation(choices, tiny_file, tmp_path):
    assert choices.suited(tmp_path / "a.PNG", tiny_file) == tiny_file
    assert choices.suited(tmp_path / "a.wav", tiny_file) == "audio"
    with pytest.raises(BadInput, match="no initialisation here is for files of this kind"):
        choices.suited(tmp_path / "a.xyz", tiny_file)


def test_uploads_come_before_samples(choices, tiny_file, tmp_path):
    assert choices.signals(tiny_file, {"mine.png": Item(tmp_path / "mine.png")})[:2] == ["mine.png", "chelsea.png"]


def test_what_cannot_be_read_is_said_at_once(place):
    with pytest.raises(UnknownName, match="there is no initialisation"):
        choices_of("foto", [])
    with pytest.raises(BadFieldFile):
        choices_of(str(place / "chelsea.png"), [])
    with pytest.raises(BadInput, match="no such file"):
        choices_of("photo", [place / "missing.png"])
