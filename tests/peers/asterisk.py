"""A private Asterisk for the tests: a real peer, started by the run and gone with it.

In a test, the fixture `asterisk` (session-wide) is one; what it offers:

    config = asterisk.config("digest", "info")              # a zvonar Config with those trunks
    number = asterisk.number("records us")                  # a number, unique in this run, that behaves so
    asterisk.recording(number)                              # what that subscriber heard, A-law as it came
    asterisk.cli("core show channels count")

Everything lives in a short folder under /tmp; ports are free loopback ones. Subscribers and trunks are the files
in `tests/peers/asterisk/etc`, with @WORDS@ filled in.
"""

from __future__ import annotations

import itertools
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

from engine.config import Config, parse

HERE = Path(__file__).parent
TEMPLATES = HERE / "asterisk" / "etc"
BOOT_S = 20.0  # half a second is the norm; a loaded machine takes longer
STOP_S = 5.0
PASSWORD = "kolokol"

SUBSCRIBERS = {
    "1 after 2 s": "101",
    "1 after 0.3 s": "102",
    "twelve digits": "103",
    "long digit": "104",
    "1 and #": "105",
    "1 after 15 s": "106",
    "9, then 1": "107",
    "prompt, then BYE": "201",
    "silent": "202",
    "no RTP": "203",
    "hangs up at once": "204",
    "hangs up after 1.5 s": "205",
    "hello": "206",
    "echo": "207",
    "records us": "208",
    "early tone, then answers": "209",
    "rings 2 s, then answers": "210",
    "holds us": "211",
    "re-INVITE": "212",
    "UPDATE": "213",
    "machine": "214",
    "reads our keys": "215",
    "REFER": "216",
    "writes down the caller": "217",
    "talks": "218",
    "manager": "219",
    "manager in mu-law": "220",
    "rings 3 s, then 486": "301",
    "rings for ever": "302",
    "only 100": "303",
    "announcement, then 404": "304",
    "busy, with a Reason": "305",
} | {str(code): str(code) for code in range(400, 700)}

BINDS = {"address": "127.0.0.2:0", "sha-256": "127.0.0.3:0"}
KEYS_OF_BURST = "159260483770"  # what "twelve digits" presses

_serial = itertools.count(1)


class AsteriskError(Exception):
    """The peer cannot be had; the text says why and what to do."""


