"""The four transactions of RFC 3261 section 17, as RFC 6026 corrected them, as tables.

A transaction makes an unreliable wire look reliable for one request and its final response. Each is a row of
`TABLES`: (state, input) -> (what to do, next state). An input that a state does not name is absorbed: that is
how retransmissions vanish. Nothing here sends, waits or asks for the time. `Transaction.feed` is told an input
and the time and returns what is to be done: datagrams to send, timers to set or stop, and whether the user of
the transaction must be told.

Rules of the tables:

- A response that the wire brings to a client, and a response that our side gives to a server, are the same
  inputs: PROVISIONAL, SUCCESS, FAILURE.
- `LIVES` says which timers may run in a state; entering a state stops the others. No row stops a timer by hand.
- `QUIET` are the states that only absorb what comes late. Nobody waits for them and nothing is sent by itself,
  so a call is over although such a transaction is still remembered (for 64*T1, at most).
- ABANDONED is ours: an INVITE that its user no longer wants and that nobody has answered (or whose CANCEL nobody
  has followed by a final response). It is not sent again - an INVITE that was lost had better stay lost - but
  whoever answers it late is told to the user, who cancels it or acknowledges and ends it. Timer B bounds it
  (RFC 3261 9.1 gives it the same 64*T1 after a CANCEL). A CANCEL is given up too, once its INVITE has its final
  response: it can change nothing any more.
- A 2xx after a failure (a fork that nobody cancelled in time) is told, not absorbed: its sender repeats it until
  it is acknowledged and ended.
"""

from __future__ import annotations

from enum import Enum
from typing import Final, NamedTuple

from engine.sip.message import Address, Message

T1_S: Final = 0.5  # RFC 3261 17.1.1.1: estimate of a round trip
T2_S: Final = 4.0  # longest interval between retransmissions of what is not an INVITE
T4_S: Final = 5.0  # how long a message stays in the network
TIMEOUT_S: Final = 64 * T1_S


class Kind(Enum):
    CLIENT_INVITE = "client INVITE"
    CLIENT = "client"
    SERVER_INVITE = "server INVITE"
    SERVER = "server"

    __hash__ = object.__hash__


class State(Enum):
    CALLING = "calling"
    TRYING = "trying"
    PROCEEDING = "proceeding"
    ABANDONED = "abandoned"
    COMPLETED = "completed"
    ACCEPTED = "accepted"  # RFC 6026: a 2xx passed
    CONFIRMED = "confirmed"
    TERMINATED = "terminated"

    __hash__ = object.__hash__


class Timer(Enum):
    """RFC 3261 table 4; value: how long, before any doubling."""

    A = ("A", T1_S)  # INVITE again, doubled
    B = ("B", TIMEOUT_S)  # no answer to INVITE
    D = ("D", 32.0)  # repeated failures of an INVITE
    E = ("E", T1_S)  # another request again, doubled up to T2
    F = ("F", TIMEOUT_S)  # no answer to it
    G = ("G", T1_S)  # failure of an INVITE again, doubled up to T2
    H = ("H", TIMEOUT_S)  # no ACK for it
    I = ("I", T4_S)  # repeated ACKs  # noqa: E741
    J = ("J", TIMEOUT_S)  # repeated other requests
    K = ("K", T4_S)  # repeated responses to them
    L = ("L", TIMEOUT_S)  # RFC 6026: repeated INVITEs after our 2xx
    M = ("M", TIMEOUT_S)  # RFC 6026: repeated and forked 2xx

    __hash__ = object.__hash__

    @property
    def seconds(self) -> float:
        return self.value[1]


class Input(Enum):
    START = "start"
    PROVISIONAL = "1xx"
    SUCCESS = "2xx"
    FAILURE = "3xx-6xx"
    REQUEST = "the request again"
    ACK = "ACK"
    ABANDON = "its user gives it up"
    TIMER_A = "timer A"
    TIMER_B = "timer B"
    TIMER_D = "timer D"
    TIMER_E = "timer E"
    TIMER_F = "timer F"
    TIMER_G = "timer G"
    TIMER_H = "timer H"
    TIMER_I = "timer I"
    TIMER_J = "timer J"
    TIMER_K = "timer K"
    TIMER_L = "timer L"
    TIMER_M = "timer M"

    __hash__ = object.__hash__


