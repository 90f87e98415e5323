"""Data sets of speech: the prompts of a telephone exchange, and the voices of a game."""

import hashlib
import shutil
from pathlib import Path

from ecop.data.archives import Archive, unpacked_debs
from ecop.data.dataset import Dataset

PROMPTS = "usr/share/asterisk/sounds/en_US_f_Allison"
SOUNDS = "usr/share/games/fillets-ng/sound"
PROMPT_RATE = 16_000  # hertz, of every G.722 stream
SHORTEST = 1.0  # seconds: what is shorter would be stretched by every recipe
TEST_ROLES = ("b1", "b2", "hs", "pap", "r")  # two gods, a statue's head, a parrot, a robot dog


def _build_speech(archives: list[Path], folder: Path) -> None:
    """Each prompt of a second and more as a WAV file; about one in seven, by a hash of its name, is for test."""
    with unpacked_debs(archives, folder) as unpacked:
        root = unpacked / PROMPTS
        for path in sorted(root.rglob("*.g722")):
            name = path.relative_to(root).with_suffix(".wav")
            if name.parts[0] != "silence" and path.stat().st_size >= SHORTEST * PROMPT_RATE / 2:  # 4 bits a sample
                _decode_g722(path, folder / prompt_split(name.as_posix()) / name)


def prompt_split(name: str) -> str:
    """The split of a prompt, which only its name decides.

    Example:
        >>> prompt_split("vm-intro.wav"), prompt_split("digits/day-0.wav")
        ('train', 'train')
    """
    return "test" if hashlib.sha256(name.encode()).digest()[0] % 7 == 0 else "train"


def _decode_g722(path: Path, target: Path) -> None:
    import av
    import numpy as np
    import soundfile

    with av.open(str(path), format="g722", options={"protocol_whitelist": "file"}) as container:
        frames = [frame.to_ndarray().reshape(-1) for frame in container.decode(audio=0)]
        samples = np.concatenate(frames).astype(np.int16, casting="no")
    target.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(target, samples, PROMPT_RATE, subtype="PCM_16")


def _build_voices(archives: list[Path], folder: Path) -> None:
    """Each line of a second and more, as it is, in a folder for its level; five roles are for test."""
    import soundfile

    with unpacked_debs(archives, folder) as unpacked:
        for path in sorted((unpacked / SOUNDS).glob("*/cs/*.ogg")):
            if soundfile.info(path).duration >= SHORTEST:
                target = folder / voice_split(path.stem) / path.parts[-3] / path.name
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target)


def voice_split(stem: str) -> str:
    """The split of a line: its file is named LEVEL-ROLE-WORDS, or ROLE-WORDS.

    Example:
        >>> voice_split("k1-pap-karamba"), voice_split("b1-voda1"), voice_split("let-m-oko"), voice_split("help1")
        ('test', 'test', 'train', 'train')
    """
    parts = stem.split("-")
    role = parts[1] if len(parts) >= 3 else parts[0]
    return "test" if role in TEST_ROLES else "train"


SPEECH = (
    Dataset(
        "speech",
        "English telephone prompts of 1 s and more, one speaker, 16 kHz mono WAV decoded from G.722; about one in "
        "seven, by a hash of its name, for test",
        "CC-BY-SA-3.0, Allison Smith (recorded by; financial contributions by Digium, Inc.)",
        (
            Archive("apt-get", "asterisk-core-sounds-en-g722", "1.6.1-1", 10_565_860,
                    "38c5261820b406dcb0ecb37675720da2b0864850690690352ca52707eb623806"),
        ),
        _build_speech,
        extra="audio",
    ),
    Dataset(
        "voices",
        "Czech lines of a game of 1 s and more, some thirty roles, OGG of 22 and 44 kHz as they are; two gods, a "
        "statue, a parrot and a robot dog (which no training file has) for test",
        "GPL-2.0, ALTAR interactive and the authors of Fish Fillets - Next Generation",
        (
            Archive("apt-get", "fillets-ng-data-cs", "1.0.1-1.1", 39_042_172,
                    "3ecef99b9456f1c80c9625c6f2418642b52d58e7167a46bad7a412db17991b14"),
        ),
        _build_voices,
        ("The package names roles, not actors: one actor may speak several of them.",),
        extra="audio",
    ),
)  # fmt: skip
