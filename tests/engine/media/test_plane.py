"""The plane with its real process, over real sockets on loopback. Content, order and counts; never the time."""

from __future__ import annotations

import asyncio
import logging
import os
import random
import signal
import socket
import struct
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from engine.clock import SystemClock
from engine.config import ConfigError, MediaConfig
from engine.media.g711 import Law, encode
from engine.media.plane import MediaPlane, NoPorts
from engine.media.rtp import Packet, build
from engine.media.wire import (
    Close,
    Closed,
    Digit,
    Faulted,
    Listen,
    MediaStarted,
    NoMedia,
    Play,
    Played,
    SendDigits,
    Sent,
    SpeechEnded,
    SpeechStarted,
    Stop,
)
from engine.media.wire import Remote as RemoteCommand

pytestmark = pytest.mark.anyio

NOISE = np.random.default_rng(1).integers(-20000, 20000, 8000 + 40).astype(np.int16)
VOICE = Path(__file__).parent / "voice.alaw"


def check_stream(packets):
    assert {packet.ssrc for packet in packets} == {packets[0].ssrc}
    for before, after in pairwise(packets):
        assert (after.sequence - before.sequence) % (1 << 16) == 1


def check_voice(packets):
    """One stream, and timestamps that move with the frames (a stall may let them jump, by whole ones)."""
    check_stream(packets)
    for before, after in pairwise(packets):
        step = (after.timestamp - before.timestamp) % (1 << 32)
        assert step % 160 == 0
        assert 160 <= step <= 160 * 500


async def test_a_clip_arrives_bit_for_bit(caller, make_clip, plane):
    clip = make_clip(NOISE)
    caller.slot.send(caller.far_end.remote())
    caller.slot.send(Play(7, (plane.load(clip),)))
    await caller.until(Played)
    closed = await caller.close()
    assert caller.of(Played) == [Played(7, 1005, "ended")]
    assert encode(NOISE, Law.A).tobytes() + b"\xd5" * 120 in caller.far_end.payload
    came = caller.far_end.came
    assert closed.sent == len(came)
    assert [packet.marker for packet in came] == [True] + [False] * (len(came) - 1)
    check_voice(came)
    assert caller.times == sorted(caller.times)


async def test_mu_law_and_another_packet_time(caller, make_clip, plane):
    caller.slot.send(caller.far_end.remote(payload_type=0, ptime_ms=30))
    caller.slot.send(Play(1, (plane.load(make_clip(NOISE)), -60)))
    await caller.until(Played)
    await caller.close()
    assert encode(NOISE, Law.MU).tobytes() in caller.far_end.payload
    assert {(packet.payload_type, len(packet.payload)) for packet in caller.far_end.came} == {(0, 240)}


async def test_stop_and_what_follows(caller, make_clip, plane):
    clip = plane.load(make_clip(NOISE))
    assert plane.load(make_clip(NOISE, "same.wav")) == clip
    caller.slot.send(caller.far_end.remote())
    for play in (1, 2):
        caller.slot.send(Play(play, (clip,)))
    while len(caller.far_end.came) < 10:
        await asyncio.sleep(0.005)
    caller.slot.send(Stop())
    first, second = await caller.until(Played, 2)
    assert (first.play, first.why, second) == (1, "stopped", Played(2, 0, "stopped"))
    assert 200 <= first.heard_ms < 1000
    caller.slot.send(Play(3, (-40,)))
    await caller.until(Played, 3)
    await caller.close()
    samples = first.heard_ms * 8
    assert caller.far_end.payload[:samples] == encode(NOISE[:samples], Law.A).tobytes()
    assert set(caller.far_end.payload[samples:]) == {0xD5}


async def test_a_key_stops_the_prompt(caller, make_clip, plane):
    caller.slot.send(caller.far_end.remote())
    caller.slot.send(Play(1, (plane.load(make_clip(NOISE)),), "digits"))
    while len(caller.far_end.came) < 5:
        await asyncio.sleep(0.005)
    caller.far_end.send_press(caller.slot.port, 11)
    await caller.until(Played)
    closed = await caller.close()
    kinds = [type(event) for event in caller.events]
    assert kinds == [MediaStarted, Digit, Played, Closed]
    assert caller.of(Digit) == [Digit("#")]
    assert caller.of(Played)[0].why == "digit"
    assert (closed.received, closed.lost, closed.invalid) == (6, 0, 0)


