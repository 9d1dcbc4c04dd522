"""Packets that are not the plain one of a tick: other packet times than 20 ms, and keys being pressed."""

from __future__ import annotations

import numpy as np

from engine.media import tones
from engine.media.columns import Columns
from engine.media.g711 import SILENCE, Law, encode
from engine.media.rtp import FRAME_SAMPLES, HEADER_BYTES, Packet, build
from engine.media.sockets import Wire
from engine.media.telephone_event import Sending
from engine.media.telephone_event import build as build_event
from engine.media.wire import Remote

PACKET_SAMPLES_MIN, PACKET_SAMPLES_MAX = 80, 480  # 10 to 60 ms


class Outgoing:
    """Sends for one row, a packet at a time."""

    def __init__(self, row: int, columns: Columns, wire: Wire) -> None:
        self._row = row
        self._columns = columns
        self._wire = wire
        self._size = FRAME_SAMPLES
        self._dtmf_type: int | None = None
        self._waiting = b""  # codes that do not fill a packet yet
        self._pressed_at = 0  # timestamp of the press

    @property
    def plain(self) -> bool:
        """One packet a tick."""
        return self._size == FRAME_SAMPLES

    def set_format(self, remote: Remote) -> None:
        """Packets as the far end wants them."""
        size = remote.ptime_ms // 10 * 80 or FRAME_SAMPLES
        size = min(max(size, PACKET_SAMPLES_MIN), PACKET_SAMPLES_MAX)
        if size != self._size:
            self._waiting = b""
        self._size = size
        self._dtmf_type = remote.dtmf_type

    def tick(self, key: tuple[str, Sending] | None) -> bool:
        """Send what this tick makes of the frame in the outbox; False if a packet did not leave."""
        if key is not None:
            digit, sending = key
            if self._dtmf_type is None:
                self._overlay(digit, sending)
            elif sending.events:
                return self._press(self._dtmf_type, sending)
        return self._audio()

    def _overlay(self, digit: str, sending: Sending) -> None:
        law = Law(self._columns.law[self._row])
        down = bool(sending.events) and not sending.events[0].end
        codes = encode(tones.frame(digit, sending.age), law) if down else np.uint8(SILENCE[law])
        self._columns.outbox[self._row, HEADER_BYTES:] = codes

    def _press(self, payload_type: int, sending: Sending) -> bool:
        self._waiting = b""
        if sending.marker:
            self._pressed_at = int(self._columns.timestamp[self._row])
        left = [
            self._send(sending.marker, payload_type, self._pressed_at, build_event(event)) for event in sending.events
        ]
        return all(left)

    def _audio(self) -> bool:
        columns, row = self._columns, self._row
        self._waiting += columns.outbox[row, HEADER_BYTES:].tobytes()
        left = True
        while len(self._waiting) >= self._size:
            begun = int(columns.timestamp[row]) + FRAME_SAMPLES - len(self._waiting)
            payload, self._waiting = self._waiting[: self._size], self._waiting[self._size :]
            marker = bool(columns.marker[row])
            columns.marker[row] = 0
            left = self._send(marker, int(columns.payload_type[row]), begun & 0xFFFFFFFF, payload) and left
        return left

    def _send(self, marker: bool, payload_type: int, timestamp: int, payload: bytes) -> bool:
        columns, row = self._columns, self._row
        sequence = int(columns.sequence[row])
        columns.sequence[row] = (sequence + 1) & 0xFFFF
        packet = Packet(marker, payload_type, sequence, timestamp, int(columns.ssrc[row]), payload)
        if not self._wire.send_one(row, build(packet)):
            return False
        columns.sent[row] += 1
        columns.octets_beside[row] += len(payload) - FRAME_SAMPLES
        return True
