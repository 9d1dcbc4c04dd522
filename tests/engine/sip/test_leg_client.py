"""The caller's leg against a hand-written peer: forks, races, challenges, and what the peer asks inside the dialog."""

from __future__ import annotations

import pytest

from engine.events import (
    Answered,
    EarlyMedia,
    Ended,
    Failed,
    InfoDigit,
    Origin,
    RemoteOffer,
    Ringing,
    Side,
    Trying,
)
from engine.sip.leg_client import TABLE, Stage, Step

SDP = b"v=0\r\no=- 1 1 IN IP4 192.0.2.2\r\ns=-\r\nc=IN IP4 192.0.2.2\r\nt=0 0\r\nm=audio 5000 RTP/AVP 8\r\n"
CHALLENGE = 'Digest realm="r", nonce="n1", qop="auth"'
NOTHING = {"dialogs": 0, "timers": 0}


def settle(wire, *ends):
    """A moment later nothing of the call is left; after 64*T1 not even a memory."""
    wire.clock.advance(1)
    for end in ends:
        assert end.agent.census() == NOTHING
    wire.clock.advance(40)
    for end in ends:
        assert end.agent.remembered == 0
        assert not end.timers


def test_a_whole_call(wire, caller, peer):
    caller.place()
    assert caller.agent.census() == {"dialogs": 1, "timers": 2}  # A and B
    peer.respond("100 Trying", tag="")
    peer.respond("180 Ringing")
    peer.respond("200 OK", body=SDP)
    assert caller.starts()[-1] == "ACK sip:peer@192.0.2.2:5060 SIP/2.0"
    assert caller.agent.census() == {"dialogs": 1, "timers": 0}
    caller.hangup(cause=16)
    assert caller.starts()[-1] == "BYE sip:peer@192.0.2.2:5060 SIP/2.0"
    assert b"Reason: Q.850;cause=16" in caller.sent[-1][0]
    peer.respond("200 OK", method="BYE")
    assert caller.events() == [Trying(), Ringing(180), Answered(SDP), Ended(Side.LOCAL)]
    settle(wire, caller)


def test_the_request_shows_what_the_trunk_wants(caller, peer):
    caller.place(to="74951234567", plus=True, caller_id="both", username="account", password="secret")
    assert peer.request().startswith(b"INVITE sip:+74951234567@192.0.2.2 SIP/2.0\r\n")
    assert peer.header("From").startswith("<sip:+79990001122@192.0.2.2>;tag=")
    assert peer.header("P-Asserted-Identity") == "<sip:+79990001122@192.0.2.2>"
    assert peer.header("Contact") == "<sip:account@192.0.2.1:5060>"
    assert ";rport" in peer.header("Via")
    assert b"secret" not in peer.request()


@pytest.mark.parametrize(
    ("caller_id", "username", "user", "asserted"),
    [
        ("from", "account", "79990001122", False),
        ("pai", "account", "account", True),
        ("pai", "", "anonymous", True),
        ("both", "", "79990001122", True),
    ],
)
def test_where_the_outgoing_number_stands(caller, peer, caller_id, username, user, asserted):
    caller.place(caller_id=caller_id, username=username)
    assert peer.header("From").startswith(f"<sip:{user}@192.0.2.2>")
    assert bool(peer.header("P-Asserted-Identity")) is asserted


@pytest.mark.parametrize("code", [300, 302, 400, 403, 404, 480, 486, 499, 500, 503, 600, 603, 607, 699])
def test_every_final_code_is_reported_as_it_came(wire, caller, peer, code):
    caller.place()
    peer.respond(
        f"{code} Говорит станция",
        'Reason: SIP;cause=1, Q.850 ;text="a";cause=21',
        "Retry-After: 30 (busy)",
        "Contact: <sip:a@b>, <sip:c@d>",
    )
    assert caller.starts()[-1].startswith("ACK sip:100@192.0.2.2 ")
    (failed,) = caller.ends()
    contacts = ("sip:a@b", "sip:c@d") if code < 400 else ()
    assert failed == Failed(code, "Говорит станция", Origin.REMOTE, 21, 30, contacts)
    peer.respond(f"{code} again")  # its repetition is acknowledged, and reported no more
    assert caller.starts()[-1].startswith("ACK ")
    assert len(caller.ends()) == 1
    settle(wire, caller)