@pytest.mark.parametrize("dtmf_type", [96, 101, None])
async def test_two_slots_press_keys_at_each_other(plane, callers, dtmf_type):
    here, there = await callers(), await callers()
    here.slot.send(RemoteCommand("127.0.0.1", there.slot.port, dtmf_type=dtmf_type))
    there.slot.send(RemoteCommand("127.0.0.1", here.slot.port, dtmf_type=dtmf_type))
    here.slot.send(SendDigits("0123456789*#", 40, 60))
    there.slot.send(SendDigits("AABBCCDD", 100, 40))
    for one in (here, there):
        await one.until(Sent)
    await here.until(Digit, 8)
    await there.until(Digit, 12)
    for one in (here, there):
        await one.close()
    assert "".join(event.digit for event in there.of(Digit)) == "0123456789*#"
    assert "".join(event.digit for event in here.of(Digit)) == "AABBCCDD"
    assert {event.channel for event in here.of(Digit)} == {"rfc4733" if dtmf_type else "inband"}


async def test_presses_through_a_line_that_loses(caller):
    """A hundred, 50 ms apart, of whose packets every tenth is lost, in bursts: over real sockets, whatever the pace."""
    chance = random.Random(4)
    far_end = caller.far_end
    await caller.connect()
    far_end.send(caller.slot.port)
    await caller.until(MediaStarted)
    known, bad = "", False
    for number in range(100):
        came = False
        started, far_end.timestamp = far_end.timestamp, far_end.timestamp + 1200
        for packet in range(8):
            bad = bad != (chance.random() < (0.25 if bad else 0.03))
            far_end.sequence += 1
            if not bad:
                ended, duration = packet >= 5, 160 * min(packet + 1, 5)
                payload = struct.pack("!BBH", number % 3, 0x8A if ended else 10, duration)
                event = Packet(packet == 0, 101, far_end.sequence & 0xFFFF, started, 77, payload)
                far_end.transport.sendto(build(event), ("127.0.0.1", caller.slot.port))
                came = True
        known += "012"[number % 3] if came else ""
        await asyncio.sleep(0.01)
    await caller.until(Digit, len(known))
    closed = await caller.close()
    assert "".join(event.digit for event in caller.of(Digit)) == known
    assert 90 <= len(known) < 100
    assert closed.lost > 30


async def test_two_slots_report_to_each_other(plane, callers):
    """Over real sockets: a round trip of loopback, a jitter below our own ticks', nothing lost."""
    here, there = await callers(), await callers()
    for one, other in ((here, there), (there, here)):
        one.slot.send(RemoteCommand("127.0.0.1", other.slot.port))
        one.slot.send(Play(1, (-4500,)))  # the first report leaves after 3.75 s at most
    for one in (here, there):
        await one.until(Played)
    first = await here.close()
    second = await there.close()  # it has read the last report of the first, which refers to its own
    assert 0 <= second.round_trip_ms < 20
    for closed in (first, second):
        assert (closed.lost, closed.late, closed.doubled, closed.invalid, closed.remote_lost) == (0, 0, 0, 0, 0)
        assert 0 <= closed.jitter_ms < 20
        assert closed.mos > 4
        assert not closed.one_way_audio
    assert second.remote_jitter_ms == pytest.approx(first.jitter_ms, abs=5)


async def test_no_media(caller):
    caller.slot.send(caller.far_end.remote())
    await caller.until(NoMedia)
    caller.far_end.send(caller.slot.port)
    await caller.until(MediaStarted)
    await caller.close()


