"""Where an initialisation lies: a file, a run folder, or one that ships. Nothing is opened, and no JAX is needed."""

from importlib import resources
from pathlib import Path

from ecop.core.errors import BadInput, UnknownName


def find_initialisation(name_or_path: str | Path) -> Path:
    """The file that a name, a file's path or a run folder stands for.

    Raises:
        UnknownName: if it is none of them.
        BadInput: for a folder that is not a run with an initialisation.
    """
    path = Path(name_or_path)
    if path.is_dir():
        for name in ("best.safetensors", "last.safetensors"):
            if (path / name).is_file():
                return path / name
        raise BadInput(path, "no best.safetensors or last.safetensors in this folder", "give a run folder or a file")
    if path.is_file() or path.suffix == ".safetensors":
        return path
    folder = Path(str(resources.files("ecop.pretrained")))
    if (folder / f"{name_or_path}.safetensors").is_file():
        return folder / f"{name_or_path}.safetensors"
    raise UnknownName("initialisation (file, run folder or shipped name)", str(name_or_path), shipped_initialisations())


def shipped_initialisations() -> tuple[str, ...]:
    """Names of the initialisations that ship with the package."""
    folder = resources.files("ecop.pretrained")
    names = (file.name for file in folder.iterdir())
    return tuple(sorted(name.removesuffix(".safetensors") for name in names if name.endswith(".safetensors")))