class Do(Enum):
    """What a row does beside setting timers (a `Timer` in a row sets it, doubled if it just fired)."""

    SEND = "send the request, or the last response, (again)"
    ACK = "acknowledge a failure"
    TELL = "tell the user what came"
    TIMEOUT = "tell the user that nothing came"

    __hash__ = object.__hash__


FIRED: Final = {timer: Input[f"TIMER_{timer.name}"] for timer in Timer}

Row = tuple[tuple[Do | Timer, ...], State]

_CLIENT_INVITE: dict[tuple[State, Input], Row] = {
    (State.CALLING, Input.START): ((Do.SEND, Timer.A, Timer.B), State.CALLING),
    (State.CALLING, Input.TIMER_A): ((Do.SEND, Timer.A), State.CALLING),
    (State.CALLING, Input.TIMER_B): ((Do.TIMEOUT,), State.TERMINATED),
    (State.CALLING, Input.PROVISIONAL): ((Do.TELL,), State.PROCEEDING),
    (State.CALLING, Input.SUCCESS): ((Timer.M, Do.TELL), State.ACCEPTED),
    (State.CALLING, Input.FAILURE): ((Do.ACK, Timer.D, Do.TELL), State.COMPLETED),
    (State.CALLING, Input.ABANDON): ((), State.ABANDONED),
    (State.PROCEEDING, Input.PROVISIONAL): ((Do.TELL,), State.PROCEEDING),
    (State.PROCEEDING, Input.SUCCESS): ((Timer.M, Do.TELL), State.ACCEPTED),
    (State.PROCEEDING, Input.FAILURE): ((Do.ACK, Timer.D, Do.TELL), State.COMPLETED),
    (State.PROCEEDING, Input.ABANDON): ((Timer.B,), State.ABANDONED),
    (State.ABANDONED, Input.PROVISIONAL): ((Do.TELL,), State.PROCEEDING),
    (State.ABANDONED, Input.SUCCESS): ((Timer.M, Do.TELL), State.ACCEPTED),
    (State.ABANDONED, Input.FAILURE): ((Do.ACK, Timer.D, Do.TELL), State.COMPLETED),
    (State.ABANDONED, Input.TIMER_B): ((), State.TERMINATED),
    (State.COMPLETED, Input.FAILURE): ((Do.ACK,), State.COMPLETED),
    (State.COMPLETED, Input.SUCCESS): ((Timer.M, Do.TELL), State.ACCEPTED),
    (State.COMPLETED, Input.TIMER_D): ((), State.TERMINATED),
    (State.ACCEPTED, Input.SUCCESS): ((Do.TELL,), State.ACCEPTED),
    (State.ACCEPTED, Input.TIMER_M): ((), State.TERMINATED),
}

_CLIENT: dict[tuple[State, Input], Row] = {
    (State.TRYING, Input.START): ((Do.SEND, Timer.E, Timer.F), State.TRYING),
    (State.TRYING, Input.TIMER_E): ((Do.SEND, Timer.E), State.TRYING),
    (State.TRYING, Input.TIMER_F): ((Do.TIMEOUT,), State.TERMINATED),
    (State.TRYING, Input.PROVISIONAL): ((Do.TELL,), State.PROCEEDING),
    (State.TRYING, Input.SUCCESS): ((Timer.K, Do.TELL), State.COMPLETED),
    (State.TRYING, Input.FAILURE): ((Timer.K, Do.TELL), State.COMPLETED),
    (State.PROCEEDING, Input.TIMER_E): ((Do.SEND, Timer.E), State.PROCEEDING),
    (State.PROCEEDING, Input.TIMER_F): ((Do.TIMEOUT,), State.TERMINATED),
    (State.PROCEEDING, Input.PROVISIONAL): ((Do.TELL,), State.PROCEEDING),
    (State.PROCEEDING, Input.SUCCESS): ((Timer.K, Do.TELL), State.COMPLETED),
    (State.PROCEEDING, Input.FAILURE): ((Timer.K, Do.TELL), State.COMPLETED),
    (State.TRYING, Input.ABANDON): ((), State.TERMINATED),
    (State.PROCEEDING, Input.ABANDON): ((), State.TERMINATED),
    (State.COMPLETED, Input.TIMER_K): ((), State.TERMINATED),
}

