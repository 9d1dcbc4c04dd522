"""piper by its command line; a stand-in speaks, since its voices are no packages."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine import config
from engine.config import ConfigError, PiperVoiceConfig
from engine.speech import child, piper
from engine.speech.marks import Words, read
from engine.speech.piper import Piper
from engine.speech.voice import Gender

ABOUT = {"audio": {"sample_rate": 22050}, "language": {"code": "ru_RU"}, "phoneme_type": "espeak"}


def voice_file(folder: Path, about: object = ABOUT) -> Path:
    file = folder / "ru_RU-irina-medium.onnx"
    file.touch()
    Path(f"{file}.json").write_text(json.dumps(about))
    return file


def test_no_voice_is_configured() -> None:
    assert not Piper(()).voices()


def test_a_configured_voice(tmp_path: Path) -> None:
    (voice,) = Piper([PiperVoiceConfig(file=voice_file(tmp_path))]).voices()
    assert (voice.name, voice.language, voice.gender) == ("piper ru_RU-irina-medium", "ru-RU", Gender.FEMALE)


@pytest.mark.parametrize("packaged", [True, False])
def test_the_text_goes_by_stdin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, install: object, packaged: bool
) -> None:
    program = install("piper", "-f")  # type: ignore[operator]
    monkeypatch.setenv("PATH", str(program.parent))
    monkeypatch.setattr(piper.importlib.util, "find_spec", lambda _name: packaged or None)
    monkeypatch.setattr(piper.sys, "executable", str(program))  # the stand-in for Python with the package, too
    synthesiser = Piper([PiperVoiceConfig(file=voice_file(tmp_path), gender="male")])
    (voice,) = synthesiser.voices()
    (words,) = read("--cuda з+амок")
    assert isinstance(words, Words)
    target = tmp_path / "said.wav"
    child.run(synthesiser.command(voice, words, target), voice.name, 10, tmp_path)
    arguments, text = json.loads((program.parent / "heard").read_text())
    assert arguments == [
        *(["-P", "-m", "piper"] if packaged else []), "-m", str(tmp_path / "ru_RU-irina-medium.onnx"), "-f", str(target)
    ]  # fmt: skip
    # Only the package is known to honour marks.
    assert text == ("--cuda за\u0301мок\n" if packaged else "--cuda замок\n")
    assert bool(voice.dropped(words)) is not packaged


def test_a_voice_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.onnx: no such file"):
        config.parse({"speech": {"piper_voices": [{"file": str(tmp_path / "none.onnx")}]}})


@pytest.mark.parametrize("about", ["[]", "{", ""])
def test_a_file_that_describes_no_voice(tmp_path: Path, about: str) -> None:
    file = voice_file(tmp_path)
    Path(f"{file}.json").write_text(about)
    with pytest.raises(ConfigError, match=r"irina-medium\.onnx\.json"):
        Piper([PiperVoiceConfig(file=file)])
