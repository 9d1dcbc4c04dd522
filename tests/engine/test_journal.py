"""The journal: what happened can be run again."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from engine.call import Call
from engine.events import Answered, Ended, Ringing, Side, Trying
from engine.journal import Journal, JournalError, replay
from engine.media import wire
from engine.orders import Fact, Input, Start
from engine.settings import Settings
from ivr.model import Block, File, Gather, Interrupt, Script

SDP = b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\n"
SCRIPT = Script(
    "приём", "ask", (Block("ask", (File("ask.wav"),), Interrupt.ANY, Gather(), (("1", "yes"),)), Block("yes"))
)
SETTINGS = Settings(
    "c1", "79990000001", "74951234567", "t", 30.0, ("pcma",), "192.0.2.9", 20000, 7, record_to="/call.wav"
)
INPUTS: list[tuple[float, Input]] = [
    (1000.1, Start()), (1000.2, Trying()), (1000.30000001, Ringing()), (1001.7, Answered(SDP + b"\xff")),
    (1003.0, wire.Digit("1")), (1003.0, wire.Played(1, 1280, "digit")), (1003.1, Ended(Side.LOCAL)),
    (1003.2, wire.Closed(60, 61, 0, 0)), (1003.3, wire.Recorded("/call.wav", 1300, "saved", "", 1001.71)),
]  # fmt: skip


def write(path: Path, inputs: list[tuple[float, Input]] = INPUTS) -> list[dict[str, object]]:
    settings = replace(SETTINGS, journal=str(path))
    call, journal, facts = Call(settings, SCRIPT), Journal(path, settings, SCRIPT), []
    for at, event in inputs:
        journal.took(at, event)
        for output in call.step(at, event):
            if isinstance(output, Fact):
                journal.told(output)
                facts.append(output.as_dict("c1"))
    journal.close()
    return facts


def test_a_replay_gives_the_same_facts(tmp_path: Path) -> None:
    facts = write(tmp_path / "call.jsonl")
    again = replay(tmp_path / "call.jsonl")
    assert again.difference is None
    assert again.whole
    assert again.facts == facts
    assert facts[-1]["journal"] == str(tmp_path / "call.jsonl")


def test_a_changed_fact_is_found(tmp_path: Path) -> None:
    path = tmp_path / "call.jsonl"
    write(path)
    path.write_text(path.read_text().replace('"type": "digit", "digit": "1"', '"type": "digit", "digit": "2"'))
    difference = replay(path).difference
    assert difference is not None
    assert difference.recorded is not None
    assert difference.recorded["type"] == "digit"


def test_what_an_earlier_version_did_not_tell_is_no_difference(tmp_path: Path) -> None:
    path = tmp_path / "call.jsonl"
    write(path)
    *lines, last = path.read_text().splitlines()
    ended = json.loads(last)
    del ended["fact"]["manager"]
    path.write_text("\n".join([*lines, json.dumps(ended)]) + "\n")
    assert replay(path).difference is None
    ended["fact"]["cost"] = 5
    path.write_text("\n".join([*lines, json.dumps(ended)]) + "\n")
    assert replay(path).difference is not None


def test_a_changed_input_is_found(tmp_path: Path) -> None:
    path = tmp_path / "call.jsonl"
    write(path)
    lines = path.read_text().splitlines()
    index = next(number for number, line in enumerate(lines) if '"Ringing"' in line)
    path.write_text("\n".join([*lines[:index], *lines[index + 1 :]]) + "\n")
    assert replay(path).difference is not None


def test_what_a_crash_left_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "call.jsonl"
    write(path, INPUTS[:5])
    with path.open("a") as file:
        file.write('{"at": 1003.1, "in": {"ty')
    again = replay(path)
    assert again.difference is None
    assert not again.whole


def test_a_call_that_broke_breaks_again(tmp_path: Path) -> None:
    path = tmp_path / "call.jsonl"
    write(path, INPUTS[:4])
    call = Call(replace(SETTINGS, journal=str(path)), SCRIPT)
    for at, event in INPUTS[:4]:
        call.step(at, event)
    with path.open("a") as file:
        file.write(json.dumps({"at": 1002.0, "fail": "KeyError at Digit"}) + "\n")
        for output in call.fail(1002.0, "KeyError at Digit"):
            if isinstance(output, Fact):
                file.write(json.dumps({"fact": output.as_dict("c1")}) + "\n")
    again = replay(path)
    assert again.difference is None
    assert again.facts[-1]["disposition"] == "internal_error"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "not json\n",
        "[]\n",
        "{}\n",
        '{"journal": 99}\n',
        '{"journal": 1, "settings": {}, "script": {}}\n',
        "\ud800",
    ],
)
def test_no_journal(tmp_path: Path, text: str) -> None:
    path = tmp_path / "call.jsonl"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(JournalError, match=r"call\.jsonl"):
        replay(path)


def test_a_line_that_is_none(tmp_path: Path) -> None:
    path = tmp_path / "call.jsonl"
    write(path, INPUTS[:2])
    for line in ('{"at": 1, "in": {"type": "Nonsense"}}\n', "{}\n", "[1]\n"):
        text = path.read_text()
        path.write_text(text + line)
        with pytest.raises(JournalError):
            replay(path)
        path.write_text(text)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="No such file"):
        replay(tmp_path / "nothing.jsonl")
