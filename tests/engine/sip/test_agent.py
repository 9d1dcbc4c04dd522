"""The agent: what belongs to no leg, what a fault of ours costs, and where answers go."""

from __future__ import annotations

import pytest

from engine.events import Answered, Ended, Failed, Side
from engine.sip.agent import Crash, Say
from engine.sip.leg_client import ClientLeg
from engine.sip.matching import answers_go_to, arrived, server_key
from engine.sip.message import read

SDP = b"v=0\r\no=- 1 1 IN IP4 192.0.2.2\r\ns=-\r\nc=IN IP4 192.0.2.2\r\nt=0 0\r\nm=audio 5000 RTP/AVP 8\r\n"
REQUEST = (
    "{method} sip:us@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1:5070;branch={branch}{rport}\r\n"
    "Via: SIP/2.0/UDP 10.9.9.9\r\nFrom: <sip:a@b>;tag=f\r\nTo: <sip:us@192.0.2.1>{to}\r\nCall-ID: c\r\n"
    "CSeq: 1 {method}\r\nContent-Length: 0\r\n\r\n"
)
SOURCE = ("192.0.2.2", 9999)


def request(method: str, branch: str = "z9hG4bKx", rport: str = ";rport", to: str = "") -> bytes:
    return REQUEST.format(method=method, branch=branch, rport=rport, to=to).encode()


@pytest.mark.parametrize(
    ("method", "to", "code"),
    [
        ("OPTIONS", "", 200),
        ("INVITE", "", 480),
        ("BYE", "", 481),
        ("INFO", "", 481),
        ("CANCEL", "", 481),
        ("OPTIONS", ";tag=none", 481),
        ("INVITE", ";tag=none", 481),
        ("NOTIFY", "", 405),
        ("REGISTER", "", 405),
        ("DANCE", "", 501),
    ],
)
def test_outside_any_dialog(caller, method, to, code):
    caller.receive(request(method, to=to), SOURCE)
    assert caller.starts()[-1].startswith(f"SIP/2.0 {code} ")
    assert caller.agent.census() == {"dialogs": 0, "timers": 0}
    before = len(caller.sent)
    caller.receive(request(method, to=to), SOURCE)  # repeated: the same answer, no second one
    assert caller.sent[before:] == caller.sent[before - 1 : before]


def test_strays_are_ignored(caller):
    caller.receive(request("ACK", to=";tag=none"), SOURCE)
    caller.receive(request("OPTIONS").replace(b"OPTIONS sip:us@192.0.2.1 SIP/2.0", b"SIP/2.0 200 OK"), SOURCE)
    assert caller.sent == []


def test_answers_go_where_the_request_came_from():
    with_rport = arrived(read(request("OPTIONS")), SOURCE)
    assert with_rport.all("Via") == [
        "SIP/2.0/UDP 10.0.0.1:5070;branch=z9hG4bKx;received=192.0.2.2;rport=9999",
        "SIP/2.0/UDP 10.9.9.9",
    ]
    assert answers_go_to(with_rport, SOURCE) == SOURCE
    without = arrived(read(request("OPTIONS", rport="")), SOURCE)
    assert answers_go_to(without, SOURCE) == ("192.0.2.2", 5070)


def test_an_old_client_is_told_apart_by_more_than_its_branch():
    one = read(request("OPTIONS", branch="1"))
    other = read(request("OPTIONS", branch="1").replace(b"CSeq: 1 ", b"CSeq: 2 "))
    assert server_key(one, "OPTIONS") != server_key(other, "OPTIONS")


def test_a_fault_of_ours_ends_one_leg(wire, caller, peer, monkeypatch):
    caller.place("good")
    peer.respond("200 OK", body=SDP)
    caller.place("bad")
    peer.respond("180 Ringing")
    monkeypatch.setattr(ClientLeg, "_dialog_of", lambda *_: 1 / 0)
    answer = b"SIP/2.0 180 R\r\n" + b"\r\n".join(
        line for line in peer.request().split(b"\r\n") if line[:4] in (b"Via:", b"From", b"Call", b"CSeq")
    )
    answer += f"\r\nTo: {peer.header('To')};tag=new\r\n\r\n".encode()
    effects = caller.agent.receive(answer, ("192.0.2.2", 5060), wire.clock.now())
    assert isinstance(next(effect for effect in effects if isinstance(effect, Crash)).error, ZeroDivisionError)
    (said,) = [effect for effect in effects if isinstance(effect, Say)]
    assert (said.leg, type(said.event)) == ("bad", Failed)
    monkeypatch.undo()
    assert caller.agent.open_legs() == ["good"]
    caller.hangup("good")
    assert [type(event) for event in caller.events("good")][-2:] == [Answered, Ended]


def test_what_is_open_when_the_port_closes_has_its_end(wire, caller, peer):
    caller.place("a")
    peer.respond("200 OK", body=SDP)
    caller.place("b")
    caller.do(caller.agent.give_up(wire.clock.now()))
    assert caller.ends("a") == [Ended(Side.LOCAL)]
    assert len(caller.ends("b")) == 1
