"""What goes to the writer beside the frames: all of it, in its order, and no more than it reads."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

import numpy as np
import pytest

from engine.media.tape import NOTICE_TURNS, SharedTape
from engine.recording.notice import Begin, End, Frames, Notice, unpack
from engine.recording.ring import Ring, create

CODES = np.zeros((1, 160), np.uint8)
ONE = np.ones(1, np.uint8)


class Writer:
    """The other end."""

    def __init__(self) -> None:
        ours, self.line = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.line.setblocking(False)
        self.descriptor = create(1)
        self.ring = Ring(self.descriptor)
        self.tape = SharedTape(Ring(self.descriptor), ours, 1, lambda: 1000.0)
        self._ours = ours

    def turn(self, count: int) -> None:
        for _ in range(count):
            self.tape.turn(np.zeros(1, np.intp), ONE, CODES, ONE, CODES, ONE, ONE.astype(bool))

    def read(self) -> list[Notice]:
        notices = []
        while True:
            try:
                notices.append(unpack(self.line.recv(1 << 16)))
            except BlockingIOError:
                return notices

    def close(self) -> None:
        self._ours.close()
        self.line.close()
        os.close(self.descriptor)


@pytest.fixture
def writer() -> Iterator[Writer]:
    writer = Writer()
    yield writer
    writer.close()


def test_what_the_socket_does_not_hold_follows(writer: Writer) -> None:
    for generation in range(1, 2001):
        writer.tape.open(0, generation, f"/{generation}.wav")
        writer.tape.close(0, generation, CODES[:0], 0, ONE[:0].astype(bool))
    came: list[Notice] = []
    while more := writer.read():
        came += more
        writer.tape.flush()
    assert came == [
        notice
        for generation in range(1, 2001)
        for notice in (Begin(0, 0, generation, f"/{generation}.wav", 1000.0), End(0, 0, generation, 0))
    ]


def test_a_writer_that_sleeps_finds_one_notice_of_frames(writer: Writer) -> None:
    writer.tape.open(0, 7, "/call.wav")
    writer.turn(10 * NOTICE_TURNS)
    assert writer.read() == [Begin(0, 0, 7, "/call.wav", 1000.0), Frames(NOTICE_TURNS)]
    for _ in writer.ring.read(NOTICE_TURNS):
        pass
    writer.turn(1)
    assert writer.read() == [Frames(10 * NOTICE_TURNS + 1)]


def test_the_end_of_another_use_of_the_slot_is_none(writer: Writer) -> None:
    writer.tape.open(0, 7, "/call.wav")
    writer.tape.close(0, 6, CODES, 0, ONE.astype(bool))
    assert writer.ring.head == 0
    assert len(writer.read()) == 1
