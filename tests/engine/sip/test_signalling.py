"""The driver on real sockets: binding, names, silence, nonsense, and what the log never shows."""

from __future__ import annotations

import asyncio
import random
import socket

import pytest
from structlog.testing import capture_logs

from engine.clock import SystemClock
from engine.config import ConfigError, SipConfig, TrunkConfig
from engine.events import Answered, Ended, Failed, Origin, Place, Ringing, Side, TrunkChanged, Trying
from engine.sip import sdp
from engine.sip.signalling import Signalling

pytestmark = pytest.mark.anyio

OFFER = sdp.offer("127.0.0.1", 20000, ("pcma",), session=1)
NOTHING = {"dialogs": 0, "timers": 0}


class Phone:
    def __init__(self, server: str, sip: SipConfig | None = None, **trunk: object) -> None:
        self.heard: list[tuple[str, object]] = []
        self.news = asyncio.Event()
        trunks = [TrunkConfig.model_validate({"name": "t", "server": server, **trunk})]
        self.signalling = Signalling(sip or SipConfig(), trunks, SystemClock(), self.hear)

    def hear(self, leg: str, at: float, event: object) -> None:
        self.heard.append((leg, event))
        self.news.set()

    async def __aenter__(self) -> Phone:
        await self.signalling.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.signalling.stop(0.2)

    def place(self, trunk: str = "t") -> None:
        self.signalling.place("a", Place(trunk, "100", "7999", OFFER))

    async def until(self, kind: type) -> object:
        async with asyncio.timeout(5):
            while not (found := [event for _, event in self.heard if isinstance(event, kind)]):
                self.news.clear()
                await self.news.wait()
        return found[0]


class RawPeer(asyncio.DatagramProtocol):
    """Answers with whatever the test says: a function of the request gives datagrams."""

    def __init__(self, answers) -> None:
        self.answers = answers
        self.got: list[bytes] = []

    def connection_made(self, transport) -> None:
        self.transport = transport
        self.port = transport.get_extra_info("sockname")[1]

    def datagram_received(self, data: bytes, addr) -> None:
        self.got.append(data)
        for answer in self.answers(data):
            self.transport.sendto(answer, addr)


@pytest.fixture
async def raw_peer():
    peers = []

    async def make(answers) -> RawPeer:
        loop = asyncio.get_running_loop()
        _, peer = await loop.create_datagram_endpoint(lambda: RawPeer(answers), local_addr=("127.0.0.1", 0))
        peers.append(peer)
        return peer

    yield make
    for peer in peers:
        peer.transport.close()


