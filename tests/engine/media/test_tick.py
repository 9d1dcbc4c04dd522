"""The tick against a wire of our own, one turn at a time: no socket, no clock."""

from __future__ import annotations

from collections import deque
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from detection.bank import Bank
from detection.ears import Heard
from detection.key_press import KEYS
from engine.clips import encoded
from engine.media import tones
from engine.media.arena import Arena
from engine.media.columns import Columns
from engine.media.control import Gone
from engine.media.g711 import Law, decode, encode
from engine.media.jitter import DELAY_FRAMES
from engine.media.overload import REFUSE_LOAD, Overload
from engine.media.rtcp import NTP_EPOCH_S, Block, Report, middle
from engine.media.rtcp import build as build_reports
from engine.media.rtcp import parse as parse_reports
from engine.media.rtp import Packet, build, parse
from engine.media.sockets import NOTHING
from engine.media.telephone_event import Event
from engine.media.telephone_event import build as build_event
from engine.media.telephone_event import parse as parse_event
from engine.media.tick import PACKETS_A_TICK, Tick
from engine.media.wire import (
    Bridge,
    Close,
    Closed,
    Digit,
    Envelope,
    Faulted,
    Latched,
    Listen,
    Load,
    MediaStarted,
    NoMedia,
    Open,
    Play,
    Played,
    Record,
    Remote,
    SendDigits,
    Sent,
    SpeechEnded,
    SpeechStarted,
    Stop,
)
from engine.recording.channels import Channels

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


@pytest.fixture
def stage(tmp_path):
    return Stage(tmp_path)


def test_the_control_side_has_died(stage, capsys):
    """That is no fault of the slot that wanted to tell something: the process ends, and says nothing of it."""

    def gone(_envelope):
        raise Gone

    stage.open()
    stage.tick._emit = gone
    with pytest.raises(Gone):
        stage.do(Close())
    assert capsys.readouterr().err == ""


# --- sending --------------------------------------------------------------------------------------------


def test_silence_from_the_first_tick(stage):
    stage.open()
    stage.turn(5)
    packets = stage.packets()
    assert stage.payload() == SILENCE * 5
    assert [packet.marker for packet in packets] == [True] + [False] * 4
    for number, packet in enumerate(packets):
        assert packet.sequence == (packets[0].sequence + number) % (1 << 16)
        assert packet.timestamp == (packets[0].timestamp + 160 * number) % (1 << 32)
        assert packet.ssrc == packets[0].ssrc


def test_nothing_before_the_remote_is_known(stage):
    stage.do(Open(), Play(1, (stage.clip(NOISE),)))
    stage.turn(5)
    assert stage.packets() == []
    stage.do(Remote(*FAR))
    stage.turn(25)
    assert stage.payload() == coded(NOISE)
    assert stage.events == [Played(1, 500, "ended")]


@pytest.mark.parametrize(("payload_type", "law"), [(8, Law.A), (0, Law.MU)])
def test_a_clip_bit_for_bit(stage, payload_type, law):
    stage.open(payload_type=payload_type)
    stage.do(Play(3, (stage.clip(NOISE),)))
    stage.turn(24)
    assert stage.events == []
    stage.turn()
    assert stage.events == [Played(3, 500, "ended")]
    assert stage.payload(payload_type=payload_type) == coded(NOISE, law)


def test_prompts_follow_without_a_gap(stage):
    stage.open()
    first, second = stage.clip(NOISE[:320]), stage.clip(NOISE[320:1000])
    stage.do(Play(1, (first, -40, second)), Play(2, (first,)))
    stage.turn(12)
    padding = b"\xd5" * 120
    assert stage.payload() == b"".join(
        [coded(NOISE[:320]), SILENCE * 2, coded(NOISE[320:1000]), padding, coded(NOISE[:320]), SILENCE]
    )
    assert stage.events == [Played(1, 40 + 40 + 85, "ended"), Played(2, 40, "ended")]


def test_what_is_repeated_goes_on_until_it_is_stopped(stage):
    stage.open()
    clip = stage.clip(NOISE[:320])
    stage.do(Play(0, (clip, -40), repeat=True), Play(1, (clip,)))
    stage.turn(10)
    assert stage.payload() == ((coded(NOISE[:320]) + SILENCE * 2) * 3)[: 10 * 160]
    assert stage.events == []
    stage.do(Stop(), Play(2, (clip,)))
    stage.turn(2)
    assert stage.payload()[1600:] == coded(NOISE[:320])
    assert stage.events == [Played(0, 200, "stopped"), Played(1, 0, "stopped"), Played(2, 40, "ended")]


def test_pauses_that_are_no_frames(stage):
    stage.open()
    stage.do(Play(1, (-50,)), Play(2, ()), Play(3, (0,)))
    stage.turn(3)
    assert stage.events == [Played(1, 50, "ended"), Played(2, 0, "ended"), Played(3, 0, "ended")]


def test_stop_is_at_once_and_for_all(stage):
    stage.open()
    clip = stage.clip(NOISE)
    stage.do(Play(1, (clip,)), Play(2, (clip,)), Play(3, (clip,)))
    stage.turn(7)
    stage.do(Stop())
    assert stage.events == [Played(1, 140, "stopped"), Played(2, 0, "stopped"), Played(3, 0, "stopped")]
    stage.turn(2)
    assert stage.payload() == coded(NOISE[: 7 * 160]) + SILENCE * 2
    stage.do(Stop())
    stage.do(Play(4, (clip,)))
    stage.turn(25)
    assert stage.payload().endswith(coded(NOISE))
    assert stage.events[3:] == [Played(4, 500, "ended")]