class Asterisk:
    """One Asterisk process. `close` ends it and removes its folder; so does the end of this process."""

    def __init__(self, program: Program, home: Path, port: int, process: subprocess.Popen[bytes]) -> None:
        self.program = program
        self.home = home
        self.port = port
        self._process = process

    @classmethod
    def start(cls) -> Self:
        """Boots and returns when it is ready for calls; AsteriskError with its log's end if it is not."""
        program = Program.installed()
        home = Path(tempfile.mkdtemp(prefix="zvonar-ast-", dir="/tmp"))  # a unix socket's path must be short
        port = _free_port()
        for folder in ("etc", "cache", "lib", "agi", "spool", "run", "log", "recordings"):
            (home / folder).mkdir()
        words = {
            "HOME": str(home),
            "PORT": str(port),
            "PASSWORD": PASSWORD,
            "MODDIR": program.modules,
            "DATADIR": program.data,
        }
        for template in TEMPLATES.glob("*.conf"):
            text = template.read_text("utf-8")
            for word, value in words.items():
                text = text.replace(f"@{word}@", value)
            (home / "etc" / template.name).write_text(text, "utf-8")
        with (home / "log" / "console").open("wb") as console:
            process = subprocess.Popen(
                [*_dies_with_us(), *program.command, "-f", "-C", str(home / "etc" / "asterisk.conf")],
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
                cwd=home,
            )
        peer = cls(program, home, port, process)
        try:
            peer._wait_booted()
        except BaseException:
            peer.close()
            raise
        return peer

    def _wait_booted(self) -> None:
        deadline = time.monotonic() + BOOT_S
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise AsteriskError(f"Asterisk ended with status {self._process.returncode}:\n{self.log_end()}")
            if (self.home / "run" / "asterisk.ctl").exists():
                answer = self._remote("core waitfullybooted")
                if answer.returncode == 0 and b"fully booted" in answer.stdout:
                    return
            time.sleep(0.05)
        raise AsteriskError(f"Asterisk was not ready after {BOOT_S:.0f} s:\n{self.log_end()}")

    def close(self) -> None:
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        shutil.rmtree(self.home, ignore_errors=True)

    @property
    def pid(self) -> int:
        return self._process.pid

    def _remote(self, command: str) -> subprocess.CompletedProcess[bytes]:
        arguments = [*self.program.command, "-C", str(self.home / "etc" / "asterisk.conf"), "-rx", command]
        return subprocess.run(arguments, capture_output=True, timeout=BOOT_S, check=False)

    def cli(self, command: str) -> str:
        """What Asterisk's console answers to the command; AsteriskError if it cannot be reached."""
        answer = self._remote(command)
        if answer.returncode != 0:
            raise AsteriskError(f"{command!r}: {answer.stdout.decode()}{answer.stderr.decode()}\n{self.log_end()}")
        return answer.stdout.decode()

    def channels(self) -> int:
        """How many channels are open now."""
        return int(self.cli("core show channels count").split(maxsplit=1)[0])

    def wait_idle(self, within_s: float = 5.0) -> None:
        """Returns once no channel is open; AsteriskError names those that are after `within_s`."""
        deadline = time.monotonic() + within_s
        while self.channels():
            if time.monotonic() > deadline:
                raise AsteriskError(f"still open after {within_s} s:\n{self.cli('core show channels')}")
            time.sleep(0.1)

    def originate(self, target: str, application: str, data: str = "") -> None:
        """Asterisk calls `target` ("PJSIP/7@digest" or the like) and runs an application on it."""
        self.cli(f"channel originate {target} application {application} {data}".rstrip())

    def log(self) -> str:
        return (self.home / "log" / "full").read_text("utf-8", "replace")

    def log_end(self, lines: int = 30) -> str:
        found = [name for name in (self.home / "log" / "full", self.home / "log" / "console") if name.exists()]
        return "\n".join(line for name in found for line in name.read_text("utf-8", "replace").splitlines()[-lines:])

    # --- what tests call ---------------------------------------------------------------------------------

    def number(self, behaviour: str) -> str:
        """A number that no other test of this run has, of a subscriber who behaves as named in SUBSCRIBERS."""
        return f"7999{next(_serial):04d}{SUBSCRIBERS[behaviour]}"

    def recording(self, number: str) -> bytes:
        """What the subscriber heard: A-law, 8000 bytes a second, as the packets brought it."""
        return self.note(number, "alaw")

    def gives(self, name: str, codes: bytes) -> None:
        """What a subscriber says: A-law, under the name that the dialplan has for it ("callee", "manager")."""
        (self.home / "recordings" / f"{name}.alaw").write_bytes(codes)

    def note(self, number: str, kind: str) -> bytes:
        """What the subscriber wrote down: "keys", "caller", "rtcp"."""
        return (self.home / "recordings" / f"{number}.{kind}").read_bytes()

    def trunk(self, name: str) -> dict[str, Any]:
        """The `[[trunk]]` table of one way in: digest, info, inband, ulaw, address, sha-256, wrong-password, dead.

        "address" and "sha-256" go by the address that calls, so their engine binds there (BINDS).
        """
        table: dict[str, Any] = {"name": name, "server": f"127.0.0.1:{self.port}", "numbers": ["79932432781"]}
        match name:
            case "digest" | "info" | "inband" | "ulaw" | "sha-256":
                return table | {"username": name, "password": PASSWORD}
            case "address":
                return table
            case "wrong-password":
                return table | {"username": "digest", "password": "not-" + PASSWORD}
            case "dead":
                return table | {"server": f"127.0.0.1:{_free_port()}"}
        raise KeyError(name)

    def config(self, *trunks: str, bind: str = "127.0.0.1:0", **sections: Any) -> Config:
        """A configuration with these trunks (the first is the default one); more sections as keywords."""
        tables = [self.trunk(name) for name in trunks or ("digest",)]
        bind = next((BINDS[name] for name in trunks if name in BINDS), bind)
        media = {"ports": "24000-27999", "calls": 100}
        return parse({"sip": {"bind": bind}, "media": media, "trunk": tables} | sections)


class Program:
    """An installed Asterisk: how it is run, its modules and data."""

    def __init__(self, command: list[str], modules: str, data: str, version: str) -> None:
        self.command = command
        self.modules = modules
        self.data = data
        self.version = version

    @classmethod
    def installed(cls) -> Self:
        """The one in the cache folder; installs it there (some 15 s, 117 MB) if there is none."""
        home = Path(os.environ.get("ZVONAR_ASTERISK") or Path.home() / ".cache" / "zvonar-asterisk")
        if not (home / "env").exists():
            outcome = subprocess.run([HERE / "asterisk" / "install.sh", home], stdout=subprocess.DEVNULL, check=False)
            if outcome.returncode != 0:
                raise AsteriskError("no Asterisk: install it, or let tests/peers/asterisk/install.sh reach a mirror")
        script = '. "$1/env" && printf "%s\\0" "$AST_MODDIR" "$AST_DATADIR" "$AST_VERSION" "${AST_BIN[@]}"'
        fields = subprocess.run(["bash", "-c", script, "-", home], capture_output=True, check=True).stdout
        modules, data, version, *command = fields.decode().rstrip("\0").split("\0")
        return cls(command, modules, data, version)


def available() -> bool:
    """Is there an Asterisk here, or apt to get one with?"""
    home = Path(os.environ.get("ZVONAR_ASTERISK") or Path.home() / ".cache" / "zvonar-asterisk")
    return (home / "env").exists() or any(shutil.which(program) for program in ("asterisk", "apt-get"))


def running() -> Iterator[Asterisk]:
    """For fixtures: one Asterisk, closed whatever happens."""
    peer = Asterisk.start()
    try:
        yield peer
    finally:
        peer.close()


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _dies_with_us() -> list[str]:
    """A run that is killed leaves no Asterisk behind: the kernel ends it with its parent."""
    return ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []
