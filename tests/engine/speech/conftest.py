"""Stand-ins for synthesisers that are not installed here: real programs that speak the same command lines."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

# Writes a tone as long as the text to the file after `out`, and the text and its arguments to `heard` beside itself.
PROGRAM = """\
#!{python}
import array, json, math, pathlib, sys, wave
text = sys.stdin.buffer.read().decode()
arguments = sys.argv[1:]
with (pathlib.Path(__file__).parent / "heard").open("a") as heard:
    heard.write(json.dumps([arguments, text]) + "\\n")
{first}
tone = [round(16000 * math.sin(n / 5)) for n in range(240 * len(text))]
with wave.open(arguments[arguments.index("{out}") + 1], "wb") as target:
    target.setnchannels(1)
    target.setsampwidth(2)
    target.setframerate(24000)
    target.writeframes(array.array("h", tone).tobytes())
"""

Install = Callable[..., Path]


@pytest.fixture
def install(tmp_path: Path) -> Install:
    """Makes a program below `tmp_path/usr/bin`; `first` are lines of Python that it runs before it speaks."""

    def make(name: str, out: str, first: str = "") -> Path:
        program = tmp_path / "usr/bin" / name
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text(PROGRAM.format(python=sys.executable, out=out, first=first))
        program.chmod(0o755)
        return program

    return make


@pytest.fixture
def rhvoice(install: Install, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """RHVoice with two Russian voices of women, one of a man, and a Ukrainian one, on PATH."""

    def make(first: str = "") -> Path:
        program = install("RHVoice-test", "-o", first)
        for name, language, gender in (
            ("Irina", "Russian", "female"), ("Anna", "Russian", "female"), ("Aleksandr", "Russian", "male"),
            ("Anatol", "Ukrainian", "male"), ("Ghost", "Martian", "female"),
        ):  # fmt: skip
            info = program.parent.parent / f"share/RHVoice/voices/{name.lower()}/voice.info"
            info.parent.mkdir(parents=True)
            info.write_text(f"name={name}\nlanguage={language}\ngender={gender}\nformat=4\n")
        marks = program.parent.parent / "share/RHVoice/languages/Russian/stress_marks.fst"
        marks.parent.mkdir(parents=True)
        marks.touch()
        monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
        return program

    return make
