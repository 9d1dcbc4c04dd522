"""Calls that are recorded, through the real processes: compared sample by sample with what both sides sent."""

from __future__ import annotations

import asyncio
import os
import signal
import wave

import numpy as np
import pytest

from engine.media.g711 import SILENCE, Law, decode
from engine.media.wire import Bridge, Faulted, Play, Played, Record, Recorded

pytestmark = pytest.mark.anyio

CHANCE = np.random.default_rng(6)
NOISE = CHANCE.integers(-20000, 20000, 16000).astype(np.int16)
FRAMES = [bytes(frame) for frame in CHANCE.integers(0, 256, (30, 160)).astype(np.uint8)]  # the jitter buffer holds 32


def read(path):
    with wave.open(str(path), "rb") as file:
        assert file.getparams()[:3] == (2, 2, 8000)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, 2).T


def linear(payloads, law=Law.A):
    return decode(np.frombuffer(b"".join(payloads), np.uint8), law)


def spoken(packets, law=Law.A):
    """What we sent, by the packets' timestamps: they jump where a busy machine let us stand still."""
    starts = [(packet.timestamp - packets[0].timestamp) % (1 << 32) for packet in packets]
    sound = np.full(starts[-1] + 160, decode(np.uint8(SILENCE[law]), law), np.int16)
    for start, packet in zip(starts, packets, strict=True):
        sound[start : start + 160] = linear([packet.payload], law)
    return sound


def part(of, sound):
    """Where the sound lies in the other, which begins with nothing but silence."""
    begin = int(np.flatnonzero(of)[0])
    return of[begin : begin + len(sound)]


def speak(caller, payload_type, lost=(), swapped=()):
    """The far end's frames, at once: they are placed by their timestamps. Some are lost, some come after the next."""
    order = list(range(len(FRAMES)))
    for number in swapped:
        order[number : number + 2] = order[number + 1], order[number]
    far_end = caller.far_end
    sequence, timestamp = far_end.sequence, far_end.timestamp
    for number in order:
        far_end.sequence, far_end.timestamp = sequence + number, timestamp + 160 * number
        if number not in lost:
            far_end.send(caller.slot.port, FRAMES[number], payload_type)
    far_end.sequence, far_end.timestamp = sequence + len(order), timestamp + 160 * len(order)


@pytest.mark.parametrize(("payload_type", "law"), [(8, Law.A), (0, Law.MU)])
async def test_both_sides_sample_by_sample(caller, make_clip, plane, tmp_path, payload_type, law):
    path = tmp_path / "call.wav"
    caller.slot.send(caller.far_end.remote(payload_type=payload_type))
    caller.slot.send(Record(str(path)))
    caller.slot.send(Play(1, (plane.load(make_clip(NOISE)),), "digits"))
    while len(caller.far_end.came) < 5:
        await asyncio.sleep(0.005)
    speak(caller, payload_type, lost=(7, 8, 20), swapped=(3, 12))
    while len(caller.far_end.came) < 60:
        await asyncio.sleep(0.005)
    caller.far_end.send_press(caller.slot.port, 5)
    (played,) = await caller.until(Played)
    await caller.close()
    (told,) = await caller.until(Recorded)
    came, sent = read(path)
    ours = spoken([packet for packet in caller.far_end.came if packet.payload_type == payload_type], law)
    theirs = linear(FRAMES, law).reshape(-1, 160).copy()
    theirs[[7, 8, 20]] = 0
    assert (told.state, told.why, told.path) == ("saved", "", str(path))
    assert told.duration_ms == len(sent) // 8
    assert caller.times[0] - 1 < told.started_at < caller.times[0]
    assert played.why == "digit"
    assert (sent == ours[-len(sent) :]).all()  # a packet may have gone out before `Record` was read
    assert len(ours) - len(sent) <= 160
    assert (part(came, theirs.reshape(-1)) == theirs.reshape(-1)).all()


async def test_a_bridge_is_recorded_with_the_other_s_voice(callers, tmp_path):
    one, other = await callers(), await callers()
    one.slot.send(one.far_end.remote())
    other.slot.send(other.far_end.remote(payload_type=0))
    one.slot.send(Record(str(tmp_path / "call.wav")))
    one.slot.send(Bridge(other.slot.row, other.slot.generation))
    other.slot.send(Bridge(one.slot.row, one.slot.generation))
    while not one.far_end.came or not other.far_end.came:
        await asyncio.sleep(0.005)
    speak(other, 0)
    before = len(one.far_end.came)
    while len(one.far_end.came) < before + len(FRAMES) + 10:
        await asyncio.sleep(0.005)
    await one.close()
    await one.until(Recorded)
    _, sent = read(tmp_path / "call.wav")
    assert (sent == spoken(one.far_end.came)[-len(sent) :]).all()
    theirs = linear(FRAMES, Law.MU).astype(int)
    heard = part(np.where(abs(sent) > 8, sent, 0), theirs)
    assert (abs(heard - theirs) <= abs(theirs) // 16 + 16).all()  # from mu-law into A-law


async def test_a_killed_media_process_leaves_its_recordings(callers, plane, make_clip, tmp_path):
    calls = [await callers() for _ in range(2)]
    clip = plane.load(make_clip(NOISE))
    for number, one in enumerate(calls):
        one.slot.send(one.far_end.remote())
        one.slot.send(Record(str(tmp_path / f"{number}.wav")))
        one.slot.send(Play(1, (clip,)))
    while any(len(one.far_end.came) < 40 for one in calls):
        await asyncio.sleep(0.005)
    os.kill(plane.pid, signal.SIGKILL)
    for number, one in enumerate(calls):
        (told,) = await one.until(Recorded)
        assert one.of(Faulted)
        assert (told.state, told.why) == ("incomplete", "the media process died")
        _, sent = read(tmp_path / f"{number}.wav")
        assert told.duration_ms == len(sent) // 8 >= 25 * 20
        assert bytes(sent) in bytes(spoken(one.far_end.came))
    after = await callers(wait=True)
    after.slot.send(after.far_end.remote())
    after.slot.send(Record(str(tmp_path / "after.wav")))
    after.slot.send(Play(1, (plane.load(make_clip(NOISE[:1600], "short.wav")),)))
    await after.until(Played)
    await after.close()
    (told,) = await after.until(Recorded)
    assert told.state == "saved"
    assert bytes(read(tmp_path / "after.wav")[1]) in bytes(spoken(after.far_end.came))
