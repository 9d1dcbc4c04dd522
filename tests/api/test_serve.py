"""`zvonar serve` and `zvonar account add` as processes, on the sandbox: real SIP, real RTP, and kill -9."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

PERSON, SILENT, FOR_EVER = "79990000001", "79990000006", "79990000004"
OUTGOING = "79932432781"


def zvonar(*arguments: str, config: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "zvonar", *arguments, "--config", str(config)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


class Served:
    """A `zvonar serve` in a folder of its own, which can be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self.config = folder / "zvonar.toml"
        self.config.write_text(
            f'[store]\nurl = "sqlite:///{folder}/zvonar.db"\njournals = "{folder}/journals"\n'
            '[api]\nlisten = "127.0.0.1:0"\n[media]\ncalls = 20\n'
        )
        added = zvonar("account", "add", "me", "--balance", "100", "--moderated", "--json", config=self.config)
        self.account = json.loads(added.stdout)
        self.output: list[str] = []
        self.http = httpx2.Client(timeout=20)
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "zvonar", "serve", "--config", str(self.config)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        heard = threading.Event()
        self.reader = threading.Thread(target=self._read, args=(self.process, heard))
        self.reader.start()
        assert heard.wait(30), "".join(self.output)

    def _read(self, process: subprocess.Popen[str], heard: threading.Event) -> None:
        assert process.stdout is not None
        with process.stdout:
            for line in process.stdout:
                self.output.append(line)
                found = re.search(r"http://127\.0\.0\.1:\d+", line)
                if found and not heard.is_set():
                    self.http.base_url = found[0]
                    heard.set()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self.reader.join(10)

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        code = self.process.wait(30)
        self.reader.join(10)
        return code

    def data(self, method: str, **fields: Any) -> Any:
        answer = self.http.post(f"/apiCalls/{method}", json={"apiKey": self.account["apiKey"], **fields})
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    def record(self, content: bytes) -> int:
        form = {"apiKey": self.account["apiKey"]}
        answer = self.http.post("/apiCalls/createRecord", data=form, files={"f": ("c.wav", content)})
        return int(answer.json()["data"]["id"])

    def create(self, phone: str, record: int, **fields: Any) -> int:
        wanted = {"phone": phone, "outgoingPhone": OUTGOING, "record": {"id": record}, **fields}
        return int(self.data("create", **wanted)[0]["id"])

    def call(self, number: int) -> dict[str, Any]:
        return dict(self.data("get", apiCallIdList=[number])[0]["calls"][-1])

    def until(self, number: int, *statuses: str, within_s: float = 30.0) -> dict[str, Any]:
        until = time.monotonic() + within_s
        while (call := self.call(number))["status"] not in statuses:
            assert time.monotonic() < until, call
            time.sleep(0.05)
        return call


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    service = Served(tmp_path)
    yield service
    service.http.close()
    if service.process.poll() is None:
        service.kill()


def test_a_call(served: Served, sound: Callable[..., bytes], receiver: Any, tmp_path: Path) -> None:
    record = served.record(sound(4.0))
    number = served.create(PERSON, record, ivrs=[{"digit": "1", "tag": "yes"}], webhookUrl=receiver.url)
    call = served.until(number, "finished", "canceled")
    assert (call["disposition"], call["ivrDigit"], call["tags"]) == ("answered", 1, ["yes"])
    assert receiver.next()["ivrAnswers"] == "|1|"
    [journal] = (tmp_path / "journals").iterdir()
    replayed = subprocess.run(
        [sys.executable, "-m", "zvonar", "replay", str(journal)], capture_output=True, check=False
    )
    assert replayed.returncode == 0, replayed.stdout
    health = served.http.get("/healthz").json()
    assert health.pop("ok") is True
    assert set(health) == {"dialogs", "ports", "tasks", "timers", "calls", "due", "planned", "webhooks"}
    assert set(health.values()) == {0}
    assert served.end(signal.SIGINT) == 0
    assert served.account["apiKey"] not in "".join(served.output)
    assert "Traceback" not in "".join(served.output)


def test_killed_in_calls(served: Served, sound: Callable[..., bytes], receiver: Any) -> None:
    record = served.record(sound(20.0))
    wanted = {"webhookUrl": receiver.url}
    answered, ringing = served.create(SILENT, record, **wanted), served.create(FOR_EVER, record, **wanted)
    planned = served.create(SILENT, record, plannedAt=int(time.time()) + 3600, **wanted)
    served.until(answered, "answered")
    served.until(ringing, "started")
    served.kill()
    assert receiver.came.empty()
    served.start()
    call = served.until(answered, "finished", "canceled", within_s=4)
    assert (call["status"], call["disposition"]) == ("finished", "interrupted")
    call = served.until(ringing, "finished", "canceled", within_s=4)
    assert (call["status"], call["disposition"], call["answeredAt"]) == ("canceled", "interrupted", None)
    assert served.call(planned)["status"] == "created"
    assert {receiver.next()["id"], receiver.next()["id"]} == {answered, ringing}
    # Nobody is called again by itself.
    time.sleep(1)
    assert len([line for line in served.output if "call_started" in line]) == 2
    assert served.http.get("/healthz").json()["calls"] == 0