def test_nobody_answers(wire, caller):
    caller.place()
    wire.clock.advance(31.9)
    assert caller.events() == []
    assert caller.starts() == ["INVITE sip:100@192.0.2.2 SIP/2.0"] * 7  # 0, .5, 1.5, 3.5, 7.5, 15.5, 31.5
    wire.clock.advance(0.2)
    assert caller.events() == [Failed(None, "no response to the INVITE", Origin.TIMEOUT)]
    settle(wire, caller)


def test_hung_up_before_anything_came(wire, caller, peer):
    caller.place()
    caller.hangup()
    assert caller.events() == [Failed(None, "hung up before the answer", Origin.LOCAL)]
    assert caller.agent.census() == NOTHING
    wire.clock.advance(3)
    assert len(caller.sent) == 1  # neither CANCEL nor the INVITE again
    peer.respond("180 Ringing")
    assert caller.starts()[-1].startswith("CANCEL ")
    peer.respond("200 OK", method="CANCEL")
    peer.respond("487 Request Terminated")
    assert caller.starts()[-1].startswith("ACK ")
    assert len(caller.events()) == 1
    settle(wire, caller)


def test_hung_up_before_anything_came_and_answered_late(wire, caller, peer):
    caller.place()
    caller.hangup()
    peer.respond("200 OK", body=SDP)
    assert [start.split()[0] for start in caller.starts()] == ["INVITE", "ACK", "BYE"]
    peer.respond("200 OK", method="BYE")
    assert len(caller.events()) == 1
    settle(wire, caller)


def test_cancelled_while_ringing(wire, caller, peer):
    caller.place()
    peer.respond("180 Ringing")
    caller.hangup()
    caller.hangup()
    assert [start.split()[0] for start in caller.starts()] == ["INVITE", "CANCEL"]
    assert peer.header("Via", "CANCEL") == peer.header("Via")
    assert peer.header("CSeq", "CANCEL") == "1 CANCEL"
    assert not caller.ends()
    peer.respond("200 OK", method="CANCEL")
    peer.respond("487 Request Terminated")
    assert caller.ends() == [Failed(487, "hung up before the answer", Origin.LOCAL)]
    settle(wire, caller)


def test_a_200_wins_over_cancel(wire, caller, peer):
    caller.place()
    peer.respond("180 Ringing")
    caller.hangup()
    peer.respond("200 OK", body=SDP)
    assert [start.split()[0] for start in caller.starts()] == ["INVITE", "CANCEL", "ACK", "BYE"]
    assert caller.ends() == [Failed(None, "hung up before the answer", Origin.LOCAL)]
    assert not any(isinstance(event, Answered) for event in caller.events())
    peer.respond("200 OK", body=SDP)  # its repetition: the same ACK, no second BYE
    assert [start.split()[0] for start in caller.starts()][-1] == "ACK"
    peer.respond("200 OK", method="BYE")
    peer.respond("481 Gone", method="CANCEL")
    settle(wire, caller)


def test_a_cancel_that_nobody_follows_ends_here(wire, caller, peer):
    caller.place()
    peer.respond("180 Ringing")
    caller.hangup()
    peer.respond("200 OK", method="CANCEL")
    wire.clock.advance(4.9)
    assert not caller.ends()
    wire.clock.advance(0.2)
    assert caller.ends() == [Failed(None, "hung up before the answer", Origin.LOCAL)]
    assert caller.agent.census() == NOTHING
    peer.respond("180 Ringing")  # still ringing: nothing more is to be said
    assert caller.agent.census() == NOTHING
    peer.respond("487 At last")
    assert caller.starts()[-1].startswith("ACK ")
    settle(wire, caller)


def test_two_forks_ring_and_both_answer(wire, caller, peer):
    caller.place()
    peer.respond("180 Ringing", tag="f1", body=SDP)
    peer.respond("180 Ringing", tag="f2")
    peer.respond("180 Ringing", tag="f2")  # not a new one
    peer.respond("200 OK", "Contact: <sip:two@192.0.2.2>", tag="f2", body=SDP)
    peer.respond("200 OK", "Contact: <sip:one@192.0.2.2>", tag="f1", body=SDP)
    assert caller.events() == [Trying(), EarlyMedia(SDP, 180), Ringing(180), Answered(SDP)]
    assert caller.starts()[1:] == [
        "ACK sip:two@192.0.2.2 SIP/2.0",
        "ACK sip:one@192.0.2.2 SIP/2.0",
        "BYE sip:one@192.0.2.2 SIP/2.0",
    ]
    peer.respond("200 OK", method="BYE")
    peer.respond("200 OK", "Contact: <sip:one@192.0.2.2>", tag="f1", body=SDP)
    peer.respond("200 OK", "Contact: <sip:two@192.0.2.2>", tag="f2", body=SDP)
    assert caller.starts()[4:] == ["ACK sip:one@192.0.2.2 SIP/2.0", "ACK sip:two@192.0.2.2 SIP/2.0"]
    caller.hangup()
    assert caller.starts()[-1] == "BYE sip:two@192.0.2.2 SIP/2.0"
    peer.respond("200 OK", method="BYE")
    settle(wire, caller)