async def test_nobody_listens_at_the_far_end(caller, plane, make_clip):
    """ICMP says so after each packet; what we play goes on."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as gone:
        gone.bind(("127.0.0.1", 0))
        port = gone.getsockname()[1]
    caller.slot.send(RemoteCommand("127.0.0.1", port))
    caller.slot.send(Play(1, (plane.load(make_clip(NOISE)),)))
    await caller.until(Played)
    closed = await caller.close()
    assert caller.of(Played) == [Played(1, 1005, "ended")]
    assert closed.invalid == 0


async def test_a_flood_of_garbage_changes_nothing(caller, plane, make_clip):
    """From the address that the SDP names and from others, before and after latching."""
    chance = random.Random(3)
    port = caller.slot.port
    caller.slot.send(caller.far_end.remote())
    caller.slot.send(Play(1, (plane.load(make_clip(NOISE)),), "any"))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        for round_ in range(100):
            for _ in range(200):
                stranger.sendto(chance.randbytes(chance.randrange(300)), ("127.0.0.1", port))
            caller.far_end.transport.sendto(chance.randbytes(40), ("127.0.0.1", port))
            if round_ == 50:
                caller.far_end.send(port)
            await asyncio.sleep(0.005)
    await caller.until(Played)
    caller.far_end.send_press(port, 1)
    await caller.until(Digit)
    await caller.close()
    assert caller.of(Digit) == [Digit("1")]
    assert encode(NOISE, Law.A).tobytes() in caller.far_end.payload
    check_voice(caller.far_end.came)


FLOOD = """
import socket, sys, time
target, begun = ("127.0.0.1", int(sys.argv[1])), time.monotonic()
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
    packet, sent = bytes.fromhex("800800010000000100000001") + bytes(160), 0
    while (passed := time.monotonic() - begun) < 1.5:
        if sent > passed * 100_000:
            time.sleep(0.001)
        for _ in range(100):
            stranger.sendto(packet, target)
        sent += 100
print(sent)
"""


async def test_a_flood_on_a_live_port(callers, plane, make_clip):
    """100,000 packets a second on the RTP port of one call and on the RTCP port of another, from strangers that look
    like the far end; and on a third call garbage from the far end's own address, more of it than is ever read."""
    number = plane.load(make_clip(NOISE))
    flooded, reported, mad, other = calls = [await callers() for _ in range(4)]
    for one in calls:
        await one.connect()
        one.far_end.send(one.slot.port)
        await one.until(MediaStarted)
        one.slot.send(Play(1, (number,), "any"))
    floods = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", FLOOD, str(port), stdout=asyncio.subprocess.PIPE)
        for port in (flooded.slot.port, reported.slot.port + 1)
    ]
    for _ in range(50):
        for one in (flooded, reported, other):
            one.far_end.send(one.slot.port)
        for _ in range(500):
            mad.far_end.transport.sendto(b"\x80", ("127.0.0.1", mad.slot.port))
        await asyncio.sleep(0.02)
    for one in calls:
        await one.until(Played)
    sent = [int((await flood.communicate())[0]) for flood in floods]
    assert min(sent) > 20_000  # of each, on a busy machine
    for one in (flooded, reported, other):
        one.far_end.send_press(one.slot.port, 5)
        await one.until(Digit)
        closed = await one.close()
        assert (closed.received, closed.lost, closed.invalid, closed.overflowed) == (51 + 6, 0, 0, 0)
        assert encode(NOISE, Law.A).tobytes() in one.far_end.payload
        check_voice(one.far_end.came)
    closed = await mad.close()
    assert closed.garbage == closed.invalid > 500
    assert closed.overflowed > 0
    assert encode(NOISE, Law.A).tobytes() in mad.far_end.payload


@pytest.mark.parametrize("host", ["198.51.100.1", "0.0.0.0", "255.255.255.255", "224.0.0.1"])
async def test_strangers_flood_a_call_to_nowhere(callers, plane, host):
    """An address that cannot be reached from here ends nothing but, at most, its own call."""
    pid = plane.pid
    good, bad = await callers(), await callers()
    good.slot.send(good.far_end.remote())
    bad.slot.send(RemoteCommand(host, 4000))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        for _ in range(10):
            for _ in range(50):
                stranger.sendto(bytes(172), ("127.0.0.1", bad.slot.port))
            await asyncio.sleep(0.02)
    good.slot.send(Play(1, (-40,)))
    await good.until(Played)
    await good.close()
    await bad.close()
    assert plane.pid == pid


async def test_a_far_end_of_another_family(caller):
    caller.slot.send(RemoteCommand("2001:db8::1", 4000))
    (fault,) = await caller.until(Faulted)
    assert "2001:db8::1 cannot be reached from 127.0.0.1" in fault.message


