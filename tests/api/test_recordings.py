"""Recordings of calls, over HTTP: asked for, told, served, and deleted again."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest

from engine.dial import Dial

DAY_S = 86_400
Facts = list[dict[str, Any]]


def recorded(engine: Any, end_fact: Callable[..., dict[str, Any]], content: bytes, **changed: Any) -> None:
    """From now on calls are recorded as the engine records them: a file, the fact, the result."""

    def facts(dial: Dial) -> Facts:
        assert dial.record_to is not None
        dial.record_to.write_bytes(content)
        told = {"path": str(dial.record_to), "duration_ms": 1500, "state": "saved", "why": "",
                "started_at": time.time() - 1.5} | changed  # fmt: skip
        return [
            {"type": "dialing"}, {"type": "answered"}, {"type": "recording", **told}, end_fact(recording=told),
        ]  # fmt: skip

    engine.facts = facts


def fetch(url: str, **headers: str) -> httpx2.Response:
    return httpx2.get(url, headers=headers)


def test_a_recording_is_told_and_served(
    running: Any, client: Any, receiver: Any, sound: Any, end_fact: Any, tmp_path: Path
) -> None:
    content = sound()
    recorded(running.engine, end_fact, content)
    made = client.create(client.record(), needRecording="1", webhookUrl=receiver.url)
    assert (made["needRecording"], made["recordFilePath"]) == (1, None)
    told = client.until_over(made["id"])
    url = told["recordFilePath"]
    assert url.startswith(f"{running.url}/recordings/")
    assert told["calls"][0]["recordFilePath"] == url
    assert receiver.next()["recordFilePath"].rpartition("/")[2] == url.rpartition("/")[2]
    whole = fetch(url)
    assert (whole.status_code, whole.content, whole.headers["content-type"]) == (200, content, "audio/wav")
    part = fetch(url, Range="bytes=10-19")
    assert (part.status_code, part.content) == (206, content[10:20])
    assert part.headers["content-range"] == f"bytes 10-19/{len(content)}"
    for wrong in (".ogg", "x.wav", f"{'x' * 99}.wav"):
        assert fetch(url.replace(".wav", wrong)).status_code == 404
    metrics = client.http.get("/metrics").text
    assert f"zvonar_recordings_bytes {float(len(content))}" in metrics
    assert 'zvonar_recordings_total{state="saved"} 1.0' in metrics


def test_each_dialing_has_its_own(running: Any, client: Any, sound: Any, end_fact: Any, monkeypatch: Any) -> None:
    from api import redial

    monkeypatch.setattr(redial, "again_at", lambda _delay, known, now: now if len(known) < 2 else None)
    recorded(running.engine, end_fact, sound())
    told = client.until_over(client.create(client.record(), needRecording=1)["id"])
    paths = [call["recordFilePath"] for call in told["calls"]]
    assert len(set(paths)) == 2
    assert told["recordFilePath"] == paths[1]
    assert len({dial.record_to for dial in running.engine.dialled}) == 2


def test_what_is_not_asked_for_is_not_recorded(running: Any, client: Any) -> None:
    told = client.until_over(client.create(client.record())["id"])
    assert running.engine.dialled[0].record_to is None
    assert told["recordFilePath"] is None


@pytest.mark.parametrize(("state", "is_told"), [("incomplete", True), ("failed", False)])
def test_not_all_of_it(running: Any, client: Any, sound: Any, end_fact: Any, state: str, is_told: bool) -> None:
    recorded(running.engine, end_fact, sound(), state=state, why="no space left on the disk")
    told = client.until_over(client.create(client.record(), needRecording=1)["id"])
    assert (told["recordFilePath"] is not None) is is_told
    assert told["calls"][0]["status"] == "finished"


def test_without_a_folder_the_call_goes_on(running: Any, client: Any, tmp_path: Path) -> None:
    (tmp_path / "recordings").write_text("in the way")
    told = client.until_over(client.create(client.record(), needRecording=1)["id"])
    assert (told["recordFilePath"], told["calls"][0]["disposition"]) == (None, "answered")
    assert running.engine.dialled[0].record_to is None
    assert 'zvonar_recordings_total{state="failed"} 1.0' in client.http.get("/metrics").text


def test_kept_so_long_and_no_longer(running: Any, client: Any, sound: Any, end_fact: Any, tmp_path: Path) -> None:
    recordings, now = running.service.recordings, time.time()
    recorded(running.engine, end_fact, sound())
    number = client.create(client.record(), needRecording=1)["id"]
    url = client.until_over(number)["recordFilePath"]
    [file] = (tmp_path / "recordings").rglob("*.wav")
    left = tmp_path / "recordings" / "2020-01-01" / "1-1.wav.part"  # by a process that died in the call
    left.parent.mkdir()
    left.write_bytes(b"RIFF")
    others = tmp_path / "recordings" / "2020-01-02" / "notes.txt"
    others.parent.mkdir()
    others.write_text("the operator's")
    assert recordings.sweep(now + 29 * DAY_S) == 1
    assert (file.exists(), left.parent.exists(), others.exists()) == (True, False, True)
    assert recordings.sweep(now + 31 * DAY_S) == 1
    assert not file.exists()
    assert recordings.sweep(now + 31 * DAY_S) == 0
    gone = client.http.get(url)
    assert (gone.status_code, gone.json()["data"]["code"]) == (410, "recording_gone")
    assert client.get(number)["recordFilePath"] is None
    assert "zvonar_recordings_bytes 0.0" in client.http.get("/metrics").text


def test_a_file_that_somebody_deleted(running: Any, client: Any, sound: Any, end_fact: Any, tmp_path: Path) -> None:
    recorded(running.engine, end_fact, sound())
    url = client.until_over(client.create(client.record(), needRecording=1)["id"])["recordFilePath"]
    for file in (tmp_path / "recordings").rglob("*.wav"):
        os.unlink(file)
    assert fetch(url).status_code == 410