def test_early_media_is_told_once_and_serves_an_answer_without_sdp(wire, caller, peer):
    caller.place()
    peer.respond("183 Session Progress", body=SDP)
    peer.respond("183 Session Progress", body=SDP)
    peer.respond("199 Early Dialog Terminated", tag="other")
    peer.respond("200 OK")
    assert caller.events() == [Trying(), EarlyMedia(SDP, 183), Answered(SDP)]


@pytest.mark.parametrize(("status", "header"), [("401 Unauthorized", "WWW"), ("407 Proxy Authentication", "Proxy")])
def test_a_challenge_is_answered_once(wire, caller, peer, status, header):
    caller.place(username="u", password="p")
    first = peer.header("Via"), peer.header("Call-ID"), peer.header("From")
    peer.respond(status, f"{header}-Authenticate: {CHALLENGE}")
    assert caller.starts()[-2].startswith("ACK ")
    answer = peer.header("Authorization" if header == "WWW" else "Proxy-Authorization")
    assert 'username="u"' in answer
    assert "nc=00000001" in answer
    assert peer.header("CSeq") == "2 INVITE"
    assert peer.header("Via") != first[0]
    assert (peer.header("Call-ID"), peer.header("From")) == first[1:]
    assert ";tag=" not in peer.header("To")
    peer.respond(status, f"{header}-Authenticate: {CHALLENGE}")
    assert caller.events() == [
        Trying(),
        Failed(int(status[:3]), status[4:], Origin.REMOTE),
    ]
    settle(wire, caller)


def test_a_stale_nonce_is_answered_once_more(wire, caller, peer):
    caller.place(username="u", password="p")
    peer.respond("407 A", f"Proxy-Authenticate: {CHALLENGE}")
    peer.respond("407 B", 'Proxy-Authenticate: Digest realm="r", nonce="n2", stale=TRUE, qop="auth"')
    assert peer.header("CSeq") == "3 INVITE"
    assert 'nonce="n2"' in peer.header("Proxy-Authorization")
    peer.respond("407 C", 'Proxy-Authenticate: Digest realm="r", nonce="n3", stale=TRUE, qop="auth"')
    assert caller.ends()[0].code == 407
    settle(wire, caller)


def test_proxy_and_server_may_both_challenge_and_bye_carries_the_answers(wire, caller, peer):
    caller.place(username="u", password="p")
    peer.respond("407 Proxy", f"Proxy-Authenticate: {CHALLENGE}")
    peer.respond("401 Server", 'WWW-Authenticate: Digest realm="s", nonce="m"')
    assert peer.header("Proxy-Authorization")
    assert peer.header("Authorization")
    peer.respond("200 OK", body=SDP)
    assert "nc=00000002" in peer.header("Proxy-Authorization", "ACK")
    caller.hangup()
    assert "nc=00000003" in peer.header("Proxy-Authorization", "BYE")
    peer.respond("401 New nonce", 'WWW-Authenticate: Digest realm="s", nonce="m2"', method="BYE")
    assert 'nonce="m2"' in peer.header("Authorization", "BYE")
    peer.respond("401 New nonce", 'WWW-Authenticate: Digest realm="s", nonce="m3"', method="BYE")
    assert 'nonce="m2"' in peer.header("Authorization", "BYE")
    settle(wire, caller)


def test_hung_up_between_challenge_and_answer(wire, caller, peer):
    caller.place(username="u", password="p")
    peer.respond("401 A", f"WWW-Authenticate: {CHALLENGE}")
    caller.hangup()
    assert len(caller.ends()) == 1
    peer.respond("401 B", 'WWW-Authenticate: Digest realm="r", nonce="n2", stale=true')
    assert [start.split()[0] for start in caller.starts()] == ["INVITE", "ACK", "INVITE", "ACK"]
    settle(wire, caller)


def test_without_a_password_a_challenge_is_the_end(wire, caller, peer):
    caller.place()
    peer.respond("401 Unauthorized", f"WWW-Authenticate: {CHALLENGE}")
    assert caller.ends() == [Failed(401, "Unauthorized", Origin.REMOTE)]


