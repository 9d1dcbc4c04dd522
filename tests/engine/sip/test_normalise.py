"""What real peers send is read alike; what nobody should send is refused in one way."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.sip.message import Message, Unreadable, read, response
from engine.sip.normalise import clean, name_addr, split_values

PLAIN = (
    b"SIP/2.0 200 OK\r\n"
    b"Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKx;rport=5060;received=192.0.2.1\r\n"
    b"From: <sip:7999@192.0.2.2>;tag=f\r\n"
    b"To: <sip:100@192.0.2.2>;tag=t\r\n"
    b"Call-ID: c@192.0.2.1\r\n"
    b"CSeq: 1 INVITE\r\n"
    b"Contact: <sip:peer@192.0.2.2:5062>\r\n"
    b"Content-Type: application/sdp\r\n"
    b"Content-Length: 5\r\n"
    b"\r\n"
    b"v=0\r\n"
)
INVITE = PLAIN.replace(b"SIP/2.0 200 OK", b"INVITE sip:100@192.0.2.2 SIP/2.0").replace(b";tag=t", b"")


def essence(message: Message) -> tuple[object, ...]:
    return (
        message.method,
        message.code,
        message.branch,
        message.sent_by,
        message.from_tag,
        message.to_tag,
        message.from_user,
        message.call_id,
        message.cseq,
        message.contact,
        message.sdp,
    )


EXPECTED = (
    "INVITE",
    200,
    "z9hG4bKx",
    "192.0.2.1:5060",
    "f",
    "t",
    "7999",
    "c@192.0.2.1",
    1,
    "sip:peer@192.0.2.2:5062",
    b"v=0\r\n",
)


@pytest.mark.parametrize(
    "datagram",
    [
        PLAIN,
        b"\r\n\r\n" + PLAIN,
        PLAIN.replace(b"\r\n", b"\n").replace(b"v=0\n", b"v=0\r\n"),
        PLAIN.replace(b"From:", b"f :").replace(b"To:", b"t:").replace(b"Call-ID:", b"i:").replace(b"Via:", b"v  :"),
        PLAIN.replace(b"Content-Type:", b"c:").replace(b"Content-Length: ", b"l:").replace(b"Contact:", b"m:"),
        PLAIN.replace(b"Via:", b"VIA:").replace(b"CSeq: 1 INVITE", b"cseq:  0001 \t INVITE"),
        PLAIN.replace(b">;tag=t", b">\r\n  ;tag=t").replace(b"CSeq: 1 ", b"CSeq:\r\n\t1\r\n "),
        PLAIN.replace(b">;tag=f", b"> ; x=y ; TAG = f ; z"),
        PLAIN.replace(b"<sip:7999@", b'"Odd; <name>, \\" here" <sip:7999@'),
        PLAIN.replace(b"<sip:7999@192.0.2.2>", b"sip:7999@192.0.2.2"),
        PLAIN.replace(b"<sip:7999@", b"\xd0\xff\xfe <sip:7999@"),
        PLAIN.replace(b"From: <sip:7999@192.0.2.2>", b"From: <tel:7999;phone-context=+7>"),
        PLAIN.replace(b"From: <sip:", b"From: <sips:"),
        PLAIN.replace(b"SIP/2.0/UDP 192", b"SIP / 2.0 / UDP   192").replace(b";branch", b" ; branch"),
        PLAIN.replace(b"received=192.0.2.1\r\n", b"received=192.0.2.1, SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKy\r\n"),
        PLAIN.replace(b"<sip:peer@192.0.2.2:5062>", b'"a, b" <sip:peer@192.0.2.2:5062>;q=1, <sip:other@192.0.2.2>'),
        PLAIN.replace(b"Length: 5", b"Length: 5") + b"garbage after the body",
        PLAIN.replace(b"Content-Length: 5\r\n", b""),
        PLAIN.replace(b"Content-Length: 5", b"Content-Length: many"),
        PLAIN.replace(b"Contact:", b"A line that is no header\r\nContact:"),
        PLAIN.replace(b"SIP/2.0 200 OK", b"sip/2.0  200"),
        PLAIN.replace(b"application/sdp", b"Application/SDP ; charset=x"),
        PLAIN.replace(b"Content-Type: application/sdp\r\n", b""),
        PLAIN.replace(b"Content-Length: 5\r\n\r\nv=0\r\n", b"\r\n--b\r\nContent-Type: a/b\r\n\r\nx\r\n--b\r\n"
                      b"Content-Type: application/sdp\r\n\r\nv=0\r\n\r\n--b--\r\n").replace(
            b"application/sdp\r\n\r\n--b", b"multipart/mixed;boundary=b\r\n\r\n--b"),
    ],
)  # fmt: skip
def test_is_read_alike(datagram):
    assert essence(read(datagram)) == EXPECTED


@pytest.mark.parametrize("code", [100, 199, 299, 399, 499, 599, 607, 699])
def test_codes_that_pyvoip_does_not_know(code):
    message = read(PLAIN.replace(b"200 OK", b"%d Odd" % code))
    assert (message.code, message.reason) == (code, "Odd")


@pytest.mark.parametrize("method", ["INVITE", "PRACK", "DANCE", "x-y.z"])
def test_methods_that_pyvoip_does_not_know(method):
    message = read(INVITE.replace(b"INVITE", method.encode()))
    assert (message.method, message.uri, message.code) == (method, "sip:100@192.0.2.2", 0)


@pytest.mark.parametrize(
    "datagram",
    [
        b"",
        b"\r\n\r\n",
        b"\0\0\0\0",
        b"hello",
        b"GET / HTTP/1.1\r\n\r\n",
        PLAIN.replace(b"SIP/2.0 200", b"SIP/3.0 200"),
        PLAIN.replace(b" 200 ", b" 2000 "),
        PLAIN.replace(b" 200 ", b" 099 "),
        PLAIN.replace(b" 200 ", b" 700 "),
        PLAIN.replace(b"Via", b"X-Via"),
        PLAIN.replace(b"From", b"Form"),
        PLAIN.replace(b"Call-ID: c@192.0.2.1", b"Call-ID:"),
        PLAIN.replace(b"CSeq: 1 INVITE", b"CSeq: INVITE"),
        PLAIN.replace(b"CSeq: 1 INVITE", b"CSeq: 4294967296 INVITE"),
        PLAIN.replace(b"CSeq: 1 ", "CSeq: ١ ".encode()),
        PLAIN.replace(b"<sip:100@192.0.2.2>", b"<sip:100@192.0.2.2"),
        PLAIN.replace(b"SIP/2.0/UDP ", b"SIP/2.0/UDP"),
        INVITE.replace(b"INVITE sip:100@192.0.2.2 SIP/2.0", b"INVITE SIP/2.0"),
        INVITE.replace(b"1 INVITE", b"1 BYE"),
        PLAIN[:200],
    ],
)
def test_is_refused(datagram):
    with pytest.raises(Unreadable):
        read(datagram)


@settings(max_examples=400, deadline=None, derandomize=True)
@given(st.binary(max_size=300), st.sampled_from([b"", b"SIP/2.0 200 OK\r\n", b"INVITE sip:a SIP/2.0\r\n"]))
def test_random_bytes_raise_nothing_else(noise, start):
    try_to_read(start + noise)


@settings(max_examples=400, deadline=None, derandomize=True)
@given(st.sampled_from([PLAIN, INVITE]), st.data())
def test_damaged_messages_raise_nothing_else(datagram, data):
    damaged = bytearray(datagram)
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(damaged) - 1))
        damaged[at : at + data.draw(st.integers(0, 12))] = data.draw(st.binary(max_size=6))
        damaged = damaged or bytearray(b"x")
    try_to_read(bytes(damaged))


def test_every_truncation_raises_nothing_else():
    for length in range(len(PLAIN)):
        try_to_read(PLAIN[:length])
        try_to_read(INVITE[:length])


def test_a_flood_of_garbage_is_cheap_and_long_lines_are_linear():
    noise = random.Random(1)
    for _ in range(2000):
        try_to_read(noise.randbytes(200))
    for filler in (b" ", b";", b",", b'"', b"<", b"=", b"a", b"\\", b"\r\n ", b"--"):
        body = filler * (60_000 // len(filler))
        for header in (b"Via", b"From", b"Contact", b"CSeq", b"WWW-Authenticate", b"Reason"):
            try_to_read(PLAIN.replace(header + b": ", header + b": " + body))
        try_to_read(INVITE.replace(b"sip:100", body))


def try_to_read(datagram: bytes) -> None:
    try:
        message = read(datagram)
    except Unreadable:
        return
    # What was read can be answered and sent, and its parts looked at.
    assert (message.q850, message.retry_after_s, message.contacts, message.sdp, message.record_route) is not None
    answer = response(message, 200) if not message.code else message
    answer.encode()


def test_what_is_echoed_is_echoed_exactly():
    odd = INVITE.replace(b"<sip:7999@", b'"\xff\xd0 "   <sip:7999@')
    assert b'From: "\xff\xd0 "   <sip:7999@192.0.2.2>;tag=f\r\n' in response(read(odd), 200).encode()


def test_texts_for_people_hold_no_odd_bytes():
    message = read(PLAIN.replace(b"200 OK", b"486 Zan\xff\x07").replace(b"sip:7999", b"sip:79\xff9"))
    assert message.reason.isprintable()
    message.reason.encode()
    message.from_user.encode()


def test_parts_of_headers():
    assert name_addr('"a <b>" <sip:c@d;x=1>;tag=e') == ("sip:c@d;x=1", ";tag=e")
    assert name_addr("sip:c@d;tag=e") == ("sip:c@d", ";tag=e")
    assert split_values('<sip:a,b@c>, "x, y" <sip:d>,,e') == ["<sip:a,b@c>", '"x, y" <sip:d>', "e"]
    assert clean(PLAIN).body == b"v=0\r\n"
    reasons = b'Reason: SIP;cause=200;text="Q"\r\nReason: q.850 ; text="a" ;cause=17\r\nContact:'
    assert read(PLAIN.replace(b"Contact:", reasons)).q850 == 17
