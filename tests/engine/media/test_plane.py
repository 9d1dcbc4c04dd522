"""The plane with its real process, over real sockets on loopback. Content, order and counts; never the time."""

from __future__ import annotations

import numpy as np
import pytest

from engine.media.g711 import Law, encode
from engine.media.wire import Close, Digit, MediaStarted, Play, Played, Stop

pytestmark = pytest.mark.anyio

NOISE = np.random.default_rng(1).integers(-20000, 20000, 8000 + 40).astype(np.int16)


async def test_a_clip_arrives_bit_for_bit(caller, make_clip, plane):
    clip = make_clip(NOISE)
    caller.slot.send(caller.far_end.remote())
    caller.slot.send(Play(7, (plane.load(clip),)))
    await caller.until(Played)
    closed = await caller.close()
    assert caller.of(Played) == [Played(7, 1005, "ended")]
    sent = encode(NOISE, Law.A).tobytes()
    assert sent + b"\xd5" * 120 in caller.far_end.payload
    came = caller.far_end.came
    assert closed.sent == len(came)
    assert [packet.marker for packet in came] == [True] + [False] * (len(came) - 1)
    assert {packet.ssrc for packet in came} == {came[0].ssrc}
    first = came[0]
    for number, packet in enumerate(came):
        assert packet.sequence == (first.sequence + number) & 0xFFFF
