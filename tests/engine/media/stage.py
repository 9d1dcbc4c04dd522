"""A tick with everything around it: a wire, ears and a tape of our own. No socket, no clock."""

from __future__ import annotations

from collections import deque
from pathlib import Path

import numpy as np

from detection.ears import Heard
from engine.clips import encoded
from engine.media.arena import Arena
from engine.media.columns import Columns
from engine.media.g711 import Law, encode
from engine.media.overload import Overload
from engine.media.rtp import Packet, build, parse
from engine.media.sockets import NOTHING
from engine.media.telephone_event import Event
from engine.media.telephone_event import build as build_event
from engine.media.tick import Tick
from engine.media.wire import (
    Closed,
    Envelope,
    Load,
    Open,
    Remote,
)

FAR = ("192.0.2.1", 4000)
SLOTS = 4
SILENCE = b"\xd5" * 160


class FakeWire:
    """Keeps what is sent, hands out what is put in; its kernel filters like a connected socket."""

    def __init__(self, columns: Columns) -> None:
        self.columns = columns
        self.sent: list[list[bytes]] = [[] for _ in range(SLOTS)]
        self.waiting: list[deque] = [deque() for _ in range(SLOTS)]
        self.targets: list = [None] * SLOTS
        self.latched = [False] * SLOTS
        self.sources: list = [None] * SLOTS
        self.broken: set[int] = set()
        self.reads = 0
        self.stamps: dict[int, float] = {}  # when what is in the inbox came; 0 where it is not told
        self.time = 0.0
        self.dropped = 0
        self.reports_to: list = [None] * SLOTS
        self.reports: list[list[bytes]] = [[] for _ in range(SLOTS)]
        self.reports_waiting: list[deque] = [deque() for _ in range(SLOTS)]

    def send(self, rows):
        return [row for row in rows.tolist() if not self.send_one(row, self.columns.outbox[row].tobytes())]

    def send_one(self, row, packet):
        if self.targets[row] is None or row in self.broken:
            return False
        self.sent[row].append(packet)
        return True

    def receive(self, rows):
        lengths = []
        for row in rows.tolist():
            self.reads += 1
            if not self.waiting[row]:
                lengths.append(NOTHING)
                continue
            source, datagram, *stamp = self.waiting[row].popleft()
            self.stamps[row] = stamp[0] if stamp else 0.0
            self.sources[row] = None if self.latched[row] else source
            self.columns.inbox[row, : len(datagram)] = np.frombuffer(datagram, np.uint8)
            lengths.append(len(datagram))
        return np.array(lengths, np.int64)

    def source(self, row):
        return self.sources[row]

    def aim(self, row, address):
        self.targets[row], self.latched[row] = address, False

    def narrow(self, row, address):
        pass

    def latch(self, row, address):
        self.targets[row], self.latched[row] = address, True
        self.sources[row] = None

    def clear(self, row):
        self.aim(row, None)
        self.waiting[row].clear()

    def arrivals(self, rows):
        return np.array([self.stamps.get(row, 0.0) for row in rows.tolist()])

    def wall(self):
        return self.time

    def far_host(self, row):
        return self.targets[row][0] if self.targets[row] else None

    def overflowed(self, row):
        return self.dropped

    def aim_reports(self, row, address):
        self.reports_to[row] = address

    def latch_reports(self, row, address):
        self.reports_to[row] = address

    def send_report(self, row, datagram):
        if self.reports_to[row] is not None:
            self.reports[row].append(datagram)

    def receive_report(self, row):
        return self.reports_waiting[row].popleft() if self.reports_waiting[row] else None