def test_close_tells_the_prompts_first(stage):
    stage.open()
    stage.do(Play(1, (stage.clip(NOISE),)), Play(2, ()))
    stage.turn(2)
    stage.do(Close())
    assert stage.events[:-1] == [Played(1, 40, "closed"), Played(2, 0, "closed")]
    assert stage.counts == (2, 0, 0, 0)
    stage.do(Play(3, ()), Close())
    stage.turn(3)
    assert len(stage.events) == 3
    assert len(stage.packets()) == 2
    assert stage.tick.slots == 0


def test_what_was_meant_for_an_earlier_generation_is_dropped(stage):
    stage.open()
    stage.do(Close())
    stage.do(Open(), Remote(*FAR), generation=2)
    stage.do(Play(1, (-100,)), Close())
    stage.turn()
    assert stage.tick.slots == 1
    assert [envelope.generation for envelope in stage.envelopes] == [1]


def test_a_hold_stops_the_clip_and_goes_on_where_it_was(stage):
    stage.open()
    stage.do(Play(1, (stage.clip(NOISE),)))
    stage.turn(5)
    stage.do(Remote(*FAR, send=False))
    stage.turn(10)
    stage.do(Remote(*FAR))
    stage.turn(20)
    packets = stage.packets()
    assert stage.payload() == coded(NOISE)
    assert stage.events == [Played(1, 500, "ended")]
    assert (packets[5].sequence - packets[4].sequence) % (1 << 16) == 1
    assert (packets[5].timestamp - packets[4].timestamp) % (1 << 32) == 11 * 160
    assert packets[5].marker


def test_early_media_and_the_answer_are_one_stream(stage):
    stage.open(payload_type=8)
    stage.do(Play(1, (stage.clip(NOISE),)))
    stage.turn(5)
    stage.do(Remote(FAR[0], 4444, payload_type=0))
    stage.turn(20)
    packets = stage.packets()
    assert stage.payload(payload_type=8) == coded(NOISE[:800])
    assert stage.payload(payload_type=0) == coded(NOISE[800:], Law.MU)
    assert len({packet.ssrc for packet in packets}) == 1
    assert [(b.sequence - a.sequence) % (1 << 16) for a, b in pairwise(packets)] == [1] * 24
    assert [(b.timestamp - a.timestamp) % (1 << 32) for a, b in pairwise(packets)] == [160] * 24


def test_a_stall_moves_the_timestamp_and_not_the_clip(stage):
    stage.open()
    stage.do(Play(1, (stage.clip(NOISE),)))
    stage.turn(5)
    stage.tick.slip(50)
    stage.turn(20)
    packets = stage.packets()
    assert stage.payload() == coded(NOISE)
    assert (packets[5].timestamp - packets[4].timestamp) % (1 << 32) == 51 * 160
    assert (packets[5].sequence - packets[4].sequence) % (1 << 16) == 1


def test_what_did_not_leave_was_not_heard(stage):
    stage.open()
    stage.do(Play(1, (stage.clip(NOISE),)))
    stage.turn(5)
    stage.wire.broken.add(0)
    stage.turn(5)
    stage.wire.broken.clear()
    stage.turn(15)
    assert stage.events == [Played(1, 400, "ended")]
    stage.do(Close())
    assert stage.of(Closed)[0].sent == 20


@pytest.mark.parametrize("ptime_ms", [10, 20, 30, 40, 50, 60])
def test_packet_times(stage, ptime_ms):
    stage.open(ptime_ms=ptime_ms)
    stage.do(Play(1, (stage.clip(NOISE[:3840]),)))
    stage.turn(30)
    packets = stage.packets()
    size = ptime_ms * 8
    assert len(packets) == 600 // ptime_ms
    assert {len(packet.payload) for packet in packets} == {size}
    assert stage.payload().startswith(coded(NOISE[:3840]))
    assert [packet.marker for packet in packets] == [True] + [False] * (len(packets) - 1)
    for number, packet in enumerate(packets):
        assert packet.sequence == (packets[0].sequence + number) % (1 << 16)
        assert packet.timestamp == (packets[0].timestamp + size * number) % (1 << 32)
    assert stage.events == [Played(1, 480, "ended")]


def test_gain(stage):
    stage.open()
    stage.columns.gain[0] = 0.5
    stage.do(Play(1, (stage.clip(NOISE),)))
    stage.turn(25)
    heard = decode(np.frombuffer(stage.payload(), np.uint8), Law.A).astype(float)
    assert np.abs(heard - NOISE / 2).max() < 1600


def test_rows_do_not_mix(stage):
    noise = NOISE.reshape(4, -1)[:, :960]
    for row in range(SLOTS):
        stage.open(row, payload_type=8 if row % 2 else 0)
        stage.do(Play(row, (stage.clip(noise[row]),)), row=row)
    stage.turn(6)
    for row in range(SLOTS):
        law = Law.A if row % 2 else Law.MU
        assert stage.payload(row, 8 if row % 2 else 0) == coded(noise[row], law)
    assert len({stage.packets(row)[0].ssrc for row in range(SLOTS)}) == SLOTS


