"""The caller's leg: an INVITE of ours, from its first datagram to the end of the call. Pure, as a table.

Rules of the table:

- CANCEL is held back until a provisional has come (RFC 3261 9.1). A leg that is hung up before anything came
  fails at once, and its INVITE is abandoned: whoever answers it late is cancelled, or acknowledged and ended.
- A 2xx is always acknowledged. Once hung up, it is acknowledged and ended, and never reported as an answer.
- A 2xx of a second fork is acknowledged and ended; a repeated 2xx gets the same ACK again.
- A CANCEL that brings no final response within `PATIENCE_S` fails the leg locally; its INVITE is abandoned.
- A challenge is answered by a new INVITE, which begins at CALLING again: it too may be lost.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, Literal

from engine.events import Answered, EarlyMedia, Ended, Failed, Origin, Ringing, Side, Trying
from engine.sip.dialog import AGENT, ALLOW, Dialog, Station, cancellation, q850_reason, request
from engine.sip.digest import Digest
from engine.sip.leg import Leg, LegTimer
from engine.sip.message import Address, Headers, Message
from engine.sip.transaction import T4_S, Transmit
from engine.sip.transaction_user import Abandon, Start

PATIENCE_S: Final = T4_S  # a cancelled INVITE's 487 takes a round trip; longer than this and it is lost
_REQUEST_TERMINATED: Final = 487
_EARLY_DIALOG_TERMINATED: Final = 199  # RFC 6228
_RECOVERY_ON_TIMER_EXPIRY: Final = 102  # Q.850
_CREDENTIALS: Final = ("Authorization", "Proxy-Authorization")


@dataclass(frozen=True, slots=True)
class Line:
    """A trunk as a leg needs it."""

    trunk: str
    server: Address  # where requests go
    domain: str  # HOST or HOST:PORT of its URIs
    username: str = ""
    password: str = field(default="", repr=False)
    caller_id: Literal["from", "pai", "both"] = "from"
    plus: bool = False

    def number(self, digits: str) -> str:
        return f"+{digits}" if self.plus else digits

    def identity(self, outgoing: str) -> tuple[str, Headers]:
        """URI of From and the headers that go with it (RFC 3325) for a call from this number."""
        number = f"sip:{self.number(outgoing)}@{self.domain}"
        asserted: Headers = () if self.caller_id == "from" else (("P-Asserted-Identity", f"<{number}>"),)
        if self.caller_id == "pai":
            return f"sip:{self.username or 'anonymous'}@{self.domain}", asserted
        return number, asserted


class Stage(Enum):
    CALLING = "calling"  # nothing came in answer to the INVITE that is out
    PROCEEDING = "proceeding"
    CANCELLING = "cancelling"
    CONFIRMED = "confirmed"
    OVER = "over"

    __hash__ = object.__hash__


class Step(Enum):
    """What may happen to the leg."""

    PROVISIONAL = "1xx"
    CHALLENGE = "401 or 407 that we can answer"
    SUCCESS = "2xx"
    FAILURE = "another final response"
    NOTHING = "no response in time"
    HANGUP = "hangup"
    BYE = "BYE"
    PATIENCE = "no final response to a CANCEL"
    NO_ACK = "no ACK of our 2xx to a re-INVITE"

    __hash__ = object.__hash__


class ClientLeg(Leg):
    """A call that we place. `place` begins it."""

    def __init__(self, name: str, line: Line, station: Station, to: str, outgoing: str, sdp: bytes) -> None:
        digest = Digest(line.username, line.password, station.token) if line.username else None
        super().__init__(name, f"{station.token()}@{station.host}", station, digest)
        self.line = line
        self.stage = Stage.CALLING
        sender, self._identity = line.identity(outgoing)
        self._uri = f"sip:{line.number(to)}@{line.domain}"
        self._sender = f"<{sender}>;tag={self.local_tag}"
        self._to = f"<{self._uri}>"
        self._user = line.username or outgoing
        self._sdp = sdp
        self._cseq = 0
        self._invite: Message | None = None
        self._dialogs: dict[str, Dialog] = {}  # by the peer's tag: one for each fork
        self._early: dict[str, bytes] = {}  # the last SDP of each fork
        self._told: set[tuple[str, int, bytes]] = set()
        self._acks: dict[str, Transmit] = {}
        self._sign_of_life = False
        self._cancel_request: Message | None = None
        self._cause = 16

    def place(self, now: float) -> None:
        """Send the INVITE."""
        self._cseq += 1
        invite = request(
            "INVITE",
            self._uri,
            via=self.station.via(),
            sender=self._sender,
            to=self._to,
            call_id=self.call_id,
            cseq=self._cseq,
            headers=(
                ("Contact", self.station.contact(self._user)),
                *self._identity,
                ("Allow", ALLOW),
                ("User-Agent", AGENT),
                *(self._digest.headers("INVITE", self._uri, self._sdp) if self._digest else ()),
            ),
            sdp=self._sdp,
        )
        self._invite = invite
        self.out.append(Start(invite, self.line.server))

    # --- inputs -----------------------------------------------------------------------------------------

    def heard(self, request: Message, answer: Message, source: Address, now: float) -> None:
        if request.method != "INVITE":
            super().heard(request, answer, source, now)
            return
        if request is not self._invite:
            return  # an INVITE from before a challenge
        if not self._sign_of_life and self.stage is Stage.CALLING and answer.code < 500:
            self._sign_of_life = True
            if answer.code < 200 or answer.code in (401, 407):
                self._emit(Trying())
        if answer.code < 200:
            step = Step.PROVISIONAL
        elif answer.code < 300:
            step = Step.SUCCESS
        elif self._wanted and self._digest is not None and self._digest.accept(answer):
            step = Step.CHALLENGE
        else:
            step = Step.FAILURE
        self._step(step, now, answer, source)

    def unheard(self, request: Message, now: float) -> None:
        if request is self._invite:
            self._step(Step.NOTHING, now)

    def hangup(self, cause: int, now: float) -> None:
        self._cause = cause
        self._step(Step.HANGUP, now)

    def fired(self, timer: Enum, now: float) -> None:
        super().fired(timer, now)
        if timer is LegTimer.PATIENCE:
            self._step(Step.PATIENCE, now)

    def dialog_with(self, remote_tag: str) -> Dialog | None:
        return self._dialogs.get(remote_tag)

    def _bye(self, bye: Message, dialog: Dialog, now: float) -> None:
        if dialog is self.dialog:
            self._step(Step.BYE, now, bye)

    def _unacknowledged(self, now: float) -> None:
        self._step(Step.NO_ACK, now)

    def _end_locally(self) -> None:
        if self.stage is Stage.CONFIRMED:
            self._emit(Ended(Side.LOCAL))
        else:
            self._emit(Failed(None, "given up: a fault of ours", Origin.LOCAL))
        self.stage = Stage.OVER

    @property
    def _wanted(self) -> bool:
        return self.stage in (Stage.CALLING, Stage.PROCEEDING)

    def _step(
        self,
        step: Step,
        now: float,
        message: Message | None = None,
        source: Address | None = None,
    ) -> None:
        row = TABLE.get((self.stage, step))
        if row is None:
            return
        actions, self.stage = row
        happened = _Happened(now, message, source or self.line.server)
        for action in actions:
            action(self, happened)
        if self.stage is Stage.OVER:  # it may be remembered for a while, what it has told need not
            self._early.clear()
            self._told.clear()
            self._sdp = b""

    # --- actions of the table ---------------------------------------------------------------------------

    def _progress(self, what: _Happened) -> None:
        answer = what.response
        if answer.code in (100, _EARLY_DIALOG_TERMINATED):
            return
        self._dialog_of(answer, what.source)
        sdp, tag = answer.sdp, answer.to_tag
        if (tag, answer.code, sdp) in self._told:
            return
        self._told.add((tag, answer.code, sdp))
        if not sdp:
            self._emit(Ringing(answer.code))
        elif self._early.get(tag) != sdp:
            self._early[tag] = sdp
            self._emit(EarlyMedia(sdp, answer.code))

    def _authenticate(self, what: _Happened) -> None:
        self.place(what.now)

    def _acknowledge(self, what: _Happened) -> None:
        answer = what.response
        ack = self._acks.get(answer.to_tag)
        if ack is None:
            assert self._invite is not None
            dialog = self._dialog_of(answer, what.source)
            credentials = tuple(header for header in self._invite.headers if header[0] in _CREDENTIALS)
            message, to = dialog.request(self.station, "ACK", credentials, cseq=self._invite.cseq)
            ack = self._acks[answer.to_tag] = Transmit(message.encode(), to)
        self.out.append(ack)

    def _answered(self, what: _Happened) -> None:
        answer = what.response
        self.dialog = self._dialogs[answer.to_tag]
        self.dialog.confirmed = True
        self._emit(Answered(answer.sdp or self._early.get(answer.to_tag, b"")))

    def _reject_fork(self, what: _Happened) -> None:
        """End the dialog of a 2xx that is not the one we talk in; a repeated one was ended already."""
        dialog = self._dialogs[what.response.to_tag]
        if dialog is not self.dialog and not dialog.confirmed:
            dialog.confirmed = True
            self._send_bye(dialog, q850_reason(self._cause))

    def _cancel(self, what: _Happened) -> None:
        assert self._invite is not None
        if self._cancel_request is not None:
            self.out.append(Abandon(self._invite))  # it was told; wait for its end in silence
            return
        self._cancel_request = cancellation(self._invite, q850_reason(self._cause))
        self.out.append(Start(self._cancel_request, self.line.server))
        self._set(LegTimer.PATIENCE, what.now + PATIENCE_S)

    def _abandon(self, what: _Happened) -> None:
        assert self._invite is not None
        self.out.append(Abandon(self._invite))

    def _calm(self, what: _Happened) -> None:
        self._stop(LegTimer.PATIENCE)
        if self._cancel_request is not None:
            self.out.append(Abandon(self._cancel_request))

    def _hang_up(self, what: _Happened) -> None:
        assert self.dialog is not None
        self._settle(what.now)
        self._send_bye(self.dialog, q850_reason(self._cause))
        self._emit(Ended(Side.LOCAL))

    def _lose(self, what: _Happened) -> None:
        assert self.dialog is not None
        self._settle(what.now)
        self._send_bye(self.dialog, q850_reason(_RECOVERY_ON_TIMER_EXPIRY))
        self._emit(Ended(Side.NETWORK))

    def _fail(self, what: _Happened) -> None:
        answer = what.response
        self._emit(
            Failed(
                answer.code,
                answer.reason,
                Origin.REMOTE,
                answer.q850,
                answer.retry_after_s,
                answer.contacts if answer.code < 400 else (),
            )
        )

    def _fail_silent(self, what: _Happened) -> None:
        self._emit(Failed(None, "no response to the INVITE", Origin.TIMEOUT))

    def _fail_hung_up(self, what: _Happened) -> None:
        self._emit(Failed(None, "hung up before the answer", Origin.LOCAL))

    def _fail_cancelled(self, what: _Happened) -> None:
        answer = what.response
        if answer.code == _REQUEST_TERMINATED:
            self._emit(Failed(answer.code, "hung up before the answer", Origin.LOCAL, answer.q850))
        else:  # the callee's own word, which crossed our CANCEL
            self._fail(what)

    def _ended_remotely(self, what: _Happened) -> None:
        self._settle(what.now)
        self._emit(Ended(Side.REMOTE, q850=what.response.q850))

    def _dialog_of(self, answer: Message, source: Address) -> Dialog:
        dialog = self._dialogs.get(answer.to_tag)
        if dialog is None:
            assert self._invite is not None
            dialog = self._dialogs[answer.to_tag] = Dialog.of_response(self._invite, answer, source)
        else:
            dialog.refresh(answer)
        return dialog


@dataclass(frozen=True, slots=True)
class _Happened:
    """What an action may know of its input."""

    now: float
    message: Message | None
    source: Address

    @property
    def response(self) -> Message:
        assert self.message is not None
        return self.message


Row = tuple[tuple[Callable[[ClientLeg, _Happened], None], ...], Stage]
_L = ClientLeg

TABLE: Final[dict[tuple[Stage, Step], Row]] = {
    (Stage.CALLING, Step.PROVISIONAL): ((_L._progress,), Stage.PROCEEDING),
    (Stage.CALLING, Step.CHALLENGE): ((_L._authenticate,), Stage.CALLING),
    (Stage.CALLING, Step.SUCCESS): ((_L._acknowledge, _L._answered), Stage.CONFIRMED),
    (Stage.CALLING, Step.FAILURE): ((_L._fail,), Stage.OVER),
    (Stage.CALLING, Step.NOTHING): ((_L._fail_silent,), Stage.OVER),
    (Stage.CALLING, Step.HANGUP): ((_L._abandon, _L._fail_hung_up), Stage.OVER),
    (Stage.PROCEEDING, Step.PROVISIONAL): ((_L._progress,), Stage.PROCEEDING),
    (Stage.PROCEEDING, Step.CHALLENGE): ((_L._authenticate,), Stage.CALLING),
    (Stage.PROCEEDING, Step.SUCCESS): ((_L._acknowledge, _L._answered), Stage.CONFIRMED),
    (Stage.PROCEEDING, Step.FAILURE): ((_L._fail,), Stage.OVER),
    (Stage.PROCEEDING, Step.HANGUP): ((_L._cancel,), Stage.CANCELLING),
    (Stage.CANCELLING, Step.SUCCESS): (
        (_L._calm, _L._acknowledge, _L._reject_fork, _L._fail_hung_up),
        Stage.OVER,
    ),
    (Stage.CANCELLING, Step.FAILURE): ((_L._calm, _L._fail_cancelled), Stage.OVER),
    (Stage.CANCELLING, Step.PATIENCE): ((_L._abandon, _L._fail_hung_up), Stage.OVER),
    (Stage.CONFIRMED, Step.SUCCESS): ((_L._acknowledge, _L._reject_fork), Stage.CONFIRMED),
    (Stage.CONFIRMED, Step.HANGUP): ((_L._hang_up,), Stage.OVER),
    (Stage.CONFIRMED, Step.BYE): ((_L._ended_remotely,), Stage.OVER),
    (Stage.CONFIRMED, Step.NO_ACK): ((_L._lose,), Stage.OVER),
    # Cleaning up: nothing here is reported any more.
    (Stage.OVER, Step.PROVISIONAL): ((_L._cancel,), Stage.OVER),
    (Stage.OVER, Step.SUCCESS): ((_L._calm, _L._acknowledge, _L._reject_fork), Stage.OVER),
    (Stage.OVER, Step.FAILURE): ((_L._calm,), Stage.OVER),
    (Stage.OVER, Step.PATIENCE): ((_L._abandon,), Stage.OVER),
}
