import pytest

from ecop.core.errors import BadInput
from ecop.data import find_files
from ecop.data.folder import relative_name
from ecop.signals import Image


def make(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def test_files_are_found_in_all_subfolders_in_one_order(tmp_path):
    make(tmp_path, "b/2.png", "b/10.JPG", "a.tiff", "B.webp", "c/d/e.pgm", "notes.txt", ".hidden.png", ".git/x.png")
    found = [relative_name(path, tmp_path) for path in find_files(tmp_path, Image)]
    assert found == ["B.webp", "a.tiff", "b/10.JPG", "b/2.png", "c/d/e.pgm"]


def test_a_file_named_itself_is_taken_whatever_its_suffix(tmp_path):
    make(tmp_path, "photo.download")
    assert find_files(tmp_path / "photo.download", Image) == [tmp_path / "photo.download"]


def test_folders_with_nothing_in_them(tmp_path):
    with pytest.raises(BadInput, match=r"the folder is empty; put image files there \(.png, .jpg"):
        find_files(tmp_path, Image)
    make(tmp_path, "sub/notes.txt")
    with pytest.raises(BadInput, match=r"no image in this folder; put image files there"):
        find_files(tmp_path, Image)
    with pytest.raises(BadInput, match="there is no such file or folder"):
        find_files(tmp_path / "none", Image)
