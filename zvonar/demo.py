"""`make demo`: the main job, on the sandbox, in half a minute.

A service is started in a folder of its own; a request by HTTP asks for a call with a clip and a menu; the call's facts
are shown as they happen, then the reply of `get`, and the webhook that came. Nothing leaves this machine.
"""

from __future__ import annotations

import json
import queue
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from pathlib import Path
from typing import Any

import httpx2
from rich.console import Console

from zvonar.call import line

CALLEE, OUTGOING = "79990000001", "79932432781"  # a person of the sandbox who presses 1; a number of the sandbox trunk
WITHIN_S = 30.0
_CLIPS = files("configs") / "scripts" / "appointment"

_console = Console(highlight=False, soft_wrap=True)


def main() -> int:
    """Run it; exit status 0 when the call was confirmed and its webhook came."""
    with tempfile.TemporaryDirectory(prefix="zvonar-demo-") as folder, _receiver() as (webhook_url, webhooks):
        port = _free_port()
        config = Path(folder) / "zvonar.toml"
        config.write_text(f'[store]\nurl = "sqlite:///{folder}/zvonar.db"\n[api]\nlisten = "127.0.0.1:{port}"\n')
        account = json.loads(
            _zvonar("account", "add", "demo", "--balance", "100", "--moderated", "--json", "--config", config)
        )
        _step(f"An account, and its service at http://127.0.0.1:{port}, on the sandbox: real SIP and RTP on loopback")
        with _service(config, port), httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=10) as client:
            return _call(client, account["apiKey"], webhook_url, webhooks)


def _call(client: httpx2.Client, key: str, webhook_url: str, webhooks: queue.Queue[dict[str, Any]]) -> int:
    _step("createRecord: three clips go up")
    greeting, confirmed, declined = (_record(client, key, name) for name in ("greeting", "confirmed", "declined"))
    request = {
        "phone": CALLEE,
        "outgoingPhone": OUTGOING,
        "record": {"id": greeting},
        "tag": "greeting",
        "ivrs": [
            {"digit": "1", "record": {"id": confirmed}, "tag": "confirmed"},
            {"digit": "2", "record": {"id": declined}, "tag": "declined"},
        ],
        "webhookUrl": webhook_url,
        "webhookParameters": json.dumps({"appointment": 42}),
    }
    _step("create: call this number, play the clip; 1 confirms, 2 declines")
    _console.print_json(data=request)
    created = _data(client.post("/apiCalls/create", json={"apiKey": key, **request}))[0]
    _step("The call's facts, as they happen")
    began = time.time()
    for fact in _facts(client, key, created["id"]):
        _console.print(line(fact, began))
    _step("get: what the service says of it now")
    told = _data(client.post("/apiCalls/get", json={"apiKey": key, "apiCallIdList": [created["id"]]}))[0]
    _console.print_json(data=told)
    _step("The webhook that came")
    try:
        came = webhooks.get(timeout=WITHIN_S)
    except queue.Empty:
        _console.print("none came; that is a defect", style="red")
        return 1
    _console.print_json(data={name: value for name, value in came.items() if name != "apiCalls"})
    _step("How to go on")
    _console.print(
        "make serve                 the service: HTTP for programs (README.md has the curl lines), a page for people\n"
        ".venv/bin/zvonar account add me --balance 100 --moderated\n"
        "                           beside it: prints the link by which you enter the page\n"
        ".venv/bin/zvonar call configs/scripts/appointment/appointment.yaml 79990000001\n"
        "                           one call without the service; numbers ending in 001 to 012 behave differently\n"
        ".venv/bin/zvonar --help    everything else"
    )
    return 0 if told["calls"][0]["ivrDigit"] == 1 else 1


def _record(client: httpx2.Client, key: str, name: str) -> int:
    audio = (_CLIPS / f"{name}.wav").read_bytes()
    reply = client.post(
        "/apiCalls/createRecord",
        data={"apiKey": key, "name": name, "source": "file"},
        files={"file": (f"{name}.wav", audio, "audio/wav")},
    )
    return int(_data(reply)["id"])


def _data(reply: httpx2.Response) -> Any:
    body = reply.json()
    if body["status"] != "success":
        raise SystemExit(f"demo: the service said: {body['data']['message']}")
    return body["data"]


def _facts(client: httpx2.Client, key: str, call: int) -> Iterator[dict[str, Any]]:
    with client.stream(
        "GET", f"/calls/{call}/events", headers={"Authorization": f"Bearer {key}"}, timeout=WITHIN_S
    ) as reply:
        for text in reply.iter_lines():
            if not text.startswith("data:"):
                continue
            fact = json.loads(text.removeprefix("data:"))
            yield fact
            if fact["type"] == "ended":
                return


def _zvonar(*arguments: object) -> str:
    command = [sys.executable, "-m", "zvonar", *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@contextmanager
def _service(config: Path, port: int) -> Iterator[None]:
    service = subprocess.Popen(
        [sys.executable, "-m", "zvonar", "serve", "--config", str(config)],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    complaints: list[str] = []
    reader = threading.Thread(target=lambda: complaints.extend(service.stderr or []), daemon=True)
    reader.start()
    try:
        _wait_for(port, service, complaints)
        yield
    finally:
        service.send_signal(signal.SIGTERM)
        service.wait(WITHIN_S)


def _wait_for(port: int, service: subprocess.Popen[str], complaints: list[str]) -> None:
    until = time.monotonic() + WITHIN_S
    while time.monotonic() < until:
        if service.poll() is not None:
            raise SystemExit("demo: the service did not start:\n" + "".join(complaints))
        try:
            if httpx2.get(f"http://127.0.0.1:{port}/healthz", timeout=1).is_success:
                return
        except httpx2.HTTPError:
            time.sleep(0.1)
    raise SystemExit("demo: the service does not answer:\n" + "".join(complaints))


@contextmanager
def _receiver() -> Iterator[tuple[str, queue.Queue[dict[str, Any]]]]:
    came: queue.Queue[dict[str, Any]] = queue.Queue()

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            came.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/webhook", came
    finally:
        server.shutdown()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _step(text: str) -> None:
    _console.print(f"\n== {text}", style="bold")


if __name__ == "__main__":
    sys.exit(main())
