"""A leg: one call as the other end sees it. Here is what both sides of a call share inside a dialog.

Pure. A leg is `over` with its one Failed or Ended; after it a leg only cleans up: it acknowledges, cancels and
ends what still comes late.
"""

from __future__ import annotations

from enum import Enum
from typing import Final, NamedTuple

from engine.events import Ended, Failed, InfoDigit, LegEvent, RemoteOffer
from engine.sip.dialog import ALLOW, Dialog, Station, q850_reason
from engine.sip.digest import Digest
from engine.sip.message import Address, Message, response
from engine.sip.transaction import T1_S, T2_S, TIMEOUT_S, Transaction
from engine.sip.transaction_user import Emit, Reply, Start, TransactionUser

TEMPORARY_FAILURE: Final = 41  # Q.850
OFFER_ANSWER_S: Final = 5.0  # how long our side may think about a re-INVITE's offer
_KNOWN_METHODS: Final = frozenset(("REGISTER", "PRACK", "SUBSCRIBE", "NOTIFY", "PUBLISH", "REFER", "MESSAGE"))
_DTMF_TYPES: Final = ("application/dtmf-relay", "application/dtmf")
_SIGNALS: Final = {"10": "*", "11": "#", "12": "A", "13": "B", "14": "C", "15": "D", "star": "*", "pound": "#"}
_KEYS: Final = frozenset("0123456789*#ABCD")


class LegTimer(Enum):
    PATIENCE = "a cancelled INVITE has no final response"
    REPEAT = "our 2xx again"
    NO_ACK = "nobody acknowledged our 2xx"
    UNANSWERED_OFFER = "our side did not answer an offer"

    __hash__ = object.__hash__


class _Accepted(NamedTuple):
    """A 2xx of ours that waits for its ACK."""

    reply: Reply
    wait_s: float