def test_phases_serve_each_row_once(tmp_path):
    stage = Stage(tmp_path, phase_of_next=lambda calls: sum(calls) % 2)
    for row in range(3):
        stage.open(row)
    stage.turn(phase=0)
    assert [len(stage.packets(row)) for row in range(3)] == [1, 0, 1]
    stage.turn(phase=1)
    assert [len(stage.packets(row)) for row in range(3)] == [1, 1, 1]
    assert stage.tick.calls == [2, 1, 0, 0]
    stage.do(Close(), row=0)
    assert stage.tick.calls == [1, 1, 0, 0]


def test_an_overloaded_process_opens_no_slot_and_gives_up_the_newest(stage):
    for row in range(3):
        stage.open(row)
    stage.tick.shed(0)
    assert stage.of(Faulted) == []
    stage.tick.shed(1)
    assert [envelope.slot for envelope in stage.envelopes if isinstance(envelope.body, Faulted)] == [2]
    stage.overload.load = REFUSE_LOAD
    stage.open(3)
    assert [envelope.slot for envelope in stage.envelopes if isinstance(envelope.body, Faulted)] == [2, 3]
    stage.turn()
    assert [len(stage.packets(row)) for row in range(4)] == [1, 1, 0, 0]


# --- faults ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "text"),
    [
        (Remote("media.example", 4000), "media.example"),
        (Remote(FAR[0], 65536), "port 65536"),
        (Remote(FAR[0], -1), "port -1"),
        (Remote(*FAR, payload_type=18), "payload type 18"),
        (Remote(*FAR, dtmf_type=128), "payload type 128"),
        (Remote(*FAR, dtmf_rate=0), "at 0 Hz"),
        (Play(1, (-(10**30),)), "pause"),
        (Play(1, (77,)), "clip number 77"),
        (Play(1, (), repeat=True), "nothing cannot be repeated"),
        (SendDigits("12x"), "substring"),
        (Listen(("x-ray",)), "x-ray"),
        (Open(), "open already"),
    ],
)
def test_a_command_that_cannot_be_done_ends_this_slot_only(stage, command, text):
    stage.open(0)
    stage.open(1)
    stage.do(command)
    stage.do(Close())
    assert len(stage.events) == 1
    assert isinstance(stage.events[0], Faulted)
    assert text in stage.events[0].message
    stage.turn(2)
    assert [len(stage.packets(row)) for row in range(2)] == [0, 2]


def test_a_clip_that_is_gone_or_broken(stage, tmp_path):
    (tmp_path / "broken").write_bytes(b"ZVONCLIP" + bytes(60))
    stage.do(Load(8, str(tmp_path / "gone")), Load(9, str(tmp_path / "broken")), row=-1)
    for row, clip in enumerate((8, 9)):
        stage.open(row)
        stage.do(Play(1, (clip,)), row=row)
    assert [type(event) for event in stage.events] == [Faulted, Faulted]


def test_a_mistake_of_ours_ends_one_slot_only(stage, capsys):
    """Whatever breaks in the middle of a turn, wherever: the other calls go on."""
    for row in range(SLOTS):
        stage.open(row, ptime_ms=20 if row < 2 else 30)
        stage.do(Listen(("voice",)), Play(row, (-60,)), row=row)

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    slots = stage.tick._slots
    slots[0].player.item_over = broken
    slots[1].incoming.take = broken
    slots[2].outgoing.tick = broken
    for row in range(SLOTS):
        stage.hear(row=row)
    stage.turn(5)
    faults = {envelope.slot for envelope in stage.envelopes if isinstance(envelope.body, Faulted)}
    assert faults == {0, 1, 2}
    assert stage.of(Played) == [Played(3, 60, "ended")]
    assert stage.tick.slots == 1
    assert capsys.readouterr().err.count("\nZeroDivisionError\n") == 3


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1"])
def test_nowhere_to_send_to(stage, host):
    stage.do(Open(), Remote(host, 0 if host == FAR[0] else 4000))
    stage.turn(3)
    assert stage.packets() == []


# --- receiving ------------------------------------------------------------------------------------------


def test_the_first_packet_latches_and_starts_the_media(stage):
    stage.open()
    stage.hear()
    stage.turn()
    assert stage.events == [MediaStarted()]
    assert stage.wire.latched[0]


def test_another_port_of_the_far_end_is_told(stage):
    stage.open()
    for _ in range(3):
        stage.hear(source=(FAR[0], 5000))
    stage.turn(3)
    assert stage.events == [Latched(FAR[0], 5000), MediaStarted()]
    assert stage.wire.targets[0] == (FAR[0], 5000)


def test_strangers_are_not_taken(stage):
    stage.open()
    for _ in range(5):
        stage.hear(source=("198.51.100.1", 4000))
    stage.turn(5)
    stage.do(Close())
    assert stage.events[:-1] == []
    assert stage.counts == (5, 0, 0, 5)
    assert stage.events[-1].strangers == 5


def test_a_new_remote_latches_anew(stage):
    stage.open()
    stage.hear()
    stage.turn()
    stage.do(Remote("192.0.2.9", 4000))
    stage.hear(source=("192.0.2.9", 4000))
    stage.turn()
    assert stage.wire.targets[0] == ("192.0.2.9", 4000)
    assert stage.wire.latched[0]
    assert stage.of(Latched) == []


def test_the_same_remote_again_keeps_the_latch(stage):
    stage.open()
    stage.hear()
    stage.turn()
    stage.do(Remote(*FAR))
    assert stage.wire.latched[0]


