"""The child that decodes: it can reach nothing, it cannot outstay, and its death is one refusal."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from engine.clips import decode as module
from engine.clips.container import recognise
from engine.clips.decode import decode
from engine.clips.decoder import decode as decode_here
from engine.clips.refusal import ClipRefused, Reason

ALL = ["wav", "mp3", "vorbis", "opus", "webm", "m4a", "alac", "aac", "flac", "amr", "3gp"]


def instead(monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    """The child runs this program."""
    real = subprocess.Popen

    def start(command: list[str], **given: object) -> object:
        return real([sys.executable, "-c", program, *command[-2:]], **given)  # type: ignore[call-overload]

    monkeypatch.setattr(subprocess, "Popen", start)


@pytest.mark.parametrize("name", ALL)
def test_the_child_says_what_its_code_says(make, name):
    file = make(name)
    decoded = decode(file, 60)
    samples, clipped = decode_here(file, recognise(file), 60)
    assert np.array_equal(decoded.samples, samples)
    assert decoded.clipped == clipped


def test_a_film_in_a_child_that_can_load_nothing_more(film, speech):
    assert decode(film(2, speech(48000)), 60).samples.size > 30000


@pytest.mark.parametrize(
    ("file", "reason"),
    [(b"", Reason.EMPTY), (b"no sound", Reason.NOT_AUDIO), (b"RIFF\0\0\0\0WAVE", Reason.NOT_AUDIO)],
)
def test_refusals_come_back(file, reason):
    with pytest.raises(ClipRefused) as caught:
        decode(file, 60)
    assert caught.value.reason is reason


def test_params_come_back(bomb):
    with pytest.raises(ClipRefused, match="at most 7 s"):
        decode(bomb("flac", 0.1), 7)


@pytest.mark.parametrize(
    "program",
    [
        "import os; os.kill(os.getpid(), 11)",
        "print('rubbish')",
        "print('{')",
        "import sys; sys.exit(3)",
        "from engine.clips import decoder; decoder._confine(1); decoder.decode = lambda *_: bytearray(1 << 33);"
        "import sys; sys.exit(decoder.main(['wav', '1']))",
    ],
    ids=["segmentation fault", "rubbish", "half a line", "status", "memory"],
)
def test_a_child_that_dies(monkeypatch, make, program):
    instead(monkeypatch, program)
    with pytest.raises(ClipRefused) as caught:
        decode(make("wav"), 60)
    assert caught.value.reason is Reason.UNDECODABLE


def test_a_full_disk_is_no_fault_of_the_file(monkeypatch, make):
    instead(
        monkeypatch,
        "import os, sys\nfrom engine.clips import decoder\nos.dup2(os.open('/dev/full', os.O_WRONLY), 1)\n"
        "sys.exit(decoder.main(sys.argv[1:]))",
    )
    with pytest.raises(OSError, match="No space left"):
        decode(make("wav"), 60)


def test_a_child_that_hangs_is_killed_with_what_it_started(monkeypatch, tmp_path, make):
    told = tmp_path / "pids"
    instead(
        monkeypatch,
        "import os, subprocess, time; child = subprocess.Popen(['sleep', '60']);"
        f"open({str(told)!r}, 'w').write(f'{{os.getpid()}} {{child.pid}}'); time.sleep(60)",
    )
    monkeypatch.setattr(module, "DEADLINE_S", 1.0)
    began = time.monotonic()
    with pytest.raises(ClipRefused) as caught:
        decode(make("wav"), 1)
    assert caught.value.reason is Reason.UNDECODABLE
    assert time.monotonic() - began < 20
    for pid in told.read_text().split():
        until = time.monotonic() + 5
        while _lives(int(pid)) and time.monotonic() < until:
            time.sleep(0.01)
        assert not _lives(int(pid))


def _lives(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_the_child_can_open_no_file_and_knows_no_secret(monkeypatch, make):
    monkeypatch.setenv("TRUNK_PASSWORD", "secret")
    instead(
        monkeypatch,
        "import json, os, socket\nfrom engine.clips import decoder\ndecoder._confine(1)\nseen = []\n"
        "try: open('/etc/passwd'); seen.append('file')\nexcept OSError: pass\n"
        "try: socket.socket(); seen.append('socket')\nexcept OSError: pass\n"
        "seen += [name for name in os.environ if 'PASSWORD' in name]\n"
        "print(json.dumps({'clipped': len(seen)}))",
    )
    assert decode(make("wav"), 60).clipped == 0


def test_as_many_as_there_are_places(monkeypatch, make):
    file = make("wav")
    with ThreadPoolExecutor(6) as pool:
        lengths = {decoded.samples.size for decoded in pool.map(lambda _: decode(file, 60), range(6))}
    assert len(lengths) == 1
    monkeypatch.setattr(module, "WAIT_S", 0.1)
    for _ in range(module.AT_ONCE):
        assert module._places.acquire(timeout=0)
    try:
        with pytest.raises(ClipRefused) as caught:
            decode(file, 60)
        assert caught.value.reason is Reason.BUSY
    finally:
        for _ in range(module.AT_ONCE):
            module._places.release()


def test_leaves_no_open_file(make):
    before = len(os.listdir("/proc/self/fd"))
    decode(make("mp3"), 60)
    with pytest.raises(ClipRefused):
        decode(make("mp3")[:5000], 60)
    assert len(os.listdir("/proc/self/fd")) == before


def test_libav_is_loaded_nowhere_but_in_the_child():
    program = "import sys, engine.clips.cache, engine.clips.upload, engine.engine; print('av' in sys.modules)"
    assert (
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "False\n"
    )
