"""The far end looks at every byte: real sockets, packets with one fault each."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import numpy as np
import pytest

from engine.media.g711 import Law, decode, encode
from zvonar.bench_media import clip
from zvonar.bench_media.arrivals import AT_ONCE, Arrivals
from zvonar.bench_media.pacing import summarise
from zvonar.bench_media.peers.packets import packets

FRAMES = clip.frames()
GOOD = packets(FRAMES, 8)[:100]


class Line:
    """A far end of two calls, and who sends to it."""

    def __init__(self) -> None:
        self.ours = [_socket(), _socket()]
        self.theirs = [_socket(), _socket()]
        for mine, other in zip(self.ours, self.theirs, strict=True):
            mine.connect(other.getsockname())
            other.connect(mine.getsockname())
        self.arrivals = Arrivals(self.ours, FRAMES, 8)
        self.began_ns = time.time_ns()

    def carry(self, *sent: bytes, call: int = 0) -> int:
        """How many of these were wrong."""
        before = self.arrivals.wrong
        for packet in sent:
            self.theirs[call].send(packet)
        self.arrivals.read(0, 2)
        return self.arrivals.wrong - before


def _socket() -> socket.socket:
    bound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    bound.bind(("127.0.0.1", 0))
    return bound


@pytest.fixture
def line() -> Iterator[Line]:
    line = Line()
    yield line
    for each in line.ours + line.theirs:
        each.close()


def test_the_clip_played_on_is_right_from_any_place_and_round_its_end(line: Line) -> None:
    assert line.carry(*GOOD[7 : 7 + 3 * AT_ONCE]) == 0
    assert line.carry(*packets(FRAMES, 8)[500:530], call=1) == 0


def test_every_byte_counts(line: Line) -> None:
    line.carry(GOOD[0])
    for place in range(12, 172):
        damaged = bytearray(GOOD[1])
        damaged[place] ^= 1
        assert line.carry(damaged) == 1, place
        line.carry(GOOD[1])


@pytest.mark.parametrize(
    "damaged",
    [GOOD[1][:-1], GOOD[1] + b"\0", b"\x90" + GOOD[1][1:], packets(FRAMES, 0)[1], GOOD[1][:12], b""],
    ids=["short", "long", "extension", "payload type", "no payload", "empty"],
)
def test_another_form_is_wrong(line: Line, damaged: bytes) -> None:
    assert line.carry(GOOD[0], damaged) == 1


def test_the_frame_of_another_place_is_wrong_once(line: Line) -> None:
    """Number 5 with the sound of frame 6, and on from there: one mistake, not one a packet."""
    assert line.carry(*GOOD[:5]) == 0
    shifted = [GOOD[number][:12] + GOOD[number + 1][12:] for number in range(5, 12)]
    assert line.carry(*shifted) == 1


def test_a_lost_packet_makes_no_wrong_one(line: Line) -> None:
    assert line.carry(*GOOD[:5], *GOOD[6:12]) == 0


def test_calls_do_not_mix(line: Line) -> None:
    assert line.carry(*GOOD[:5]) == 0
    assert line.carry(*GOOD[50:55], call=1) == 0
    assert line.carry(*GOOD[5:10]) == 0


def test_the_window_holds_what_came_in_it_by_the_kernels_time(line: Line) -> None:
    line.carry(*GOOD[:4])
    line.arrivals.begin()
    began_ns = time.time_ns()
    line.carry(*GOOD[4:10])
    line.carry(*GOOD[30:33], call=1)
    ended_ns = time.time_ns()
    line.carry(*GOOD[10:12])
    came = line.arrivals.packets(began_ns, ended_ns)
    assert came.sequence.tolist() == [*range(4, 10), *range(30, 33)]
    assert came.call.tolist() == [0] * 6 + [1] * 3
    assert summarise(came, 2, 1.0).sent == 9
    assert line.arrivals.dropped == 0


def test_what_our_queue_has_no_room_for_is_told(line: Line) -> None:
    line.ours[0].setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
    line.arrivals.begin()
    line.carry(*GOOD)
    assert 0 < line.arrivals.dropped < len(GOOD)


def test_the_clip_survives_a_wav_and_pyvoips_eight_bits() -> None:
    assert np.array_equal(encode(decode(FRAMES, Law.A), Law.A), FRAMES)
    assert set(np.unique(FRAMES)) <= set(clip.eight_bit().tolist())
    assert len({frame[: clip.KEY_BYTES].tobytes() for frame in FRAMES}) == clip.FRAMES
