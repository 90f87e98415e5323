"""What every modality asks of a file before it looks inside."""

from pathlib import Path

from ecop.core.errors import BadInput


def check_file(path: Path, what: str, choices: str) -> None:
    """Raise `BadInput` unless ``path`` is a regular file with content that may be read.

    Args:
        path: the file.
        what: what it should be, such as ``an image``.
        choices: what to do otherwise, such as ``give a PNG or JPEG image``.
    """
    try:
        if path.is_dir():
            raise BadInput(path, f"a folder, not {what}", choices)
        if not path.exists():
            raise BadInput(path, "there is no such file", "check the path")
        if not path.is_file():
            raise BadInput(path, "not a regular file", choices)
        if path.stat().st_size == 0:
            raise BadInput(path, "the file is empty (0 bytes)", "make or fetch the file again")
        with path.open("rb"):
            pass
    except OSError as error:
        raise BadInput(path, f"it cannot be opened ({error.strerror})", "check the path and its permissions") from None