def test_counts(stage):
    """Lost, doubled and reordered packets, past the end of the numbers."""
    stage.open()
    sequences = [65533, 65534, 65534, 0, 65535, 1, 5, 4, 4, 6]
    for sequence in sequences:
        stage.hear(sequence=sequence)
        stage.turn()
    stage.do(Close())
    assert stage.events[:-1] == [MediaStarted()]
    assert stage.counts == (10, 8, 2, 0)
    assert stage.events[-1].doubled == 2


def test_what_is_invalid_is_counted_and_ignored(stage):
    stage.open()
    stage.hear()
    stage.turn()
    garbage = [b"", b"\x80", bytes(172), b"\x40\x08" + bytes(170), b"\xff" * 500, bytes(1024)]
    stage.wire.waiting[0].extend((FAR, datagram) for datagram in garbage)
    stage.hear(payload_type=96)
    stage.hear(payload_type=18)
    stage.hear(payload=b"")
    stage.hear(payload=b"\x01\x02", payload_type=101)
    stage.turn(20)
    stage.do(Close())
    assert stage.events[:-1] == [MediaStarted()]
    assert stage.counts == (21, 1, 0, 10)
    told = stage.events[-1]
    assert (told.strangers, told.garbage, told.wrong_type, told.wrong_size) == (0, 6, 2, 2)


def test_random_packets_change_nothing(stage):
    chance = np.random.default_rng(8)
    stage.open()
    stage.do(Play(1, (stage.clip(NOISE),), "any"))
    for _ in range(25):
        for _ in range(100):
            source = (FAR[0], 6000) if chance.random() < 0.9 else ("198.51.100.1", 7)
            stage.wire.waiting[0].append((source, chance.bytes(int(chance.integers(0, 300)))))
        before = stage.wire.reads
        stage.turn()
        assert stage.wire.reads - before <= PACKETS_A_TICK
    assert stage.events == [Played(1, 500, "ended")]
    assert stage.payload() == coded(NOISE)


def test_another_ssrc_goes_on(stage):
    stage.open()
    for _ in range(3):
        stage.hear()
    stage.turn(3)
    stage.ssrc, stage.sequence, stage.timestamp = 5, 100, 0
    for _ in range(3):
        stage.hear()
    stage.turn(3)
    stage.do(Close())
    assert stage.events[:-1] == [MediaStarted()]
    assert stage.counts == (6, 6, 0, 0)


def test_a_far_end_with_our_ssrc(stage):
    """We take another; one who goes on to repeat what we send does not make us run."""
    stage.open()
    stage.turn()
    stage.ssrc = stage.packets()[0].ssrc
    stage.hear()
    stage.turn(2)
    stage.ssrc = stage.packets()[-1].ssrc
    stage.hear()
    stage.turn(2)
    stage.do(Close())
    packets = stage.packets()
    assert [packet.ssrc == packets[0].ssrc for packet in packets] == [True] * 2 + [False] * 3
    assert len({packet.ssrc for packet in packets}) == 2
    assert [(b.sequence - a.sequence) % (1 << 16) for a, b in pairwise(packets)] == [1] * 4
    assert stage.events[-1].received == 2


def test_bursts_are_read_out(stage):
    stage.open()
    for _ in range(40):
        stage.hear()
    stage.turn(8)
    assert not stage.wire.waiting[0]
    stage.do(Close())
    assert stage.of(Closed)[0].received == 40


def test_a_far_end_whose_clock_runs_faster_leaves_no_queue(tmp_path):
    """Two packets in a tick now and then, whatever the phase: the second one does not wait for ever."""
    stage = Stage(tmp_path, phase_of_next=sum)
    for row in range(SLOTS):
        stage.do(Open(), Remote(*FAR), row=row)
    for tick in range(500):
        for _ in range(2 if tick % 100 == 50 else 1):
            for row in range(SLOTS):
                packet = Packet(False, 8, stage.sequence & 0xFFFF, stage.timestamp & 0xFFFFFFFF, 7, SILENCE)
                stage.wire.waiting[row].append((FAR, build(packet)))
            stage.sequence, stage.timestamp = stage.sequence + 1, stage.timestamp + 160
        for phase in range(4):
            stage.turn(phase=phase)
    assert [len(waiting) for waiting in stage.wire.waiting] == [0] * SLOTS


def test_what_came_before_the_end_is_counted(stage):
    stage.open()
    stage.hear()
    stage.turn()
    stage.press(1)
    stage.do(Close())
    assert stage.events[:-1] == [MediaStarted(), Digit("1")]
    assert stage.counts == (1, 6, 0, 0)


@pytest.mark.parametrize(("spread_ms", "jitter_ms"), [(0, 0), (30, 10)])
def test_jitter_by_the_time_of_arrival(stage, spread_ms, jitter_ms):
    """However late in its tick a packet is read; lost ones change nothing."""
    chance = np.random.default_rng(6)
    stage.open()
    for number in range(3000):
        arrived = 1_800_000_000 + number * 0.02 + chance.uniform(0, spread_ms / 1000)
        stage.hear()
        if number % 7 == 3:
            stage.wire.waiting[0].pop()
        else:
            stage.wire.waiting[0][-1] += (arrived,)
        stage.turn()
    stage.do(Close())
    assert stage.events[-1].jitter_ms == pytest.approx(jitter_ms, abs=3 if spread_ms else 0.01)
    assert stage.events[-1].lost == 3000 // 7


