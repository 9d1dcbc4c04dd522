"""Asterisk: `Playback` of the clip, RTP both ways, calls placed to it by SIP; its CPU is what counts.

It is the one on PATH, or the private one that `tests/peers/asterisk/install.sh` gets ($ZVONAR_ASTERISK, else
~/.cache/zvonar-asterisk). It keeps everything in a folder of its own. The share of the calls that the plane hears for
voice have TALK_DETECT here. Keys are counted from its log, in which it writes each.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from zvonar.bench_media.child import BenchError
from zvonar.bench_media.cpu import favour, on_core
from zvonar.bench_media.designs import Found, Task
from zvonar.bench_media.peers.caller import Caller

BOOT_S: Final = 30.0
STOP_S: Final = 5.0
ROUNDS: Final = 18  # of the clip
REMEDY: Final = "install it, or let tests/peers/asterisk/install.sh of the source tree get one ($ZVONAR_ASTERISK)"
KEY: Final = re.compile(r"DTMF begin '.' received")

FILES: Final = {
    "asterisk.conf": """\
[directories]
astcachedir => @HOME@/cache
astetcdir => @HOME@/etc
astmoddir => @MODULES@
astvarlibdir => @HOME@/lib
astdbdir => @HOME@/lib
astkeydir => @HOME@/lib
astdatadir => @DATA@
astagidir => @HOME@/agi
astspooldir => @HOME@/spool
astrundir => @HOME@/run
astlogdir => @HOME@/log
astsbindir => @HOME@/run
[options]
documentation_language = en_US
""",
    "modules.conf": "[modules]\nautoload = yes\n",
    "logger.conf": "[general]\n[logfiles]\nkeys => dtmf\nerrors => error\n",
    "rtp.conf": "[general]\nrtpstart = 10000\nrtpend = 29999\n",
    "pjsip.conf": """\
[transport]
type = transport
protocol = udp
bind = 127.0.0.1:@PORT@
[bench]
type = endpoint
transport = transport
context = bench
disallow = all
allow = alaw
dtmf_mode = rfc4733
direct_media = no
[bench]
type = identify
endpoint = bench
match = 127.0.0.1
""",
    "extensions.conf": """\
[bench]
exten => 0,1,Answer()
 same => n,Playback(@HOME@/clip)
exten => 1,1,Set(TALK_DETECT(set)=)
 same => n,Goto(0,1)
""",
}


class AsteriskDesign:
    """One Asterisk of our own."""

    payload_type = 8

    def __init__(self, task: Task) -> None:
        self._task = task
        self._home = Path(tempfile.mkdtemp(prefix="zvonar-ast-", dir="/tmp"))  # a unix socket's path must be short
        self._process: subprocess.Popen[bytes] | None = None
        self._caller: Caller | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    async def open(self, far_ports: Sequence[int]) -> list[int]:
        command, modules, data = _installed()
        port = _free_port()
        self._configure({"HOME": str(self._home), "MODULES": modules, "DATA": data, "PORT": str(port)})
        command += ["-C", str(self._home / "etc" / "asterisk.conf")]
        self._process = self._spawn([*command, "-f"])
        favour(self._process.pid)
        await self._booted(command)
        self._caller = await Caller.towards(port)
        return await self._caller.place(
            ["1" if self._task.hears(index) else "0" for index in range(len(far_ports))], far_ports
        )

    def given_up(self) -> Collection[int]:
        return ()

    async def finish(self) -> Found:
        keys = (self._home / "log" / "keys").read_text("utf-8", "replace")
        return Found(len(KEY.findall(keys)), None)

    async def close(self) -> None:
        if self._caller is not None:
            self._caller.close()
        if self._process is not None:
            self._process.terminate()
            try:
                await asyncio.to_thread(self._process.wait, STOP_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        shutil.rmtree(self._home, ignore_errors=True)

    def _spawn(self, command: list[str]) -> subprocess.Popen[bytes]:
        with on_core(self._task.core), (self._home / "console").open("wb") as console:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
                cwd=self._home,
                start_new_session=True,
            )

    def _configure(self, words: dict[str, str]) -> None:
        for folder in ("etc", "cache", "lib", "agi", "spool", "run", "log"):
            (self._home / folder).mkdir()
        # In one piece: between two files of a Playback there is a gap. Calls begin apart anyway.
        (self._home / "clip.alaw").write_bytes(np.load(self._task.clip).tobytes() * ROUNDS)
        for name, text in FILES.items():
            for word, value in words.items():
                text = text.replace(f"@{word}@", value)
            (self._home / "etc" / name).write_text(text, "utf-8")

    async def _booted(self, command: list[str]) -> None:
        assert self._process is not None
        deadline = asyncio.get_running_loop().time() + BOOT_S
        while asyncio.get_running_loop().time() < deadline:
            if self._process.poll() is not None:
                break
            if (self._home / "run" / "asterisk.ctl").exists():
                asked = await asyncio.create_subprocess_exec(
                    *command, "-rx", "core waitfullybooted",
                    stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
                )  # fmt: skip
                answer, _ = await asked.communicate()
                if b"fully booted" in answer:
                    return
            await asyncio.sleep(0.1)
        console = (self._home / "console").read_text("utf-8", "replace").strip().splitlines()
        raise BenchError(f"asterisk did not start: {console[-1] if console else 'it said nothing'}")


def _installed() -> tuple[list[str], str, str]:
    """Its command, its modules and its data. BenchError if there is none."""
    home = Path(os.environ.get("ZVONAR_ASTERISK") or Path.home() / ".cache" / "zvonar-asterisk")
    if not (home / "env").exists():
        raise BenchError(f"asterisk is not there; {REMEDY}")
    script = '. "$1/env" && printf "%s\\0" "$AST_MODDIR" "$AST_DATADIR" "${AST_BIN[@]}"'
    told = subprocess.run(["bash", "-c", script, "-", home], capture_output=True, check=False)
    fields = told.stdout.decode().rstrip("\0").split("\0")
    if told.returncode != 0 or len(fields) < 3:
        raise BenchError(f"{home / 'env'} names no Asterisk; {REMEDY}")
    modules, data, *command = fields
    return command, modules, data


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
