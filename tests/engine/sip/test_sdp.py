"""Offers and answers: what we say, what we understand, and what we refuse."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.sip import sdp

BOTH = ("pcma", "pcmu")
HEAD = "v=0\no=- 1 1 IN IP4 192.0.2.9\ns=-\nc=IN IP4 192.0.2.9\nt=0 0\n"
AUDIO = "m=audio 5004 RTP/AVP 8 0 101\na=rtpmap:101 telephone-event/8000\n"


def body(text: str) -> bytes:
    return text.replace("\n", "\r\n").encode()


def media(text: str = AUDIO, codecs=BOTH, head: str = HEAD) -> sdp.Media:
    return sdp.read(body(head + text), codecs)


def test_our_offer():
    offer = sdp.offer("192.0.2.1", 4000, BOTH, session=7, version=2)
    assert offer == body(
        "v=0\no=- 7 2 IN IP4 192.0.2.1\ns=-\nc=IN IP4 192.0.2.1\nt=0 0\nm=audio 4000 RTP/AVP 8 0 101\n"
        "a=rtpmap:8 PCMA/8000\na=rtpmap:0 PCMU/8000\na=rtpmap:101 telephone-event/8000\na=fmtp:101 0-15\n"
        "a=ptime:20\na=sendrecv\n"
    )
    assert b"RTP/AVP 0 8 96\r\n" in sdp.offer("h", 1, ("pcmu", "pcma"), session=1, dtmf_type=96)


def test_a_plain_answer():
    assert media() == sdp.Media("192.0.2.9", 5004, "pcma", 8, 101, 8000, 20, True, True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("m=audio 1 RTP/AVP 0\n", ("pcmu", 0, None)),
        ("m=audio 1 RTP/AVP 0 8\n", ("pcmu", 0, None)),  # the peer's order
        ("m=audio 1 RTP/AVP 18 9 8 13\n", ("pcma", 8, None)),
        ("m=audio 1 RTP/AVP 97\na=rtpmap:97 PCMA/8000/1\n", ("pcma", 97, None)),
        ("m=audio 1 RTP/AVP 96 97\na=rtpmap:96 opus/48000/2\na=rtpmap:97 pcmu/8000\n", ("pcmu", 97, None)),
        ("m=audio 1 RTP/AVP 0\na=rtpmap:0 PCMA/8000\n", ("pcma", 0, None)),  # odd, but it says so
        ("m=audio 1 RTP/AVP 8 96\na=rtpmap:96 TELEPHONE-EVENT/8000\na=fmtp:96 0-16\n", ("pcma", 8, 96)),
        (
            "m=audio 1 RTP/AVP 8 100 101\na=rtpmap:100 telephone-event/48000\na=rtpmap:101 telephone-event/8000\n",
            ("pcma", 8, 101),
        ),
        ("m=audio 1 RTP/AVP 8\na=rtpmap:101 telephone-event/8000\n", ("pcma", 8, None)),
        ("m=audio 1/2 RTP/AVP 8\na=rtpmap: 8 PCMA/8000\n", ("pcma", 8, None)),
        ("m=audio 1 RTP/AVPF 8\na=rtcp-fb:8 nack\n", ("pcma", 8, None)),
        ("m=video 9 RTP/AVP 96\na=rtpmap:96 H264/90000\nm=audio 1 RTP/AVP 8\n", ("pcma", 8, None)),
        ("m=audio 0 RTP/AVP 8\nm=audio 1 RTP/AVP 0\n", ("pcmu", 0, None)),
        ("m=audio 1 RTP/SAVP 8\na=crypto:1 x\nm=audio 1 RTP/AVP 8\n", ("pcma", 8, None)),
        ("m=audio 1 RTP/AVP 0 8 0 200 x\n", ("pcmu", 0, None)),
    ],
)
def test_codecs_and_events(text, expected):
    found = media(text)
    assert (found.codec, found.payload_type, found.dtmf_type) == expected
    assert found.dtmf_rate == 8000


def test_events_of_another_rate_only():
    found = media("m=audio 1 RTP/AVP 8 101\na=rtpmap:101 telephone-event/16000\n")
    assert (found.dtmf_type, found.dtmf_rate) == (101, 16000)


def test_only_the_codecs_asked_for():
    assert media("m=audio 1 RTP/AVP 8 0\n", ("pcmu",)).codec == "pcmu"
    with pytest.raises(sdp.SdpError, match="none of the codecs pcmu"):
        media("m=audio 1 RTP/AVP 8\n", ("pcmu",))


@pytest.mark.parametrize(
    ("session", "level", "send", "receive"),
    [
        ("", "", True, True),
        ("", "a=sendonly\n", False, True),
        ("", "a=recvonly\n", True, False),
        ("", "a=inactive\n", False, False),
        ("a=sendonly\n", "", False, True),
        ("a=sendonly\n", "a=sendrecv\n", True, True),
        ("a=inactive\n", "a=rtcp-mux\n", False, False),
        ("", "c=IN IP4 0.0.0.0\n", False, True),
    ],
)
def test_hold(session, level, send, receive):
    found = media(AUDIO + level, head=HEAD + session)
    assert (found.send, found.receive) == (send, receive)


def test_the_address_of_the_media_wins():
    assert media(AUDIO + "c=IN IP4 192.0.2.77\n").host == "192.0.2.77"
    assert media(AUDIO + "m=video 0 RTP/AVP 96\nc=IN IP4 192.0.2.78\n").host == "192.0.2.9"
    assert media(AUDIO + "c=IN IP4 192.0.2.77/127\n").host == "192.0.2.77"
    assert media(AUDIO + "c=IN  IP6   2001:db8::1\n").host == "2001:db8::1"
    assert media(AUDIO + "c=IN IP4 192.0.2.7\n", head=HEAD.replace("c=IN IP4 192.0.2.9\n", "")).host == "192.0.2.7"


@pytest.mark.parametrize(
    ("lines", "ptime_ms"),
    [
        ("", 20),
        ("a=ptime:30\n", 30),
        ("a=ptime:40\na=maxptime:30\n", 30),
        ("a=maxptime:150\n", 20),
        ("a=maxptime:10\n", 10),
        ("a=ptime:20.0\n", 20),
        ("a=ptime:0\n", 20),
        ("a=ptime:200\n", 20),
        ("a=ptime:lots\na=maxptime\n", 20),
    ],
)
def test_ptime(lines, ptime_ms):
    assert media(AUDIO + lines).ptime_ms == ptime_ms


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no media"),
        ("m=video 9 RTP/AVP 96\n", "no audio"),
        ("m=audio 0 RTP/AVP 8\n", "refused"),
        ("m=audio 1 RTP/SAVP 8\n", "RTP/SAVP"),
        ("m=audio 1 RTP/SAVPF 8\n", "RTP/SAVPF"),
        ("m=audio 1 RTP/AVP 18\n", "none of the codecs"),
        ("m=audio 1 RTP/AVP\n", "none of the codecs"),
        ("m=audio 99999 RTP/AVP 8\n", "no port"),
        ("m=audio x RTP/AVP 8\n", "m= line"),
        ("m=audio\n", "m= line"),
        (AUDIO + "c=IN IP4 media.example\n", "no IP address"),
        (AUDIO + "c=IN\n", "cannot be read"),
    ],
)
def test_what_is_no_use(text, why):
    with pytest.raises(sdp.SdpError, match=why):
        media(text)
    with pytest.raises(sdp.SdpError, match=why):
        sdp.answer(body(HEAD + text), "h", 1, BOTH, session=1)


def test_line_ends_and_noise_around():
    assert sdp.read((HEAD + AUDIO).encode() + b"\0\r\n\n", BOTH) == media()
    assert media("nonsense\nx=1=2=3\n" + AUDIO + "a=fmtp:101 a=b=c\na=\na=rtpmap:101\nb=AS\nk\n") == media()


def test_our_answer():
    offered = body(
        HEAD.replace("t=0 0", "t=10 20")
        + "m=video 9 RTP/AVP 96\na=rtpmap:96 H264/90000\n"
        + "m=audio 5004 RTP/AVPF 0 97 98\na=rtpmap:97 PCMA/8000\na=rtpmap:98 telephone-event/8000\na=sendonly\n"
        + "m=audio 5006 RTP/AVP 8\nm=application 7 UDP/BFCP *\n"
    )
    answer, agreed = sdp.answer(offered, "192.0.2.1", 4000, ("pcma",), session=3, version=1)
    assert answer == body(
        "v=0\no=- 3 1 IN IP4 192.0.2.1\ns=-\nc=IN IP4 192.0.2.1\nt=10 20\nm=video 0 RTP/AVP 96\n"
        "m=audio 4000 RTP/AVPF 97 98\na=rtpmap:97 PCMA/8000\na=rtpmap:98 telephone-event/8000\na=fmtp:98 0-15\n"
        "a=ptime:20\na=recvonly\nm=audio 0 RTP/AVP 8\nm=application 0 UDP/BFCP *\n"
    )
    assert agreed == sdp.Media("192.0.2.9", 5004, "pcma", 97, 98, 8000, 20, False, True)


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [("sendrecv", "sendrecv"), ("sendonly", "recvonly"), ("recvonly", "sendonly"), ("inactive", "inactive")],
)
def test_direction_is_mirrored(theirs, ours):
    assert sdp.answer(body(HEAD + AUDIO + f"a={theirs}\n"), "h", 1, BOTH, session=1)[0].endswith(
        f"a={ours}\r\n".encode()
    )


@given(codecs=st.permutations(BOTH), dtmf=st.integers(96, 127), take=st.sampled_from([BOTH, ("pcmu",), ("pcma",)]))
def test_both_ends_of_an_agreement_agree(codecs, dtmf, take):
    offer = sdp.offer("192.0.2.1", 4000, codecs, session=1, dtmf_type=dtmf)
    answer, at_callee = sdp.answer(offer, "192.0.2.2", 5000, take, session=2)
    at_caller = sdp.read(answer, codecs)
    assert (at_callee.host, at_callee.port) == ("192.0.2.1", 4000)
    assert (at_caller.host, at_caller.port) == ("192.0.2.2", 5000)
    assert (at_caller.codec, at_caller.payload_type) == (at_callee.codec, at_callee.payload_type)
    assert at_caller.dtmf_type == at_callee.dtmf_type == dtmf


@settings(max_examples=400, deadline=None, derandomize=True)
@given(st.data())
def test_damaged_descriptions_raise_nothing_else(data):
    damaged = bytearray(body(HEAD + AUDIO + "a=ptime:20\na=fmtp:101 0-15\na=sendonly\n"))
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(damaged) - 1))
        damaged[at : at + data.draw(st.integers(0, 9))] = data.draw(st.binary(max_size=6)) or b"x"
    for use in (lambda: sdp.read(bytes(damaged), BOTH), lambda: sdp.answer(bytes(damaged), "h", 1, BOTH, session=1)):
        with contextlib.suppress(sdp.SdpError):
            use()


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("", (None, 0)),
        ("a=rtcp:53020\r\n", (None, 53020)),
        ("a=rtcp : 53020 \r\n", (None, 53020)),
        ("a=rtcp:53020 IN IP4 192.0.2.7\r\n", ("192.0.2.7", 53020)),
        ("a=rtcp:53020 IN IP6 2001:db8::1\r\n", ("2001:db8::1", 53020)),
        ("a=rtcp:53020 IN IP4 far.example.com\r\n", (None, 0)),
        ("a=rtcp:0\r\n", (None, 0)),
        ("a=rtcp:70000\r\n", (None, 0)),
        ("a=rtcp:x\r\n", (None, 0)),
        ("a=rtcp-mux\r\na=rtcp-fb:* nack\r\n", (None, 0)),
        ("a=rtcp:53020 IN IP4 192.0.2.7\r\nm=video 9 RTP/AVP 31\r\na=rtcp:4\r\n", ("192.0.2.7", 53020)),
    ],
)
def test_where_the_peer_takes_rtcp(line, told):
    """RFC 3605; what cannot be read is the port above that of RTP."""
    text = f"v=0\r\nc=IN IP4 192.0.2.1\r\nm=audio 4000 RTP/AVP 8\r\n{line}"
    media = sdp.read(text.encode(), ("pcma",))
    assert (media.rtcp_host, media.rtcp_port) == told
