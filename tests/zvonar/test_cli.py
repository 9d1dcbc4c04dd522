"""The command as it is typed: a process of its own, on the sandbox."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import wave
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).parents[2] / "configs/scripts/appointment/appointment.yaml"


def zvonar(*arguments: object, **options: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "zvonar", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, **options)


def test_a_call_its_journal_and_its_replay(tmp_path: Path) -> None:
    journal, sound = tmp_path / "call.jsonl", tmp_path / "call.wav"
    called = zvonar(
        "call", SCRIPT, "+79990000001", "--from", "79932432781", "--json", "--journal", journal, "--record", sound,
    )  # fmt: skip
    assert called.returncode == 0, called.stderr
    facts = [json.loads(line) for line in called.stdout.splitlines()]
    result = facts[-1]
    assert [fact["seq"] for fact in facts] == list(range(1, len(facts) + 1))
    assert result["type"] == "ended"
    assert (result["disposition"], result["digits"], result["path"]) == ("answered", "1", ["greeting", "confirmed"])
    assert result["journal"] == str(journal)
    assert (facts[-2]["type"], facts[-2]["state"], facts[-2]["path"]) == ("recording", "saved", str(sound))
    with wave.open(str(sound), "rb") as file:
        assert file.getnframes() / 8 == result["recording"]["duration_ms"]
        assert abs(file.getnframes() / 8 - result["duration_ms"]) < 500
    again = zvonar("replay", journal, "--json")
    assert again.returncode == 0, again.stderr
    assert [json.loads(line) for line in again.stdout.splitlines()] == facts
    journal.write_text(journal.read_text().replace('"disposition": "answered"', '"disposition": "busy"'))
    assert zvonar("replay", journal).returncode == 1


SPOKEN = """\
zvonar: 1
start: greeting
blocks:
  greeting: {prompt: [{text: "Ваш з+амок готов. <-> Да.", voice: male}, {text: "Ja, m+orgen", lang: de}]}