def test_reports_come_and_go_with_the_ticks(stage):
    """A far end that reports: its round trip, loss and jitter are in the last word, with MOS by the worse way."""
    stage.open()
    for number in range(400):
        stage.tick.turn(number / 50)
        stage.wire.time = number / 50
        stage.hear()
    told = parse_reports(stage.wire.reports[0][0]).reports[0]
    block = Block(told.ssrc, 26, 40, 65536, 80, middle(told.sender.ntp), 0)
    answer = build_reports(Report(99, None, (block,)), "far")
    stage.wire.reports_waiting[0].append((answer, (FAR[0], 4001), told.sender.ntp / (1 << 32) - NTP_EPOCH_S + 0.2))
    stage.do(Close())
    closed = stage.events[-1]
    assert closed.round_trip_ms == pytest.approx(200, abs=0.1)
    assert (closed.remote_lost, closed.remote_jitter_ms) == (40, 10)
    assert 2.5 < closed.mos < 3.5
    assert parse_reports(stage.wire.reports[0][-1]).byes == (told.ssrc,)


@pytest.mark.parametrize(("turns", "one_way"), [(149, False), (150, True)])
def test_one_way_audio(stage, turns, one_way):
    """Three seconds after the last word of where the far end is: early media before it does not count."""
    stage.open()
    stage.hear()
    stage.turn(200)
    stage.do(Remote(*FAR))
    stage.turn(turns)
    stage.do(Close())
    assert stage.events[-1].one_way_audio is one_way


@pytest.mark.parametrize("remote", [{"receive": False}, {"send": False}])
def test_a_hold_is_no_one_way_audio(stage, remote):
    stage.open(**remote)
    stage.turn(300)
    stage.do(Close())
    assert not stage.events[-1].one_way_audio


def test_no_media(stage):
    stage.open()
    stage.turn(149)
    assert stage.events == []
    stage.turn(300)
    assert stage.events == [NoMedia()]
    stage.hear()
    stage.turn()
    assert stage.events == [NoMedia(), MediaStarted()]
    stage.turn(149)
    assert len(stage.events) == 2
    stage.turn(2)
    assert stage.events[2:] == [NoMedia()]
    stage.hear()
    stage.turn()
    assert stage.events[3:] == [MediaStarted()]


def test_no_media_is_not_expected_on_hold(stage):
    stage.open(receive=False)
    stage.turn(400)
    assert stage.events == []
    stage.do(Remote(*FAR))
    stage.turn(150)
    assert stage.events == [NoMedia()]


def test_comfort_noise_is_a_sign_of_life(stage):
    stage.open()
    stage.hear()
    stage.hear(b"\x40", 13)
    stage.turn(600)
    assert stage.events == [MediaStarted()]
    stage.turn(1000)
    assert stage.events == [MediaStarted(), NoMedia()]


# --- digits ---------------------------------------------------------------------------------------------


def test_digits_between_voice(stage):
    stage.open()
    for code in (1, 1, 11):
        for _ in range(3):
            stage.hear()
        stage.press(code)
        stage.timestamp += 800
    stage.turn(30)
    assert stage.events == [MediaStarted(), Digit("1"), Digit("1"), Digit("#")]


def test_a_digit_may_be_the_first_packet(stage):
    stage.open()
    stage.press(5)
    stage.turn()
    assert stage.events == [MediaStarted(), Digit("5")]


def test_events_of_another_type_are_no_digits(stage):
    stage.open(dtmf_type=96)
    stage.press(5)
    stage.turn(5)
    assert stage.of(Digit) == []
    stage.do(Remote(*FAR, dtmf_type=None))
    stage.hear(build_event(Event(5, False, 160)), 96)
    stage.turn()
    assert stage.of(Digit) == []


@pytest.mark.parametrize(
    ("interrupt", "by_digit", "by_voice"),
    [("none", False, False), ("digits", True, False), ("voice", False, True), ("any", True, True)],
)
def test_what_stops_a_prompt(tmp_path, interrupt, by_digit, by_voice):
    for voice, stops in ((False, by_digit), (True, by_voice)):
        stage = Stage(tmp_path)
        stage.open()
        clip = stage.clip(NOISE)
        stage.do(Listen(("voice",)), Play(1, (clip,), interrupt), Play(2, (clip,), "none"))
        if voice:
            stage.ears.says[5] = [Heard(0, 60, "speech_started", 1.0)]
        stage.turn(4)
        if not voice:
            stage.press(7)
        stage.turn(46)
        heard = SpeechStarted(60) if voice else Digit("7")
        events = [event for event in stage.events if not isinstance(event, MediaStarted)]
        if stops:
            why = "voice" if voice else "digit"
            assert events == [heard, Played(1, 100, why), Played(2, 0, why)]
        else:
            assert events == [heard, Played(1, 500, "ended"), Played(2, 500, "ended")]


def test_a_key_before_the_first_packet_of_a_prompt_does_not_stop_it(stage):
    stage.open()
    stage.press(7)
    stage.turn()
    stage.do(Play(1, (stage.clip(NOISE),), "digits"))
    stage.turn(30)
    assert stage.of(Played) == [Played(1, 500, "ended")]