_SERVER_INVITE: dict[tuple[State, Input], Row] = {
    (State.PROCEEDING, Input.START): ((), State.PROCEEDING),
    (State.PROCEEDING, Input.REQUEST): ((Do.SEND,), State.PROCEEDING),
    (State.PROCEEDING, Input.PROVISIONAL): ((Do.SEND,), State.PROCEEDING),
    (State.PROCEEDING, Input.SUCCESS): ((Do.SEND, Timer.L), State.ACCEPTED),
    (State.PROCEEDING, Input.FAILURE): ((Do.SEND, Timer.G, Timer.H), State.COMPLETED),
    (State.COMPLETED, Input.REQUEST): ((Do.SEND,), State.COMPLETED),
    (State.COMPLETED, Input.TIMER_G): ((Do.SEND, Timer.G), State.COMPLETED),
    (State.COMPLETED, Input.TIMER_H): ((), State.TERMINATED),
    (State.COMPLETED, Input.ACK): ((Timer.I,), State.CONFIRMED),
    (State.CONFIRMED, Input.TIMER_I): ((), State.TERMINATED),
    # The 2xx is repeated by the leg until its ACK comes (RFC 3261 13.3.1.4), whatever asks for it.
    (State.ACCEPTED, Input.SUCCESS): ((Do.SEND,), State.ACCEPTED),
    (State.ACCEPTED, Input.TIMER_L): ((), State.TERMINATED),
}

_SERVER: dict[tuple[State, Input], Row] = {
    (State.TRYING, Input.START): ((), State.TRYING),
    (State.TRYING, Input.PROVISIONAL): ((Do.SEND,), State.PROCEEDING),
    (State.TRYING, Input.SUCCESS): ((Do.SEND, Timer.J), State.COMPLETED),
    (State.TRYING, Input.FAILURE): ((Do.SEND, Timer.J), State.COMPLETED),
    (State.PROCEEDING, Input.REQUEST): ((Do.SEND,), State.PROCEEDING),
    (State.PROCEEDING, Input.PROVISIONAL): ((Do.SEND,), State.PROCEEDING),
    (State.PROCEEDING, Input.SUCCESS): ((Do.SEND, Timer.J), State.COMPLETED),
    (State.PROCEEDING, Input.FAILURE): ((Do.SEND, Timer.J), State.COMPLETED),
    (State.COMPLETED, Input.REQUEST): ((Do.SEND,), State.COMPLETED),
    (State.COMPLETED, Input.TIMER_J): ((), State.TERMINATED),
}

TABLES: Final = {
    Kind.CLIENT_INVITE: _CLIENT_INVITE,
    Kind.CLIENT: _CLIENT,
    Kind.SERVER_INVITE: _SERVER_INVITE,
    Kind.SERVER: _SERVER,
}

INITIAL: Final = {
    Kind.CLIENT_INVITE: State.CALLING,
    Kind.CLIENT: State.TRYING,
    Kind.SERVER_INVITE: State.PROCEEDING,
    Kind.SERVER: State.TRYING,
}

LIVES: Final[dict[tuple[Kind, State], frozenset[Timer]]] = {
    (Kind.CLIENT_INVITE, State.CALLING): frozenset({Timer.A, Timer.B}),
    (Kind.CLIENT_INVITE, State.ABANDONED): frozenset({Timer.B}),
    (Kind.CLIENT_INVITE, State.COMPLETED): frozenset({Timer.D}),
    (Kind.CLIENT_INVITE, State.ACCEPTED): frozenset({Timer.M}),
    (Kind.CLIENT, State.TRYING): frozenset({Timer.E, Timer.F}),
    (Kind.CLIENT, State.PROCEEDING): frozenset({Timer.E, Timer.F}),
    (Kind.CLIENT, State.COMPLETED): frozenset({Timer.K}),
    (Kind.SERVER_INVITE, State.COMPLETED): frozenset({Timer.G, Timer.H}),
    (Kind.SERVER_INVITE, State.CONFIRMED): frozenset({Timer.I}),
    (Kind.SERVER_INVITE, State.ACCEPTED): frozenset({Timer.L}),
    (Kind.SERVER, State.COMPLETED): frozenset({Timer.J}),
}

