"""``ecop list``: every name that the other verbs take."""

from dataclasses import dataclass
from typing import Any, ClassVar

from ecop.cli import units
from ecop.cli.command import Command
from ecop.cli.terminal import Terminal
from ecop.core.registry import FIELDS, LAYOUTS, LEARNERS, SCALINGS, SCORERS, SIGNALS, UPDATES
from ecop.fit.finding import find_initialisation, shipped_initialisations

PARTS = {
    "fields": FIELDS, "learners": LEARNERS, "scorers": SCORERS, "updates": UPDATES, "scalings": SCALINGS,
    "signals": SIGNALS, "layouts": LAYOUTS,
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class List(Command):
    """Show what there is: initialisations, recipes, fields, learners, scorers, updates, scalings, signals, layouts."""

    examples: ClassVar[str] = """
        ecop list
        ecop list --json
    """

    def run(self, terminal: Terminal) -> int:
        """Print the names, those of other packages included."""
        from rich.table import Table

        from ecop.core.recipe import Recipe, shipped_recipes

        document: dict[str, Any] = {
            "initialisations": [initialisation(name) for name in shipped_initialisations()],
            "recipes": [{"name": name, "about": Recipe.named(name).about} for name in shipped_recipes()],
            **{family: list(registry.names()) for family, registry in PARTS.items()},
        }
        table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
        for family, members in document.items():
            for member in members or ["none"]:
                name, about = (member, "") if isinstance(member, str) else (member["name"], member["about"])
                table.add_row(family, name, about)
                family = ""
        terminal.table(table)
        terminal.document(document)
        return 0


def initialisation(name: str) -> dict[str, Any]:
    """What to say of an initialisation that ships."""
    from ecop.store.field_file import FieldFile

    path = find_initialisation(name)
    content = FieldFile.load(path)
    sizes, nbytes = content.signal["shape"], path.stat().st_size
    about = f"{content.field['name']} for {content.signal['kind']} of {units.shape(sizes)}, {units.size(nbytes)}"
    return {"name": name, "about": about, "metrics": content.metrics, "bytes": nbytes}