def test_speech_that_goes_on_does_not_stop_the_next_prompt(stage):
    stage.open()
    stage.do(Listen(("voice",)))
    stage.ears.says = {2: [Heard(0, 20, "speech_started", 1.0)], 9: [Heard(0, 100, "speech_ended", 0.0)]}
    stage.turn(3)
    stage.do(Play(1, (stage.clip(NOISE),), "any"))
    stage.turn(30)
    assert stage.events == [SpeechStarted(20), SpeechEnded(100), Played(1, 500, "ended")]


# --- pressing keys --------------------------------------------------------------------------------------


def test_keys_as_events_after_the_prompt(stage):
    stage.open()
    stage.do(Play(1, (stage.clip(NOISE[:320]),)), SendDigits("1#", 60, 80), Play(2, (stage.clip(NOISE[320:640]),)))
    stage.turn(25)
    packets = stage.packets()
    assert stage.events == [Played(1, 40, "ended"), Sent(), Played(2, 40, "ended")]
    assert [(b.sequence - a.sequence) % (1 << 16) for a, b in pairwise(packets)] == [1] * (len(packets) - 1)
    keys = [packet for packet in packets if packet.payload_type == 101]
    told = [parse_event(packet.payload) for packet in keys]
    assert [event.code for event in told] == [1] * 6 + [11] * 6
    assert [event.end for event in told] == ([False] * 3 + [True] * 3) * 2
    assert [packet.marker for packet in keys] == ([True] + [False] * 5) * 2
    assert {packet.timestamp for packet in keys[:6]} == {(packets[0].timestamp + 320) % (1 << 32)}
    assert {packet.timestamp for packet in keys[6:]} == {(packets[0].timestamp + 320 + 7 * 160) % (1 << 32)}
    assert stage.payload() == b"".join([coded(NOISE[:320]), SILENCE * 2, coded(NOISE[320:640]), SILENCE * 7])


def test_keys_as_tones_where_events_are_not_taken(stage):
    stage.open(dtmf_type=None)
    stage.do(SendDigits("5", 40, 40))
    stage.turn(6)
    tone = np.concatenate([tones.frame("5", 0), tones.frame("5", 1)])
    assert stage.payload() == coded(tone) + SILENCE * 4
    assert stage.events == [Sent()]
    spectrum = np.abs(np.fft.rfft(np.concatenate([tones.frame("5", age) for age in range(50)])))
    assert sorted(np.argsort(spectrum)[-2:].tolist()) == [770, 1336]


@pytest.mark.parametrize("ptime_ms", [10, 30])
def test_keys_with_other_packet_times(stage, ptime_ms):
    stage.open(ptime_ms=ptime_ms)
    stage.do(SendDigits("42"))
    stage.turn(30)
    keys = [parse_event(packet.payload) for packet in stage.packets() if packet.payload_type == 101]
    assert [event.code for event in keys] == [4] * 8 + [2] * 8
    assert stage.events == [Sent()]


def test_stop_leaves_the_keys(stage):
    stage.open()
    stage.do(Play(1, (-1000,)), SendDigits("9", 40, 40))
    stage.turn(3)
    stage.do(Stop())
    stage.turn(6)
    assert stage.events == [Played(1, 60, "stopped"), Sent()]


# --- hearing --------------------------------------------------------------------------------------------


def test_ears_get_what_came_and_what_went(stage):
    stage.open()
    stage.do(Play(1, (stage.clip(NOISE),)), Listen(("voice",)))
    frames = NOISE[::-1][:800].reshape(5, 160)
    for number, frame in enumerate(frames):
        stage.hear(coded(frame))
        if number == 3:
            stage.wire.waiting[0].pop()
        stage.turn()
    for number, (rows, rx, tx, present) in enumerate(stage.ears.steps):
        came = number - DELAY_FRAMES  # what comes waits so long in the jitter buffer
        assert rows.tolist() == [0]
        assert present.tolist() == [came >= 0 and came != 3]
        assert np.array_equal(tx[0], decode(encode(NOISE[number * 160 :][:160], Law.A), Law.A))
        if present[0]:
            assert np.array_equal(rx[0], decode(encode(frames[came], Law.A), Law.A))


@pytest.mark.parametrize("size", [40, 80, 240, 320, 480])
@pytest.mark.parametrize("payload_type", [0, 8])
def test_ears_get_frames_of_packets_of_any_size(stage, size, payload_type):
    law = Law.A if payload_type == 8 else Law.MU
    samples = np.resize(NOISE, 4800)
    stage.open()
    stage.do(Listen(("voice",)))
    due = 0
    for turn in range(35):
        while due + size <= min((turn + 1) * 160, 4800):
            stage.hear(coded(samples[due : due + size], law), payload_type)
            due += size
        stage.turn()
    heard = np.concatenate([rx[0] for _, rx, _, present in stage.ears.steps if present[0]])
    assert heard.size == 4800
    assert np.array_equal(heard, decode(encode(samples, law), law)[: heard.size])


def test_a_burst_reaches_the_ears_in_order(stage):
    stage.open()
    stage.do(Listen(("voice",)))
    frames = NOISE[:1280].reshape(8, 160)
    for number, frame in enumerate(frames):
        stage.hear(coded(frame))
        if number not in (2, 3):
            stage.turn()
    stage.turn(6)
    heard = np.concatenate([rx[0] for _, rx, _, present in stage.ears.steps if present[0]])
    assert np.array_equal(heard, decode(encode(NOISE[:1280], Law.A), Law.A))


