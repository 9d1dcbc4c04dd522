"""piper, where voice files are configured: neural voices, a file of `.onnx` with its `.onnx.json` beside it.

Its command line: `-m` voice file, `-f` file (WAV), text on stdin, a line an utterance (piper-tts 1.8).
The package takes its phonemes from an espeak-ng with a dictionary of its own, whose Russian rules know U+0301 behind a
stressed vowel. Of another `piper` on PATH nobody knows that, so it is given no marks.
"""

from __future__ import annotations

import importlib.util
import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from engine.config import ConfigError, PiperVoiceConfig
from engine.speech.marks import ACUTE, RUSSIAN_VOWELS, Words
from engine.speech.voice import Command, Gender, Voice, primary

COMMAND: Final = "piper"


class Piper:
    """The synthesiser with the configured voices."""

    def __init__(self, configured: Sequence[PiperVoiceConfig]) -> None:
        self._packaged = importlib.util.find_spec("piper") is not None
        self._argv = (sys.executable, "-P", "-m", "piper") if self._packaged else (shutil.which(COMMAND) or COMMAND,)
        self._files = {f"piper {voice.file.stem}": voice.file.resolve() for voice in configured}
        self._voices = [self._voice(name, voice) for name, voice in zip(self._files, configured, strict=True)]

    def voices(self) -> Sequence[Voice]:
        return self._voices

    def command(self, voice: Voice, words: Words, target: Path) -> Command:
        text = list(words.text)
        for at in voice.honoured(words):
            text[at] += ACUTE
        argv = (*self._argv, "-m", str(self._files[voice.name]), "-f", str(target))
        return Command(argv, "".join(text).encode() + b"\n")

    def _voice(self, name: str, configured: PiperVoiceConfig) -> Voice:
        about = _about(configured.file)
        language = str(about.get("language", {}).get("code") or about.get("espeak", {}).get("voice") or "und")
        knows_marks = self._packaged and primary(language) == "ru" and about.get("phoneme_type", "espeak") == "espeak"
        gender = Gender[configured.gender.upper()]
        return Voice(name, language.replace("_", "-"), gender, RUSSIAN_VOWELS if knows_marks else "")


def _about(file: Path) -> dict[str, Any]:
    beside = Path(f"{file}.json")
    try:
        about = json.loads(beside.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{beside}: cannot be read ({error}); get it again from where the voice came") from error
    if not isinstance(about, dict):
        raise ConfigError(f"{beside}: describes no voice of piper; get it again from where the voice came")
    return about