async def test_slots_are_given_back(plane, far_ends, callers):
    ports = []
    for _ in range(3):
        group = [await callers() for _ in range(4)]
        with pytest.raises(NoPorts, match="raise"):
            plane.open(print)
        assert plane.census() == {"ports": 4}
        ports.append([one.slot.port for one in group])
        for one in group:
            one.slot.send(one.far_end.remote())
            one.slot.send(Close())
            one.slot.send(Close())
            one.slot.send(Stop())
        for one in group:
            await one.close()
            assert len(one.events) == 1
        assert plane.census() == {"ports": 0}
    assert ports[0] == ports[1] == ports[2]
    assert len(set(ports[0])) == 4
    assert all(port % 2 == 0 for port in ports[0])


async def test_an_earlier_call_is_not_heard_in_the_next(plane, callers):
    """With one slot free the port is used again at once; what was sent to the earlier call is not taken."""
    first, *_ = [await callers() for _ in range(4)]
    first.slot.send(first.far_end.remote())
    first.far_end.send(first.slot.port)
    await first.until(MediaStarted)
    await first.close()
    for _ in range(50):
        first.far_end.send(first.slot.port)
    second = await callers()
    assert second.slot.port == first.slot.port
    second.slot.send(RemoteCommand("127.0.0.2", 4000))
    second.slot.send(Play(1, (-100,)))
    await second.until(Played)
    first.far_end.send(first.slot.port)
    closed = await second.close()
    assert closed.received == 0
    assert second.of(MediaStarted) == []


async def test_a_call_that_faults_leaves_the_others(plane, callers):
    good, bad = await callers(), await callers()
    for one in (good, bad):
        one.slot.send(one.far_end.remote())
    bad.slot.send(Play(1, (12345,)))
    await bad.until(Faulted)
    bad.slot.send(Close())
    good.slot.send(Play(1, (-40,)))
    await good.until(Played)
    await good.close()
    assert [type(event) for event in bad.events] == [Faulted]
    assert plane.census() == {"ports": 0}


async def test_speech_is_heard_and_stops_the_prompt(caller):
    """Speech made by espeak-ng, sent as a telephone would; the prompt is ten seconds of silence."""
    codes = VOICE.read_bytes()
    caller.slot.send(caller.far_end.remote())
    caller.slot.send(Listen(("voice",)))
    caller.slot.send(Play(1, (-10_000,), "voice"))
    for number in range(150):
        frame = codes[number * 160 :][:160]
        caller.far_end.send(caller.slot.port, frame if len(frame) == 160 else b"\xd5" * 160)
        await asyncio.sleep(0.02)
    await caller.until(SpeechEnded)
    await caller.close()
    kinds = [type(event) for event in caller.events]
    assert kinds.index(SpeechStarted) + 1 == kinds.index(Played)
    assert caller.of(Played)[0].why == "voice"


async def test_the_process_is_killed(caller, plane, callers, caplog, make_clip):
    other = await callers()
    number = plane.load(make_clip(NOISE))
    caller.slot.send(caller.far_end.remote())
    caller.slot.send(Play(1, (number,)))
    while not caller.far_end.came:
        await asyncio.sleep(0.005)
    os.kill(plane.pid, signal.SIGKILL)
    await caller.until(Faulted)
    await other.until(Faulted)
    assert plane.census() == {"ports": 0}
    for one in (caller, other):
        one.slot.send(Close())
        assert len(one.of(Faulted, Closed)) == 1
    with pytest.raises(NoPorts, match="starting"):
        plane.open(print)
    after = await callers(wait=True)
    after.slot.send(after.far_end.remote())
    after.slot.send(Play(2, (number,)))
    await after.until(Played)
    await after.close()
    assert encode(NOISE, Law.A).tobytes() in after.far_end.payload
    assert "starts anew" in caplog.text