def test_a_late_turn_does_not_hear_but_takes_digits(stage):
    stage.open()
    stage.do(Listen(("voice",)))
    stage.press(3)
    stage.turn(late=True)
    assert [present.tolist() for _, _, _, present in stage.ears.steps] == [[False]]
    assert stage.of(Digit) == [Digit("3")]


def test_keys_in_the_audio_are_listened_for_where_nothing_else_was_agreed(stage):
    """Whatever the call asks to hear; and until the far end agrees on events after all."""
    stage.open(dtmf_type=None)
    assert stage.ears.opened == {0: frozenset({"digits"})}
    stage.do(Listen(("voice",)))
    assert stage.ears.opened == {0: frozenset({"digits", "voice"})}
    stage.do(Listen(()))
    stage.turn()
    assert len(stage.ears.steps) == 1
    stage.do(Listen(("voice",)), Remote(*FAR))
    assert stage.ears.opened == {0: frozenset({"voice"})}
    stage.do(Listen(()))
    stage.turn()
    assert len(stage.ears.steps) == 1
    stage.do(Remote(*FAR, dtmf_type=None, receive=False))
    assert stage.ears.opened == {}


def test_a_key_in_the_audio_stops_the_prompt(stage):
    stage.open(dtmf_type=None)
    stage.do(Play(1, (stage.clip(NOISE),), "digits"))
    stage.ears.says = {3: [Heard(0, 30, "digit", 11)]}
    stage.turn(5)
    assert stage.events == [Digit("#", "inband"), Played(1, 60, "digit")]


def test_a_late_turn_hears_keys_in_the_audio(stage):
    stage.open(dtmf_type=None)
    for frame in NOISE[:800].reshape(5, 160):
        stage.hear(coded(frame))
    stage.turn(3)
    stage.turn(late=True)
    assert stage.ears.steps[-1][3].tolist() == [True]
    assert stage.ears.steps[-1][1].any()


def test_a_reader_of_tones_hears_what_we_press_as_tones(stage):
    """Our own overlay, through the law and back, at the shortest that anyone must hear."""
    stage.open(dtmf_type=None)
    stage.do(SendDigits("159#AA", 40, 40))
    stage.turn(30)
    ear = Bank(1)
    ear.open(0, frozenset({"digits"}))
    silent = np.zeros((1, 160), np.int16)
    keys = ""
    for packet in stage.packets():
        frame = decode(np.frombuffer(packet.payload, np.uint8), Law.A)[None]
        keys += "".join(KEYS[int(heard.value)] for heard in ear.step(np.array([0]), frame, silent, np.array([True])))
    assert keys == "159#AA"


def test_listening_ends(stage):
    stage.open()
    stage.do(Listen(("voice",)))
    assert stage.ears.opened == {0: frozenset({"voice"})}
    stage.turn()
    stage.do(Listen(()))
    stage.turn()
    assert len(stage.ears.steps) == 1
    stage.do(Listen(("voice",)), Close())
    assert stage.ears.opened == {}


# --- bridging -------------------------------------------------------------------------------------------


def bridged(stage, law_of_other=8):
    stage.open()
    stage.do(Open(), row=1, generation=5)
    stage.do(Remote("192.0.2.2", 5000, law_of_other), row=1, generation=5)
    stage.do(Bridge(1, 5))
    stage.do(Bridge(0, 1), row=1, generation=5)


@pytest.mark.parametrize("law_of_other", [8, 0])
def test_a_bridge_sends_what_the_other_side_says(stage, law_of_other):
    bridged(stage, law_of_other)
    frames = NOISE[:1600].reshape(10, 160)
    for frame in frames:
        stage.hear(coded(frame))
        stage.turn()
    sent = [parse(packet) for packet in stage.wire.sent[1]]
    assert {packet.payload_type for packet in sent} == {law_of_other}
    assert all((after.sequence - before.sequence) & 0xFFFF == 1 for before, after in pairwise(sent))
    assert all((after.timestamp - before.timestamp) & 0xFFFFFFFF == 160 for before, after in pairwise(sent))
    law = Law.A if law_of_other == 8 else Law.MU
    expected = [encode(decode(encode(frame, Law.A), Law.A), law).tobytes() for frame in frames]
    heard = [packet.payload for packet in sent][DELAY_FRAMES + 1 :]
    assert heard == expected[: len(heard)]
    assert len(heard) >= 8


def test_a_key_on_one_side_of_a_bridge_is_pressed_on_the_other(stage):
    bridged(stage)
    stage.press(7)
    stage.turn(12)
    events = [packet for packet in map(parse, stage.wire.sent[1]) if packet.payload_type == 101]
    assert {parse_event(packet.payload).code for packet in events} == {7}
    assert len({packet.timestamp for packet in events}) == 1
    assert stage.of(Digit) == [Digit("7")]


@pytest.mark.parametrize("other_takes_events", [True, False])
def test_a_key_heard_as_a_tone_is_pressed_once_on_the_other_side(stage, other_takes_events):
    """Whoever takes tones only hears it in the audio; pressed again it would be two."""
    bridged(stage)
    stage.do(Remote(*FAR, dtmf_type=None))
    stage.do(Remote("192.0.2.2", 5000, dtmf_type=101 if other_takes_events else None), row=1, generation=5)
    stage.ears.says = {1: [Heard(0, 60, "digit", KEYS.index("5"))]}
    stage.turn(20)
    assert stage.of(Digit) == [Digit("5", "inband")]
    assert bool(stage.of(Sent)) == other_takes_events