def test_requests_follow_the_route(wire, caller, peer):
    caller.place()
    peer.respond(
        "200 OK",
        "Record-Route: <sip:near@192.0.2.8:5070;lr>, <sip:192.0.2.9;lr>",
        "Record-Route: <sip:far@10.9.9.9;lr>",
        "Contact: <sip:peer@10.0.0.1>",
        body=SDP,
    )
    ack, to = caller.sent[-1]
    assert ack.startswith(b"ACK sip:peer@10.0.0.1 SIP/2.0\r\n")
    assert to == ("10.9.9.9", 5060)
    routes = [line for line in ack.decode().split("\r\n") if line.startswith("Route")]
    assert routes == [
        "Route: <sip:far@10.9.9.9;lr>",
        "Route: <sip:192.0.2.9;lr>",
        "Route: <sip:near@192.0.2.8:5070;lr>",
    ]


def test_a_strict_router_gets_what_it_wants(wire, caller, peer):
    caller.place()
    peer.respond("200 OK", "Record-Route: <sip:192.0.2.8>", "Contact: <sip:peer@10.0.0.1>", body=SDP)
    ack, to = caller.sent[-1]
    assert ack.startswith(b"ACK sip:192.0.2.8 SIP/2.0\r\n")
    assert b"Route: <sip:peer@10.0.0.1>\r\n" in ack
    assert to == ("192.0.2.8", 5060)


@pytest.mark.parametrize("contact", ["Contact: <sip:p@0.0.0.0>", "Contact: <tel:+7>", "Contact: <", "X: no contact"])
def test_a_contact_that_is_no_use(wire, caller, peer, contact):
    caller.place()
    peer.respond("200 OK", contact.replace("X: no contact", "Contact:"), body=SDP)
    assert caller.starts()[-1].startswith("ACK ")
    assert caller.sent[-1][1] == ("192.0.2.2", 5060)


def answered(caller, peer):
    caller.place()
    peer.respond("200 OK", body=SDP)
    caller.said.clear()


def test_bye_from_the_peer(wire, caller, peer):
    answered(caller, peer)
    assert peer.ask("BYE", "Reason: Q.850;cause=31") == "SIP/2.0 200 OK"
    assert caller.events() == [Ended(Side.REMOTE, q850=31)]
    caller.hangup()
    peer.ask("BYE", "Reason: Q.850;cause=31")  # repeated
    assert len(caller.events()) == 1
    settle(wire, caller)


def test_byes_cross(wire, caller, peer):
    answered(caller, peer)
    caller.hangup()
    assert peer.ask("BYE") == "SIP/2.0 200 OK"
    peer.respond("481 Gone", method="BYE")
    assert caller.events() == [Ended(Side.LOCAL)]
    settle(wire, caller)


def test_bye_unanswered_is_repeated_and_then_forgotten(wire, caller, peer):
    answered(caller, peer)
    caller.hangup()
    assert caller.events() == [Ended(Side.LOCAL)]
    assert caller.agent.census() == {"dialogs": 1, "timers": 2}  # the peer still owes an answer
    wire.clock.advance(31)
    assert caller.starts().count("BYE sip:peer@192.0.2.2:5060 SIP/2.0") == 10
    wire.clock.advance(2)
    settle(wire, caller)


def test_what_the_peer_may_ask(wire, caller, peer):
    answered(caller, peer)
    assert peer.ask("OPTIONS", cseq=1) == "SIP/2.0 200 OK"
    assert b"Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE" in caller.sent[-1][0]
    assert peer.ask("INFO", "Content-Type: application/dtmf-relay", cseq=2, body=b"Signal= 5\r\nDuration=160\r\n")
    assert peer.ask("INFO", "c: application/dtmf", cseq=3, body=b"#") == "SIP/2.0 200 OK"
    assert peer.ask("INFO", "c: application/dtmf-relay", cseq=4, body=b"Signal=10") == "SIP/2.0 200 OK"
    assert peer.ask("INFO", "c: application/media_control+xml", cseq=5, body=b"<x/>").startswith("SIP/2.0 415")
    assert peer.ask("INFO", cseq=6) == "SIP/2.0 200 OK"
    assert peer.ask("PRACK", cseq=7) == "SIP/2.0 405 Method Not Allowed"
    assert peer.ask("DANCE", cseq=8) == "SIP/2.0 501 Not Implemented"
    assert peer.ask("OPTIONS", cseq=3).startswith("SIP/2.0 500")  # out of order
    assert peer.ask("OPTIONS", cseq=9, tag="stranger").startswith("SIP/2.0 481")
    assert caller.events() == [InfoDigit("5"), InfoDigit("#"), InfoDigit("*")]