class FakeEars:
    """Keeps what it hears; says what the test told it to, in the step told."""

    def __init__(self) -> None:
        self.opened: dict[int, frozenset[str]] = {}
        self.steps: list[tuple] = []
        self.says: dict[int, list[Heard]] = {}

    def open(self, row, listens):
        if "x-ray" in listens:
            raise ValueError("no listener 'x-ray'")
        self.opened[row] = self.opened.get(row, frozenset()) | listens

    def close(self, row, listens=frozenset({"voice", "digits"})):
        left = self.opened.pop(row, frozenset()) - listens
        if left:
            self.opened[row] = left

    def step(self, rows, rx, tx, present, hurry=False):
        self.steps.append((rows.copy(), rx.copy(), tx.copy(), present.copy()))
        return self.says.get(len(self.steps), [])


class FakeTape:
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.took: list[tuple] = []
        self.turns: list[tuple] = []

    def open(self, row, generation, path):
        self.took.append(("open", row, generation, path))

    def turn(self, rows, *arrays):
        if rows.size:
            self.turns.append((rows.tolist(), *(np.array(array) for array in arrays)))

    def close(self, row, generation, tail_rx, tail_law, tail_present):
        self.took.append(("close", row, generation))
        self.tail = tail_rx[tail_present]


class Stage:
    """A tick with everything around it, and a far end for row 0."""

    def __init__(self, tmp_path: Path, **options) -> None:
        self.columns = Columns(SLOTS)
        self.wire = FakeWire(self.columns)
        self.ears = FakeEars()
        self.overload = Overload()
        self.tape = FakeTape()
        self.envelopes: list[Envelope] = []
        self.tick = Tick(
            self.columns,
            self.wire,
            Arena(1 << 22),
            self.ears,
            self.tape,
            self.overload,
            self.envelopes.append,
            seed=1,
            **options,
        )
        self.folder = tmp_path
        self.sequence, self.timestamp, self.ssrc = 65530, (1 << 32) - 800, 99
        self.clips = 0

    def do(self, *commands, row=0, generation=1):
        for command in commands:
            self.tick.obey(Envelope(row, generation, 0.0, command))

    def open(self, row=0, networks=(), **remote):
        self.do(Open(networks), Remote(*FAR, **remote), row=row)

    def turn(self, count=1, **options):
        for _ in range(count):
            self.tick.turn(0.0, **options)

    def clip(self, samples: np.ndarray) -> int:
        self.clips += 1
        path = self.folder / f"{self.clips}"
        path.write_bytes(encoded.build(encode(samples, Law.A).tobytes(), encode(samples, Law.MU).tobytes()))
        self.do(Load(self.clips, str(path)), row=-1)
        return self.clips

    def hear(self, payload=SILENCE, payload_type=8, source=FAR, row=0, marker=False, **other):
        packet = Packet(marker, payload_type, self.sequence & 0xFFFF, self.timestamp & 0xFFFFFFFF, self.ssrc, payload)
        self.wire.waiting[row].append((source, build(packet._replace(**other))))
        self.sequence += 1
        self.timestamp += len(payload) if payload_type in (0, 8) else 160

    def press(self, code, count=4, ends=1):
        started = self.timestamp & 0xFFFFFFFF
        for number in range(count + ends):
            event = Event(code, number >= count, 160 * min(number + 1, count))
            self.hear(build_event(event), 101, timestamp=started, marker=number == 0)

    @property
    def events(self):
        return [envelope.body for envelope in self.envelopes]

    def of(self, *kinds):
        return [event for event in self.events if isinstance(event, kinds)]

    @property
    def counts(self):
        """Sent, received, lost, invalid: of the call that ended last."""
        closed = self.events[-1]
        assert isinstance(closed, Closed)
        return closed.sent, closed.received, closed.lost, closed.invalid

    def packets(self, row=0):
        return [parse(packet) for packet in self.wire.sent[row]]

    def payload(self, row=0, payload_type=8):
        return b"".join(packet.payload for packet in self.packets(row) if packet.payload_type == payload_type)


NOISE = np.random.default_rng(5).integers(-30000, 30000, 4000).astype(np.int16)


def coded(samples, law=Law.A):
    return encode(samples, law).tobytes()