def reply(request: bytes, status: str, *more: str, body: bytes = b"") -> bytes:
    kept = [line for line in request.decode().split("\r\n") if line.startswith(("Via:", "From:", "Call-ID:", "CSeq:"))]
    to = next(line for line in request.decode().split("\r\n") if line.startswith("To:"))
    to += "" if ";tag=" in to else "\r\n ;tag=p"
    lines = [f"SIP/2.0 {status}", *kept, to, *more, f"Content-Length: {len(body)}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


async def test_a_port_that_cannot_be_had():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        bind = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(ConfigError, match=f"sip.bind: cannot listen on {bind}: .*; choose a free port"):
            await Signalling(SipConfig(bind=bind), [], SystemClock(), lambda *_: None).start()


@pytest.mark.parametrize(
    ("sip", "expected"),
    [
        (SipConfig(), "127.0.0.1"),
        (SipConfig(bind="0.0.0.0:0"), "127.0.0.1"),  # by the route to the trunk
        (SipConfig(public_address="203.0.113.5"), "203.0.113.5"),
        (SipConfig(public_address="203.0.113.5:5080"), "203.0.113.5"),
    ],
)
async def test_our_address_as_the_trunk_sees_it(raw_peer, sip, expected):
    peer = await raw_peer(lambda request: [])
    async with Phone(f"127.0.0.1:{peer.port}", sip) as phone:
        assert phone.signalling.media_host("t") == expected
        phone.place()
        while not peer.got:
            await asyncio.sleep(0.01)
        port = 5080 if "5080" in str(sip.public_address) else phone.signalling.address[1]
        assert f"Contact: <sip:7999@{expected}:{port}>".encode() in peer.got[0]


async def test_a_name_that_resolves():
    async with Phone("localhost:9") as phone:
        assert phone.signalling.media_host("t") == "127.0.0.1"


async def test_a_name_that_does_not_resolve():
    async with Phone("no.such.host.invalid:5060") as phone:
        phone.place()
        assert phone.signalling.census() == {"dialogs": 1, "timers": 0}
        failed = await phone.until(Failed)
        assert (failed.code, failed.origin) == (None, Origin.LOCAL)
        assert failed.reason.startswith("the trunk has no address")
        assert phone.signalling.census() == NOTHING


async def test_hung_up_while_the_name_is_looked_up():
    async with Phone("no.such.host.invalid:5060") as phone:
        phone.place()
        phone.signalling.hangup("a")
        phone.signalling.hangup("a")
        await asyncio.sleep(0.1)
        assert phone.heard == [("a", Failed(None, "hung up before the answer", Origin.LOCAL))]


async def test_no_such_trunk_and_no_such_leg():
    async with Phone("127.0.0.1:9") as phone:
        phone.place("other")
        assert not phone.heard  # never from inside an order
        phone.signalling.hangup("unknown")
        phone.signalling.answer_offer("unknown", b"")
        failed = await phone.until(Failed)
        assert failed.reason == "no trunk 'other'"


async def test_a_password_that_is_not_there(monkeypatch):
    monkeypatch.delenv("NO_SUCH_SECRET", raising=False)
    async with Phone("127.0.0.1:9", username="u", password_env="NO_SUCH_SECRET") as phone:
        phone.place()
        assert "NO_SUCH_SECRET" in (await phone.until(Failed)).reason


async def test_a_silent_trunk_hung_up(raw_peer):
    peer = await raw_peer(lambda request: [])
    async with Phone(f"127.0.0.1:{peer.port}") as phone:
        phone.place()
        await asyncio.sleep(0.6)
        assert len(peer.got) == 2
        phone.signalling.hangup("a")
        assert (await phone.until(Failed)).code is None
        assert phone.signalling.census() == NOTHING


async def test_a_trunk_that_talks_nonsense_first(raw_peer):
    noise = random.Random(1)

    def answers(request: bytes) -> list[bytes]:
        if not request.startswith(b"INVITE"):
            return [reply(request, "200 OK")] if request.startswith(b"BYE") else []
        damaged = [request[:n] for n in range(0, len(request), 40)] + [noise.randbytes(200) for _ in range(50)]
        strange = [
            reply(request, "180 Ringing").replace(b"branch=", b"branch=not"),
            reply(request, "999 Beyond"),
            b"HTTP/1.1 200 OK\r\n\r\n",
            b"\r\n\r\n",
            reply(request, "200 OK").replace(b"Call-ID: ", b"Call-ID: x"),
        ]
        contact = f"Contact: \r\n\t<sip:p@127.0.0.1:{peer.port}>"
        return [*damaged, *strange, reply(request, "180 Ringing"), reply(request, "200 OK", contact)]

    peer = await raw_peer(answers)
    async with Phone(f"127.0.0.1:{peer.port}") as phone:
        phone.place()
        await phone.until(Answered)
        phone.signalling.hangup("a")
        await phone.until(Ended)
        assert [event for _, event in phone.heard] == [Trying(), Ringing(180), Answered(b""), Ended(Side.LOCAL)]
        await asyncio.sleep(0.1)
        assert phone.signalling.census() == NOTHING


async def test_stop_gives_every_leg_its_end(raw_peer):
    def answers(request: bytes) -> list[bytes]:
        ringing = request.startswith(b"INVITE") and b"sip:100@" in request.partition(b"\r\n")[0]
        return [reply(request, "180 Ringing")] if ringing else []

    peer = await raw_peer(answers)
    phone = Phone(f"127.0.0.1:{peer.port}")
    await phone.signalling.start()
    phone.place()
    await phone.until(Ringing)
    phone.signalling.place("b", Place("t", "200", "7999", OFFER))
    await phone.signalling.stop(0.1)
    ends = {leg for leg, event in phone.heard if isinstance(event, Failed)}
    assert ends == {"a", "b"}
    assert phone.signalling.census() == NOTHING
    await phone.signalling.stop()
    phone.place()
    await asyncio.sleep(0)
    assert phone.heard[-1] == ("a", Failed(None, "signalling is not running", Origin.LOCAL))


async def test_a_listener_that_fails_loses_nothing(raw_peer):
    peer = await raw_peer(lambda request: [reply(request, "486 Busy")] if request[:1] == b"I" else [])
    async with Phone(f"127.0.0.1:{peer.port}") as phone:
        hear = phone.hear

        def broken(leg, at, event):
            hear(leg, at, event)
            raise RuntimeError("a fault of the listener")

        phone.signalling._on_event = broken
        with capture_logs() as lines:
            phone.place()
            assert (await phone.until(Failed)).code == 486
    assert {line["event"] for line in lines} == {"sip.listener_failed"}


async def test_the_log_never_shows_a_password(raw_peer):
    challenge = 'WWW-Authenticate: Digest realm="r", nonce="n"'
    peer = await raw_peer(lambda request: [reply(request, "401 Unauthorized", challenge), b"garbage"])
    trunk = {"register": True, "username": "u", "password": "sesame"}
    with capture_logs() as lines:
        async with Phone(f"127.0.0.1:{peer.port}", **trunk) as phone:
            changed = await phone.until(TrunkChanged)
            assert changed == TrunkChanged("t", False, "refused the username or password (401 Unauthorized)")
            phone.place()
            assert (await phone.until(Failed)).code == 401
    assert "sip.trunk_changed" in [line["event"] for line in lines]
    assert "sesame" not in str(lines)
    assert "response=" not in str(lines)


async def test_a_flood_changes_nothing_for_a_call(raw_peer):
    peer = await raw_peer(lambda request: [reply(request, "200 OK")] if request[:1] in b"IB" else [])
    async with Phone(f"127.0.0.1:{peer.port}") as phone:
        phone.place()
        await phone.until(Answered)
        noise = random.Random(2)
        for _ in range(40):
            for _ in range(50):
                peer.transport.sendto(noise.randbytes(160), phone.signalling.address)
            await asyncio.sleep(0)
        assert phone.signalling.census() == {"dialogs": 1, "timers": 0}
        phone.signalling.hangup("a")
        await phone.until(Ended)
