"""espeak-ng for real, by the library of the wheel."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.clips import wav
from engine.speech import child, espeak
from engine.speech.espeak import Espeak
from engine.speech.marks import Words, read
from engine.speech.voice import DROPPED, Gender, Voice


def voice(language: str, gender: Gender = Gender.FEMALE) -> Voice:
    return next(one for one in Espeak().voices() if (one.language, one.gender) == (language, gender))


def say(text: str, tmp_path: Path, by: Voice) -> tuple[wav.Sound, list[int]]:
    (words,) = read(text)
    assert isinstance(words, Words)
    target = tmp_path / "said.wav"
    child.run(Espeak().command(by, words, target), by.name, 20, tmp_path)
    return wav.read(target.read_bytes()), json.loads((tmp_path / DROPPED).read_text())


def test_voices_of_the_wheel() -> None:
    found = espeak.library()
    assert found is not None
    assert "espeakng_loader" in found.file  # even where the command is installed
    languages = {one.language for one in Espeak().voices()}
    assert len(languages) > 100
    assert {"ru", "uk", "en", "en-GB", "de", "kk"} <= languages
    names = [one.name for one in Espeak().voices()]
    assert len(names) == len(set(names))


def test_without_any_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(espeak, "library", lambda: None)
    assert not Espeak().voices()


def test_the_system_s_library_where_the_wheel_has_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(espeak.importlib, "import_module", missing)
    (tmp_path / "espeak-ng-data").mkdir()
    monkeypatch.setattr(espeak, "SYSTEM_DATA", (str(tmp_path / "espeak-ng-d*"),))
    assert espeak.library() is None
    (tmp_path / "espeak-ng-data/phontab").touch()
    assert espeak.library() == espeak.Library("libespeak-ng.so.1", tmp_path / "espeak-ng-data")


def missing(_name: str) -> object:
    raise ImportError


def test_it_speaks(tmp_path: Path) -> None:
    sound, dropped = say("Здравствуйте! Это звонок из клиники.", tmp_path, voice("ru"))
    seconds = sound.samples.size / sound.rate_hz
    assert 1.5 < seconds < 5
    assert abs(sound.samples).max() > 0.1
    assert dropped == []


def test_women_and_men_sound_different(tmp_path: Path) -> None:
    woman, _ = say("Здравствуйте", tmp_path, voice("ru", Gender.FEMALE))
    man, _ = say("Здравствуйте", tmp_path, voice("ru", Gender.MALE))
    assert woman.samples.tobytes() != man.samples.tobytes()


def test_a_mark_changes_what_is_said(tmp_path: Path) -> None:
    castle, _ = say("Старый з+амок.", tmp_path, voice("ru"))
    lock, _ = say("Старый зам+ок.", tmp_path, voice("ru"))
    plain, _ = say("Старый замок.", tmp_path, voice("ru"))
    again, _ = say("Старый з+амок.", tmp_path, voice("ru"))
    assert castle.samples.tobytes() == again.samples.tobytes()  # so what differs below is not chance
    assert castle.samples.tobytes() != lock.samples.tobytes()
    assert castle.samples.tobytes() != plain.samples.tobytes()


def test_of_two_marks_in_a_word_one_is_honoured(tmp_path: Path) -> None:
    words = Words("молоко и цех", (1, 5, 10))
    assert (voice("ru").honoured(words), voice("ru").dropped(words)) == ((1, 10), (5,))
    _, dropped = say("м+олок+о и ц+ех", tmp_path, voice("ru"))
    assert dropped == []


def test_a_mark_that_cannot_be_honoured_after_all_is_told(tmp_path: Path) -> None:
    _, dropped = say("Город м+оckва, з+амок", tmp_path, voice("ru"))  # `ck` are Latin letters
    assert dropped == [7]


def test_marks_elsewhere_are_not_promised() -> None:
    (words,) = read("r+ecord")
    assert isinstance(words, Words)
    assert voice("en").dropped(words) == (1,)
