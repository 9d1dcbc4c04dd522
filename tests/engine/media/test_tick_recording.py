"""What a tape is given."""

from __future__ import annotations

import numpy as np
from stage import FAR, NOISE, SILENCE, coded

from engine.media.g711 import Law, decode, encode
from engine.media.rtp import parse
from engine.media.wire import (
    Close,
    Closed,
    Play,
    Record,
    Remote,
)
from engine.recording.channels import Channels


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
