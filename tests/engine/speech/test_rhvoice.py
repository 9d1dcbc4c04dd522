"""RHVoice by its command line and its folder of voices; a stand-in speaks, since no package has it here."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.speech import child
from engine.speech.marks import Words, read
from engine.speech.rhvoice import RHVoice
from engine.speech.voice import Gender

FEMALE, MALE = Gender.FEMALE, Gender.MALE


def test_where_it_is_not_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not RHVoice().voices()


def test_its_voices_best_first(rhvoice: Callable[..., Path]) -> None:
    rhvoice()
    found = [(voice.name, voice.language, voice.gender) for voice in RHVoice().voices()]
    assert found == [
        ("rhvoice Aleksandr", "ru", MALE), ("rhvoice Anna", "ru", FEMALE),
        ("rhvoice Anatol", "uk", MALE), ("rhvoice Irina", "ru", FEMALE),
    ]  # fmt: skip


def test_the_text_goes_by_stdin_with_its_marks(rhvoice: Callable[..., Path], tmp_path: Path) -> None:
    program = rhvoice()
    synthesiser = RHVoice()
    (words,) = read('-s <break/> "$(id)" з+амок, r+ecord')
    assert isinstance(words, Words)
    voice = next(one for one in synthesiser.voices() if one.name == "rhvoice Anna")
    target = tmp_path / "said.wav"
    child.run(synthesiser.command(voice, words, target), voice.name, 10, tmp_path)
    assert target.is_file()
    heard = json.loads((program.parent / "heard").read_text())
    assert heard == [["-p", "Anna", "-o", str(target)], '-s "$(id)" за\u0301мок, record']
    assert voice.dropped(words) == (words.stressed[1],)


def test_marks_where_the_language_has_none(rhvoice: Callable[..., Path], tmp_path: Path) -> None:
    rhvoice()
    (ukrainian,) = (voice for voice in RHVoice().voices() if voice.language == "uk")
    words = Words("замок", (1,))
    assert RHVoice().command(ukrainian, words, tmp_path).stdin == "замок".encode()
    assert ukrainian.dropped(words) == (1,)
