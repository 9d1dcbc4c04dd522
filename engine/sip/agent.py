"""The user agent: all transactions and legs of one SIP port, and which datagram belongs to which. Pure.

Every method takes the time and returns what is to be done, as a list of effects; nothing here sends, waits or
logs. The driver is `signalling`. A fault in a leg ends that leg and no other (`Crash` tells it).

A leg is forgotten when it is over and its last transaction is gone: at most 64*T1 after the last message.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Final, NamedTuple

from engine.events import SignallingEvent
from engine.sip import transaction as tx
from engine.sip import transaction_user as users
from engine.sip.dialog import ALLOW, Station, acknowledgement
from engine.sip.leg import Leg, refusal_of
from engine.sip.leg_client import ClientLeg, Line
from engine.sip.leg_server import ServerLeg
from engine.sip.matching import answers_go_to, arrived, client_key, server_key
from engine.sip.message import Address, Message, read, response
from engine.sip.registration import Registration
from engine.sip.transaction import FIRED, Input, Kind, State, Tell, Timer, Transaction, Transmit
from engine.sip.transaction_user import TransactionUser

TimerKey = tuple[str, Enum]
_IN_DIALOG: Final = frozenset(("BYE", "INFO", "UPDATE", "PRACK"))
_OPTIONS_HEADERS: Final = (("Allow", ALLOW), ("Accept", "application/sdp"))


class Arm(NamedTuple):
    """Call `fire(key)` at `at`; a timer of that key that is set is replaced."""

    key: TimerKey
    at: float


class Disarm(NamedTuple):
    key: TimerKey


class Say(NamedTuple):
    """An event of a leg, for the call."""

    leg: str
    event: SignallingEvent


class Crash(NamedTuple):
    """A fault of ours ended a leg (or a registration)."""

    owner: str
    error: Exception


Effect = Transmit | Arm | Disarm | Say | Crash


class Agent:
    """The core of a SIP port. `station_towards` says how we show ourselves to an address."""

    def __init__(
        self, station_towards: Callable[[str], Station], token: Callable[[], str], *, accepts: bool = False
    ) -> None:
        self._station_towards = station_towards
        self._token = token
        self._accepts = accepts
        self._transactions: dict[str, Transaction] = {}
        self._owner_of: dict[str, TransactionUser] = {}  # of a transaction
        self._own: dict[str, set[str]] = {}  # transactions of a user
        self._users: dict[str, TransactionUser] = {}
        self._dialogs: dict[tuple[str, str], TransactionUser] = {}  # by Call-ID and our tag
        self._incoming = 0

    # --- orders -----------------------------------------------------------------------------------------

    def place(
        self, name: str, line: Line, station: Station, to: str, outgoing: str, sdp: bytes, now: float
    ) -> list[Effect]:
        leg = ClientLeg(name, line, station, to, outgoing, sdp)
        self._adopt(leg)
        return self._run(leg, now, leg.place)

    def hangup(self, name: str, cause: int, now: float) -> list[Effect]:
        leg = self._leg(name)
        return self._run(leg, now, leg.hangup, cause) if leg else []

    def answer_offer(self, name: str, sdp: bytes, now: float) -> list[Effect]:
        leg = self._leg(name)
        return self._run(leg, now, leg.answer_offer, sdp) if leg else []

    def ring(self, name: str, code: int, sdp: bytes, now: float) -> list[Effect]:
        leg = self._users.get(name)
        return self._run(leg, now, leg.ring, code, sdp) if isinstance(leg, ServerLeg) else []

    def answer(self, name: str, sdp: bytes, now: float) -> list[Effect]:
        leg = self._users.get(name)
        return self._run(leg, now, leg.answer, sdp) if isinstance(leg, ServerLeg) else []

    def reject(self, name: str, code: int, reason: str, now: float) -> list[Effect]:
        leg = self._users.get(name)
        if not isinstance(leg, ServerLeg):
            return []
        return self._run(leg, now, leg.reject, code, reason)

    def register(self, registration: Registration, now: float) -> list[Effect]:
        """Begin a registration; it goes on by itself until `unregister`."""
        self._adopt(registration)
        return self._run(registration, now, registration.begin)

    def unregister(self, now: float) -> list[Effect]:
        """End all registrations."""
        effects: list[Effect] = []
        for user in list(self._users.values()):
            if isinstance(user, Registration):
                effects += self._run(user, now, user.end)
        return effects

    # --- what the world brings --------------------------------------------------------------------------

    def receive(self, datagram: bytes, source: Address, now: float) -> list[Effect]:
        """A datagram; raises Unreadable if it is no message."""
        message = read(datagram)
        if message.code:
            return self._response(message, source, now)
        return self._request(arrived(message, source), source, now)

    def fire(self, key: TimerKey, now: float) -> list[Effect]:
        """A timer ran out."""
        name, timer = key
        if isinstance(timer, Timer):
            transaction = self._transactions.get(name)
            return self._feed(transaction, FIRED[timer], now) if transaction else []
        leg = self._users.get(name)
        return self._run(leg, now, leg.fired, timer) if leg else []

    # --- questions --------------------------------------------------------------------------------------

    def open_legs(self) -> list[str]:
        """Legs that have not had their Failed or Ended."""
        return [name for name, user in self._users.items() if isinstance(user, Leg) and not user.over]

    def census(self) -> dict[str, int]:
        """Legs that are not over, or still need something of the peer (an answer to BYE or CANCEL, an ACK),
        and the timers set for them. What is only remembered to absorb repeated messages does not count."""
        dialogs = timers = 0
        for name, leg in self._users.items():
            if not isinstance(leg, Leg):
                continue
            busy = [t for key in self._own[name] if not (t := self._transactions[key]).quiet]
            if not leg.over or leg.timers or busy:
                dialogs += 1
                timers += leg.timers + sum(transaction.timers for transaction in busy)
        return {"dialogs": dialogs, "timers": timers}

    def unsettled(self) -> bool:
        """Something may still come that needs an answer of ours (an abandoned INVITE among it)."""
        return any(
            not transaction.quiet or transaction.state is State.ABANDONED for transaction in self._transactions.values()
        ) or any(not user.over or user.timers for user in self._users.values())

    def give_up(self, now: float) -> list[Effect]:
        """End what is not over without waiting for the peer, and forget everything: the port closes."""
        effects: list[Effect] = []
        for name in self.open_legs():
            leg = self._users[name]
            effects += self._run(leg, now, leg.crashed)
        for memory in (self._transactions, self._owner_of, self._own, self._users, self._dialogs):
            memory.clear()
        return effects

    @property
    def remembered(self) -> int:
        """Transactions in memory, those that only absorb among them."""
        return len(self._transactions)

    # --- responses --------------------------------------------------------------------------------------

    def _response(self, message: Message, source: Address, now: float) -> list[Effect]:
        transaction = self._transactions.get(client_key(message.branch, message.method))
        if transaction is None or transaction.request.call_id != message.call_id:
            return []
        if message.code < 200:
            what, ack = Input.PROVISIONAL, b""
        elif message.code < 300:
            what, ack = Input.SUCCESS, b""
        else:
            what = Input.FAILURE
            invite = transaction.kind is Kind.CLIENT_INVITE
            ack = acknowledgement(transaction.request, message).encode() if invite else b""
        return self._feed(transaction, what, now, ack, message, source)

    # --- requests ---------------------------------------------------------------------------------------

    def _request(self, message: Message, source: Address, now: float) -> list[Effect]:
        key = server_key(message, "INVITE" if message.method == "ACK" else message.method)
        transaction = self._transactions.get(key)
        if message.method == "ACK":
            if transaction is not None and transaction.state is not State.ACCEPTED:
                return self._feed(transaction, Input.ACK, now)
            acknowledged = self._dialogs.get((message.call_id, message.to_tag))
            return self._run(acknowledged, now, acknowledged.acknowledged, message) if acknowledged else []
        if transaction is not None:
            return self._feed(transaction, Input.REQUEST, now)
        kind = Kind.SERVER_INVITE if message.method == "INVITE" else Kind.SERVER
        transaction = Transaction(kind, key, message, answers_go_to(message, source))
        self._transactions[key] = transaction
        if message.method == "CANCEL":
            return self._cancel(transaction, now)
        if message.to_tag:
            leg = self._dialogs.get((message.call_id, message.to_tag))
            if leg is None:
                return self._refuse(transaction, 481, now)
            self._give(transaction, leg)
            return self._run(leg, now, leg.requested, message, transaction)
        return self._outside(transaction, source, now)

    def _cancel(self, transaction: Transaction, now: float) -> list[Effect]:
        key = server_key(transaction.request, "INVITE")
        invite, leg = self._transactions.get(key), self._owner_of.get(key)
        if invite is None:
            return self._refuse(transaction, 481, now)
        effects = self._refuse(transaction, 200, now, tag=leg.local_tag if leg else "")
        if leg is not None:
            cancel = transaction.request
            effects += self._run(leg, now, leg.cancelled, invite, cancel)
        return effects

    def _outside(self, transaction: Transaction, source: Address, now: float) -> list[Effect]:
        """A request outside any dialog."""
        request = transaction.request
        if request.method == "INVITE":
            if not self._accepts:
                return self._refuse(transaction, 480, now)
            self._incoming += 1
            station = self._station_towards(source[0])
            leg = ServerLeg(f"in-{self._incoming}", station, transaction, source)
            self._adopt(leg)
            self._give(transaction, leg)
            return self._run(leg, now, leg.arrive)
        if request.method == "OPTIONS":
            return self._refuse(transaction, 200, now, _OPTIONS_HEADERS)
        if request.method in _IN_DIALOG:
            return self._refuse(transaction, 481, now)
        return self._refuse(transaction, refusal_of(request.method), now, (("Allow", ALLOW),))

    def _refuse(
        self,
        transaction: Transaction,
        code: int,
        now: float,
        headers: tuple[tuple[str, str], ...] = (),
        tag: str = "",
    ) -> list[Effect]:
        """Answer in a transaction that belongs to no leg."""
        answer = response(transaction.request, code, to_tag=tag or self._token(), headers=headers)
        return self._reply(transaction, answer, now)

    def _reply(self, transaction: Transaction, answer: Message, now: float) -> list[Effect]:
        transaction.data = answer.encode()
        what = Input.PROVISIONAL if answer.code < 200 else Input.SUCCESS if answer.code < 300 else Input.FAILURE
        return self._feed(transaction, what, now)

    # --- transactions and their owners ------------------------------------------------------------------

    def _feed(
        self,
        transaction: Transaction,
        what: Input,
        now: float,
        ack: bytes = b"",
        message: Message | None = None,
        source: Address = ("", 0),
    ) -> list[Effect]:
        effects: list[Effect] = []
        told: list[Tell] = []
        for output in transaction.feed(what, now, ack):
            if isinstance(output, Transmit):
                effects.append(output)
            elif isinstance(output, tx.SetTimer):
                effects.append(Arm((transaction.key, output.timer), output.at))
            elif isinstance(output, tx.StopTimer):
                effects.append(Disarm((transaction.key, output.timer)))
            else:
                told.append(output)
        leg = self._owner_of.get(transaction.key)
        if leg is not None:
            for tell in told:
                if tell.timeout:
                    effects += self._run(leg, now, leg.unheard, transaction.request)
                elif message is not None:
                    effects += self._run(leg, now, leg.heard, transaction.request, message, source)
        if transaction.terminated:
            self._drop(transaction)
        return effects

    def _drop(self, transaction: Transaction) -> None:
        if self._transactions.pop(transaction.key, None) is None:
            return
        leg = self._owner_of.pop(transaction.key, None)
        if leg is not None:
            self._own[leg.name].discard(transaction.key)
            self._forget_if_done(leg)

    def _leg(self, name: str) -> Leg | None:
        user = self._users.get(name)
        return user if isinstance(user, Leg) else None

    def _adopt(self, leg: TransactionUser) -> None:
        self._users[leg.name] = leg
        self._own[leg.name] = set()
        self._dialogs[leg.call_id, leg.local_tag] = leg

    def _give(self, transaction: Transaction, leg: TransactionUser) -> None:
        self._owner_of[transaction.key] = leg
        self._own[leg.name].add(transaction.key)

    def _forget_if_done(self, leg: TransactionUser) -> None:
        if leg.over and not leg.timers and not self._own.get(leg.name, True):
            del self._own[leg.name], self._users[leg.name], self._dialogs[leg.call_id, leg.local_tag]

    def _run(self, leg: TransactionUser, now: float, order: Callable[..., None], *arguments: object) -> list[Effect]:
        """Let a leg work, and do what it leaves to be done; its faults end it."""
        effects: list[Effect] = []
        try:
            order(*arguments, now)
            effects += self._do(leg, now)
        except Exception as error:
            effects.append(Crash(leg.name, error))
            try:
                leg.crashed(now)
                effects += self._do(leg, now)
            except Exception as second:
                effects.append(Crash(leg.name, second))
        self._forget_if_done(leg)
        return effects

    def _do(self, leg: TransactionUser, now: float) -> list[Effect]:
        effects: list[Effect] = []
        wanted, leg.out = leg.out, []
        for one in wanted:
            if isinstance(one, Transmit):
                effects.append(one)
            elif isinstance(one, users.Emit):
                effects.append(Say(leg.name if isinstance(leg, Leg) else "", one.event))
            elif isinstance(one, users.Reply):
                effects += self._reply(one.transaction, one.response, now)
            elif isinstance(one, users.Start):
                effects += self._begin(leg, one, now)
            elif isinstance(one, users.SetTimer):
                effects.append(Arm((leg.name, one.timer), one.at))
            elif isinstance(one, users.StopTimer):
                effects.append(Disarm((leg.name, one.timer)))
            elif transaction := self._transactions.get(client_key(one.request.branch, one.request.method)):
                effects += self._feed(transaction, Input.ABANDON, now)
        return effects

    def _begin(self, leg: TransactionUser, start: users.Start, now: float) -> list[Effect]:
        request = start.request
        kind = Kind.CLIENT_INVITE if request.method == "INVITE" else Kind.CLIENT
        key = client_key(request.branch, request.method)
        transaction = Transaction(kind, key, request, start.to)
        transaction.data = request.encode()
        self._transactions[key] = transaction
        self._give(transaction, leg)
        return self._feed(transaction, Input.START, now)
