"""Packets that are not the one expected: the first ones, those out of order, keys, other types and sizes, garbage."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Final

import numpy as np

from engine.media.columns import Columns
from engine.media.g711 import PAYLOAD_TYPES
from engine.media.jitter import JitterBuffer
from engine.media.latch import Latch
from engine.media.rtp import COMFORT_NOISE, FRAME_MS, FRAME_SAMPLES, PACKET_BYTES, VERSION_2, Packet, parse
from engine.media.sockets import Address, Wire
from engine.media.telephone_event import Presses
from engine.media.telephone_event import parse as parse_event
from engine.media.wire import Digit, Latched, MediaStarted, Remote, SlotEvent

WINDOW: Final = 64  # packets back that are told from doubles
CROWD_PACKETS: Final = 64  # of strangers, before the far end is known: then only the SDP's own address is heard
RESTART: Final = 3000  # further on, or far back: the far end counts anew (RFC 3550, MAX_DROPOUT)
SEQUENCES: Final = 1 << 16
COMFORT_MS: Final = 27_000  # silence that comfort noise announced may last so much longer
_ALL: Final = (1 << WINDOW) - 1


class Refused(StrEnum):
    """Why a packet is not taken."""

    STRANGER = "stranger"  # from elsewhere, before the far end is known
    GARBAGE = "garbage"  # no RTP
    TYPE = "type"  # none of the payload types agreed on
    SIZE = "size"  # nothing in it, or no whole event


class Incoming:
    """Reads for one row, a packet at a time."""

    def __init__(
        self,
        row: int,
        columns: Columns,
        jitter: JitterBuffer,
        wire: Wire,
        emit: Callable[[SlotEvent], None],
        pressed: Callable[[str], None],
    ) -> None:
        self._row = row
        self._columns = columns
        self._jitter = jitter
        self._wire = wire
        self._emit = emit
        self._pressed = pressed
        self._remote: Remote | None = None
        self._latch: Latch | None = None
        self._far_end: Address | None = None
        self._presses = Presses()
        self._refused = 0  # packets, since the far end was named
        self.refused: Counter[Refused] = Counter()
        self._flowing = False
        self._collided = False
        jitter.late[row] = 0

    @property
    def late(self) -> int:
        """Packets that came when their turn was over."""
        return int(self._jitter.late[self._row])

    def set_remote(self, remote: Remote, networks: Sequence[str]) -> None:
        """Another far end, or another format of the same. ValueError or OSError for an address that is none."""
        before = self._remote
        if before is None or (before.host, before.port) != (remote.host, remote.port):
            latch = Latch(remote.host, remote.port, networks, self._far_end)
            self._wire.aim(self._row, (remote.host, remote.port))
            self._latch, self._far_end, self._refused = latch, None, 0
            self._columns.normal[self._row] = 0
        if before is None or before.dtmf_rate != remote.dtmf_rate:
            self._presses = Presses(remote.dtmf_rate)
        self._remote = remote
        self._columns.quiet[self._row] = 0

    def take(self, datagram: bytes) -> None:
        """One datagram of this row's inbox."""
        remote = self._remote
        if remote is None:  # media before any SDP: we cannot know what it is
            return
        packet = parse(datagram)
        refused = Refused.GARBAGE if packet is None else self._unfit(packet, remote)
        if packet is None or refused is not None:
            self._columns.invalid[self._row] += 1
            self.refused[refused or Refused.GARBAGE] += 1
            self._refuse(remote)
            return
        if not self._count(packet):
            return
        self._columns.quiet[self._row] = 0
        if not self._flowing:
            self._flowing = True
            self._emit(MediaStarted())
        if packet.payload_type in PAYLOAD_TYPES:
            self._hear(packet, len(datagram))
        elif packet.payload_type == COMFORT_NOISE:
            self._columns.quiet[self._row] = -(COMFORT_MS // FRAME_MS)
        else:
            self._press(packet)

    def missed(self) -> None:
        """Nothing came for long; the next packet starts the media again."""
        self._flowing = False
        self._columns.normal[self._row] = 0

    def _refuse(self, remote: Remote) -> None:
        """Strangers that crowd out a far end which we do not know yet: from now on the kernel keeps them away."""
        if self._latch is None:
            return
        self._refused += 1
        if self._refused == CROWD_PACKETS:
            self._wire.narrow(self._row, (remote.host, remote.port))

    def _unfit(self, packet: Packet, remote: Remote) -> Refused | None:
        if packet.payload_type in PAYLOAD_TYPES:
            least = 1
        elif packet.payload_type == remote.dtmf_type:
            least = 4
        elif packet.payload_type == COMFORT_NOISE:
            least = 0
        else:
            return Refused.TYPE
        if len(packet.payload) < least:
            return Refused.SIZE
        return None if self._ours(packet) else Refused.STRANGER

    def _ours(self, packet: Packet) -> bool:
        source = self._wire.source(self._row)
        if self._latch is None:
            return source is None or source == self._far_end
        assert self._remote is not None
        if source is None or not self._latch.admits(source, packet):
            return False
        self._wire.latch(self._row, source)
        self._latch, self._far_end = None, source
        if source != (self._remote.host, self._remote.port):
            self._emit(Latched(*source))
        return True

    def _count(self, packet: Packet) -> bool:
        """Keep the columns of sequence; False for a packet that came before."""
        columns, row = self._columns, self._row
        ahead = (packet.sequence - int(columns.rx_sequence[row])) % SEQUENCES
        behind = SEQUENCES - ahead
        anew = columns.received[row] == 0 or packet.ssrc != columns.rx_ssrc[row]
        if anew or (ahead > RESTART and behind > RESTART):
            columns.rx_ssrc[row] = packet.ssrc
            if packet.ssrc == columns.ssrc[row] and not self._collided:
                self._move()
            self._jitter.restart(row)
            ahead, behind, seen = 1, SEQUENCES - 1, 0
        else:
            seen = int(columns.rx_seen[row])
        if ahead == 0 or behind <= RESTART:
            age = 0 if ahead == 0 else behind
            if age >= WINDOW or seen >> age & 1:
                (self._jitter.late if age >= WINDOW else columns.doubled)[row] += 1
                return False
            columns.rx_seen[row] = seen | 1 << age
        else:
            columns.rx_sequence[row] = packet.sequence
            columns.rx_seen[row] = (seen << ahead & _ALL | 1) if ahead < WINDOW else 1
            columns.expected[row] += ahead
        columns.received[row] += 1
        return True

    def _move(self) -> None:
        """The far end happens to have our SSRC: we take another (RFC 3550, section 8.2), once; then it is a loop."""
        self._collided = True
        columns, row = self._columns, self._row
        columns.ssrc[row] = random.getrandbits(32)
        columns.header["ssrc"][row] = columns.ssrc[row]

    def _hear(self, packet: Packet, size: int) -> None:
        law = PAYLOAD_TYPES[packet.payload_type]
        self._jitter.put(self._row, packet.timestamp, np.frombuffer(packet.payload, np.uint8), law)
        settled = self._wire.source(self._row) is None
        plain = settled and size == PACKET_BYTES and len(packet.payload) == FRAME_SAMPLES
        if self._jitter.wanted[self._row]:
            plain = plain and law == self._jitter.law[self._row]
        self._columns.normal[self._row] = VERSION_2 << 8 | packet.payload_type if plain else 0
        self._columns.rx_law[self._row] = law

    def _press(self, packet: Packet) -> None:
        event = parse_event(packet.payload)
        if event is None:
            return
        digit = self._presses.take(packet.ssrc, packet.timestamp, packet.marker, event)
        if digit is not None:
            self._emit(Digit(digit))
            self._pressed(digit)
