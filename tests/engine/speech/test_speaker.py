"""Texts to kept clips: the choice of a voice, joining, the cache, and every way it can fail."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from engine.clips import wav
from engine.config import SpeechConfig
from engine.speech import child, speaker
from engine.speech.error import SpeechError
from engine.speech.espeak import Espeak
from engine.speech.speaker import Speaker
from engine.speech.voice import Command, Gender

FEMALE, MALE = Gender.FEMALE, Gender.MALE
ESPEAK = SpeechConfig(voices=("espeak",))


@pytest.fixture
def espeak(tmp_path: Path) -> Speaker:
    return Speaker(ESPEAK, tmp_path / "spoken")


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[Command]:
    """The commands that were run."""
    commands: list[Command] = []
    run = child.run

    def counted(command: Command, *rest: object) -> None:
        commands.append(command)
        run(command, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(child, "run", counted)
    return commands


def test_a_text_becomes_a_clip_with_exact_pauses(espeak: Speaker) -> None:
    whole = espeak.speak("Раз. <-><-> Два. <->", FEMALE)
    parts = [espeak.speak(text, FEMALE) for text in ("Раз.", "Два.")]
    assert (whole.voice, whole.language, whole.gender, whole.dropped) == ("espeak ru+f2", "ru", FEMALE, ())
    sound, first = (wav.read(one.path.read_bytes()) for one in (whole, parts[0]))
    assert sound.rate_hz == 8000
    at = first.samples.size
    assert np.array_equal(sound.samples[:at], first.samples)
    assert not sound.samples[at : at + 8000].any()
    assert not sound.samples[-4000:].any()
    assert sound.samples.size == at + 8000 + wav.read(parts[1].path.read_bytes()).samples.size + 4000
    assert whole.duration_ms == round(sound.samples.size / 8)


def test_marks_that_are_dropped_are_told_also_from_the_cache(espeak: Speaker, runs: list[Command]) -> None:
    text = "м+олок+о <-> sh+op з+амок"
    assert espeak.speak(text, FEMALE).dropped == ("молок+о", "sh+op")
    assert espeak.speak(text, FEMALE).dropped == ("молок+о", "sh+op")
    assert len(runs) == 2


def test_language_and_gender_choose_the_voice(espeak: Speaker) -> None:
    def chosen(*asked: object) -> str:
        return espeak.speak(*asked).voice  # type: ignore[arg-type]

    assert chosen("Да", MALE) == "espeak ru+m3"
    assert chosen("Yes", FEMALE) == "espeak en+f2"
    assert chosen("Да", FEMALE, "uk") == "espeak uk+f2"
    assert chosen("Да", FEMALE, "ru_RU") == "espeak ru+f2"
    assert chosen("Yes", MALE, "en-us") == "espeak en-us+m3"
    assert chosen("Yes", FEMALE, None, "espeak de+m3") == "espeak de+m3"


def test_the_best_voice_of_the_language_first(rhvoice: Callable[..., Path], tmp_path: Path) -> None:
    rhvoice()
    one = Speaker(SpeechConfig(), tmp_path)
    assert one.speak("Д+а", FEMALE).voice == "rhvoice Anna"
    assert one.speak("Да", MALE).voice == "rhvoice Aleksandr"
    assert one.speak("Yes", FEMALE).voice == "espeak en+f2"
    only = Speaker(SpeechConfig(voices=("rhvoice",)), tmp_path)
    said = only.speak("Так", FEMALE, "uk")
    assert (said.voice, said.gender) == ("rhvoice Anatol", MALE)
    assert [language.code for language in only.languages()] == ["ru", "uk"]


def test_languages(espeak: Speaker) -> None:
    found = espeak.languages()
    assert (found[0].code, found[0].name) == ("ru", "русский")
    assert len(found) > 90
    assert len({language.code for language in found}) == len(found)


def refused(one: Speaker, *asked: object) -> SpeechError:
    with pytest.raises(SpeechError) as caught:
        one.speak(*asked)  # type: ignore[arg-type]
    assert len(str(caught.value).splitlines()) == 1
    assert str(caught.value) == caught.value.message.format(**caught.value.params)
    return caught.value


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        (("Да", FEMALE, "xx"), "no_voice"),
        (("Да", FEMALE, ""), None),
        (("Да", FEMALE, None, "anna\n"), "unknown_voice"),
        (("а" * 100_000, FEMALE), "text_too_long"),
        (("?!", FEMALE), "text_has_no_word"),
    ],
)
def test_what_cannot_be_asked(espeak: Speaker, asked: tuple[object, ...], code: str | None) -> None:
    if code is None:
        assert espeak.speak(*asked).voice == "espeak ru+f2"  # type: ignore[arg-type]
    else:
        assert refused(espeak, *asked).code == code


def test_no_voice_at_all(tmp_path: Path) -> None:
    assert refused(Speaker(SpeechConfig(voices=()), tmp_path), "Да", FEMALE).code == "no_voice"


@pytest.mark.parametrize(
    ("first", "code"),
    [
        ("import time; time.sleep(60)", "speech_timed_out"),
        ("sys.exit('no such profile')", "speech_failed"),
        ("import os; os.kill(os.getpid(), 9)", "speech_failed"),
        ("sys.exit(0)", "voice_cannot_say"),
        ("pathlib.Path(arguments[3]).write_bytes(b'RIFFxxxx'); sys.exit(0)", "speech_failed"),
        ("text = ''", "speech_failed"),
    ],
)
def test_a_synthesiser_that_fails(rhvoice: Callable[..., Path], tmp_path: Path, first: str, code: str) -> None:
    rhvoice(first)
    folder = tmp_path / "spoken"
    one = Speaker(SpeechConfig(voices=("rhvoice",), timeout_s=1), folder)
    error = refused(one, "Да", FEMALE)
    assert error.code == code
    assert error.params["voice"] == "rhvoice Anna"
    assert not folder.exists()  # nothing half made is kept


def test_one_that_disappears(rhvoice: Callable[..., Path], tmp_path: Path) -> None:
    program = rhvoice()
    one = Speaker(SpeechConfig(voices=("rhvoice",)), tmp_path)
    assert one.voices
    program.unlink()
    assert refused(one, "Да", FEMALE).code == "speech_missing"


def test_too_long_a_speech(espeak: Speaker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speaker, "MAX_S", 1)
    assert refused(espeak, "Здравствуйте, это звонок из клиники", FEMALE).code == "speech_too_long"


def test_the_same_text_is_spoken_once(espeak: Speaker, runs: list[Command], tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as threads:
        said = list(threads.map(lambda _: espeak.speak("Да", FEMALE), range(8)))
    assert len({one.path for one in said}) == 1
    Speaker(ESPEAK, tmp_path / "spoken").speak(" Да ", FEMALE)
    assert len(runs) == 1
    assert sorted(tmp_path.joinpath("spoken").iterdir()) == [said[0].path]
    assert not espeak._making
    espeak.speak("Да", MALE)
    assert len(runs) == 2


def test_a_spoilt_clip_is_made_again(espeak: Speaker, runs: list[Command]) -> None:
    said = espeak.speak("Да", FEMALE)
    whole = said.path.read_bytes()
    said.path.write_bytes(whole[: len(whole) // 2])
    assert espeak.speak("Да", FEMALE) == said
    assert said.path.read_bytes() == whole
    assert len(runs) == 2


def test_no_more_children_than_allowed(espeak: Speaker, monkeypatch: pytest.MonkeyPatch) -> None:
    running, most, lock = 0, 0, threading.Lock()
    run = child.run

    def watched(*asked: object) -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.05)
        run(*asked)  # type: ignore[arg-type]
        with lock:
            running -= 1

    monkeypatch.setattr(child, "run", watched)
    with ThreadPoolExecutor(6) as threads:
        list(threads.map(lambda n: espeak.speak(f"Слово {n}", FEMALE), range(6)))
    assert most == speaker.MAX_CHILDREN
    monkeypatch.setattr(speaker, "MAX_QUEUE_S", 0.1)
    for _ in range(speaker.MAX_CHILDREN):
        espeak._children.acquire()
    assert refused(espeak, "Слово", FEMALE).code == "speech_busy"


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    tmp_path.joinpath("file").touch()
    assert refused(Speaker(ESPEAK, tmp_path / "file/spoken"), "Да", FEMALE).code == "speech_not_kept"


def test_no_room_for_the_child(espeak: Speaker, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(speaker.tempfile, "tempdir", str(tmp_path / "none"))
    assert refused(espeak, "Да", FEMALE).code == "speech_not_kept"


HOSTILE = [
    "<speak><audio src='file:///etc/passwd'/>Да</speak>",
    "[[h@l'oU]] да",
    "$(touch x) `id` ; да | да & да",
    "--help да",
    "да\0\x01\x1b[31mда",
    "да \ud83d да \udcff",
    "👍 да 👍🏽",
    "% %s {0} {да} %n",
    "а" * 3000,
    "да\u202eад",
    "1" * 200,
    "ß ﷽ 漢字 да",
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_texts_are_only_words(espeak: Speaker, text: str) -> None:
    said = espeak.speak(text, FEMALE)
    assert 100 < said.duration_ms <= 300_000


def test_espeak_is_what_is_always_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    one = Speaker(SpeechConfig(), tmp_path)
    assert one.speak("Да", FEMALE).voice == "espeak ru+f2"
    assert list(one.voices) == list(Espeak().voices())
