"""RHVoice, where `RHVoice-test` is installed: natural voices for Russian and its neighbours.

Its command line: `-p` voice, `-o` file (WAV), text on stdin, plain unless `-s` is given (src/test/test.cpp of RHVoice).
Its voices are the folders below `share/RHVoice/voices`, each with a `voice.info` (name, language, gender). U+0301
behind a vowel stresses it where the language's folder has `stress_marks.fst` (src/core/russian.cpp, ukrainian.cpp). The
better known `+` before the vowel is an option of its configuration that is off as it comes.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from engine.speech.marks import ACUTE, RUSSIAN_VOWELS, Words
from engine.speech.voice import Command, Gender, Voice

COMMAND: Final = "RHVoice-test"
STRESS_MARKS: Final = "stress_marks.fst"
LANGUAGES: Final = {
    "Albanian": "sq", "Brazilian-Portuguese": "pt-BR", "Croatian": "hr", "Czech": "cs", "English": "en",
    "Esperanto": "eo", "Georgian": "ka", "Kyrgyz": "ky", "Macedonian": "mk", "Polish": "pl", "Russian": "ru",
    "Serbian": "sr", "Slovak": "sk", "Spanish": "es", "Tatar": "tt", "Turkmen": "tk", "Ukrainian": "uk", "Uzbek": "uz",
    "Vietnamese": "vi",
}  # fmt: skip
_STRESSES = {"ru": RUSSIAN_VOWELS, "uk": "аеиіоуєїюя"}
_BEST = ("Anna", "Aleksandr")  # the Russian voices that its examples use; of the others none is better


class RHVoice:
    """The synthesiser; `command` is its program, None where it is not installed."""

    def __init__(self, command: str | None = None) -> None:
        self._command = command or shutil.which(COMMAND)

    def voices(self) -> Sequence[Voice]:
        if self._command is None:
            return ()
        folder = Path(self._command).resolve().parent.parent / "share/RHVoice"
        found = [voice for info in sorted(folder.glob("voices/*/voice.info")) if (voice := _voice(info))]
        return sorted(found, key=lambda voice: _profile(voice) not in _BEST)

    def command(self, voice: Voice, words: Words, target: Path) -> Command:
        text = list(words.text)
        for at in voice.honoured(words):
            text[at] += ACUTE
        argv = (self._command or COMMAND, "-p", _profile(voice), "-o", str(target))
        return Command(argv, "".join(text).encode())


def _voice(info: Path) -> Voice | None:
    fields = dict(line.partition("=")[::2] for line in info.read_text("utf-8", "replace").splitlines())
    language = LANGUAGES.get(fields.get("language", "").strip())
    name = fields.get("name", "").strip()
    if language is None or not name.replace("-", "").isalnum():
        return None
    gender = Gender.MALE if fields.get("gender", "").strip() == "male" else Gender.FEMALE
    knows_marks = (info.parents[2] / "languages" / fields["language"].strip() / STRESS_MARKS).is_file()
    return Voice(f"rhvoice {name}", language, gender, _STRESSES.get(language, "") if knows_marks else "")


def _profile(voice: Voice) -> str:
    return voice.name.removeprefix("rhvoice ")
