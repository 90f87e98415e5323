"""The photos among the wallpapers of three Debian packages, each once, with its author, licence and split.

Chosen by looking at every picture of the packages: drawings, renderings and gradients are left out, and of several
sizes of a picture it is the largest. The test photos show other places and things than the training photos.
"""

from typing import NamedTuple

MATE, LOMIRI, PLASMA = "mate-backgrounds", "lomiri-wallpapers-16.04", "plasma-workspace-wallpapers"
# Each Plasma wallpaper's own metadata says LGPL-3, the package's copyright file GPL-2 or later for all of them.
PLASMA_LICENCE = "LGPL-3.0 (the file's metadata; GPL-2.0+ in the package's copyright file)"


class Photo(NamedTuple):
    """One photo: split, name in the data set, package, path in the package, author and licence."""

    split: str
    name: str
    package: str
    path: str
    author: str
    licence: str


def _mate(split: str, name: str, author: str) -> Photo:
    return Photo(split, f"{name}.jpg", MATE, f"usr/share/backgrounds/mate/nature/{name}.jpg", author, "GPL-2.0+")


def _lomiri(split: str, name: str, author: str, licence: str) -> Photo:
    return Photo(split, f"{name}.jpg", LOMIRI, f"usr/share/backgrounds/{name}.jpg", author, licence)


def _plasma(split: str, name: str, author: str) -> Photo:
    path = f"usr/share/wallpapers/{name}/contents/images/2560x1600.jpg"
    return Photo(split, f"{name}.jpg", PLASMA, path, author, PLASMA_LICENCE)


PHOTOS = (
    _mate("train", "Aqua", "Charles Barbin"),
    _mate("train", "Blinds", "Lennart Poettering, Andrea Cimitan"),
    _mate("train", "Dune", "Marco Cogoni, Hylke Bons"),
    _mate("train", "FreshFlower", "Jens Ansorg"),
    _mate("train", "Garden", "Charles Barbin"),
    _mate("train", "GreenMeadow", "Timothy Schellhase, Lapo Calamandrei"),
    _mate("test", "LadyBird", "Charles Barbin"),
    _mate("train", "RainDrops", "blackcombwhistler07"),
    _mate("test", "Storm", "Sergey Nazarov"),
    _mate("train", "TwoWings", "Charles Barbin, Hylke Bons"),
    _mate("train", "Wood", "Jean-François Fortin Tam"),
    _mate("train", "YellowFlower", "Charles Barbin"),
    _lomiri("train", "Bridge_by_Sander_Klootwijk", "Sander Klootwijk", "CC-BY-SA-4.0"),
    _lomiri("train", "Dragonfly_by_Bolly", "Bolly", "CC-BY-SA-4.0"),
    _lomiri("test", "Picture_0B_by_freespace", "Trevor 'Freespace'", "CC-BY-4.0"),
    _lomiri("train", "Picture_1A_by_freespace", "Trevor 'Freespace'", "CC-BY-4.0"),
    _lomiri("train", "Wine_by_Jakkub_Mede", "Jakub Mede", "CC-BY-4.0"),
    _lomiri("train", "aitzgorri_by_Aitzol_Berasategi", "Aitzol Berasategi", "CC-BY-4.0"),
    _lomiri("train", "free_by_Peter_Nerlich", "Peter Nerlich", "CC-BY-SA-4.0"),
    _lomiri("test", "friends_by_Aitzol_Berasategi", "Aitzol Berasategi", "CC-BY-4.0"),
    _lomiri("train", "greentock_by_Peter_Nerlich", "Peter Nerlich", "CC-BY-SA-4.0"),
    _lomiri("test", "life_by_Aitzol_Berasategi", "Aitzol Berasategi", "CC-BY-4.0"),
    _lomiri("test", "picosdeeuropa_by_Aitzol_Berasategi", "Aitzol Berasategi", "CC-BY-4.0"),
    _lomiri("train", "seeding_by_Clements_Engelhardt", "Clemens Engelhardt", "CC0-1.0"),
    _lomiri("train", "sunset_by_Aitzol_Berasategi", "Aitzol Berasategi", "CC-BY-4.0"),
    _plasma("train", "BytheWater", "Maciej Wiklo"),
    _plasma("train", "ColdRipple", "Risto Saukonpää"),
    _plasma("train", "ColorfulCups", "Dmitri Popov"),
    _plasma("train", "DarkestHour", "Risto Saukonpää"),
    _plasma("test", "EveningGlow", "Ian Hex"),
    _plasma("train", "FallenLeaf", "Martin Klapetek"),
    _plasma("train", "Grey", "Sigi Sagi"),
    _plasma("test", "Kite", "Risto Saukonpää"),
    _plasma("test", "OneStandsOut", "Risto Saukonpää"),
    _plasma("train", "Path", "Risto Saukonpää"),
    _plasma("train", "summer_1am", "Risto Saukonpää"),
)