def test_a_repeated_info_is_one_digit(wire, caller, peer):
    answered(caller, peer)
    for _ in range(3):
        assert peer.ask("INFO", "c: application/dtmf", cseq=3, body=b"7") == "SIP/2.0 200 OK"
    assert caller.events() == [InfoDigit("7")]


def test_re_invite(wire, caller, peer):
    answered(caller, peer)
    assert peer.ask("INVITE", "c: application/sdp", "m: <sip:new@192.0.2.2>", body=SDP) == "SIP/2.0 100 Trying"
    assert caller.events() == [RemoteOffer(SDP)]
    assert peer.ask("INVITE", "c: application/sdp", cseq=2, body=SDP).startswith("SIP/2.0 500")
    caller.answer_offer("a", SDP)
    assert caller.starts()[-1] == "SIP/2.0 200 OK"
    wire.clock.advance(0.6)
    assert caller.starts().count("SIP/2.0 200 OK") == 2  # again, until the ACK
    assert peer.ask("UPDATE", "c: application/sdp", cseq=3, body=SDP).startswith("SIP/2.0 491")
    peer.ask("ACK", cseq=1)
    peer.ask("ACK", cseq=2, branch="INVITE2")
    wire.clock.advance(2)
    assert caller.starts().count("SIP/2.0 200 OK") == 2
    caller.hangup()
    assert caller.starts()[-1] == "BYE sip:new@192.0.2.2 SIP/2.0"
    peer.respond("200 OK", method="BYE")
    settle(wire, caller)


def test_an_offer_that_we_refuse_or_do_not_answer(wire, caller, peer):
    answered(caller, peer)
    peer.ask("INVITE", "c: application/sdp", cseq=1, body=SDP)
    caller.answer_offer("a", b"")
    assert caller.starts()[-1] == "SIP/2.0 488 Not Acceptable Here"
    peer.ask("UPDATE", "c: application/sdp", cseq=2, body=SDP)
    wire.clock.advance(5.1)
    assert any(start.startswith("SIP/2.0 500") for start in caller.starts())
    assert not caller.ends()


def test_update_and_the_offerless_re_invite(wire, caller, peer):
    answered(caller, peer)
    assert peer.ask("UPDATE", "Session-Expires: 90;refresher=uac", cseq=1) == "SIP/2.0 200 OK"
    peer.ask("UPDATE", "c: application/sdp", cseq=2, body=SDP)
    caller.answer_offer("a", SDP)
    assert caller.starts()[-1] == "SIP/2.0 200 OK"
    peer.ask("INVITE", cseq=3)
    assert caller.events() == [RemoteOffer(SDP), RemoteOffer(b"")]
    caller.answer_offer("a", SDP)
    assert caller.starts()[-1] == "SIP/2.0 200 OK"
    peer.ask("ACK", "c: application/sdp", cseq=3, body=SDP)
    assert caller.events()[2:] == [RemoteOffer(SDP)]  # the answer, to the same use
    sent = len(caller.sent)
    caller.answer_offer("a", SDP)
    assert len(caller.sent) == sent


def test_a_final_of_the_callee_that_crosses_cancel_is_told_as_it_is(caller, peer):
    caller.place()
    peer.respond("180 Ringing")
    caller.hangup()
    peer.respond("486 Busy Here")
    assert caller.ends() == [Failed(486, "Busy Here", Origin.REMOTE)]


def test_a_re_invite_that_nobody_acknowledges_is_a_dead_call(wire, caller, peer):
    answered(caller, peer)
    peer.ask("INVITE", "c: application/sdp", body=SDP)
    caller.answer_offer("a", SDP)
    wire.clock.advance(33)
    assert caller.ends() == [Ended(Side.NETWORK)]
    assert "BYE sip:peer@192.0.2.2:5060 SIP/2.0" in caller.starts()
    wire.clock.advance(33)
    settle(wire, caller)


def test_an_update_before_the_answer_is_glare(wire, caller, peer):
    caller.place()
    peer.respond("180 Ringing")
    assert peer.ask("UPDATE", "c: application/sdp", body=SDP).startswith("SIP/2.0 491")
    assert peer.ask("UPDATE", cseq=2) == "SIP/2.0 200 OK"


def test_every_row_of_the_table_is_for_a_stage_that_can_be_reached():
    reached = {Stage.CALLING} | {after for _, after in TABLE.values()}
    assert {stage for stage, _ in TABLE} == reached == set(Stage)
    assert {step for _, step in TABLE} == set(Step)