class Leg(TransactionUser):
    """What a caller's and a callee's leg share."""

    def __init__(self, name: str, call_id: str, station: Station, digest: Digest | None = None) -> None:
        super().__init__(name, call_id, station.token())
        self.station = station
        self.dialog: Dialog | None = None  # the confirmed one
        self._digest = digest
        self._user = ""  # of our Contact
        self._offer: Transaction | None = None  # of the peer, not answered yet
        self._accepted: _Accepted | None = None
        self._bye_challenged = False

    # --- what the agent tells ---------------------------------------------------------------------------

    def heard(self, request: Message, answer: Message, source: Address, now: float) -> None:
        if request.method != "BYE" or self._digest is None or self._bye_challenged:
            return
        dialog = self.dialog_with(request.to_tag)
        if dialog is not None and self._digest.accept(answer, fresh=True):
            self._bye_challenged = True
            self._send_bye(dialog, ("Reason", request.first("Reason")))

    def requested(self, request: Message, transaction: Transaction, now: float) -> None:
        dialog = self.dialog_with(request.from_tag)
        if dialog is None or (self.over and request.method != "BYE"):
            self._reply(transaction, 481)
            return
        if request.cseq < dialog.remote_seq:
            self._reply(transaction, 500)
            return
        dialog.remote_seq = request.cseq
        if request.method == "BYE":
            self._reply(transaction, 200)
            self._bye(request, dialog, now)
        elif request.method in ("INVITE", "UPDATE"):
            self._offered(request, dialog, transaction, now)
        elif request.method == "INFO":
            self._informed(request, transaction)
        elif request.method == "OPTIONS":
            self._reply(transaction, 200, headers=(("Allow", ALLOW), ("Accept", "application/sdp")))
        else:
            self._reply(transaction, refusal_of(request.method), headers=(("Allow", ALLOW),))

    def acknowledged(self, ack: Message, now: float) -> None:
        if self._accepted is None or ack.cseq != self._accepted.reply.response.cseq:
            return
        offerless = not self._accepted.reply.transaction.request.sdp
        self._accepted = None
        self._stop(LegTimer.REPEAT)
        self._stop(LegTimer.NO_ACK)
        if offerless and ack.sdp and self.dialog is not None and self.dialog.confirmed:
            # The answer to the offer in our 2xx. It says anew where media goes, so it travels as a RemoteOffer;
            # `answer_offer` finds nothing to answer then.
            self._emit(RemoteOffer(ack.sdp))
        self._confirmed(ack, now)

    def cancelled(self, transaction: Transaction, cancel: Message, now: float) -> None:
        if self._offer is transaction:
            self._refuse_offer(487, now)

    def fired(self, timer: Enum, now: float) -> None:
        super().fired(timer, now)
        if timer is LegTimer.REPEAT and self._accepted is not None:
            wait_s = min(self._accepted.wait_s * 2, T2_S)  # RFC 3261 13.3.1.4
            self._accepted = self._accepted._replace(wait_s=wait_s)
            self.out.append(self._accepted.reply)
            self._set(LegTimer.REPEAT, now + wait_s)
        elif timer is LegTimer.NO_ACK:
            self._accepted = None
            self._stop(LegTimer.REPEAT)
            self._unacknowledged(now)
        elif timer is LegTimer.UNANSWERED_OFFER:
            self._refuse_offer(500, now)

    def hangup(self, cause: int, now: float) -> None:
        """End the call, whatever it is doing; idempotent."""
        raise NotImplementedError

    def answer_offer(self, sdp: bytes, now: float) -> None:
        """The answer to a `RemoteOffer`, refused with 488 if empty; nothing happens without an offer."""
        if self._offer is None or self.dialog is None:
            return
        if not sdp:
            self._refuse_offer(488, now)
            return
        transaction, self._offer = self._offer, None
        self._stop(LegTimer.UNANSWERED_OFFER)
        reply = Reply(transaction, self._answer_to(transaction.request, 200, sdp=sdp, contact=True))
        if transaction.request.method == "INVITE":
            self._accept(reply, now)
        else:
            self.out.append(reply)

    def crashed(self, now: float) -> None:
        if self.dialog is not None and not self.over:
            self._send_bye(self.dialog, q850_reason(TEMPORARY_FAILURE))
        self._settle(now)
        self._end_locally()

    # --- for the agent ----------------------------------------------------------------------------------

    def dialog_with(self, remote_tag: str) -> Dialog | None:
        dialog = self.dialog
        return dialog if dialog is not None and dialog.remote_tag == remote_tag else None

    # --- what the sides fill in -------------------------------------------------------------------------

    def _bye(self, bye: Message, dialog: Dialog, now: float) -> None:
        raise NotImplementedError

    def _confirmed(self, ack: Message, now: float) -> None:
        """An ACK came; a re-INVITE's changes nothing."""

    def _unacknowledged(self, now: float) -> None:
        """Nobody acknowledged a 2xx of ours for 64*T1."""
        raise NotImplementedError

    def _end_locally(self) -> None:
        raise NotImplementedError

    # --- offers in the dialog ---------------------------------------------------------------------------

    def _offered(self, request: Message, dialog: Dialog, transaction: Transaction, now: float) -> None:
        update = request.method == "UPDATE"
        sdp = request.sdp
        if dialog is not self.dialog or not dialog.confirmed:
            # The offer of the INVITE itself is still open (RFC 3311 5.2).
            self._reply(transaction, 200 if update and not sdp else 491)
        elif self._offer is not None:
            self._reply(transaction, 500, headers=(("Retry-After", "3"),))  # RFC 3261 14.2
        elif self._accepted is not None and not (update and not sdp):
            self._reply(transaction, 491)
        elif request.body and not sdp:
            self._reply(transaction, 415, headers=(("Accept", "application/sdp"),))
        else:
            dialog.retarget(request)
            if update and not sdp:  # a session timer's refresh
                self.out.append(Reply(transaction, self._answer_to(request, 200, contact=True)))
                return
            self._offer = transaction
            if not update:
                self._reply(transaction, 100)
            self._set(LegTimer.UNANSWERED_OFFER, now + OFFER_ANSWER_S)
            self._emit(RemoteOffer(sdp))

    def _refuse_offer(self, code: int, now: float) -> None:
        transaction, self._offer = self._offer, None
        if transaction is not None:
            self._stop(LegTimer.UNANSWERED_OFFER)
            self._reply(transaction, code)

    def _settle(self, now: float) -> None:
        """Nothing in the dialog is waited for any more."""
        self._refuse_offer(487, now)
        self._accepted = None
        for timer in tuple(self._timers):
            self._stop(timer)

    def _accept(self, reply: Reply, now: float) -> None:
        """Send a 2xx to an INVITE, again and again until its ACK comes."""
        self.out.append(reply)
        self._accepted = _Accepted(reply, T1_S)
        self._set(LegTimer.REPEAT, now + T1_S)
        self._set(LegTimer.NO_ACK, now + TIMEOUT_S)

    def _informed(self, info: Message, transaction: Transaction) -> None:
        if not info.body:
            self._reply(transaction, 200)
        elif info.content_type in _DTMF_TYPES:
            self._reply(transaction, 200)
            if digit := pressed(info.body):
                self._emit(InfoDigit(digit))
        else:
            self._reply(transaction, 415, headers=(("Accept", ", ".join(_DTMF_TYPES)),))

    # --- sending ----------------------------------------------------------------------------------------

    def _send_bye(self, dialog: Dialog, reason: tuple[str, str]) -> None:
        bye, to = dialog.request(self.station, "BYE", (reason,))
        if self._digest and self._digest.challenged:
            bye = bye.with_headers(*self._digest.headers("BYE", bye.uri))
        self.out.append(Start(bye, to))

    def _answer_to(
        self,
        request: Message,
        code: int,
        *,
        headers: tuple[tuple[str, str], ...] = (),
        sdp: bytes = b"",
        contact: bool = False,
    ) -> Message:
        if contact:
            headers = (*headers, ("Contact", self.station.contact(self._user)), ("Allow", ALLOW))
        return response(request, code, to_tag=self.local_tag, headers=headers, sdp=sdp)

    def _reply(self, transaction: Transaction, code: int, headers: tuple[tuple[str, str], ...] = ()) -> None:
        self.out.append(Reply(transaction, self._answer_to(transaction.request, code, headers=headers)))

    def _emit(self, event: LegEvent) -> None:
        if self.over:
            return
        self.over = isinstance(event, Failed | Ended)
        self.out.append(Emit(event))


def refusal_of(method: str) -> int:
    """405 for a method of SIP that we do not do, 501 for an unknown one."""
    return 405 if method in _KNOWN_METHODS else 501


def pressed(body: bytes) -> str:
    """The key of an INFO body (application/dtmf-relay: `Signal=5`; application/dtmf: `5`); "" if there is none."""
    for line in body.decode("ascii", "replace").splitlines() or [""]:
        name, equals, value = line.partition("=")
        if equals and name.strip().lower() != "signal":
            continue
        text = (value if equals else name).strip()
        key = _SIGNALS.get(text.lower(), text.upper())
        if key in _KEYS and len(key) == 1:
            return key
    return ""