QUIET: Final = frozenset(
    {
        (Kind.CLIENT_INVITE, State.ABANDONED),
        (Kind.CLIENT_INVITE, State.COMPLETED),
        (Kind.CLIENT_INVITE, State.ACCEPTED),
        (Kind.CLIENT, State.COMPLETED),
        (Kind.SERVER_INVITE, State.CONFIRMED),
        (Kind.SERVER_INVITE, State.ACCEPTED),
        (Kind.SERVER, State.COMPLETED),
    }
    | {(kind, State.TERMINATED) for kind in Kind}
)

_CAP_S: Final = {Timer.E: T2_S, Timer.G: T2_S}  # Timer A doubles without a cap (RFC 3261 17.1.1.2)


class Transmit(NamedTuple):
    """A datagram for the wire."""

    data: bytes
    to: Address


class SetTimer(NamedTuple):
    """Call back at `at` (Unix seconds); a timer of that name that is set is replaced."""

    timer: Timer
    at: float


class StopTimer(NamedTuple):
    timer: Timer


class Tell(NamedTuple):
    """The user of the transaction must hear what was fed, or that nothing came in time."""

    timeout: bool


Output = Transmit | SetTimer | StopTimer | Tell


class Transaction:
    """One transaction. `to` is where its datagrams go; `request` is what began it."""

    __slots__ = ("_set", "_wait_s", "data", "key", "kind", "request", "state", "to")

    def __init__(self, kind: Kind, key: str, request: Message, to: Address) -> None:
        self.kind = kind
        self.key = key
        self.request = request
        self.to = to
        self.state = INITIAL[kind]
        self.data = b""  # the request of a client, the last response of a server
        self._set: frozenset[Timer] = frozenset()
        self._wait_s = 0.0

    @property
    def quiet(self) -> bool:
        """It only absorbs what comes late."""
        return (self.kind, self.state) in QUIET

    @property
    def timers(self) -> int:
        """How many timers are set."""
        return len(self._set)

    @property
    def terminated(self) -> bool:
        return self.state is State.TERMINATED

    def feed(self, what: Input, now: float, ack: bytes = b"") -> list[Output]:
        """Move on by one input. `ack` is needed with a FAILURE of an INVITE."""
        row = TABLES[self.kind].get((self.state, what))
        if row is None:
            return []
        doing, following = row
        outputs: list[Output] = []
        kept = LIVES.get((self.kind, following), frozenset())
        outputs.extend(StopTimer(timer) for timer in self._set if timer not in kept and FIRED[timer] is not what)
        self._set = frozenset(timer for timer in self._set if timer in kept and FIRED[timer] is not what)
        self.state = following
        for action in doing:
            if isinstance(action, Timer):
                self._set |= {action}
                outputs.append(SetTimer(action, now + self._duration(action, what)))
            elif action is Do.SEND:
                if self.data:
                    outputs.append(Transmit(self.data, self.to))
            elif action is Do.ACK:
                outputs.append(Transmit(ack, self.to))
            else:
                outputs.append(Tell(action is Do.TIMEOUT))
        if self.quiet and self.kind in (Kind.CLIENT_INVITE, Kind.CLIENT):
            self.data = b""  # it is not sent again, and a thousand calls a second are remembered for 32 s
        return outputs

    def _duration(self, timer: Timer, what: Input) -> float:
        if FIRED[timer] is not what:
            if timer in (Timer.A, Timer.E, Timer.G):
                self._wait_s = timer.seconds
            return timer.seconds
        if self.kind is Kind.CLIENT and self.state is State.PROCEEDING:
            self._wait_s = T2_S  # RFC 3261 17.1.2.2
        else:
            self._wait_s = min(self._wait_s * 2, _CAP_S.get(timer, TIMEOUT_S))
        return self._wait_s
