"""The callee's leg: an INVITE that came to us. Pure, as a table. Only the sandbox's subscribers are called.

Rules of the table:

- A 2xx is repeated until its ACK comes; without one for 64*T1 the call is ended (RFC 3261 13.3.1.4).
- Between our 2xx and its ACK we may not send BYE (RFC 3261 15): a hang-up then ends the leg at once, and its BYE
  follows the ACK, or the end of the wait for it.
- `Answered` is reported with the ACK; its SDP is the answer where the INVITE brought no offer, else empty.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final

from engine.events import Answered, Ended, Failed, Incoming, Origin, Side
from engine.sip import uri as uris
from engine.sip.dialog import Dialog, Station, q850_reason
from engine.sip.leg import Leg
from engine.sip.message import Address, Message, phrase, response
from engine.sip.transaction import Transaction
from engine.sip.transaction_user import Reply


class Stage(Enum):
    PROCEEDING = "proceeding"
    ANSWERING = "answering"  # our 2xx is out, its ACK is not here
    CLOSING = "closing"  # hung up before the ACK came
    CONFIRMED = "confirmed"
    OVER = "over"

    __hash__ = object.__hash__


class Step(Enum):
    RING = "ring"
    ANSWER = "answer"
    REJECT = "reject"
    HANGUP = "hangup"
    CANCEL = "CANCEL"
    BYE = "BYE"
    ACK = "ACK"
    NO_ACK = "no ACK in time"

    __hash__ = object.__hash__


@dataclass(frozen=True, slots=True)
class _Happened:
    now: float
    code: int = 0
    reason: str = ""
    sdp: bytes = b""
    q850: int | None = None


class ServerLeg(Leg):
    """A call that comes in. `arrive` begins it."""

    def __init__(self, name: str, station: Station, transaction: Transaction, source: Address) -> None:
        invite = transaction.request
        super().__init__(name, invite.call_id, station)
        self._transaction = transaction
        self.stage = Stage.PROCEEDING
        self.dialog = Dialog.of_request(invite, self.local_tag, source)
        self._user = uris.user_of(invite.uri)

    def arrive(self, now: float) -> None:
        """Say 100 and report the call."""
        invite = self._transaction.request
        # RFC 3261 8.2.6.2: a 100 has no tag.
        self.out.append(Reply(self._transaction, response(invite, 100)))
        self._emit(Incoming(invite.sdp, self._user, invite.from_user))

    def ring(self, code: int, sdp: bytes, now: float) -> None:
        self._step(Step.RING, _Happened(now, code, sdp=sdp))

    def answer(self, sdp: bytes, now: float) -> None:
        self._step(Step.ANSWER, _Happened(now, 200, sdp=sdp))

    def reject(self, code: int, reason: str, now: float) -> None:
        self._step(Step.REJECT, _Happened(now, code, reason))

    def hangup(self, cause: int, now: float) -> None:
        self._step(Step.HANGUP, _Happened(now, 480, q850=cause))

    def cancelled(self, transaction: Transaction, cancel: Message, now: float) -> None:
        super().cancelled(transaction, cancel, now)
        if transaction is self._transaction:
            self._step(Step.CANCEL, _Happened(now, 487, q850=cancel.q850))

    def _bye(self, bye: Message, dialog: Dialog, now: float) -> None:
        self._step(Step.BYE, _Happened(now, 487, q850=bye.q850))

    def _confirmed(self, ack: Message, now: float) -> None:
        self._step(Step.ACK, _Happened(now, sdp=ack.sdp))

    def _unacknowledged(self, now: float) -> None:
        self._step(Step.NO_ACK, _Happened(now))

    def _end_locally(self) -> None:
        if self.stage is Stage.PROCEEDING:
            self._reply(self._transaction, 500)
            self._emit(Failed(500, "given up: a fault of ours", Origin.LOCAL))
        else:
            self._emit(Ended(Side.LOCAL))
        self.stage = Stage.OVER

    def _step(self, step: Step, what: _Happened) -> None:
        row = TABLE.get((self.stage, step))
        if row is None:
            return
        actions, self.stage = row
        for action in actions:
            action(self, what)

    # --- actions of the table ---------------------------------------------------------------------------

    def _respond(self, what: _Happened) -> None:
        # A 1xx or 2xx makes the dialog, so it names its route (RFC 3261 12.1.1).
        invite = self._transaction.request
        routes = tuple(("Record-Route", route) for route in invite.record_route)
        message = self._answer_to(invite, what.code, headers=routes, sdp=what.sdp, contact=True)
        reply = Reply(self._transaction, message)
        if what.code < 200:
            self.out.append(reply)
        else:
            self._accept(reply, what.now)

    def _refuse(self, what: _Happened) -> None:
        reason = what.reason or phrase(what.code)
        invite = self._transaction.request
        self.out.append(Reply(self._transaction, response(invite, what.code, reason, to_tag=self.local_tag)))

    def _failed(self, what: _Happened) -> None:
        self._emit(Failed(what.code, what.reason or phrase(what.code), Origin.LOCAL))

    def _failed_remotely(self, what: _Happened) -> None:
        self._emit(Failed(what.code, "cancelled by the caller", Origin.REMOTE, what.q850))

    def _answered(self, what: _Happened) -> None:
        assert self.dialog is not None
        self.dialog.confirmed = True
        self._emit(Answered(what.sdp))

    def _hang_up(self, what: _Happened) -> None:
        assert self.dialog is not None
        self._settle(what.now)
        self._send_bye(self.dialog, q850_reason(what.q850 or 16))

    def _ended(self, what: _Happened) -> None:
        self._emit(Ended(Side.LOCAL))

    def _ended_remotely(self, what: _Happened) -> None:
        self._emit(Ended(Side.REMOTE, q850=what.q850))

    def _forget(self, what: _Happened) -> None:
        self._settle(what.now)

    def _lost(self, what: _Happened) -> None:
        self._emit(Ended(Side.NETWORK))


Row = tuple[tuple[Callable[[ServerLeg, _Happened], None], ...], Stage]
_L = ServerLeg

TABLE: Final[dict[tuple[Stage, Step], Row]] = {
    (Stage.PROCEEDING, Step.RING): ((_L._respond,), Stage.PROCEEDING),
    (Stage.PROCEEDING, Step.ANSWER): ((_L._respond,), Stage.ANSWERING),
    (Stage.PROCEEDING, Step.REJECT): ((_L._refuse, _L._failed), Stage.OVER),
    (Stage.PROCEEDING, Step.HANGUP): ((_L._refuse, _L._failed), Stage.OVER),
    (Stage.PROCEEDING, Step.CANCEL): ((_L._refuse, _L._failed_remotely), Stage.OVER),
    (Stage.PROCEEDING, Step.BYE): ((_L._refuse, _L._failed_remotely), Stage.OVER),
    (Stage.ANSWERING, Step.ACK): ((_L._answered,), Stage.CONFIRMED),
    (Stage.ANSWERING, Step.HANGUP): ((_L._ended,), Stage.CLOSING),
    (Stage.ANSWERING, Step.BYE): ((_L._forget, _L._ended_remotely), Stage.OVER),
    (Stage.ANSWERING, Step.NO_ACK): ((_L._hang_up, _L._lost), Stage.OVER),
    (Stage.CLOSING, Step.ACK): ((_L._hang_up,), Stage.OVER),
    (Stage.CLOSING, Step.BYE): ((_L._forget,), Stage.OVER),
    (Stage.CLOSING, Step.NO_ACK): ((_L._hang_up,), Stage.OVER),
    (Stage.CONFIRMED, Step.HANGUP): ((_L._hang_up, _L._ended), Stage.OVER),
    (Stage.CONFIRMED, Step.BYE): ((_L._forget, _L._ended_remotely), Stage.OVER),
    (Stage.CONFIRMED, Step.NO_ACK): ((_L._hang_up, _L._lost), Stage.OVER),  # of a re-INVITE
}