"""


def test_a_text_is_spoken_and_its_journal_needs_no_voice(tmp_path: Path) -> None:
    script, journal = tmp_path / "spoken.yaml", tmp_path / "call.jsonl"
    script.write_text(SPOKEN)
    config = tmp_path / "zvonar.toml"
    config.write_text(f'[store]\nclips = "{tmp_path}/clips"\n[speech]\nvoices = ["espeak"]\n')
    called = zvonar("call", script, "79990000006", "--json", "--journal", journal, "--config", config)
    assert called.returncode == 0, called.stderr
    facts = [json.loads(line) for line in called.stdout.splitlines()]
    (started,) = (fact for fact in facts if fact["type"] == "prompt_started")
    assert started["clips"] == ["text Ваш з+амок готов. <-> Да.", "text Ja, m+orgen"]
    assert 2000 < facts[-1]["heard_ms"] < 6000
    (warning,) = (line for line in called.stderr.splitlines() if "late ticks" not in line)  # of a busy machine
    assert "marks_dropped" in warning
    assert "m+orgen" in warning
    assert len(list((tmp_path / "clips/spoken").iterdir())) == 2
    shutil.rmtree(tmp_path / "clips")
    assert zvonar("replay", journal).returncode == 0


def test_a_text_that_nobody_can_speak_calls_nobody(tmp_path: Path) -> None:
    script = tmp_path / "spoken.yaml"
    script.write_text(SPOKEN.replace("lang: de", "lang: xx"))
    called = zvonar("call", script, "79990000006")
    assert called.returncode == 2
    (line,) = called.stderr.splitlines()[-1:]
    assert "block 'greeting': no voice speaks 'xx'" in line
    assert called.stdout == ""


def test_a_call_that_is_not_answered() -> None:
    called = zvonar("call", SCRIPT, "79990000003")
    assert called.returncode == 1
    assert "busy" in called.stdout


def test_ringing_is_bounded() -> None:
    called = zvonar("call", SCRIPT, "79990000004", "--timeout", "2", "--json")
    result = json.loads(called.stdout.splitlines()[-1])
    assert called.returncode == 1
    assert (result["disposition"], result["sip_code"], result["hangup_cause"]) == ("no_answer", 487, 19)


@pytest.mark.parametrize("number", ["79990000004", "79990000006"])
def test_ctrl_c_hangs_up_and_tells_the_result(number: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "zvonar", "call", str(SCRIPT), number, "--json"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        awaited = "ringing" if number.endswith("004") else "prompt_started"
        for line in process.stdout:
            if json.loads(line)["type"] == awaited:
                break
        process.send_signal(signal.SIGINT)
        rest = [json.loads(line) for line in process.stdout]
        process.wait(20)
    assert rest[-1]["type"] == "ended"
    assert rest[-1]["ended_by"] == "us"
    assert rest[-1]["disposition"] == ("cancelled" if awaited == "ringing" else "answered")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((SCRIPT, "12ab"), "is no telephone number"),
        ((SCRIPT, "79990000001", "--from", "74950000000"), "is no number of trunk 'sandbox'"),
        ((SCRIPT, "79990000001", "--trunk", "nobody"), "there is no trunk 'nobody'"),
        (("nothing.yaml", "79990000001"), "nothing.yaml: No such file"),
        ((SCRIPT.parent, "79990000001"), "Is a directory"),
        ((SCRIPT, "79990000001", "--config", "nothing.toml"), "nothing.toml: No such file"),
        ((SCRIPT, "79990000001", "--journal", "/proc/no/such.jsonl"), "/proc/no"),
    ],
)
def test_what_is_wrong_is_one_line_and_nobody_is_called(arguments: tuple[object, ...], told: str) -> None:
    called = zvonar("call", *arguments)
    assert called.returncode == 2
    assert told in called.stderr
    assert len(called.stderr.splitlines()) == 1
    assert called.stdout == ""


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("zvonar: 1\nname: x\nstart: a\nblocks:\n  a: {on: {done: b}}\n", ":5:"),
        ("zvonar: 1\nname: x\nstart: a\nblocks:\n  a: {promt: []}\n", "prompt"),
        ("zvonar: 1\nname: [x\n", "script.yaml:"),
        ("zvonar: 1\nname: x\nstart: a\nblocks:\n  a: {prompt: [{file: none.wav}]}\n", "none.wav"),
        ("zvonar: 1\nname: x\nstart: a\nblocks:\n  a: {prompt: [{file: script.yaml}]}\n", "script.yaml"),
    ],
)
def test_a_wrong_script(tmp_path: Path, text: str, told: str) -> None:
    script = tmp_path / "script.yaml"
    script.write_text(text)
    called = zvonar("call", script, "79990000001")
    assert called.returncode == 2
    assert told in called.stderr
    assert len(called.stderr.splitlines()) == 1


def test_no_journal() -> None:
    replayed = zvonar("replay", SCRIPT)
    assert replayed.returncode == 2
    assert len(replayed.stderr.splitlines()) == 1


@pytest.mark.parametrize("command", [(), ("call",), ("replay",), ("serve",), ("sandbox",), ("account", "add")])
def test_help_is_there_with_an_example(command: tuple[str, ...]) -> None:
    helped = zvonar(*command, "--help", env={"COLUMNS": "200", "PATH": "/usr/bin"})
    assert helped.returncode == 0
    assert "zvonar " + " ".join(command) in helped.stdout


def test_a_call_loads_no_web_server() -> None:
    loaded = subprocess.run(
        [sys.executable, "-c", "import zvonar.cli, zvonar.call, sys; print(*sys.modules)"],
        capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    assert not {"fastapi", "uvicorn", "sqlalchemy", "av"} & set(loaded)


def test_the_sandbox_alone_answers_other_sip_software(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "zvonar", "sandbox", "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE, text=True
    ) as sandbox:
        assert sandbox.stdout is not None
        address = sandbox.stdout.readline().split("sip:")[1].split(";")[0]
        config = tmp_path / "zvonar.toml"
        config.write_text(f'[[trunk]]\nname = "s"\nserver = "{address}"\nnumbers = ["79932432781"]\n')
        called = zvonar("call", SCRIPT, "79990000003", "--config", config)
        sandbox.send_signal(signal.SIGTERM)
        sandbox.wait(20)
    assert called.returncode == 1
    assert "busy" in called.stdout
