"""espeak-ng: the voice that is always there, for more than a hundred languages; plain, but clear on a telephone.

It is used as a library in a child process (`engine.speech.espeak_child`). The library of the espeakng-loader wheel
comes first, not the system's: it is the same everywhere, and its Russian dictionary is four times the size of Debian's,
so it stresses more words right.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from engine.speech.marks import RUSSIAN_VOWELS, Words
from engine.speech.voice import Command, Gender, Voice

VARIANTS: Final = {Gender.FEMALE: "f2", Gender.MALE: "m3"}
SYSTEM_LIBRARY: Final = "libespeak-ng.so.1"
SYSTEM_DATA: Final = ("/usr/lib/*/espeak-ng-data", "/usr/lib/espeak-ng-data", "/usr/share/espeak-ng-data")


@dataclass(frozen=True, slots=True)
class Library:
    """A library of espeak-ng and the folder of its data."""

    file: str
    data: Path


def library() -> Library | None:
    """The one to speak with: the wheel's, else the system's."""
    try:
        loader = importlib.import_module("espeakng_loader")
        file, data = Path(loader.get_library_path()), Path(loader.get_data_path())
        if file.is_file():
            return Library(str(file), data)
    except (ImportError, RuntimeError):  # no wheel for this machine, or one without its data
        pass
    folders = (folder for pattern in SYSTEM_DATA for folder in sorted(Path("/").glob(pattern.lstrip("/"))))
    return next((Library(SYSTEM_LIBRARY, folder) for folder in folders if (folder / "phontab").is_file()), None)


class Espeak:
    """The synthesiser with the library that was found."""

    def __init__(self) -> None:
        self._library = library()

    def voices(self) -> Sequence[Voice]:
        if self._library is None:
            return ()
        tags = sorted(
            {tag for file in (self._library.data / "lang").rglob("*") if file.is_file() for tag in _tags(file)}
        )
        return [
            Voice(f"espeak {tag}+{variant}", _bcp47(tag), gender, RUSSIAN_VOWELS if tag == "ru" else "")
            for tag in tags
            for gender, variant in VARIANTS.items()
        ]

    def command(self, voice: Voice, words: Words, target: Path) -> Command:
        assert self._library is not None, "it has no voice, so nobody asks it"
        job = {
            "library": self._library.file,
            "data": str(self._library.data),
            "voice": voice.name.removeprefix("espeak "),
            "text": words.text,
            "stressed": voice.honoured(words),
            "target": str(target),
        }
        return Command((sys.executable, "-P", "-m", "engine.speech.espeak_child"), json.dumps(job).encode())


def _tags(file: Path) -> list[str]:
    """The languages that a voice file of espeak-ng says it speaks: `language TAG [PRIORITY]`."""
    lines = (line.split() for line in file.read_text("utf-8", "replace").splitlines())
    return [words[1] for words in lines if len(words) >= 2 and words[0] == "language"]


def _bcp47(tag: str) -> str:
    first, *rest = tag.split("-")
    return "-".join([first, *(part.upper() if len(part) == 2 else part for part in rest)])