def test_a_lost_frame_is_the_last_one_again_and_then_silence(stage):
    bridged(stage)
    stage.hear(coded(NOISE[:160]))
    stage.turn(5)
    sent = [parse(packet).payload for packet in stage.wire.sent[1]]
    assert sent[DELAY_FRAMES + 1 :] == [coded(NOISE[:160])] * 2 + [SILENCE] * (len(sent) - DELAY_FRAMES - 3)


@pytest.mark.parametrize("end", ["bridge", "close"])
def test_a_bridge_ends(stage, end):
    bridged(stage)
    stage.hear(coded(NOISE[:160]))
    stage.turn(2)
    if end == "bridge":
        stage.do(Bridge(-1), row=1, generation=5)
    else:
        stage.do(Close())
        stage.hear(coded(NOISE[:160]))
    sent = len(stage.wire.sent[1])
    stage.turn(3)
    assert [parse(packet).payload for packet in stage.wire.sent[1][sent:]] == [SILENCE] * 3


def test_nobody_is_bridged_to_a_later_call_of_a_slot(stage):
    bridged(stage)
    stage.do(Close())
    stage.do(Open(), generation=2)
    stage.do(Remote(*FAR), generation=2)
    stage.do(Bridge(0, 1), row=1, generation=5)
    stage.hear(coded(NOISE[:160]))
    stage.turn(4)
    assert {parse(packet).payload for packet in stage.wire.sent[1]} == {SILENCE}


# --- recording ------------------------------------------------------------------------------------------


def test_a_recording_gets_what_came_and_what_went(stage):
    stage.open()
    stage.do(Play(1, (stage.clip(NOISE),)), Record("/somewhere/call.wav"))
    frames = NOISE[::-1][:4000].reshape(25, 160)
    for frame in frames:
        stage.hear(coded(frame))
        stage.turn()
    stage.do(Close())
    assert stage.tape.took == [("open", 0, 1, "/somewhere/call.wav"), ("close", 0, 1)]
    assert len(stage.tape.turns) == 25
    came, went = [], []
    for rows, generations, tx, _, rx, _, present in stage.tape.turns:
        assert (rows, generations.tolist()) == ([0], [1])
        went.append(tx[0].tobytes())
        came += [rx[0].tobytes()] if present[0] else []
    assert b"".join(went) == encode(NOISE, Law.A).tobytes()[:4000]
    assert b"".join(came) + stage.tape.tail.tobytes() == b"".join(map(coded, frames))


def test_what_is_not_sent_is_recorded_as_silence(stage):
    stage.open()
    stage.do(Play(1, (stage.clip(NOISE),)), Record("/somewhere/call.wav"))
    stage.turn()
    stage.do(Remote(*FAR, send=False))
    stage.turn()
    assert [turn[2][0].tobytes() == SILENCE for turn in stage.tape.turns] == [False, True]


def recorded(stage):
    """Both channels of the only call, which is over."""
    channels = Channels()
    told = [
        channels.take(np.array([number], np.uint32), decode(tx, Law.A), decode(rx, Law.A) * present[:, None])
        for number, (_, _, tx, _, rx, _, present) in enumerate(stage.tape.turns)
    ]
    return np.concatenate([*told, channels.finish(len(told), decode(stage.tape.tail, Law.A))]).T


def test_an_echo_is_recorded_beside_what_it_repeats(stage):
    stage.open()
    stage.do(Play(1, (stage.clip(NOISE),)), Record("/somewhere/call.wav"))
    for _ in range(30):
        stage.turn()
        stage.hear(parse(stage.wire.sent[0][-1]).payload)
    stage.do(Close())
    came, sent = recorded(stage)
    assert len(sent) == 30 * 160
    assert (came == sent).all()


def test_a_stall_is_recorded_as_what_it_was(stage):
    """The far end goes on: all that it said is there at its time, and we sent nothing."""
    stage.open()
    stage.do(Play(1, (stage.clip(NOISE),)), Record("/somewhere/call.wav"))
    frames = NOISE[::-1][:4000].reshape(25, 160)
    for number in range(10):
        stage.turn()
        stage.hear(coded(frames[number]))
    for number in range(10, 15):
        stage.hear(coded(frames[number]))
    stage.tick.slip(5)
    for number in range(15, 25):
        stage.turn()
        stage.hear(coded(frames[number]))
    stage.do(Close())
    came, sent = recorded(stage)
    assert (came == decode(encode(frames.reshape(-1), Law.A), Law.A)).all()
    clip = decode(encode(NOISE[: 20 * 160], Law.A), Law.A)
    silence = decode(np.frombuffer(SILENCE * 5, np.uint8), Law.A)
    assert (sent == np.concatenate([clip[:1600], silence, clip[1600:]])).all()


def test_all_that_has_come_belongs_to_the_call_that_ends(stage):
    stage.open()
    stage.hear()
    stage.turn(3)  # so that a packet is owed
    for _ in range(5):
        stage.hear()
    stage.do(Close())
    assert stage.of(Closed)[0].received == 6


def test_after_a_stall_all_that_has_come_is_read_in_one_turn(stage):
    stage.open()
    stage.hear()
    stage.turn(3)
    for _ in range(8):
        stage.hear()
    stage.tick.slip(8)
    stage.turn()
    assert not stage.wire.waiting[0]
