"""Signalling for the engine: the SIP agent on a UDP socket, with a clock. Thin: it moves bytes, timers and events.

All methods belong to the loop's thread and never block. Events come through the callback given, in order, and
never from inside `place`, `hangup` or another order.
"""

from __future__ import annotations

import asyncio
import secrets
import socket
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

import structlog

from engine.clock import Clock, Timer
from engine.config import ConfigError, SipConfig, TrunkConfig, parse_address
from engine.events import Failed, Origin, Place, SignallingEvent, TrunkChanged
from engine.sip import uri as uris
from engine.sip.agent import Agent, Arm, Crash, Disarm, Effect, Say, TimerKey
from engine.sip.dialog import Station
from engine.sip.leg_client import Line
from engine.sip.message import Address, Unreadable, printable
from engine.sip.registration import RETRY_MOST_S, Registration
from engine.sip.resolver import Resolver, route_host
from engine.sip.transaction import Transmit

log = structlog.get_logger("sip")

STOP_CAUSE: Final = 41  # Q.850 temporary failure: we go away
RECEIVE_BUFFER_BYTES: Final = 1 << 22  # a second of a busy trunk, while the loop does something else
GARBAGE_LOG_S: Final = 10.0  # unreadable datagrams are counted and told at most this often
_ANYWHERE: Final = ("0.0.0.0", "::", "")
_POLL_S: Final = 0.02  # how often `stop` looks whether the last answers have come


def _token() -> str:
    return secrets.token_hex(8)