async def test_the_process_outlives_signals_and_not_its_parent(tmp_path):
    script = tmp_path / "parent.py"
    script.write_text(
        "import asyncio, sys\n"
        "from engine.clock import SystemClock\n"
        "from engine.config import MediaConfig\n"
        "from engine.media.plane import MediaPlane\n"
        "async def main():\n"
        "    plane = MediaPlane(MediaConfig(ports='21000-22998'), '127.0.0.1', SystemClock(), calls=1)\n"
        "    await plane.start()\n"
        "    print(plane.pid, flush=True)\n"
        "    await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True) as parent:
        pid = int(parent.stdout.readline())
        os.kill(pid, signal.SIGINT)
        os.kill(pid, signal.SIGTERM)
        await asyncio.sleep(0.1)
        os.kill(pid, 0)
        parent.kill()
    async with asyncio.timeout(10):
        while Path(f"/proc/{pid}").exists() and "Z" not in Path(f"/proc/{pid}/stat").read_text().split(")")[1][:3]:
            await asyncio.sleep(0.02)


async def test_stop_faults_what_is_open(callers, plane):
    one = await callers()
    await plane.stop()
    assert [type(event) for event in one.events] == [Faulted]
    assert plane.census() == {"ports": 0}
    await plane.stop()
    one.slot.send(Close())


async def test_ports_that_do_not_fit():
    plane = MediaPlane(MediaConfig(ports="18000-18007"), "127.0.0.1", SystemClock(), calls=9)
    with pytest.raises(ConfigError, match=r"18000-18007 .*of 4 pairs of ports.* 9 are needed.*widen"):
        await plane.start()


async def test_a_host_that_is_not_ours():
    plane = MediaPlane(MediaConfig(ports="18000-18007"), "192.0.2.77", SystemClock(), calls=1)
    with pytest.raises(ConfigError, match=r"192\.0\.2\.77"):
        await plane.start()


async def test_open_files_that_do_not_suffice(monkeypatch):
    """The limit of the child is ours; `calls` beyond every limit is refused."""
    plane = MediaPlane(MediaConfig(ports="1024-65535"), "127.0.0.1", SystemClock(), calls=2_000_000_000)
    with pytest.raises(ConfigError, match="ulimit"):
        await plane.start()


async def test_two_planes_share_a_range():
    config = MediaConfig(ports="18100-18107")
    planes = [MediaPlane(config, "127.0.0.1", SystemClock(), calls=2) for _ in range(2)]
    await asyncio.gather(*(plane.start() for plane in planes))
    slots = [plane.open(lambda at, event: None) for plane in planes for _ in range(2)]
    assert sorted(slot.port for slot in slots) == [18100, 18102, 18104, 18106]
    for plane in planes:
        await plane.stop()


async def test_ports_of_the_system_are_warned_about(caplog):
    plane = MediaPlane(MediaConfig(ports="40000-40100"), "127.0.0.1", SystemClock(), calls=1)
    with caplog.at_level(logging.WARNING):
        await plane.start()
        await plane.stop()
    assert "choose one outside" in caplog.text


async def test_loading_is_told(plane):
    async with asyncio.timeout(10):
        while plane.busy == 0:
            await asyncio.sleep(0.05)
    assert 0 < plane.busy <= 1


async def test_fifty_calls_at_once(callers, make_clip, plane50):
    clips = [plane50.load(make_clip(np.roll(NOISE, number), f"{number}.wav")) for number in range(5)]
    calls = [await callers(plane50) for _ in range(50)]
    for number, one in enumerate(calls):
        one.slot.send(one.far_end.remote())
        one.slot.send(Play(number, (clips[number % 5],)))
    while not all(one.far_end.came for one in calls):  # what comes before the remote is known is nobody's
        await asyncio.sleep(0.005)
    for number in range(40):
        for one in calls:
            one.far_end.send(one.slot.port)
            if number == 20:
                one.far_end.send_press(one.slot.port, 4)
        await asyncio.sleep(0.02)
    await asyncio.sleep(0.1)  # on a busy machine the prompts are over before the last packets have come
    for number, one in enumerate(calls):
        assert await one.until(Played) == [Played(number, 1005, "ended")]
        closed = await one.close()
        assert one.of(Digit) == [Digit("4")]
        assert (closed.received, closed.lost, closed.invalid) == (46, 0, 0)
        assert encode(np.roll(NOISE, number % 5), Law.A).tobytes() in one.far_end.payload
        check_voice(one.far_end.came)
