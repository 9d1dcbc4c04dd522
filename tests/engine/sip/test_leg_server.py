"""The callee's leg, called by ours: what it reports, when it may hang up, what it repeats."""

from __future__ import annotations

import pytest

from engine.events import Answered, EarlyMedia, Ended, Failed, Origin, RemoteOffer, Ringing, Side
from engine.sip.leg_server import TABLE, Stage, Step

SDP = b"v=0\r\no=- 1 1 IN IP4 192.0.2.2\r\ns=-\r\nc=IN IP4 192.0.2.2\r\nt=0 0\r\nm=audio 5000 RTP/AVP 8\r\n"
LEG = "in-1"


@pytest.fixture
def called(wire, caller, callee):
    caller.place(to="79932432001")
    wire.clock.advance(0.05)
    return callee


def test_rings_answers_and_is_hung_up_on(wire, caller, called):
    (incoming,) = called.events(LEG)
    assert (incoming.to, incoming.caller) == ("79932432001", "79990001122")
    assert incoming.sdp.startswith(b"v=0")
    called.ring(LEG)
    called.ring(LEG, 183, SDP)
    called.answer(LEG, SDP)
    called.answer(LEG, SDP)
    wire.clock.advance(0.1)
    assert caller.events()[1:] == [Ringing(180), EarlyMedia(SDP, 183), Answered(SDP)]
    assert called.events(LEG)[1:] == [Answered(b"")]
    caller.hangup(cause=17)
    wire.clock.advance(0.1)
    assert called.ends(LEG) == [Ended(Side.REMOTE, q850=17)]


def test_hangs_up_itself(wire, caller, called):
    called.answer(LEG, SDP)
    wire.clock.advance(0.1)
    called.hangup(LEG, 31)
    wire.clock.advance(0.1)
    assert called.ends(LEG) == [Ended(Side.LOCAL)]
    assert caller.ends() == [Ended(Side.REMOTE, q850=31)]


@pytest.mark.parametrize("code", [300, 404, 486, 603, 699])
def test_rejects(wire, caller, called, code):
    called.reject(LEG, code)
    wire.clock.advance(0.1)
    assert called.ends(LEG)[0].code == caller.ends()[0].code == code
    assert (called.ends(LEG)[0].origin, caller.ends()[0].origin) == (Origin.LOCAL, Origin.REMOTE)


def test_is_cancelled(wire, caller, called):
    called.ring(LEG)
    wire.clock.advance(0.1)
    caller.hangup(cause=19)
    wire.clock.advance(0.1)
    assert called.ends(LEG) == [Failed(487, "cancelled by the caller", Origin.REMOTE, 19)]
    assert caller.ends()[0].code == 487
    called.answer(LEG, SDP)
    called.hangup(LEG)
    wire.clock.advance(0.1)
    assert len(called.ends(LEG)) == 1
    assert called.agent.census() == {"dialogs": 0, "timers": 0}


def test_no_bye_before_the_ack(wire, caller, called):
    called.answer(LEG, SDP)
    called.hangup(LEG)
    assert called.ends(LEG) == [Ended(Side.LOCAL)]
    assert called.starts()[-1] == "SIP/2.0 200 OK"
    wire.clock.advance(0.1)
    assert called.starts()[-1].startswith("BYE ")
    assert caller.ends() == [Ended(Side.REMOTE, q850=16)]


def test_a_2xx_that_nobody_acknowledges(wire, caller, called):
    wire.fate = lambda data: [] if data.startswith(b"ACK") else [0.01]
    called.answer(LEG, SDP)
    wire.clock.advance(31)
    assert called.starts().count("SIP/2.0 200 OK") == 10  # T1 doubling up to T2
    wire.clock.advance(2)
    assert called.ends(LEG) == [Ended(Side.NETWORK)]
    assert caller.ends() == [Ended(Side.REMOTE, q850=16)]


def test_the_caller_may_change_the_session(wire, caller, called):
    called.answer(LEG, SDP)
    wire.clock.advance(0.1)
    leg = caller.agent._users["a"]
    message, to = leg.dialog.request(leg.station, "UPDATE", (), sdp=SDP)
    caller.sent.clear()
    wire.carry(message.encode(), caller.address, to)
    wire.clock.advance(0.1)
    assert called.events(LEG)[-1] == RemoteOffer(SDP)
    called.answer_offer(LEG, SDP)
    assert called.starts()[-1] == "SIP/2.0 200 OK"


def test_an_invite_from_outside_is_refused_where_nobody_is_called(wire, caller):
    other = wire.end(("192.0.2.2", 5060))
    caller.place()
    wire.clock.advance(0.1)
    assert caller.ends() == [Failed(480, "Temporarily Unavailable", Origin.REMOTE)]
    assert not other.said


def test_every_stage_of_the_table_can_be_reached():
    reached = {Stage.PROCEEDING} | {after for _, after in TABLE.values()}
    assert reached == set(Stage)
    assert {step for _, step in TABLE} == set(Step)