class Signalling:
    """Calls over SIP. `accepts` takes calls from outside (the sandbox); otherwise an INVITE gets 480.

    A call that comes in is a leg "in-N": Incoming, then (after `answer`) Answered with the ACK, whose SDP is
    empty unless the INVITE brought no offer; CANCEL is Failed with code 487 and origin REMOTE.
    """

    def __init__(
        self,
        config: SipConfig,
        trunks: Sequence[TrunkConfig],
        clock: Clock,
        on_event: Callable[[str, float, SignallingEvent], None],
        *,
        accepts: bool = False,
    ) -> None:
        self._config = config
        self._clock = clock
        self._on_event = on_event
        self._trunks = {trunk.name: trunk for trunk in trunks}
        self._agent = Agent(self._station, _token, accepts=accepts)
        self._resolver = Resolver(clock)
        self._transport: asyncio.DatagramTransport | None = None
        self._address: Address = ("", 0)
        self._timers: dict[TimerKey, Timer] = {}
        self._events: deque[tuple[str, float, SignallingEvent]] = deque()
        self._delivering = False
        self._resolving: dict[str, asyncio.Task[None]] = {}  # legs whose trunk's name is being looked up
        self._registering: list[asyncio.Task[None]] = []  # trunks whose registration has not begun
        self._sending: set[asyncio.Task[None]] = set()
        self._routes: dict[str, str] = {}
        self._garbage = 0
        self._garbage_told = 0.0
        self._stopped = False

    # --- life -------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Bind. Raises ConfigError with a remedy."""
        host, port = parse_address(self._config.bind)
        loop = asyncio.get_running_loop()
        try:
            transport, _ = await loop.create_datagram_endpoint(lambda: _Port(self), local_addr=(host, port))
        except OSError as error:
            raise ConfigError(
                f"sip.bind: cannot listen on {self._config.bind}: {error.strerror or error}; "
                "choose a free port (0 takes any) and an address of this machine"
            ) from error
        port_socket = transport.get_extra_info("socket")
        port_socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        self._resolver = Resolver(self._clock, port_socket.family)
        self._transport = transport
        self._address = transport.get_extra_info("sockname")[:2]
        await asyncio.gather(*(self._look_up(trunk) for trunk in self._trunks.values()))
        for trunk in self._trunks.values():
            if trunk.register_:
                self._registering.append(loop.create_task(self._register(trunk)))
        log.info("sip.listening", host=self._address[0], port=self._address[1])

    async def stop(self, within_s: float = 2.0) -> None:
        """End every leg, wait a little for the peers' last answers, close. Every leg has its end afterwards."""
        if self._transport is None or self._stopped:
            return
        for task in self._registering:
            task.cancel()
        for leg in list(self._resolving):
            self.hangup(leg, STOP_CAUSE)
        for leg in self._agent.open_legs():
            self.hangup(leg, STOP_CAUSE)
        self._perform(self._agent.unregister(self._clock.now()))
        until = self._clock.now() + within_s
        while self._agent.unsettled() and self._clock.now() < until:
            await self._wait(_POLL_S)
        self._perform(self._agent.give_up(self._clock.now()))
        self._stopped = True
        for task in (*self._resolving.values(), *self._sending):
            task.cancel()
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        self._deliver()
        self._transport.close()

    @property
    def address(self) -> Address:
        """Host and port that we listen on."""
        return self._address

    def media_host(self, trunk: str) -> str:
        """Our address as that trunk sees it: for SDP."""
        configured = self._trunks.get(trunk)
        server = configured.address[0] if configured else ""
        return self._station(self._resolver.known(server) or "").host

    def census(self) -> dict[str, int]:
        """`dialogs`: legs that are not over or still need an answer of the peer; `timers`: those set for them.

        What only absorbs repeated messages of a call that has ended counts as neither.
        """
        census = self._agent.census()
        census["dialogs"] += len(self._resolving)
        return census

    # --- orders -----------------------------------------------------------------------------------------

    def place(self, leg: str, order: Place) -> None:
        """Send an INVITE; whatever is in the way comes back as Failed."""
        trunk = self._trunks.get(order.trunk)
        if trunk is None or self._transport is None or self._stopped:
            why = f"no trunk {order.trunk!r}" if trunk is None else "signalling is not running"
            self._say(leg, Failed(None, why, Origin.LOCAL))
        elif (host := self._resolver.known(trunk.address[0])) is not None:
            self._place(leg, order, trunk, host)
        else:
            task = asyncio.get_running_loop().create_task(self._resolve_and_place(leg, order, trunk))
            self._resolving[leg] = task

    def hangup(self, leg: str, cause: int = 16) -> None:
        """End a leg: CANCEL before the answer, BYE after it. Idempotent; unknown legs are ignored."""
        if (task := self._resolving.pop(leg, None)) is not None:
            task.cancel()
            self._say(leg, Failed(None, "hung up before the answer", Origin.LOCAL))
            return
        self._perform(self._agent.hangup(leg, cause, self._clock.now()))

    def answer_offer(self, leg: str, sdp: bytes) -> None:
        """Answer a `RemoteOffer`; empty bytes refuse it."""
        self._perform(self._agent.answer_offer(leg, sdp, self._clock.now()))

    def ring(self, leg: str, code: int = 180, sdp: bytes = b"") -> None:
        """A provisional response to a call that came in; with SDP it is early media."""
        self._perform(self._agent.ring(leg, code, sdp, self._clock.now()))

    def answer(self, leg: str, sdp: bytes) -> None:
        """Answer a call that came in with 200."""
        self._perform(self._agent.answer(leg, sdp, self._clock.now()))

    def reject(self, leg: str, code: int, reason: str = "") -> None:
        """Refuse a call that came in with a final code, 300 to 699."""
        self._perform(self._agent.reject(leg, code, reason, self._clock.now()))

    # --- placing ----------------------------------------------------------------------------------------

    def _place(self, leg: str, order: Place, trunk: TrunkConfig, host: str) -> None:
        try:
            line = _line(trunk, host)
        except ConfigError as error:
            self._say(leg, Failed(None, str(error), Origin.LOCAL))
            return
        station = self._station(host)
        now = self._clock.now()
        self._perform(self._agent.place(leg, line, station, order.to, order.outgoing, order.sdp, now))

    async def _resolve_and_place(self, leg: str, order: Place, trunk: TrunkConfig) -> None:
        try:
            host = await self._resolver.resolve(trunk.address[0])
        except OSError as error:
            if self._resolving.pop(leg, None) is not None:
                self._say(leg, Failed(None, f"the trunk has no address: {error}", Origin.LOCAL))
            return
        if self._resolving.pop(leg, None) is not None:
            self._place(leg, order, trunk, host)

    async def _look_up(self, trunk: TrunkConfig) -> None:
        try:
            await self._resolver.resolve(trunk.address[0])
        except OSError as error:
            log.warning("sip.trunk_without_address", trunk=trunk.name, server=trunk.server, reason=str(error))

    async def _register(self, trunk: TrunkConfig) -> None:
        told = ""
        while True:
            try:
                host = await self._resolver.resolve(trunk.address[0])
                registration = Registration(_line(trunk, host), self._station(host))
            except (OSError, ConfigError) as error:
                if told != (told := f"has no address or password: {error}"):
                    self._say("", TrunkChanged(trunk.name, False, told))
                await self._wait(RETRY_MOST_S)
            else:
                self._perform(self._agent.register(registration, self._clock.now()))
                return

    def _station(self, towards: str) -> Station:
        host, port = self._address
        if self._config.public_address:
            host, port = parse_address(self._config.public_address, port)
        elif host in _ANYWHERE:
            if towards not in self._routes:
                self._routes[towards] = route_host(towards or "192.0.2.1") or "127.0.0.1"
            host = self._routes[towards]
        return Station(host, port, _token)

    # --- the wire ---------------------------------------------------------------------------------------

    def received(self, data: bytes, source: Address) -> None:
        """A datagram came."""
        try:
            self._perform(self._agent.receive(data, source, self._clock.now()), deliver=True)
        except Unreadable as error:
            if data.strip(b"\r\n\0"):
                self._count_garbage(source, str(error))
        except Exception:
            log.exception("sip.message_lost", source=source)

    def _count_garbage(self, source: Address, reason: str) -> None:
        self._garbage += 1
        now = self._clock.now()
        if now - self._garbage_told >= GARBAGE_LOG_S:
            log.warning("sip.unreadable", source=source, reason=reason, count=self._garbage)
            self._garbage_told, self._garbage = now, 0

    def _send(self, data: bytes, to: Address) -> None:
        assert self._transport is not None
        host = self._resolver.known(to[0])
        if host is not None:
            self._transport.sendto(data, (host, to[1]))
            return
        task = asyncio.get_running_loop().create_task(self._resolve_and_send(data, to))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _resolve_and_send(self, data: bytes, to: Address) -> None:
        try:
            host = await self._resolver.resolve(to[0])
        except OSError as error:
            log.warning("sip.next_hop_without_address", host=to[0], reason=str(error))
            return
        if self._transport is not None:
            self._transport.sendto(data, (host, to[1]))

    # --- effects ----------------------------------------------------------------------------------------

    def _perform(self, effects: list[Effect], *, deliver: bool = False) -> None:
        now = self._clock.now()
        for effect in effects:
            if isinstance(effect, Transmit):
                self._send(effect.data, effect.to)
            elif isinstance(effect, Arm):
                if (old := self._timers.pop(effect.key, None)) is not None:
                    old.cancel()
                self._timers[effect.key] = self._clock.call_at(effect.at, partial(self._fire, effect.key))
            elif isinstance(effect, Disarm):
                if (timer := self._timers.pop(effect.key, None)) is not None:
                    timer.cancel()
            elif isinstance(effect, Say):
                self._say(effect.leg, effect.event, now)
            else:
                self._tell_crash(effect)
        if deliver:
            self._deliver()

    def _fire(self, key: TimerKey) -> None:
        self._timers.pop(key, None)
        self._perform(self._agent.fire(key, self._clock.now()), deliver=True)

    def _tell_crash(self, crash: Crash) -> None:
        log.error("sip.crash", leg=crash.owner, exc_info=crash.error)

    def _say(self, leg: str, event: SignallingEvent, now: float | None = None) -> None:
        if isinstance(event, TrunkChanged):
            tell = log.info if event.up else log.warning
            tell("sip.trunk_changed", trunk=event.trunk, up=event.up, reason=event.reason)
        if not self._events and not self._delivering:
            asyncio.get_running_loop().call_soon(self._deliver)
        self._events.append((leg, self._clock.now() if now is None else now, event))

    def _deliver(self) -> None:
        if self._delivering:
            return
        self._delivering = True
        try:
            while self._events:
                leg, at, event = self._events.popleft()
                try:
                    self._on_event(leg, at, event)
                except Exception:
                    log.exception("sip.listener_failed", leg=leg, event_type=type(event).__name__)
        finally:
            self._delivering = False

    async def _wait(self, seconds: float) -> None:
        due = asyncio.Event()
        timer = self._clock.call_at(self._clock.now() + seconds, due.set)
        try:
            await due.wait()
        finally:
            timer.cancel()


class _Port(asyncio.DatagramProtocol):
    """The UDP socket's end in asyncio."""

    def __init__(self, signalling: Signalling) -> None:
        self._signalling = signalling

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._signalling.received(data, addr[:2])

    def error_received(self, exc: Exception) -> None:
        # An ICMP error says nothing that a missing answer does not say; a full or absent network does.
        if not isinstance(exc, ConnectionRefusedError):
            log.warning("sip.cannot_send", reason=printable(str(exc)))


def _line(trunk: TrunkConfig, host: str) -> Line:
    """Raises ConfigError if the password's variable is not set."""
    name, port = trunk.address
    return Line(
        trunk=trunk.name,
        server=(host, port),
        domain=uris.host_port(name, port, uris.SIP_PORT),
        username=trunk.username or "",
        password=trunk.secret or "",
        caller_id=trunk.caller_id,
        plus=trunk.plus,
    )
