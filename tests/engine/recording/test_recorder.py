"""The writer as a process, fed by a tape as the media process has it."""

import asyncio
import os
import resource
import signal
import socket
import sys
import wave

import numpy as np
import pytest

from engine.media.g711 import Law, decode
from engine.media.tape import NOTICE_TURNS, SharedTape
from engine.recording.channels import BEHIND_FRAMES
from engine.recording.recorder import Recorder
from engine.recording.recording import part_of
from engine.recording.ring import Ring

pytestmark = pytest.mark.anyio

CHANCE = np.random.default_rng(5)
SENT, CAME = (CHANCE.integers(0, 256, (400, 2, 160)).astype(np.uint8) for _ in range(2))
LAWS = np.array([Law.A, Law.MU], np.uint8)


class Studio:
    """Two calls, one in each law, that are recorded; `turn` is a tick of both."""

    def __init__(self, folder):
        self.recorder = Recorder(slots=2, now=lambda: 1000.0)
        line, ring = self.recorder.descriptors
        self._line = socket.socket(fileno=os.dup(line))
        self.ring = Ring(ring)
        self.tape = SharedTape(self.ring, self._line, 2, lambda: 1000.25)
        self.paths = [folder / "a.wav", folder / "b.wav"]
        self.told = {}
        self._changed = asyncio.Event()
        self.ticks = 0
        self.present = np.ones(400, bool)

    def begin(self, row):
        self.recorder.begin(row, row + 5, str(self.paths[row]), lambda at, recorded: self._take(row, recorded))
        self.tape.open(row, row + 5, str(self.paths[row]))

    def _take(self, row, recorded):
        assert row not in self.told
        self.told[row] = recorded
        self._changed.set()

    def turn(self, count=1, rows=(0, 1)):
        rows = np.array(rows)
        for _ in range(count):
            before = self.ticks - BEHIND_FRAMES
            present = np.full(len(rows), before >= 0 and self.present[before])
            self.tape.turn(
                rows, rows + 5, SENT[self.ticks, rows], LAWS[rows], CAME[before, rows], LAWS[1 - rows], present
            )
            self.ticks += 1

    def end(self, row):
        tail = slice(max(0, self.ticks - BEHIND_FRAMES), self.ticks)
        self.tape.close(row, row + 5, CAME[tail, row], int(LAWS[1 - row]), self.present[tail])

    async def until(self, true):
        async with asyncio.timeout(20):
            while not true():
                await asyncio.sleep(0.005)

    async def flow(self, rows):
        """Ticks, until the writer has taken what is there now."""
        await self.until(part_of(self.paths[rows[0]]).exists)
        until = self.ring.head
        while self.ring.seen < until:
            self.turn(rows=rows)
            await asyncio.sleep(0.002)

    async def recorded(self, row):
        await self.until(lambda: row in self.told)
        return self.told[row]

    async def stop(self):
        self._line.close()
        await self.recorder.stop()

    def check(self, row, end=None):
        """The file has the frames of all ticks, up to that one; how many."""
        samples = read(self.paths[row]).reshape(-1, 160, 2)[:end]
        ticks = np.arange(len(samples))
        came, sent = decode(CAME[ticks, row], Law(LAWS[1 - row])), decode(SENT[ticks, row], Law(LAWS[row]))
        came[~self.present[ticks]] = 0
        assert (samples[:, :, 0] == came).all()
        assert (samples[:, :, 1] == sent).all()
        return len(samples)


def read(path):
    with wave.open(str(path), "rb") as file:
        assert file.getparams()[:3] == (2, 2, 8000)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, 2)


@pytest.fixture
async def studio(tmp_path):
    studio = Studio(tmp_path)
    yield studio
    await studio.stop()


async def test_two_calls_sample_by_sample_and_whole_when_they_have_their_names(studio):
    studio.present[[20, 40, 41, 250]] = False
    assert studio.recorder.pid == 0
    for row in (0, 1):
        studio.begin(row)
    studio.turn(100)
    await studio.until(lambda: part_of(studio.paths[1]).exists())
    studio.turn(200)
    assert not studio.paths[0].exists()
    studio.end(0)
    first = await studio.recorded(0)
    studio.turn(7, rows=[1])
    studio.end(1)
    second = await studio.recorded(1)
    assert (first.state, first.why, first.duration_ms, first.path) == ("saved", "", 6000, str(studio.paths[0]))
    assert (second.state, second.duration_ms, second.started_at) == ("saved", 6140, 1000.25)
    assert (studio.check(0), studio.check(1)) == (300, 307)
    assert not part_of(studio.paths[0]).exists()


