"""A registration against a hand-written registrar: got, refreshed, refused, lost, given back."""

from __future__ import annotations

import pytest

from engine.events import TrunkChanged
from engine.sip.leg_client import Line
from engine.sip.registration import Registration

CHALLENGE = 'WWW-Authenticate: Digest realm="r", nonce="n", qop="auth"'
UP = TrunkChanged("t", True)


@pytest.fixture
def begin(caller, wire):
    def begin():
        line = Line("t", ("192.0.2.2", 5060), "192.0.2.2", "u", "sesame")
        caller.do(caller.agent.register(Registration(line, caller.station), wire.clock.now()))

    return begin


def count(caller):
    """How many requests, repetitions apart."""
    return len({data for data, _ in caller.sent if data.startswith(b"REGISTER ")})


def said(caller):
    return caller.events("")


def test_got_and_refreshed_with_the_same_nonce(wire, caller, peer, begin):
    begin()
    assert caller.starts() == ["REGISTER sip:192.0.2.2 SIP/2.0"]
    assert peer.header("From", "REGISTER").startswith("<sip:u@192.0.2.2>;tag=")
    assert peer.header("Contact", "REGISTER") == "<sip:u@192.0.2.1:5060>"
    peer.respond("401 Unauthorized", CHALLENGE, method="REGISTER")
    assert "nc=00000001" in peer.header("Authorization", "REGISTER")
    mine = "Contact: <sip:old@192.0.2.9>;expires=7, <sip:u@192.0.2.1:5060>;q=1;expires=100"
    peer.respond("200 OK", mine, "Expires: 3000", method="REGISTER")
    assert said(caller) == [UP]
    assert caller.agent.census() == {"dialogs": 0, "timers": 0}
    wire.clock.advance(79)
    assert count(caller) == 2
    wire.clock.advance(2)
    assert count(caller) == 3
    assert "nc=00000002" in peer.header("Authorization", "REGISTER")
    assert peer.header("CSeq", "REGISTER") == "3 REGISTER"
    peer.respond("401 Old nonce", CHALLENGE.replace('"n"', '"m"'), method="REGISTER")  # not even stale=true
    assert 'nonce="m"' in peer.header("Authorization", "REGISTER")
    peer.respond("200 OK", method="REGISTER")
    assert said(caller) == [UP]


def test_given_back(wire, caller, peer, begin):
    begin()
    peer.respond("200 OK", method="REGISTER")
    caller.do(caller.agent.unregister(wire.clock.now()))
    assert peer.header("Expires", "REGISTER") == "0"
    assert caller.agent.unsettled()
    peer.respond("200 OK", method="REGISTER")
    assert not caller.agent.unsettled()
    wire.clock.advance(600)
    assert (count(caller), caller.agent.remembered, wire.clock.pending) == (2, 0, 0)


def test_a_wrong_password_is_told_once_and_not_hammered(wire, caller, peer, begin):
    begin()
    peer.respond("401 Unauthorized", CHALLENGE, method="REGISTER")
    peer.respond("401 Unauthorized", CHALLENGE, method="REGISTER")
    assert said(caller) == [TrunkChanged("t", False, "refused the username or password (401 Unauthorized)")]
    wire.clock.advance(299)
    assert count(caller) == 2
    wire.clock.advance(2)
    assert count(caller) == 3
    peer.respond("403 Forbidden", method="REGISTER")
    assert said(caller)[-1].reason == "refused the username or password (403 Forbidden)"
    assert not any("sesame" in str(event) for event in said(caller))


def test_no_answer_then_one(wire, caller, peer, begin):
    begin()
    wire.clock.advance(33)
    assert said(caller) == [TrunkChanged("t", False, "does not answer the registration")]
    wire.clock.advance(5 + 33 + 10 + 33)
    assert len(said(caller)) == 1
    peer.respond("200 OK", method="REGISTER")
    assert said(caller)[1:] == []  # of a transaction that is over
    wire.clock.advance(21)
    peer.respond("200 OK", method="REGISTER")
    assert said(caller)[1:] == [UP]


def test_a_longer_time_is_asked_for_where_it_must_be(caller, peer, begin):
    begin()
    peer.respond("423 Interval Too Brief", "Min-Expires: 1800", method="REGISTER")
    assert peer.header("Expires", "REGISTER") == "1800"
    peer.respond("423 Interval Too Brief", "Min-Expires: 1800", method="REGISTER")
    assert said(caller)[-1].up is False


def test_another_refusal_backs_off(wire, caller, peer, begin):
    begin()
    peer.respond("503 Service Unavailable", method="REGISTER")
    assert said(caller) == [TrunkChanged("t", False, "refused the registration (503 Service Unavailable)")]
    wire.clock.advance(5.1)
    peer.respond("503 Service Unavailable", method="REGISTER")
    wire.clock.advance(9)
    assert count(caller) == 2
    wire.clock.advance(2)
    assert count(caller) == 3
