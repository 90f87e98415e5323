import pytest

from ecop.viewer import sessions as rooms
from ecop.viewer.sessions import Sessions

ANN, BOB = "a" * 32, "b" * 32


@pytest.fixture
def sessions(tmp_path):
    return Sessions(tmp_path)


def test_a_tab_keeps_its_session(sessions):
    one = sessions.of(ANN, "tab")
    assert sessions.of(ANN, "tab") is one
    assert sessions.of(ANN, "other tab") is not one
    assert sessions.of(BOB, "tab") is not one
    assert one.folder.stat().st_mode & 0o777 == 0o700


def test_only_its_owner_finds_it(sessions):
    one = sessions.of(ANN, "tab")
    assert sessions.find(ANN, one.key) is one
    assert sessions.find(BOB, one.key) is None
    assert sessions.find(ANN, "0" * 32) is None


def test_its_files_go_with_it(sessions, tmp_path):
    one, other = sessions.of(ANN, "tab"), sessions.of(BOB, "other")
    (one.folder / "cat.png").write_text("a picture")
    sessions.close_tab("tab")
    assert list(tmp_path.iterdir()) == [other.folder]
    assert sessions.find(ANN, one.key) is None
    sessions.close_tab("tab")  # once more does no harm


def test_the_one_used_longest_ago_makes_room(sessions, monkeypatch):
    monkeypatch.setattr(rooms, "MOST", 3)
    first, second, third = (sessions.of(ANN, str(number)) for number in range(3))
    sessions.of(ANN, "0")
    sessions.of(BOB, "new")
    assert not second.folder.exists()
    assert first.folder.exists()
    assert third.folder.exists()


def test_forgotten_uploads_are_swept(sessions, tmp_path, monkeypatch):
    sessions.of(ANN, "tab")
    (tmp_path / "hash").mkdir()
    (tmp_path / "hash" / "cat.png").write_text("uploaded, and the page went away")
    assert sessions.waiting() == 1
    monkeypatch.setattr(rooms, "FORGOTTEN", -1.0)
    assert sessions.waiting() == 0
    assert not (tmp_path / "hash").exists()
    assert sessions.of(ANN, "tab").folder.exists()


def test_what_was_drawn_goes_when_it_shows_something_else(sessions):
    session = sessions.of(ANN, "tab")
    drawn, upload = session.place("original.wav"), session.folder / "sound.wav"
    drawn.write_text("drawn")
    upload.write_text("uploaded")
    session.show(None, ())
    assert not drawn.exists()
    assert upload.exists()
    assert session.place("original.wav") != drawn
