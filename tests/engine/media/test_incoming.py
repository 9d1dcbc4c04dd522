"""Where a stream begins: any of the 65536 sequence numbers is a first one (RFC 3550, section 5.1: it is random)."""

from __future__ import annotations

import pytest

from engine.media.columns import Columns
from engine.media.incoming import Incoming
from engine.media.jitter import JitterBuffer
from engine.media.rtp import FRAME_SAMPLES, Packet, build
from engine.media.wire import MediaStarted, Remote, SlotEvent


class OpenWire:
    """A wire that every packet comes through from where it should."""

    def aim(self, row: int, address: tuple[str, int]) -> None:
        self.address = address

    def source(self, row: int) -> tuple[str, int]:
        return self.address

    def latch(self, row: int, address: tuple[str, int]) -> None:
        pass


@pytest.mark.parametrize("first", [0, 1, 3000, 32768, 62535, 62536, 63000, 65534, 65535])
def test_any_number_begins_a_stream(first: int) -> None:
    columns, events = Columns(1), list[SlotEvent]()
    incoming = Incoming(0, columns, JitterBuffer(1), OpenWire(), events.append, print)  # type: ignore[arg-type]
    incoming.set_remote(Remote("127.0.0.1", 4000), ())
    for count in range(3):
        packet = Packet(False, 8, (first + count) % 65536, 160 * count, 7, b"\xd5" * FRAME_SAMPLES)
        incoming.take(build(packet))
    assert columns.received[0] == 3
    assert columns.expected[0] == 3
    assert events == [MediaStarted()]