async def test_a_writer_that_stands_still_loses_nothing_until_the_memory_is_full(studio):
    studio.begin(0)
    studio.turn(NOTICE_TURNS, rows=[0])
    await studio.until(lambda: studio.ring.seen == NOTICE_TURNS)
    os.kill(studio.recorder.pid, signal.SIGSTOP)
    studio.turn(200, rows=[0])
    for _ in range(studio.ring.capacity - 200 - NOTICE_TURNS + 90):  # the last 90 find no room, nor does the tail
        studio.ticks -= 1
        studio.turn(rows=[0])
    studio.end(0)
    os.kill(studio.recorder.pid, signal.SIGCONT)
    told = await studio.recorded(0)
    frames = told.duration_ms // 20
    assert (told.state, told.why) == ("incomplete", "1800 ms are missing, for the disk was too slow")
    assert frames == studio.ring.capacity + 90
    assert studio.check(0, end=200) == 200
    assert (read(studio.paths[0])[-90 * 160 :, 1] == 0).all()


async def test_a_folder_that_cannot_be_written_fails_one_recording(studio, tmp_path):
    studio.paths[0] = tmp_path / "none" / "a.wav"
    for row in (0, 1):
        studio.begin(row)
    told = await studio.recorded(0)
    assert (told.state, told.why, told.duration_ms) == ("failed", "no such file or directory", 0)
    studio.turn(50)
    for row in (0, 1):
        studio.end(row)
    assert (await studio.recorded(1)).state == "saved"
    assert studio.check(1) == 50


async def test_two_calls_do_not_share_a_file(studio):
    studio.paths[1] = studio.paths[0]
    for row in (0, 1):
        studio.begin(row)
    told = await studio.recorded(1)
    assert (told.state, told.why) == ("failed", "another call is recorded into this file")


async def test_a_disk_that_takes_no_more_ends_the_recording(studio):
    """The limit of a file's size stands for the disk's: the writer learns of both in the same way."""
    for row in (0, 1):
        studio.begin(row)
    studio.turn(50)
    await studio.flow([0, 1])
    resource.prlimit(studio.recorder.pid, resource.RLIMIT_FSIZE, (44 + 100 * 640 + 333,) * 2)
    studio.turn(100)
    await studio.flow([0, 1])
    for row in (0, 1):  # at once, not when the call ends
        told = await studio.recorded(row)
        assert (told.state, told.why) == ("incomplete", "file too large")
        assert told.duration_ms == studio.check(row) * 20 >= 800


async def test_a_killed_writer_leaves_what_can_be_played_and_another_goes_on(studio):
    studio.begin(0)
    studio.turn(100, rows=[0])
    await studio.flow([0])
    await studio.until(lambda: part_of(studio.paths[0]).stat().st_size > 44)
    pid = studio.recorder.pid
    os.kill(pid, signal.SIGKILL)
    left = len(read(part_of(studio.paths[0])))
    told = await studio.recorded(0)
    assert (told.state, told.why) == ("incomplete", "the process that writes recordings died")
    assert told.duration_ms == studio.check(0) * 20 == left // 8 > 0
    studio.end(0)
    studio.ticks = 0
    studio.begin(1)
    studio.turn(50, rows=[1])
    studio.end(1)
    assert (await studio.recorded(1)).state == "saved"
    assert studio.check(1) == 50
    assert studio.recorder.pid not in (pid, 0)


@pytest.mark.parametrize("program", ["/bin/false", "/no/python"])
async def test_a_writer_that_cannot_live_fails_what_was_begun(studio, monkeypatch, program):
    monkeypatch.setattr(sys, "executable", program)
    studio.begin(0)
    told = await studio.recorded(0)
    assert (told.state, told.why) == ("failed", "the process that writes recordings died")
    assert studio.recorder.pid == 0
    monkeypatch.undo()
    studio.begin(1)
    studio.turn(20, rows=[1])
    studio.end(1)
    assert (await studio.recorded(1)).state == "saved"


async def test_what_a_dead_media_process_said_is_kept(studio):
    for row in (0, 1):
        studio.begin(row)
    studio.turn(60)
    studio.recorder.media_died()
    for row in (0, 1):
        told = await studio.recorded(row)
        assert (told.state, told.why) == ("incomplete", "the media process died")
        assert told.duration_ms == studio.check(row) * 20 == (60 - BEHIND_FRAMES) * 20
    again = SharedTape(studio.ring, studio._line, 2, lambda: 2000.0)
    studio.tape, studio.ticks = again, 0
    studio.recorder.begin(0, 5, str(studio.paths[0]), lambda at, recorded: studio._take("again", recorded))
    again.open(0, 5, str(studio.paths[0]))
    studio.turn(20, rows=[0])
    studio.end(0)
    assert (await studio.recorded("again")).state == "saved"
    assert studio.check(0) == 20


async def test_a_writer_whose_service_is_gone_finishes_and_ends(studio):
    studio.begin(0)
    studio.turn(30, rows=[0])
    await studio.stop()
    assert studio.check(0) == 30 - BEHIND_FRAMES
    assert studio.told == {}
