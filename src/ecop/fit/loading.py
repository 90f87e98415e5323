"""One call for whatever is in a file."""

from pathlib import Path

from ecop.fit.finding import find_initialisation
from ecop.fit.fitted import Fitted
from ecop.fit.initialisation import Initialisation
from ecop.store.field_file import FieldFile


def load(name_or_path: str | Path) -> Initialisation | Fitted:
    """An initialisation by its shipped name, or whatever a file or a run folder holds.

    Args:
        name_or_path: ``photo``; ``run/best.safetensors``; ``run``; ``cat.safetensors``.

    Returns:
        An `Initialisation`, or a `Fitted` for the file of a fitted signal.

    Raises:
        UnknownName: if it is neither a file, a run folder nor a shipped name.
        BadFieldFile: if the file is damaged, newer, or not ours.
    """
    path = find_initialisation(name_or_path)
    if FieldFile.load(path).role == "fitted":
        return Fitted.load(path)
    return Initialisation.load(name_or_path)