def test_killed_in_webhooks(served: Served, sound: Callable[..., bytes], receiver: Any) -> None:
    receiver.pause_s = 2.0
    record = served.record(sound(0.3))
    numbers = [served.create(SILENT, record, webhookUrl=receiver.url) for _ in range(4)]
    for number in numbers:
        served.until(number, "finished")
    time.sleep(0.3)  # they are on their way, and not yet answered
    served.kill()
    receiver.pause_s = 0.0
    served.start()
    until = time.monotonic() + 15
    while served.http.get("/healthz").json()["webhooks"]:
        assert time.monotonic() < until
        time.sleep(0.05)
    came = Counter(receiver.next()["id"] for _ in range(receiver.came.qsize()))
    assert set(came) == set(numbers)
    told = served.data("get", apiCallIdList=numbers)
    assert [kept["webhookSent"] for kept in told] == [1] * 4


def test_ended_in_a_call(served: Served, sound: Callable[..., bytes], receiver: Any) -> None:
    """The call goes on to its end, a new one waits for the next start, and the service ends well."""
    record = served.record(sound(6.0))
    number = served.create(SILENT, record, webhookUrl=receiver.url)
    served.until(number, "answered")
    served.process.send_signal(signal.SIGTERM)
    until = time.monotonic() + 5
    while served.http.get("/readyz").status_code == 200:
        assert time.monotonic() < until
    waits = served.create(SILENT, record)
    assert served.process.wait(30) == 0
    body = receiver.next()
    assert (body["id"], body["disposition"], body["status"]) == (number, "answered", "finished")
    assert body["heardMs"] == pytest.approx(6000, abs=300)
    served.start()
    assert served.until(waits, "finished")["disposition"] == "answered"


def test_ended_twice_in_a_call(served: Served, sound: Callable[..., bytes], receiver: Any) -> None:
    """Who cannot wait says so again: calls are hung up, their results are written."""
    number = served.create(SILENT, served.record(sound(25.0)), webhookUrl=receiver.url)
    served.until(number, "answered")
    served.process.send_signal(signal.SIGTERM)
    time.sleep(0.5)
    assert served.process.poll() is None
    assert served.end() == 0
    body = receiver.next()
    assert (body["id"], body["disposition"], body["status"]) == (
        number,
        "answered",
        "finished",
    )
    assert body["heardMs"] < 20_000


def test_a_second_service_on_the_same_file(served: Served) -> None:
    told = zvonar("serve", config=served.config)
    assert (told.returncode, told.stderr.count("\n")) == (2, 1)
    assert "another `zvonar serve` uses it" in told.stderr
    served.kill()  # the lock goes with the process
    served.start()


def test_the_port_is_taken(served: Served, tmp_path: Path) -> None:
    taken = tmp_path / "taken.toml"
    port = served.http.base_url.port
    taken.write_text(f'[store]\nurl = "sqlite:///{tmp_path}/other.db"\n[api]\nlisten = "127.0.0.1:{port}"\n')
    told = zvonar("serve", config=taken)
    assert told.returncode == 2
    assert told.stderr.count("\n") == 1
    assert f"127.0.0.1:{port}" in told.stderr


def test_account_beside_a_running_service(served: Served) -> None:
    told = zvonar("account", "add", "клиника", "--balance", "99.50", "--json", config=served.config)
    account = json.loads(told.stdout)
    assert (account["id"], account["name"], account["balance"], account["moderated"]) == (2, "клиника", 99.5, False)
    assert re.fullmatch("[A-Za-z0-9]{60}", account["apiKey"])
    answer = served.http.post("/apiCalls/userInfo", json={"apiKey": account["apiKey"]}).json()
    assert (answer["data"]["id"], answer["data"]["balance"]) == (2, 99.5)
    again = zvonar("account", "add", "клиника", config=served.config)
    assert (again.returncode, again.stderr.count("\n"), again.stdout) == (2, 1, "")
    for wrong in ("-1", "nan", "1e99", "x"):
        assert zvonar("account", "add", "other", "--balance", wrong, config=served.config).returncode == 2
    plain = zvonar("account", "add", "third", config=served.config)
    assert re.search("apiKey: [A-Za-z0-9]{60}", plain.stdout)


def test_two_accounts_at_once(tmp_path: Path) -> None:
    config = tmp_path / "zvonar.toml"
    config.write_text(f'[store]\nurl = "sqlite:///{tmp_path}/new/zvonar.db"\n')
    command = [sys.executable, "-m", "zvonar", "account", "add", "--json", "--config", str(config)]
    starts = [subprocess.Popen([*command, f"a{number}"], stdout=subprocess.PIPE) for number in range(4)]
    numbers = [json.loads(start.communicate(timeout=60)[0])["id"] for start in starts]
    assert sorted(numbers) == [1, 2, 3, 4]
    assert os.listdir(tmp_path / "new")
